// The seam between the asynchronous server and the blocking rest of the house. For each request the server reads
// the head and asks a handler what to do with it; a handler answers with one of three admissions:
//
//   response      answered at once, whatever body was announced is not read
//   collect       a small body: the server reads it up to a limit and then calls a function
//   upload        a large body: the server feeds it piece by piece, so that a slow client holds no thread
//
// Threads: every call may block; calls for one request come one after the other, those of different requests at the
// same time. Exceptions that escape become a 500.
#pragma once

#include "http/message.hpp"

#include <functional>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace xentz::http {

struct collect {
    std::size_t most = 64 * 1024; // bytes; a longer body is answered 413
    std::function<response(const request&)> then;
};

// Receives a body. Destroyed without `finish` where the client vanished, was too slow or sent too much: whatever
// was received must then leave no trace.
class body_sink {
public:
    virtual ~body_sink() = default;
    // A fault ends the upload: the server then sends `refusal()` and closes the connection.
    virtual base::result<> write(std::span<const char> bytes) = 0;
    virtual response refusal() = 0;
    // The whole body has arrived.
    virtual response finish() = 0;
};

struct upload {
    std::uint64_t most = 0; // bytes; a longer body is answered 413
    std::unique_ptr<body_sink> sink;
};

using admission = std::variant<response, collect, upload>;

class handler {
public:
    virtual ~handler() = default;
    virtual admission begin(const request_head& head) = 0;
};

// Routes by method and path. A known path with another method is 405 with Allow, an unknown one 404, both as
// problems. A GET route also answers HEAD. Filled before it serves, constant afterwards.
class router final : public handler {
public:
    // `prefix` is cut off before anything is matched ("/control"); what lies outside is 404.
    explicit router(std::string prefix = {});

    // An exact path.
    void add(std::string method, std::string path, std::function<admission(const request_head&)> begin);
    // Everything that starts with `path` (which ends with '/'); the handler sees the path without it, from the
    // last '/' on. It must outlive the router.
    void mount(std::string path, handler& h);

    admission begin(const request_head& head) override;

private:
    struct route {
        std::string method;
        std::string path;
        std::function<admission(const request_head&)> begin;
    };
    struct mounted {
        std::string path;
        handler* target;
    };
    std::string prefix_;
    std::vector<route> routes_;
    std::vector<mounted> mounts_;
};

} // namespace xentz::http
