// Stands in front of what needs the database: once the control plane was moved to another database, every such request
// is answered 503, so that agents keep what they have to say until they reach the one that is in force.
//
// Threads: as http::handler. What is handed in must outlive it.
#pragma once

#include "base/log.hpp"
#include "http/handler.hpp"

#include <functional>

namespace xentz::apps {

class moved_handler final : public http::handler {
public:
    moved_handler(http::handler& inner, base::logger& log) : inner_(inner), log_(log) {}
    http::admission begin(const http::request_head& head) override;

private:
    http::handler& inner_;
    base::logger& log_;
};

} // namespace xentz::apps
