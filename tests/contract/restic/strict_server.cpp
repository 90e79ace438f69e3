#include "contract/restic/strict_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace xentz::restic {
namespace {

bool send_all(int connection, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool receive_more(int connection, std::string& buffer)
{
    std::array<char, 65536> bytes{};
    const auto got = ::recv(connection, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    buffer.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
}

std::string header(std::string_view head, std::string_view name)
{
    const auto at = head.find("\r\n" + std::string{name} + ": ");
    if (at == std::string_view::npos) return {};
    const auto begin = at + name.size() + 4;
    return std::string{head.substr(begin, head.find("\r\n", begin) - begin)};
}

std::size_t number(std::string_view text)
{
    std::size_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

} // namespace

strict_server::strict_server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof any;
    auto* place = reinterpret_cast<sockaddr*>(&any);
    if (::bind(listener_, place, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, place, &size) != 0)
        throw std::runtime_error("cannot listen on loopback");
    port_ = ntohs(any.sin_port);
    acceptor_ = std::jthread{[this] { accept_all(); }};
}

strict_server::~strict_server()
{
    go_away();
    acceptor_.join();
    threads_.clear();
    ::close(listener_);
}

void strict_server::refuse(refusal r)
{
    const std::scoped_lock lock{mutex_};
    refuse_ = std::move(r);
}

void strict_server::go_away()
{
    away_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    const std::scoped_lock lock{mutex_};
    for (const int c : connections_) ::shutdown(c, SHUT_RDWR);
}

std::string strict_server::address() const { return "rest:http://127.0.0.1:" + std::to_string(port_) + "/r/"; }

bool strict_server::holds(std::string_view folder) const
{
    const std::scoped_lock lock{mutex_};
    return std::ranges::any_of(objects_, [&](const auto& o) { return o.first.starts_with(folder); });
}

void strict_server::accept_all()
{
    while (!away_) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        const std::scoped_lock lock{mutex_};
        if (away_) {
            ::close(connection);
            return;
        }
        connections_.push_back(connection);
        threads_.emplace_back([this, connection] { serve(connection); });
    }
}

bool strict_server::receive(int connection, std::string& buffer, request& r)
{
    auto end = buffer.find("\r\n\r\n");
    for (; end == std::string::npos; end = buffer.find("\r\n\r\n"))
        if (!receive_more(connection, buffer)) return false;
    const auto head = buffer.substr(0, end + 2);
    const auto length = number(header(head, "Content-Length"));
    while (buffer.size() < end + 4 + length)
        if (!receive_more(connection, buffer)) return false;
    const auto first = head.find(' ');
    const auto path = head.substr(first + 1, head.find(' ', first + 1) - first - 1);
    r = {.method = head.substr(0, first),
         .path = path,
         .range = header(head, "Range"),
         .body = buffer.substr(end + 4, length)};
    buffer.erase(0, end + 4 + length);
    return true;
}

void strict_server::serve(int connection)
{
    std::string buffer;
    for (request r; receive(connection, buffer, r);) {
        ++requests_;
        const auto a = answer_to(r);
        const auto length = r.method == "HEAD" ? a.length : a.body.size();
        const auto head = "HTTP/1.1 " + std::to_string(a.status) + " Answer\r\nContent-Type: application/json\r\n" +
                          "Content-Length: " + std::to_string(length) + "\r\n\r\n";
        if (!send_all(connection, head + (r.method == "HEAD" ? "" : a.body))) break;
    }
    const std::scoped_lock lock{mutex_};
    std::erase(connections_, connection);
    ::close(connection);
}

strict_server::answer strict_server::answer_to(const request& r)
{
    const std::scoped_lock lock{mutex_};
    const auto path = r.path.substr(0, r.path.find('?'));
    if (const int refused = refuse_ ? refuse_(r.method, path) : 0; refused != 0) return {.status = refused};
    if (r.method == "POST") {
        if (!path.ends_with('/')) objects_[path] = r.body;
        return {};
    }
    if (r.method == "DELETE") return {.status = objects_.erase(path) > 0 ? 200 : 404};
    return read(r);
}

strict_server::answer strict_server::read(const request& r) const
{
    if (r.path.ends_with('/')) {
        std::string names;
        for (const auto& [path, content] : objects_) {
            if (!path.starts_with(r.path)) continue;
            names += (names.empty() ? "\"" : ",\"") + path.substr(path.rfind('/') + 1) + "\"";
        }
        return {.body = "[" + names + "]"};
    }
    const auto at = objects_.find(r.path);
    if (at == objects_.end()) return {.status = 404};
    constexpr std::string_view bytes = "bytes=";
    if (!r.range.starts_with(bytes)) return {.body = at->second, .length = at->second.size()};
    const auto from = number(std::string_view{r.range}.substr(bytes.size()));
    const auto last = std::string_view{r.range}.substr(r.range.find('-') + 1);
    const auto length = last.empty() ? std::string::npos : number(last) - from + 1;
    return {.status = 206, .body = at->second.substr(std::min(from, at->second.size()), length)};
}

} // namespace xentz::restic
