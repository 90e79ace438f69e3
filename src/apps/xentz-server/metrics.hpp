// What an operator can watch, for GET /metrics: the counters that rest-server's users know, how requests went, and what
// the database says of repositories, tenants and devices. Written by prometheus-cpp.
//
// It is answered to the own machine and to whoever shows the token; a request that a proxy on the own machine passes
// on (it carries X-Forwarded-For or Forwarded) needs the token, too.
// Threads: any. Everything handed in must outlive it.
#pragma once

#include "base/clock.hpp"
#include "http/handler.hpp"
#include "http/observed_handler.hpp"
#include "repo/counting_store.hpp"
#include "store/fleet_store.hpp"

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace xentz::apps {

struct metrics_parts {
    store::fleet_store& store;
    const repo::traffic_counts& traffic;
    repo::blob_store& storage; // the one on the disk
    std::function<std::optional<std::uint64_t>()> free_bytes;
    base::clock& clock;
    std::string url_prefix;
    std::string token = {}; // empty: only the own machine
};

class metrics {
public:
    explicit metrics(metrics_parts parts);
    ~metrics();

    void observe(const http::finished_request& r);
    // Adds GET /metrics; the router must not outlive this.
    void serve(http::router& router);
    std::string text();

private:
    struct requests;
    class facts;
    struct slow_facts {
        std::vector<store::type_usage> types;
        std::size_t alarms = 0;
        std::size_t damaged = 0;
        base::time_point known_at;
    };

    const slow_facts& slow_facts_of(const store::repository& r);
    void add_copy(std::vector<prometheus::MetricFamily>& out);
    void add_scrub(std::vector<prometheus::MetricFamily>& out);
    void add_storage(std::vector<prometheus::MetricFamily>& out);

    metrics_parts parts_;
    std::unique_ptr<requests> requests_;
    std::mutex mutex_; // one scrape at a time
    std::map<std::string, slow_facts> slow_;
};

} // namespace xentz::apps
