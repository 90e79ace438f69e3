#include "context.hpp"
#include "control/administration.hpp"
#include "control/device_api.hpp"
#include "copies.hpp"
#include "health.hpp"
#include "housekeeping.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "insight.hpp"
#include "installation.hpp"
#include "moved_handler.hpp"
#include "os/limits.hpp"
#include "os/service.hpp"
#include "os/stop.hpp"
#include "output.hpp"
#include "repo/counting_store.hpp"
#include "repo/guarded_store.hpp"
#include "repo/known_credentials.hpp"
#include "repo/memory_room_book.hpp"
#include "repo/quota_store.hpp"
#include "repo/rest_handler.hpp"
#include "routed_storage.hpp"
#include "scrub.hpp"
#include "shared_room_book.hpp"
#include "storage.hpp"
#include "store_ledger.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <unistd.h>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

struct serve_options {
    std::vector<std::string> listen{"127.0.0.1:8080"};
    std::string public_url;
    std::string url_prefix;
    std::string tls_cert, tls_key;
    std::vector<std::string> trusted_proxies;
    bool allow_http = false;
    std::string min_free = "1GiB";
    std::int64_t min_free_bytes = 0;
    std::string scrub_rate = "10MiB";
    std::string scrub_every = "30d";
    scrub_settings scrub;
    insight_options insight;
};

std::string printed(const http::listen_address& a)
{
    const bool v6 = a.host.find(':') != std::string::npos;
    return (v6 ? "[" + a.host + "]" : a.host) + ":" + std::to_string(a.port);
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

result<http::server_options> server_options_of(const serve_options& o)
{
    http::server_options out;
    if (o.tls_cert.empty() != o.tls_key.empty())
        return fail(fault_code::usage, "TLS needs both a certificate and its key", "Give --tls-cert and --tls-key");
    if (!o.tls_cert.empty()) out.tls = http::tls_files{o.tls_cert, o.tls_key};
    auto proxies = http::trusted_proxies::parse(o.trusted_proxies);
    if (!proxies) return fail(fault_code::usage, "--trusted-proxy: " + proxies.error().message, proxies.error().remedy);
    out.proxies = std::move(*proxies);
    for (const auto& text : o.listen) {
        auto address = http::parse_listen_address(text);
        if (!address) return fail(fault_code::usage, address.error().message, address.error().remedy);
        if (!out.tls && !o.allow_http && !http::is_literal_loopback(address->host))
            return fail(fault_code::insecure_transport,
                        "--listen " + text + " would serve plain HTTP to other machines",
                        "Add --tls-cert and --tls-key, or --allow-http where a proxy in front speaks TLS");
        if (is_wildcard(address->host) && o.public_url.empty())
            return fail(fault_code::usage, "--listen " + text + " does not say how devices reach this server",
                        "Add --public-url URL");
        out.listen.push_back(std::move(*address));
    }
    return out;
}

// "/control/" and "control" both mean "/control".
std::string normal_prefix(std::string prefix)
{
    while (prefix.ends_with('/')) prefix.pop_back();
    if (!prefix.empty() && !prefix.starts_with('/')) prefix.insert(0, "/");
    return prefix;
}

result<std::string> public_url_of(const serve_options& o, const http::server& server)
{
    const auto prefix = normal_prefix(o.url_prefix);
    if (o.public_url.empty())
        return (o.tls_cert.empty() ? "http://" : "https://") + printed(server.addresses().front()) + prefix;
    const auto parts = http::parse_url(o.public_url);
    const bool http_like = o.public_url.starts_with("http://") || o.public_url.starts_with("https://");
    if (!parts || !http_like || parts->basic)
        return fail(fault_code::usage, "--public-url must be an address such as https://backup.example.com");
    auto url = o.public_url;
    while (url.ends_with('/')) url.pop_back();
    return url.ends_with(prefix) ? url : url + prefix;
}

// "http://127.0.0.1:8080/control and http://[::1]:8080/control"
std::string addresses_of(const http::server_options& options, const serve_options& o, const http::server& server)
{
    std::string out;
    for (const auto& address : server.addresses())
        out += (out.empty() ? "" : " and ") + std::string{options.tls ? "https://" : "http://"} + printed(address) +
               normal_prefix(o.url_prefix);
    return out;
}

repo::disk_floor floor_of(const serve_options& o, const std::filesystem::path& folder)
{
    return {.bytes = static_cast<std::uint64_t>(o.min_free_bytes), .free = [folder]() -> std::optional<std::uint64_t> {
                std::error_code error;
                const auto space = std::filesystem::space(folder, error);
                return error ? std::nullopt : std::optional<std::uint64_t>{space.available};
            }};
}

// Its own storage it must be able to have; what lies on another one waits until that can be had.
result<> open_storages(context& c, storages& places)
{
    if (auto own = places.own(); !own) return base::failed(own);
    for (const auto& id : places.ids())
        if (const auto place = places.find(id); !place)
            c.log.error("the storage " + id + " cannot be served: " + base::sentence(place.error()));
    return {};
}

void open_many_files(base::logger& log)
{
    constexpr std::uint64_t enough = 4096;
    const auto most = os::raise_open_file_limit();
    if (most < enough)
        log.warn("this process may have only " + std::to_string(most) +
                 " files and connections open at once: raise the limit (ulimit -n, LimitNOFILE=)");
}

// From an object on the disk to the requests of restic, each layer over the one before.
struct repository_service {
    store_ledger ledger;
    repo::known_credentials known;
    repo::login_throttle throttle;
    routed_guard guarded;
    store_room_source counted_room;
    repo::memory_room_book own_rooms;
    shared_room_book shared_rooms;
    repo::quota_store limited;
    repo::traffic_counts traffic;
    repo::counting_store counted;
    repo::rest_handler handler;

    repository_service(installation& home, storages& places, const repo::disk_floor& floor, context& c)
        : ledger{*home.store, home.key, c.clock}, known{ledger, c.clock, c.random}, throttle{c.clock}, guarded{places},
          counted_room{home.store->objects()}, own_rooms{counted_room},
          shared_rooms{home.store->reservations(), c.random},
          limited{guarded, is_shared_storage(c) ? static_cast<repo::room_book&>(shared_rooms) : own_rooms, floor},
          counted{limited, traffic}, handler{counted, known, c.log, {.throttle = &throttle}}
    {
    }
};

result<> serve(context& c, const serve_options& o)
{
    // Before any thread is started, so that each of them leaves the signals alone.
    const auto signals = os::catch_stop_signals();
    open_many_files(c.log);
    auto home = open_installation(c);
    if (!home) return base::failed(home);
    const auto options = server_options_of(o);
    if (!options) return std::unexpected(options.error());

    if (auto ok = check_storage_option(c); !ok) return ok;
    storages places{c, *home->store, home->storage_id, "xentz-server, process " + std::to_string(::getpid())};
    if (auto ok = open_storages(c, places); !ok) return ok;
    routed_storage blobs{places};
    repository_service repositories{*home, places, floor_of(o, receiving_folder(c)), c};
    control::services services{*home->store, home->key, c.clock, c.random, c.log, "", epoch_id(*home->store)};

    http::router router{normal_prefix(o.url_prefix)};
    control::add_device_api(router, services);
    add_health(router, *home->store, blobs, c.log);
    router.mount("/repo/", repositories.handler);

    moved_handler front{router, c.log};
    auto watch = insight::make(c, o.insight, router, front,
                               {*home->store, repositories.traffic, blobs, [&blobs] { return blobs.free_bytes(); },
                                c.clock, normal_prefix(o.url_prefix)});
    if (!watch) return base::failed(watch);

    auto server = http::make_server(*options, (*watch)->handler(), c.log);
    if (!server) return base::failed(server);
    auto url = public_url_of(o, **server);
    if (!url) return base::failed(url);
    services.public_url = std::move(*url);

    const housekeeping keeper{{*home->store, places, blobs, home->store->objects(), c.clock, c.log}};
    const scrub reader{{*home->store, blobs, blobs, c.clock, c.log}, o.scrub, c.random};
    print_line("xentz-server ready on " + addresses_of(*options, o, **server));
    if (options->tls) signals->on_hangup([&] { (*server)->reload_certificate(); });
    os::notify_ready();
    const std::stop_callback stopping{signals->token(), os::notify_stopping};
    (*server)->run(signals->token());
    signals->on_hangup({});
    c.log.info("stopped");
    return {};
}

} // namespace

void add_serve_command(CLI::App& app, context& c)
{
    auto* command = app.add_subcommand("serve", "serve the device API and the repositories");
    auto o = std::make_shared<serve_options>();
    command->add_option("--listen", o->listen, "ADDRESS:PORT to listen on; may be repeated; port 0 takes a free one")
        ->allow_extra_args(false)
        ->envname("XENTZ_LISTEN")
        ->capture_default_str();
    command->add_option("--public-url", o->public_url, "how devices reach this server (default: the first --listen)")
        ->envname("XENTZ_PUBLIC_URL");
    command->add_option("--url-prefix", o->url_prefix, "path below which everything is served, for example /control")
        ->envname("XENTZ_URL_PREFIX");
    command->add_option("--tls-cert", o->tls_cert, "PEM file: certificate and its chain")->envname("XENTZ_TLS_CERT");
    command->add_option("--tls-key", o->tls_key, "PEM file: private key")->envname("XENTZ_TLS_KEY");
    command
        ->add_option("--trusted-proxy", o->trusted_proxies,
                     "ADDRESS or ADDRESS/BITS of a proxy whose X-Forwarded-For is believed; may be repeated")
        ->allow_extra_args(false)
        ->envname("XENTZ_TRUSTED_PROXY");
    command->add_flag("--allow-http", o->allow_http, "serve plain HTTP on an address that is not loopback")
        ->envname("XENTZ_ALLOW_HTTP");
    command
        ->add_option(
            "--min-free", o->min_free,
            "free space that no upload may take, on the storage's disk or, with a bucket, on that of the data folder")
        ->envname("XENTZ_MIN_FREE")
        ->capture_default_str();
    command
        ->add_option("--scrub-rate", o->scrub_rate,
                     "how much the scrub reads in a second, to compare every object with its hash; 0 switches it off")
        ->envname("XENTZ_SCRUB_RATE")
        ->capture_default_str();
    command->add_option("--scrub-every", o->scrub_every, "how often it reads everything: 30d, 12h")
        ->envname("XENTZ_SCRUB_EVERY")
        ->capture_default_str();
    add_insight_options(*command, o->insight);
    command->callback([&c, o] {
        c.action = [&c, o]() -> result<> {
            const auto floor = control::parse_size(o->min_free);
            if (!floor) return fail(fault_code::usage, "--min-free: " + floor.error().message, floor.error().remedy);
            o->min_free_bytes = *floor;
            const auto rate = control::parse_size(o->scrub_rate);
            if (!rate) return fail(fault_code::usage, "--scrub-rate: " + rate.error().message, rate.error().remedy);
            const auto every = control::parse_ttl(o->scrub_every);
            if (!every) return fail(fault_code::usage, "--scrub-every: " + every.error().message, every.error().remedy);
            o->scrub = {.bytes_per_second = static_cast<std::uint64_t>(*rate), .between_rounds = *every};
            return serve(c, *o);
        };
    });
}

} // namespace xentz::apps
