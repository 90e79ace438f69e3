#include "contract/http/support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace xentz::http::testing {
namespace {

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

sockaddr* generic(sockaddr_in& address) { return static_cast<sockaddr*>(static_cast<void*>(&address)); }

bool ready(int socket, short events, std::chrono::milliseconds at_most)
{
    pollfd p{socket, events, 0};
    return ::poll(&p, 1, static_cast<int>(at_most.count())) > 0;
}

header header_of(const std::string& line)
{
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(' ', colon + 1);
    return {line.substr(0, colon), value == std::string::npos ? "" : line.substr(value)};
}

} // namespace

void memory_log::write(base::log_level, std::string_view message)
{
    const std::lock_guard lock{mutex_};
    lines_.append(message).append("\n");
}

bool memory_log::contains(std::string_view text) const
{
    const std::lock_guard lock{mutex_};
    return lines_.find(text) != std::string::npos;
}

server_options test_options()
{
    server_options o;
    o.listen = {{"127.0.0.1", 0}};
    o.idle_timeout = 30s;
    o.header_timeout = 30s;
    o.body_timeout = 30s;
    o.stop_grace = 20s;
    o.handlers_at_once = 4;
    return o;
}

running_server::running_server(handler& h, server_options options) : handler_{h} { start(options); }

running_server::running_server(std::function<admission(const request_head&)> begin, server_options options)
    : own_{std::make_unique<function_handler>(std::move(begin))}, handler_{*own_}
{
    start(options);
}

void running_server::start(const server_options& options)
{
    auto made = make_server(options, handler_, log_);
    if (!made) throw std::runtime_error{made.error().message};
    server_ = std::move(*made);
    tls_ = options.tls.has_value();
    port_ = server_->addresses().front().port;
    thread_ = std::jthread{[this](std::stop_token stop) {
        server_->run(std::move(stop));
        state_.change([this] { ended_ = true; });
    }};
}

running_server::~running_server() = default;

std::string running_server::url(const std::string& path) const
{
    return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
}

bool running_server::ended_within(std::chrono::milliseconds at_most)
{
    return state_.wait([this] { return ended_; }, at_most);
}

std::string raw_response::find(std::string_view name) const
{
    const auto* value = find_header(headers, name);
    return value == nullptr ? "" : *value;
}

raw_connection::raw_connection() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}

raw_connection::raw_connection(std::uint16_t port) : raw_connection{} { connect(port); }

void raw_connection::connect(std::uint16_t port)
{
    auto address = loopback(port);
    connected_ = ::connect(socket_, generic(address), sizeof address) == 0;
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

raw_connection::~raw_connection() { close(); }

void raw_connection::close()
{
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

void raw_connection::close_sending() { ::shutdown(socket_, SHUT_WR); }

bool raw_connection::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

std::size_t raw_connection::send_what_fits(std::string_view bytes, std::chrono::milliseconds patience)
{
    std::size_t sent = 0;
    while (sent < bytes.size() && ready(socket_, POLLOUT, patience)) {
        const auto n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
    }
    return sent;
}

bool raw_connection::fill()
{
    std::string piece(65536, '\0');
    if (!ready(socket_, POLLIN, 20s)) return false;
    const auto n = ::recv(socket_, piece.data(), piece.size(), 0);
    if (n <= 0) return false;
    received_.append(piece, 0, static_cast<std::size_t>(n));
    return true;
}

std::string raw_connection::take(std::size_t bytes)
{
    while (received_.size() < bytes) {
        if (!fill()) break;
    }
    auto out = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return out;
}

std::string raw_connection::take_line()
{
    auto end = received_.find("\r\n");
    while (end == std::string::npos && fill()) end = received_.find("\r\n");
    if (end == std::string::npos) return {};
    auto line = take(end + 2);
    line.resize(end);
    return line;
}

raw_response raw_connection::receive(bool to_head)
{
    raw_response r;
    const auto first = take_line();
    if (first.size() < 12) return {};
    r.status = std::stoi(first.substr(9, 3));
    for (auto line = take_line(); !line.empty(); line = take_line()) r.headers.push_back(header_of(line));
    if (to_head || r.status == 100 || r.status == 204 || r.status == 304) return r;
    if (r.find("Transfer-Encoding") == "chunked") {
        for (;;) {
            const auto line = take_line();
            if (line.empty()) return {};
            const auto size = std::stoul(line, nullptr, 16);
            const auto piece = take(size + 2);
            if (piece.size() != size + 2) return {};
            r.body.append(piece, 0, size);
            if (size == 0) return r;
        }
    }
    if (r.find("Content-Length").empty()) {
        r.body = receive_until_closed();
        return r;
    }
    const auto size = std::stoul(r.find("Content-Length"));
    r.body = take(size);
    return r.body.size() == size ? r : raw_response{};
}

std::string raw_connection::receive_until_closed()
{
    while (fill()) {
    }
    return std::exchange(received_, {});
}

bool raw_connection::closed_within(std::chrono::milliseconds at_most)
{
    char byte = 0;
    return received_.empty() && ready(socket_, POLLIN, at_most) && ::recv(socket_, &byte, 1, 0) <= 0;
}

canned_server::canned_server(std::string answer, bool hold)
    : answer_{std::move(answer)}, hold_{hold}, socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(socket_, generic(address), size) != 0 || ::listen(socket_, 16) != 0 ||
        ::getsockname(socket_, generic(address), &size) != 0) {
        throw std::runtime_error{"no port to listen on"};
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread{[this](const std::stop_token& stop) { serve(stop); }};
}

canned_server::~canned_server()
{
    thread_ = {};
    ::close(socket_);
}

void canned_server::serve(const std::stop_token& stop)
{
    while (!stop.stop_requested()) {
        if (!ready(socket_, POLLIN, 10ms)) continue;
        const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
        state_.change([this] { ++connections_; });
        std::string head;
        char byte = 0;
        while (!head.ends_with("\r\n\r\n") && ready(peer, POLLIN, 5s) && ::recv(peer, &byte, 1, 0) == 1) head += byte;
        state_.change([&] { heads_ += head; });
        while (hold_ && !stop.stop_requested()) std::this_thread::sleep_for(5ms);
        if (!hold_ && ::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL) > 0) {
            ::shutdown(peer, SHUT_WR);
            while (ready(peer, POLLIN, 5s) && ::recv(peer, &byte, 1, 0) == 1) {
            }
        }
        ::close(peer);
    }
}

std::string canned_server::heads()
{
    std::string out;
    state_.change([&] { out = heads_; });
    return out;
}

std::size_t canned_server::connections()
{
    std::size_t out = 0;
    state_.change([&] { out = connections_; });
    return out;
}

bool canned_server::wait_for_connection()
{
    return state_.wait([this] { return connections_ > 0; });
}

} // namespace xentz::http::testing
