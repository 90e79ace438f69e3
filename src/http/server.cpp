#include "http/server.hpp"

#include "http/detail/server_context.hpp"
#include "http/detail/tls_certificate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

namespace xentz::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::fault_code;
using detail::error_code;
using detail::task;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr auto accept_pause = std::chrono::milliseconds{100};

// Some are always free for the network, whatever the handlers wait for.
unsigned thread_count(const server_options& o) { return o.handlers_at_once + 2; }

std::string to_text(const listen_address& a)
{
    const bool v6 = a.host.find(':') != std::string::npos;
    return (v6 ? "[" + a.host + "]" : a.host) + ":" + std::to_string(a.port);
}

std::unexpected<base::fault> cannot_listen(const listen_address& a, const error_code& error)
{
    const auto what = "cannot listen on " + to_text(a) + ": ";
    if (error == asio::error::address_in_use) {
        return base::fail(fault_code::conflict, what + "the port is taken",
                          "Stop the program that uses it, or listen on another port");
    }
    if (error == asio::error::access_denied) {
        return base::fail(fault_code::config_invalid, what + "ports below 1024 need a special permission",
                          "Listen on a higher port, or give the service CAP_NET_BIND_SERVICE");
    }
    return base::fail(fault_code::config_invalid, what + error.message(), "listen on an address of this machine");
}

base::result<tcp::acceptor> bind_to(asio::io_context& io, const listen_address& a)
{
    error_code error;
    const auto address = asio::ip::make_address(a.host, error);
    if (error) {
        return base::fail(fault_code::invalid_value, "cannot listen on " + a.host + ": it is no IP address",
                          "Write it as 127.0.0.1:8080 or [::1]:8080");
    }
    const tcp::endpoint endpoint{address, a.port};
    tcp::acceptor acceptor{asio::make_strand(io)};
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    // Otherwise [::] would take the IPv4 port as well, and 0.0.0.0 beside it would fail.
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot_listen(a, error);
    return acceptor;
}

class asio_server final : public server {
public:
    asio_server(const server_options& options, handler& h, base::logger& log)
        : options_{options}, handler_{h}, log_{log}, io_{static_cast<int>(thread_count(options))}
    {
    }

    base::result<> prepare()
    {
        if (options_.tls) {
            auto tls = detail::tls_certificate::load(*options_.tls, log_);
            if (!tls) return failed(tls);
            tls_ = std::move(*tls);
        }
        for (const auto& address : options_.listen) {
            auto acceptor = bind_to(io_, address);
            if (!acceptor) return failed(acceptor);
            addresses_.push_back({address.host, acceptor->local_endpoint().port()});
            acceptors_.push_back(std::move(*acceptor));
        }
        return {};
    }

    std::vector<listen_address> addresses() const override { return addresses_; }

    void reload_certificate() override
    {
        if (tls_) tls_->reload();
    }

    void run(std::stop_token stop) override
    {
        detail::server_context context{options_, handler_, log_};
        auto work = asio::make_work_guard(io_);
        for (auto& acceptor : acceptors_) {
            asio::co_spawn(acceptor.get_executor(), accept(context, acceptor), asio::detached);
        }
        std::vector<std::jthread> threads;
        threads.reserve(thread_count(options_));
        for (unsigned i = 0; i < thread_count(options_); ++i) threads.emplace_back([this] { io_.run(); });
        watch_until(stop, context);
        drain(context);
        work.reset();
        threads.clear();
    }

private:
    // How often is looked who is late: limits are kept to an eighth or a second.
    std::chrono::milliseconds pause() const
    {
        const auto shortest = std::min({options_.idle_timeout, options_.header_timeout, options_.body_timeout});
        return std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds{10},
                                                     std::chrono::seconds{1});
    }

    static void close_late(const detail::server_context& context)
    {
        const auto now = std::chrono::steady_clock::now();
        for (const auto& c : context.connections.all()) c->close_if_late(now);
    }

    void watch_until(const std::stop_token& stop, const detail::server_context& context) const
    {
        std::mutex mutex;
        std::condition_variable_any requested;
        std::unique_lock lock{mutex};
        while (!stop.stop_requested()) {
            requested.wait_for(lock, stop, pause(), [] { return false; });
            close_late(context);
        }
    }

    // Whether all have ended within the grace.
    bool wait_for_the_last(const detail::server_context& context) const
    {
        const auto until = std::chrono::steady_clock::now() + options_.stop_grace;
        while (std::chrono::steady_clock::now() < until) {
            if (context.connections.wait_until_empty(pause())) return true;
            close_late(context);
        }
        return context.connections.wait_until_empty(std::chrono::milliseconds{0});
    }

    void drain(detail::server_context& context)
    {
        context.draining = true;
        for (auto& acceptor : acceptors_) {
            asio::post(acceptor.get_executor(), [&acceptor] {
                error_code ignored;
                acceptor.close(ignored);
            });
        }
        for (const auto& c : context.connections.all()) c->close_if_idle();
        if (wait_for_the_last(context)) return;
        const auto left = context.connections.all();
        log_.warn("cutting " + std::to_string(left.size()) + " connections that did not end in time");
        for (const auto& c : left) c->abort();
        context.connections.wait_until_empty();
    }

    task<> accept(detail::server_context& context, tcp::acceptor& acceptor)
    {
        asio::steady_timer pause{acceptor.get_executor()};
        bool failing = false;
        while (!context.draining) {
            const auto strand = asio::make_strand(io_);
            auto [error, accepted] = co_await acceptor.async_accept(strand, as_result);
            if (context.draining || error == asio::error::operation_aborted) co_return;
            if (!error) {
                failing = false;
                start(context, tcp::socket{std::move(accepted)});
                continue;
            }
            // Out of descriptors, mostly: trying on at once would fail at once and burn a processor.
            if (!failing) log_.error("cannot accept connections: " + error.message());
            failing = true;
            pause.expires_after(accept_pause);
            co_await pause.async_wait(as_result);
        }
    }

    void start(detail::server_context& context, tcp::socket socket)
    try {
        error_code ignored;
        socket.set_option(tcp::no_delay{true}, ignored);
        if (tls_) {
            const auto tls = tls_->current();
            detail::start_tls_session(context, std::move(socket), *tls);
        } else {
            detail::start_plain_session(context, std::move(socket));
        }
    } catch (const std::exception& e) {
        log_.error(std::string{"cannot serve a new connection: "} + e.what());
    }

    server_options options_;
    handler& handler_;
    base::logger& log_;
    asio::io_context io_;
    std::unique_ptr<detail::tls_certificate> tls_;
    std::vector<listen_address> addresses_;
    std::vector<tcp::acceptor> acceptors_;
};

} // namespace

base::result<listen_address> parse_listen_address(std::string_view text)
{
    const auto wrong = [&] {
        return base::fail(fault_code::invalid_value, "'" + std::string{text} + "' is no address to listen on",
                          "Write it as 127.0.0.1:8080 or [::1]:8080");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong();
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);

    listen_address a{std::string{host}};
    const auto [end, number_error] = std::from_chars(digits.data(), digits.data() + digits.size(), a.port);
    if (digits.empty() || number_error != std::errc{} || end != digits.data() + digits.size()) return wrong();
    error_code error;
    const auto address = asio::ip::make_address(a.host, error);
    if (error || address.is_v6() != bracketed) return wrong();
    return a;
}

base::result<std::unique_ptr<server>> make_server(const server_options& options, handler& h, base::logger& log)
{
    auto made = std::make_unique<asio_server>(options, h, log);
    auto prepared = made->prepare();
    if (!prepared) return failed(prepared);
    return made;
}

} // namespace xentz::http
