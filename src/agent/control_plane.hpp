// The control plane as the agent sees it: the calls of the device API over HTTP.
//
// Faults: those of the transport (http/client.hpp); token_refused, device_revoked, content_refused (400, 413, 415, 422:
// sending the same again can never succeed), server_refused (another 4xx), server_failed (5xx and 429; may get better),
// protocol_error (the answer is not what was asked for). Threads: as its HTTP client.
#pragma once

#include "http/client.hpp"
#include "wire/messages.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace xentz::agent {

struct fetched_config {
    wire::device_config config;
    std::string etag;
    std::string body; // as received: what is cached
};

class control_plane {
public:
    // `server_url` without a slash at the end; `client` must outlive the object.
    control_plane(http::client& client, std::string server_url);

    base::result<wire::install_response> install(const std::string& token, const std::string& idempotency_key,
                                                 const wire::install_request& r, std::stop_token stop);
    // With a recovery token. The same key gets the same answer again.
    base::result<wire::recover_response> recover(const std::string& token, const std::string& idempotency_key,
                                                 const wire::recover_request& r, std::stop_token stop);
    base::result<wire::install_response> take_over(const std::string& token, const std::string& idempotency_key,
                                                   const wire::take_over_request& r, std::stop_token stop);
    // Success only where the server says that it keeps it.
    base::result<> hand_over(const std::string& device_key, const wire::password_message& m, std::stop_token stop);
    // Nothing where the config that `etag` names is still the current one.
    base::result<std::optional<fetched_config>> config(const std::string& device_key,
                                                       const std::optional<std::string>& etag, std::stop_token stop);
    // Success only where the answer names the report: captive portals say 200, too.
    base::result<> report(const std::string& device_key, const std::string& body, const std::string& report_id,
                          std::stop_token stop);

    // The server's clock, as its last answer told it, whatever the answer was.
    std::optional<base::time_point> server_time() const { return server_time_; }
    // What its last success said (wire::epoch_header); nothing where it did not.
    const std::optional<std::string>& epoch() const { return epoch_; }

private:
    base::result<http::client_response> send(http::client_request r, std::stop_token stop);
    // A call with a token, which may be repeated with the same key.
    template <class Answer>
    base::result<Answer> exchange(const std::string& path, const std::string& token, const std::string& idempotency_key,
                                  std::string body, std::stop_token stop);

    http::client& client_;
    std::string server_url_;
    std::optional<base::time_point> server_time_;
    std::optional<std::string> epoch_;
};

} // namespace xentz::agent
