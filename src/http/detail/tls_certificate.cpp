#include "http/detail/tls_certificate.hpp"

#include <utility>

namespace xentz::http::detail {
namespace {

namespace asio = boost::asio;
using base::fault_code;
using boost::system::error_code;

std::unexpected<base::fault> bad_tls_file(const std::string& what, const std::filesystem::path& file,
                                          const error_code& error)
{
    return base::fail(fault_code::config_invalid, "cannot use " + what + " " + file.string() + ": " + error.message(),
                      "Check that the file exists, is readable to the server and in PEM format");
}

base::result<std::shared_ptr<asio::ssl::context>> make_context(const tls_files& files)
{
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code error;
    tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::single_dh_use, error);
    auto* native = tls->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // TLS 1.2 with forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
    SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    // Without this an encrypted key would make OpenSSL ask for its password on the terminal.
    tls->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string{}; }, error);
    tls->use_certificate_chain_file(files.certificate_chain.string(), error);
    if (error) return bad_tls_file("the TLS certificate", files.certificate_chain, error);
    // It is also refused where it does not belong to the certificate.
    tls->use_private_key_file(files.private_key.string(), asio::ssl::context::pem, error);
    if (error) return bad_tls_file("the TLS key", files.private_key, error);
    return tls;
}

} // namespace

base::result<std::unique_ptr<tls_certificate>> tls_certificate::load(const tls_files& files, base::logger& log)
{
    std::unique_ptr<tls_certificate> out{new tls_certificate{files, log}};
    out->seen_ = out->stamps_now();
    auto context = make_context(files);
    if (!context) return base::failed(context);
    out->context_ = std::move(*context);
    return out;
}

// What cannot be looked at counts as another file; reading it says why.
tls_certificate::stamp tls_certificate::stamp_of(const std::filesystem::path& file)
{
    std::error_code error;
    stamp out{std::filesystem::last_write_time(file, error), 0};
    if (error) return {};
    out.bytes = std::filesystem::file_size(file, error);
    return error ? stamp{} : out;
}

std::shared_ptr<asio::ssl::context> tls_certificate::current()
{
    const std::lock_guard guard{mutex_};
    if (stamps_now() != seen_) replace();
    return context_;
}

void tls_certificate::reload()
{
    const std::lock_guard guard{mutex_};
    replace();
}

void tls_certificate::replace()
{
    // Before they are read: what changes while they are is seen the next time.
    seen_ = stamps_now();
    auto fresh = make_context(files_);
    if (!fresh) {
        log_.error("the TLS certificate was not replaced, the one before it goes on: " + base::sentence(fresh.error()));
        return;
    }
    context_ = std::move(*fresh);
    log_.info("TLS certificate read again from " + files_.certificate_chain.string());
}

} // namespace xentz::http::detail
