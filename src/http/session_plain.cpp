#include "http/detail/session.hpp"

namespace xentz::http::detail {

void start_plain_session(server_context& context, boost::asio::ip::tcp::socket socket)
{
    using plain_session = session<eager_socket>;
    error_code ignored;
    auto remote = socket.remote_endpoint(ignored).address().to_string();
    plain_session::start(std::make_shared<plain_session>(context, std::move(remote), std::move(socket)));
}

} // namespace xentz::http::detail
