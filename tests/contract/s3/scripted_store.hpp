// An HTTP server on loopback that plays an object store by a list of answers, and keeps what it was asked.
// Threads: `asked` may be called while it serves; a script is written before the requests that it answers.
#pragma once

#include "base/log.hpp"
#include "http/server.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace xentz::s3::testing {

struct scripted_answer {
    int status = 200;
    std::string body;
    std::vector<http::header> headers;
    std::size_t breaks_after = std::string::npos;              // bytes of the body, and then the connection is gone
    std::chrono::milliseconds hangs{0};                        // before it answers
    std::function<std::string(const http::request&)> body_for; // instead of `body`
};

// Ends with a fault where the script says so, at which the server drops the connection.
class scripted_body final : public http::body_source {
public:
    explicit scripted_body(scripted_answer a) : answer_(std::move(a)) {}
    base::result<std::size_t> read(std::span<char> out) override
    {
        const auto end = std::min(answer_.body.size(), answer_.breaks_after);
        if (at_ == end && end < answer_.body.size()) return base::fail(base::fault_code::internal, "cut off");
        const auto n = answer_.body.copy(out.data(), std::min(out.size(), end - at_), at_);
        at_ += n;
        return n;
    }

private:
    scripted_answer answer_;
    std::size_t at_ = 0;
};

class scripted_store final : public http::handler {
public:
    scripted_store()
    {
        http::server_options o;
        o.listen = {{"127.0.0.1", 0}};
        o.stop_grace = std::chrono::seconds{5};
        o.handlers_at_once = 4;
        auto made = http::make_server(o, *this, log_);
        if (!made) throw std::runtime_error{made.error().message};
        server_ = std::move(*made);
        port_ = server_->addresses().front().port;
        thread_ = std::jthread{[this](std::stop_token stop) { server_->run(std::move(stop)); }};
    }

    std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void say(scripted_answer a)
    {
        const std::lock_guard guard{mutex_};
        script_.push_back(std::move(a));
    }
    std::vector<http::request> asked() const
    {
        const std::lock_guard guard{mutex_};
        return asked_;
    }

    http::admission begin(const http::request_head& head) override
    {
        if (head.method == "PUT" && head.content_length.value_or(0) > 0)
            return http::collect{std::size_t{8} << 20U, [this](const http::request& r) { return next(r); }};
        return next({head, {}});
    }

private:
    http::response next(const http::request& r)
    {
        scripted_answer a{.status = 599, .body = "the script has ended"};
        {
            const std::lock_guard guard{mutex_};
            asked_.push_back(r);
            if (!script_.empty()) {
                a = std::move(script_.front());
                script_.pop_front();
            }
        }
        std::this_thread::sleep_for(a.hangs);
        if (a.body_for) a.body = a.body_for(r);
        http::response out{.status = a.status, .headers = a.headers};
        if (a.breaks_after == std::string::npos) {
            out.body = a.body;
        } else {
            out.content_length = a.body.size();
            out.body = std::make_unique<scripted_body>(std::move(a));
        }
        return out;
    }

    class silent_logger final : public base::logger {
        void write(base::log_level, std::string_view) override {}
    };

    silent_logger log_;
    mutable std::mutex mutex_;
    std::deque<scripted_answer> script_;
    std::vector<http::request> asked_;
    std::unique_ptr<http::server> server_;
    std::uint16_t port_ = 0;
    std::jthread thread_;
};

} // namespace xentz::s3::testing
