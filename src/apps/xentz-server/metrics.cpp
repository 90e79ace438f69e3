#include "metrics.hpp"

#include "control/deletion_alarm.hpp"
#include "copies.hpp"
#include "crypto/hash.hpp"
#include "http/client.hpp"
#include "repo/target.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <utility>

namespace xentz::apps {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using label_list = std::vector<ClientMetric::Label>;

// How long what takes a walk through the journal may be old.
constexpr auto slow_pause = std::chrono::minutes{10};

const prometheus::Histogram::BucketBoundaries seconds_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                              0.25,  0.5,    1,     2.5,  5,     10,   30};

MetricFamily family(std::string name, std::string help, MetricType type)
{
    MetricFamily f;
    f.name = std::move(name);
    f.help = std::move(help);
    f.type = type;
    return f;
}

void add(MetricFamily& to, label_list labels, double value)
{
    ClientMetric m;
    m.label = std::move(labels);
    if (to.type == MetricType::Counter)
        m.counter.value = value;
    else
        m.gauge.value = value;
    to.metric.push_back(std::move(m));
}

double seconds_of(base::time_point t) { return std::chrono::duration<double>(t.time_since_epoch()).count(); }

double number(std::uint64_t n) { return static_cast<double>(n); }
double number(std::int64_t n) { return static_cast<double>(n); }

// As rest-server labels its counters: the user of the credential and the path below /repo/.
label_list labels_of(const store::repository& r)
{
    return {{"user", r.device_id.text}, {"repo", r.tenant_id.text + "/" + r.device_id.text + "/" + r.user_id}};
}

label_list with(label_list labels, std::string name, std::string value)
{
    labels.push_back({std::move(name), std::move(value)});
    return labels;
}

// Never a part of a path that somebody made up: there are only so many.
std::string route_of(std::string_view path, std::string_view prefix)
{
    if (!path.starts_with(prefix)) return "other";
    path.remove_prefix(prefix.size());
    for (const std::string_view known : {"/v1/install", "/v1/config", "/v1/report", "/healthz", "/readyz", "/metrics"})
        if (path == known) return std::string{known};
    constexpr std::string_view mount = "/repo";
    if (!path.starts_with("/repo/")) return "other";
    const auto at = repo::parse_address(path.substr(mount.size()));
    if (!at) return "other";
    const auto what = repo::parse_resource(at->rest);
    switch (what.kind) {
    case repo::resource_kind::repository:
        return "/repo/";
    case repo::resource_kind::config:
        return "/repo/config";
    case repo::resource_kind::list:
        return "/repo/" + std::string{name(what.type)} + "/";
    case repo::resource_kind::object:
        return "/repo/" + std::string{name(what.type)} + "/NAME";
    case repo::resource_kind::bad_name:
    case repo::resource_kind::unknown:
        break;
    }
    return "other";
}

std::string method_of(const std::string& method)
{
    constexpr std::array<std::string_view, 4> known{"GET", "HEAD", "POST", "DELETE"};
    return std::ranges::find(known, method) == known.end() ? "other" : method;
}

http::response unauthorized()
{
    auto r = http::to_response({401, "unauthorized", "The metrics are for the server's own machine",
                                "Ask from there, or send the token of --metrics-token-file as a bearer token"});
    r.headers.push_back({"WWW-Authenticate", "Bearer realm=\"xentz metrics\""});
    return r;
}

bool may_see(const http::request_head& head, const std::string& token)
{
    const bool passed_on = head.find("X-Forwarded-For") != nullptr || head.find("Forwarded") != nullptr;
    if (!passed_on && http::is_literal_loopback(head.remote_address)) return true;
    const auto shown = http::bearer_token(head);
    return shown && !token.empty() && crypto::equal(token, *shown);
}

std::map<std::string, store::repository> by_id(std::vector<store::repository> all)
{
    std::map<std::string, store::repository> out;
    for (auto& r : all) out.emplace(r.id.text, std::move(r));
    return out;
}

using repositories_by_id = std::map<std::string, store::repository>;

void add_traffic(std::vector<MetricFamily>& out, const repo::traffic_counts& counts, const repositories_by_id& known)
{
    struct column {
        const char* name;
        const char* help;
        std::uint64_t repo::traffic::* value;
    };
    for (const auto& c :
         {column{"rest_server_blob_write_total", "Objects stored.", &repo::traffic::written},
          column{"rest_server_blob_write_bytes_total", "Bytes of them.", &repo::traffic::bytes_written},
          column{"rest_server_blob_read_total", "Objects read, or parts of them.", &repo::traffic::read},
          column{"rest_server_blob_read_bytes_total", "Bytes of them.", &repo::traffic::bytes_read},
          column{"rest_server_blob_delete_total", "Objects deleted.", &repo::traffic::removed},
          column{"rest_server_blob_delete_bytes_total", "Bytes of them.", &repo::traffic::bytes_removed}}) {
        auto f = family(c.name, c.help, MetricType::Counter);
        for (const auto& [key, t] : counts.all())
            if (const auto r = known.find(key.first); r != known.end())
                add(f, with(labels_of(r->second), "type", std::string{name(key.second)}), number(t.*c.value));
        out.push_back(std::move(f));
    }
}

} // namespace

struct metrics::requests {
    prometheus::Registry registry;
    prometheus::Family<prometheus::Counter>& total = prometheus::BuildCounter()
                                                         .Name("xentz_http_requests_total")
                                                         .Help("Requests by route, method and status.")
                                                         .Register(registry);
    prometheus::Family<prometheus::Counter>& broken_off =
        prometheus::BuildCounter()
            .Name("xentz_http_requests_broken_off_total")
            .Help("Requests whose body, or whose answer's, did not come to its end.")
            .Register(registry);
    prometheus::Family<prometheus::Histogram>& seconds =
        prometheus::BuildHistogram()
            .Name("xentz_http_request_duration_seconds")
            .Help("From the head of a request to the last piece of its answer.")
            .Register(registry);
};

metrics::metrics(metrics_parts parts) : parts_(std::move(parts)), requests_(std::make_unique<requests>()) {}

metrics::~metrics() = default;

void metrics::observe(const http::finished_request& r)
{
    const prometheus::Labels what{{"route", route_of(r.path, parts_.url_prefix)}, {"method", method_of(r.method)}};
    auto with_status = what;
    with_status["status"] = std::to_string(r.status);
    requests_->total.Add(with_status).Increment();
    if (r.broken_off) requests_->broken_off.Add(what).Increment();
    requests_->seconds.Add(what, seconds_buckets).Observe(std::chrono::duration<double>(r.duration).count());
}

void metrics::serve(http::router& router)
{
    router.add("GET", "/metrics", [this](const http::request_head& head) -> http::admission {
        if (!may_see(head, parts_.token)) return unauthorized();
        http::response r;
        r.headers.push_back({"Content-Type", "text/plain; version=0.0.4; charset=utf-8"});
        r.body = text();
        return r;
    });
}

const metrics::slow_facts& metrics::slow_facts_of(const store::repository& r)
{
    auto& known = slow_[r.id.text];
    const auto now = parts_.clock.now();
    if (known.known_at == base::time_point{} || abs(now - known.known_at) >= slow_pause) {
        known.types = parts_.store.objects().usage_by_type(r.id);
        known.alarms = control::deletion_alarms(parts_.store, r, now).size();
        known.damaged = parts_.store.scrubs().damages(r.id).size();
        known.known_at = now;
    }
    return known;
}

// What the database says of each repository, and of the tenants that it comes by.
class metrics::facts {
public:
    void of_repository(const store::repository& r, const store::repository_state& s, const store::room& room,
                       const slow_facts& slow)
    {
        const auto labels = labels_of(r);
        add(live_, labels, number(s.live_bytes));
        add(trash_, labels, number(s.trash_bytes));
        if (room.rule.quota_bytes) add(quota_, labels, number(*room.rule.quota_bytes));
        if (s.last_access_at) add(access_, labels, seconds_of(*s.last_access_at));
        add(alarms_, labels, static_cast<double>(slow.alarms));
        add(damaged_, labels, static_cast<double>(slow.damaged));
        for (const auto& t : slow.types) {
            add(count_, with(labels, "type", t.type), number(t.live_objects));
            add(in_trash_, with(labels, "type", t.type), number(t.trash_objects));
            if (t.type == "snapshots" && t.newest_at) add(snapshot_, labels, seconds_of(*t.newest_at));
        }
        tenants_[room.tenant.text] = room;
    }

    void move_to(std::vector<MetricFamily>& out)
    {
        for (const auto& [tenant, room] : tenants_) {
            const label_list labels{{"tenant", tenant}};
            add(tenant_live_, labels, number(room.tenant_live_bytes));
            add(tenant_trash_, labels, number(room.tenant_trash_bytes));
            if (room.rule.tenant_quota_bytes) add(tenant_quota_, labels, number(*room.rule.tenant_quota_bytes));
        }
        for (auto* f : {&live_, &trash_, &quota_, &access_, &count_, &in_trash_, &snapshot_, &alarms_, &damaged_,
                        &tenant_live_, &tenant_trash_, &tenant_quota_})
            out.push_back(std::move(*f));
    }

private:
    static MetricFamily gauge(std::string name, std::string help)
    {
        return family(std::move(name), std::move(help), MetricType::Gauge);
    }

    MetricFamily live_ = gauge("xentz_repository_bytes", "Bytes of the objects that are present.");
    MetricFamily trash_ = gauge("xentz_repository_trash_bytes", "Bytes that the trash keeps.");
    MetricFamily quota_ = gauge("xentz_repository_quota_bytes", "What it may hold, where that is limited.");
    MetricFamily access_ = gauge("xentz_repository_last_access_timestamp_seconds", "When it was last asked for.");
    MetricFamily count_ = gauge("xentz_repository_objects", "Objects that are present.");
    MetricFamily in_trash_ = gauge("xentz_repository_trash_objects", "Objects in the trash.");
    MetricFamily snapshot_ = gauge("xentz_repository_newest_snapshot_timestamp_seconds",
                                   "When the newest snapshot that is present was stored.");
    MetricFamily alarms_ = gauge("xentz_repository_deletion_alarms", "Deletions that the policy does not explain.");
    MetricFamily damaged_ = gauge("xentz_repository_damaged_objects", "Objects that the scrub found damaged.");
    MetricFamily tenant_live_ = gauge("xentz_tenant_bytes", "Bytes that are present in all its repositories.");
    MetricFamily tenant_trash_ = gauge("xentz_tenant_trash_bytes", "Bytes that the trash keeps of them.");
    MetricFamily tenant_quota_ = gauge("xentz_tenant_quota_bytes", "What a tenant may hold, where that is limited.");
    std::map<std::string, store::room> tenants_;
};

std::string metrics::text()
{
    const std::lock_guard guard{mutex_};
    auto objects = parts_.store.objects();
    const auto known = by_id(parts_.store.repositories());
    auto out = requests_->registry.Collect();
    add_traffic(out, parts_.traffic, known);
    facts all;
    for (const auto& state : objects.states())
        if (const auto at = known.find(state.repository_id.text); at != known.end())
            all.of_repository(at->second, state, objects.room_of(state.repository_id), slow_facts_of(at->second));
    all.move_to(out);
    add_copy(out);
    add_scrub(out);
    add_storage(out);
    // A family without a value is only a comment.
    std::erase_if(out, [](const MetricFamily& f) { return f.metric.empty(); });
    return prometheus::TextSerializer{}.Serialize(out);
}

void metrics::add_copy(std::vector<MetricFamily>& out)
{
    auto copied =
        family("xentz_control_plane_copy_timestamp_seconds",
               "When the newest copy of the control plane was made; 0 where there is none.", MetricType::Gauge);
    const auto at = last_copy_at(parts_.store);
    add(copied, {}, at ? seconds_of(*at) : 0);
    out.push_back(std::move(copied));
    auto unconfirmed = family("xentz_restore_unconfirmed", "1 after a restore, until the devices were looked through.",
                              MetricType::Gauge);
    add(unconfirmed, {}, is_unconfirmed(parts_.store) ? 1 : 0);
    out.push_back(std::move(unconfirmed));
}

void metrics::add_scrub(std::vector<MetricFamily>& out)
{
    auto read = family("xentz_scrub_read_timestamp_seconds",
                       "When the scrub had last read everything; 0 where it has not yet.", MetricType::Gauge);
    auto objects =
        family("xentz_scrub_round_objects", "Objects that the scrub has read in its round.", MetricType::Gauge);
    const auto at = parts_.store.scrubs().position();
    add(read, {}, at && at->last_round_at ? seconds_of(*at->last_round_at) : 0);
    if (at) add(objects, {}, number(at->objects));
    out.push_back(std::move(read));
    out.push_back(std::move(objects));
}

void metrics::add_storage(std::vector<MetricFamily>& out)
{
    auto ready = family("xentz_storage_ready", "1 where the storage is there and the right one.", MetricType::Gauge);
    add(ready, {}, parts_.storage.ready() ? 1 : 0);
    out.push_back(std::move(ready));
    auto free = family("xentz_storage_free_bytes", "Free space of the storage's disk.", MetricType::Gauge);
    if (const auto bytes = parts_.free_bytes()) add(free, {}, number(*bytes));
    out.push_back(std::move(free));
}

} // namespace xentz::apps
