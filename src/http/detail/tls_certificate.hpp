// The certificate and key of a TLS server, read again when their files change. A connection keeps what it began with.
// A pair that cannot be used (half written, not belonging together, gone) is said in the log, once for each change, and
// the one before it goes on.
//
// Threads: any. TLS 1.2 with forward secrecy and authenticated encryption, or 1.3; no renegotiation, no compression.
#pragma once

#include "base/log.hpp"
#include "http/server.hpp"

#include <boost/asio/ssl/context.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>

namespace xentz::http::detail {

class tls_certificate {
public:
    // config_invalid where they cannot be used. The logger must outlive it.
    static base::result<std::unique_ptr<tls_certificate>> load(const tls_files& files, base::logger& log);

    // For a new connection. Looks at the files' times and sizes, and reads them where one of these has changed.
    std::shared_ptr<boost::asio::ssl::context> current();
    // Reads them whatever the times say.
    void reload();

private:
    struct stamp {
        std::filesystem::file_time_type written;
        std::uintmax_t bytes = 0;
        bool operator==(const stamp&) const = default;
    };
    using stamps = std::array<stamp, 2>;

    tls_certificate(tls_files files, base::logger& log) : files_(std::move(files)), log_(log) {}
    static stamp stamp_of(const std::filesystem::path& file);
    stamps stamps_now() const { return {stamp_of(files_.certificate_chain), stamp_of(files_.private_key)}; }
    void replace();

    tls_files files_;
    base::logger& log_;
    std::mutex mutex_;
    stamps seen_; // of the last attempt, good or bad
    std::shared_ptr<boost::asio::ssl::context> context_;
};

} // namespace xentz::http::detail
