#include "moved_handler.hpp"

#include "sql/connection.hpp"

namespace xentz::apps {
namespace {

// The answer of `f`, or 503 where the database is shut.
template <class Answer, class F>
Answer unless_moved(base::logger& log, F f)
{
    try {
        return f();
    } catch (const sql::error& e) {
        if (e.code != sql::errc::shut) throw;
        log.error(std::string{e.what()} + ": stop this process, and serve that database");
        auto r = http::to_response({503, "moved", "the control plane is being moved",
                                    "Its address stays: ask again in a minute. The log of this server says more."});
        r.headers.push_back({"Retry-After", "60"});
        return r;
    }
}

} // namespace

http::admission moved_handler::begin(const http::request_head& head)
{
    auto admitted = unless_moved<http::admission>(log_, [&] { return inner_.begin(head); });
    if (auto* c = std::get_if<http::collect>(&admitted))
        c->then = [&log = log_, then = std::move(c->then)](const http::request& r) {
            return unless_moved<http::response>(log, [&] { return then(r); });
        };
    return admitted;
}

} // namespace xentz::apps
