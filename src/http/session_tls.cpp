#include "http/detail/session.hpp"
#include "http/detail/tls_stream.hpp"

namespace xentz::http::detail {

void start_tls_session(server_context& context, boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls)
{
    using tls_session = session<tls_stream>;
    error_code ignored;
    auto remote = socket.remote_endpoint(ignored).address().to_string();
    tls_session::start(std::make_shared<tls_session>(context, std::move(remote), std::move(socket), tls));
}

} // namespace xentz::http::detail
