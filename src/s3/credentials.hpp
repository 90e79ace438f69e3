// The access keys that open an object store, from the first place that has some:
//
//     1. the file that the address names (credentials=); then no other place is looked at
//     2. the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//     3. the file that AWS_SHARED_CREDENTIALS_FILE names
//     4. the machine's own role: the instance metadata of EC2, version 2 (IMDSv2), unless AWS_EC2_METADATA_DISABLED is
//        "true"; AWS_EC2_METADATA_SERVICE_ENDPOINT names another place for it
//
// A file is INI, as Amazon's own tools write it: sections "[default]" or "[profile name]", keys aws_access_key_id,
// aws_secret_access_key, aws_session_token.
// What is found is kept until shortly before it expires, or until it is asked for anew.
//
// Threads: may be used from any thread at once; a look at file or metadata blocks the others.
// Errors: config_missing where there are none anywhere, config_invalid, and those of files and of the HTTP client.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/redactor.hpp"
#include "http/client.hpp"
#include "os/files.hpp"
#include "s3/address.hpp"

#include <memory>
#include <optional>
#include <string>

namespace xentz::s3 {

struct credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token; // may be empty
    std::optional<base::time_point> expires_at;
    std::string origin; // "the environment", for people
    bool same_as(const credentials& other) const
    {
        return access_key == other.access_key && secret_key == other.secret_key && session_token == other.session_token;
    }
};

class credential_source {
public:
    virtual ~credential_source() = default;
    virtual base::result<credentials> get() = 0;
    // Looks again: the object store has refused those of `get`.
    virtual base::result<credentials> renewed() = 0;
};

struct credential_places {
    os::files& files;
    const base::clock& clock;
    base::redactor& redactor; // is told of every secret
    environment variables;
};

// `metadata` reaches the instance's metadata: plain HTTP, past any proxy, with short time limits.
std::unique_ptr<credential_source> make_credential_source(const address& a, credential_places places,
                                                          std::unique_ptr<http::client> metadata);
std::unique_ptr<http::client> make_metadata_client();

// One section of such a file; config_invalid, without a line of it in the message, where it lacks either key.
base::result<credentials> parse_credentials_file(std::string_view text, std::string_view profile);

// From the metadata of the instance that this machine is.
base::result<credentials> ask_instance_metadata(http::client& client, const std::string& endpoint);

} // namespace xentz::s3
