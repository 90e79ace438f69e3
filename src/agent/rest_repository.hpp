// A rest: repository asked directly, over HTTP (restic's REST back-end document): which it is, and which snapshots and
// locks lie in it. restic itself needs a key derivation for each such question, and where the server is away up to 15
// minutes for the answer; each call here takes at most 10 seconds.
//
// Faults: repository_unreachable, repository_refused (401, 403), repository_unavailable (any other answer that is not
// what the protocol says), tls_failed, insecure_transport, interrupted. No message holds the credential.
// Threads: as its HTTP client, which must outlive the object.
#pragma once

#include "base/clock.hpp"
#include "http/client.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::agent {

class rest_repository {
public:
    // config_invalid where the address is no URL.
    static base::result<rest_repository> at(std::string_view address, http::client& client);
    static bool is_rest(std::string_view address) { return address.starts_with("rest:"); }

    // SHA-256 of the repository's config in hex: another one means another repository, or one that was migrated.
    // Nothing where there is no repository.
    base::result<std::optional<std::string>> config_hash(std::stop_token stop);
    // Their ids, in no order.
    base::result<std::vector<std::string>> snapshots(std::stop_token stop);

    struct stored_pack {
        std::string name; // 64 hex digits
        std::uint64_t bytes = 0;
    };
    // Every pack, in no order; repository_unavailable where the list is longer than the client takes (4 MiB, some
    // 40,000 packs), or where the server speaks only version 1 of the protocol, which tells no sizes.
    base::result<std::vector<stored_pack>> packs(std::stop_token stop);

    struct stored_lock {
        std::optional<base::time_point> stored_at; // by the server's clock, where it says so
    };
    // Nothing where the lock is gone.
    base::result<std::optional<stored_lock>> find_lock(const std::string& id, std::stop_token stop);
    base::result<> remove_lock(const std::string& id, std::stop_token stop); // no error where it is gone

    // The server's clock, as its last answer told it.
    std::optional<base::time_point> server_time() const { return server_time_; }

private:
    rest_repository(http::url_parts parts, http::client& client);
    base::result<http::client_response> ask(const std::string& method, const std::string& path, std::stop_token stop);

    http::url_parts parts_;
    http::client& client_;
    std::optional<base::time_point> server_time_;
};

} // namespace xentz::agent
