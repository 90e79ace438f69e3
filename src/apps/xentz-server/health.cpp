#include "health.hpp"

namespace xentz::apps {

void add_health(http::router& router, store::fleet_store& store, repo::blob_store& blobs, base::logger& log)
{
    router.add("GET", "/healthz", [](const http::request_head&) -> http::admission {
        return http::json_response(200, R"({"status":"ok"})");
    });
    router.add("GET", "/readyz", [&](const http::request_head&) -> http::admission {
        if (!store.healthy())
            return http::to_response({503, "not-ready", "the database does not answer",
                                      "Look at the server's log, and at the database server."});
        if (const auto storage = blobs.ready(); !storage) {
            // Where it lies on the server is nobody's business but the administrator's.
            log.error("not ready: " + base::sentence(storage.error()));
            return http::to_response({503, "not-ready", "the storage is not there or is another one",
                                      "The server's log says what it found."});
        }
        return http::json_response(200, R"({"status":"ready"})");
    });
}

} // namespace xentz::apps
