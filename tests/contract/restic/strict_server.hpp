// A server for restic's REST protocol that keeps everything in memory and refuses what a test wants refused.
//
// Threads: serves on threads of its own; `refuse` is called on them. Settings are made before the first request.
// Source: restic's REST backend (doc/REST_backend.rst), version 1 of its lists.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace xentz::restic {

class strict_server {
public:
    // The status by which a request is refused, 0 where it is served. `path` is "/r/config", "/r/data/1234...".
    using refusal = std::function<int(std::string_view method, std::string_view path)>;

    strict_server();
    ~strict_server();
    strict_server(const strict_server&) = delete;
    strict_server& operator=(const strict_server&) = delete;

    void refuse(refusal r);
    // Accepts no connection any more and ends those there are.
    void go_away();

    std::string address() const; // rest:http://127.0.0.1:4711/r/
    int requests() const { return requests_; }
    bool holds(std::string_view folder) const; // "/r/locks/"

private:
    struct request {
        std::string method;
        std::string path;
        std::string range;
        std::string body;
    };
    struct answer {
        int status = 200;
        std::string body{};
        std::size_t length = 0; // of a HEAD
    };

    void accept_all();
    void serve(int connection);
    answer answer_to(const request& r);
    answer read(const request& r) const;
    static bool receive(int connection, std::string& buffer, request& r);

    int listener_ = -1;
    int port_ = 0;
    std::atomic<int> requests_ = 0;
    std::atomic<bool> away_ = false;
    mutable std::mutex mutex_;
    refusal refuse_;
    std::map<std::string, std::string, std::less<>> objects_;
    std::vector<int> connections_;
    std::vector<std::jthread> threads_; // the last to be made, the first to go
    std::jthread acceptor_;
};

} // namespace xentz::restic
