// Where a bucket is, and how it is spoken to:
//
//     s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME&...]
//
//     endpoint     https://host[:port]; without one it is Amazon's for the region
//     region       without one AWS_REGION or AWS_DEFAULT_REGION, and us-east-1 where an endpoint is named
//     addressing   path (host/bucket/key) or host (bucket.host/key); host with Amazon, path elsewhere
//     credentials  a file of access keys (s3/credentials.hpp)
//     profile      its section; without one AWS_PROFILE, else "default"
//     ca-file      PEM of the authorities that may vouch for the endpoint, instead of the system's
//     allow-http   true: plain HTTP to an address that is not loopback
//
// Keys of objects are relative to the prefix. They are made of letters, digits and "/._-", so none is ever escaped.
// Threads: values. Errors: invalid_value, insecure_transport; no message repeats what may be a secret.
#pragma once

#include "base/fault.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace xentz::s3 {

// A variable of the environment; nothing where it is not set or empty.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

struct address {
    std::string bucket;
    std::string prefix;   // without a slash at either end; may be empty
    std::string endpoint; // "https://host[:port]"; with the bucket in it where addressing is by host
    std::string region;
    bool bucket_in_host = false;
    std::optional<std::filesystem::path> credentials_file;
    std::string profile;
    std::optional<std::filesystem::path> ca_file;
    bool allow_http = false;

    // "s3://bucket/prefix", for people.
    std::string name() const;
    // The URL of an object, or of the bucket itself where the key is empty.
    std::string url(std::string_view key) const;
    // As x-amz-copy-source wants it.
    std::string source(std::string_view key) const;
    std::string full_key(std::string_view key) const;
};

base::result<address> parse_address(std::string_view text, const environment& variables);

} // namespace xentz::s3
