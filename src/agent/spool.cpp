#include "agent/spool.hpp"

#include "base/backoff.hpp"

#include <algorithm>

namespace xentz::agent {
namespace {

using base::result;

constexpr std::uint64_t most_report_bytes = std::uint64_t{1} << 20U;

struct delivery_tries {
    std::uint32_t format = 1;
    std::uint32_t failures = 0; // in a row
    base::time_point retry_at;
};
BOOST_DESCRIBE_STRUCT(delivery_tries, (), (format, failures, retry_at))

struct known_epoch {
    std::uint32_t format = 1;
    std::string epoch;
};
BOOST_DESCRIBE_STRUCT(known_epoch, (), (format, epoch))

constexpr std::size_t longest_epoch = 64;
constexpr base::backoff_range retry_range{std::chrono::minutes{1}, std::chrono::hours{6}};

// The message itself and the format of the file; on its way to the server the latter is left out.
std::string spooled_text(const wire::report_message& r)
{
    auto v = wire::to_json(r);
    v.get_object()["format"] = 1;
    return wire::print_json(v);
}

} // namespace

std::vector<spool::entry> spool::entries(const std::filesystem::path& folder)
{
    std::vector<entry> out;
    const auto listed = env_.files.list(folder, [&](const os::directory_entry& e) {
        if (e.kind == os::file_kind::regular && e.name.ends_with(".json")) out.push_back({e.name, 0});
        return true;
    });
    if (!listed) env_.log.warn("spool: " + base::sentence(listed.error()));
    for (auto& e : out)
        if (const auto info = env_.files.info(folder / e.name)) e.bytes = info->bytes;
    std::ranges::sort(out, {}, &entry::name);
    return out;
}

spool::spooled spool::prepare(const wire::report_message& r)
{
    auto stamp = r.finished_at;
    const auto name_at = [&] {
        return base::to_file_stamp(stamp) + "-" + std::string{domain::name(r.job)} + "-" +
               std::string{domain::name(r.status)} + ".json";
    };
    // Two runs that end in the same microsecond must not share a file.
    while (env_.files.info(env_.home.spool() / name_at())) stamp += std::chrono::microseconds{1};
    return {.name = name_at(), .text = spooled_text(r)};
}

result<std::string> spool::add(const wire::report_message& r)
{
    auto file = prepare(r);
    if (auto ok = os::write_atomic(env_.files, env_.home.spool() / file.name, file.text); !ok) return base::failed(ok);
    return std::move(file.name);
}

bool spool::holds(const std::string& report_id)
{
    return std::ranges::any_of(entries(env_.home.spool()), [&](const entry& e) {
        const auto text = os::read_all(env_.files, env_.home.spool() / e.name, most_report_bytes);
        const auto report = text ? wire::decode_report(*text) : base::fail(base::fault_code::not_found, "");
        return report && report->report_id == report_id;
    });
}

std::size_t spool::pending() { return entries(env_.home.spool()).size(); }

void spool::set_aside(const std::string& name, std::string_view why)
{
    env_.log.warn("report " + name + " set aside in spool/rejected: " + std::string{why});
    const auto from = env_.home.spool() / name;
    const auto text = os::read_all(env_.files, from, most_report_bytes);
    auto report = text ? wire::parse_json(*text) : base::fail(base::fault_code::not_found, "");
    if (report && report->is_object()) {
        report->get_object()["refused"] = why;
        const auto stored = os::write_atomic(env_.files, env_.home.rejected() / name, wire::print_json(*report));
        const auto removed = stored ? env_.files.remove(from) : stored;
        if (!removed) env_.log.error("spool: " + base::sentence(removed.error()));
        return;
    }
    if (const auto moved = env_.files.rename(from, env_.home.rejected() / name); !moved)
        env_.log.error("spool: " + base::sentence(moved.error()));
}

bool spool::is_due()
{
    const auto text = os::read_all(env_.files, env_.home.delivery(), most_report_bytes);
    const auto tries = text ? wire::decode<delivery_tries>(*text) : base::fail(base::fault_code::not_found, "");
    // A clock that was set back must not keep reports waiting for ever.
    return !tries || env_.clock.now() >= tries->retry_at || tries->retry_at - env_.clock.now() > retry_range.longest;
}

// Remembers that the server did not take reports, or that it does again.
void spool::note(const delivery& d)
{
    const auto text = os::read_all(env_.files, env_.home.delivery(), most_report_bytes);
    auto tries = text ? wire::decode<delivery_tries>(*text) : base::fail(base::fault_code::not_found, "");
    if (!d.fault) {
        if (text && d.sent > 0)
            if (const auto gone = env_.files.remove(env_.home.delivery()); !gone)
                env_.log.warn("spool: " + base::sentence(gone.error()));
        return;
    }
    if (d.fault->code == base::fault_code::interrupted) return;
    delivery_tries next{.failures = (tries ? tries->failures : 0) + 1};
    next.retry_at = env_.clock.now() + base::backoff(next.failures, retry_range, env_.random);
    const auto saved = os::write_atomic(env_.files, env_.home.delivery(), wire::pretty_json(wire::to_json(next)));
    if (!saved) env_.log.warn("spool: " + base::sentence(saved.error()));
}

void spool::deliver(control_plane& server, const std::string& device_key, const std::string& name, delivery& d,
                    std::stop_token stop)
{
    const auto path = env_.home.spool() / name;
    const auto text = os::read_all(env_.files, path, most_report_bytes);
    // What cannot be read now may be readable later; it must not keep the others waiting.
    if (!text && text.error().code != base::fault_code::invalid_value) {
        env_.log.warn("spool: " + base::sentence(text.error()));
        return;
    }
    auto report = text ? wire::decode_report(*text) : base::fail(text.error().code, text.error().message);
    if (!report || !report->report_id) {
        set_aside(name, report ? "it has no id" : report.error().message);
        ++d.set_aside;
        return;
    }
    report->sent_at = env_.clock.now();
    const auto sent = server.report(device_key, wire::encode(*report), *report->report_id, stop);
    if (sent) {
        keep_sent(name);
        ++d.sent;
    } else if (sent.error().code == base::fault_code::content_refused) {
        set_aside(name, sent.error().message);
        ++d.set_aside;
    } else {
        d.fault = sent.error();
    }
}

// Where this fails the report is sent again: the server knows its id.
void spool::keep_sent(const std::string& name)
{
    auto moved = os::create_directories(env_.files, env_.home.sent());
    if (moved) moved = env_.files.rename(env_.home.spool() / name, env_.home.sent() / name);
    if (!moved) env_.log.warn("spool: " + base::sentence(moved.error()));
}

result<> spool::send_again()
{
    const auto all = entries(env_.home.sent());
    for (const auto& e : all)
        if (auto ok = env_.files.rename(env_.home.sent() / e.name, env_.home.spool() / e.name); !ok) return ok;
    if (all.empty()) return {};
    env_.log.info("the control plane was restored from a copy: " + std::to_string(all.size()) +
                  " reports of the last days are sent again");
    return env_.files.sync_directory(env_.home.spool());
}

// An agent that never saw an epoch has nothing to compare with: it only remembers.
void spool::follow_epoch(const std::string& epoch)
{
    if (epoch.empty() || epoch.size() > longest_epoch) return;
    const auto text = os::read_all(env_.files, env_.home.epoch(), most_report_bytes);
    const auto known = text ? wire::decode<known_epoch>(*text) : base::fail(base::fault_code::not_found, "");
    if (known && known->epoch == epoch) return;
    auto done = known ? send_again() : base::result<>{};
    // Last: an agent that is killed before does it once more, which costs nothing.
    if (done)
        done = os::write_atomic(env_.files, env_.home.epoch(),
                                wire::pretty_json(wire::to_json(known_epoch{.epoch = epoch})));
    if (!done) env_.log.warn("spool: " + base::sentence(done.error()));
}

spool::delivery spool::send(control_plane& server, const std::string& device_key, std::size_t most,
                            std::stop_token stop)
{
    if (const auto& epoch = server.epoch()) follow_epoch(*epoch);
    delivery d;
    for (const auto& e : entries(env_.home.spool())) {
        if (d.fault || d.sent + d.set_aside >= most) break;
        deliver(server, device_key, e.name, d, stop);
    }
    note(d);
    return d;
}

spool::delivery spool::send_one(control_plane& server, const std::string& device_key, const std::string& name,
                                std::stop_token stop)
{
    delivery d;
    deliver(server, device_key, name, d, stop);
    note(d);
    return d;
}

std::uint64_t spool::remove_beyond(const std::filesystem::path& folder, std::chrono::days longest,
                                   std::uint64_t most_bytes, bool clock_agrees)
{
    const auto oldest_kept = base::to_file_stamp(env_.clock.now() - longest);
    const bool is_sent = folder == env_.home.sent();
    std::uint64_t removed = 0;
    const auto all = entries(folder);
    std::uint64_t bytes = 0;
    for (const auto& e : all) bytes += e.bytes;
    for (const auto& e : all) {
        const bool too_old = clock_agrees && e.name < oldest_kept;
        if (!too_old && bytes <= most_bytes) break;
        if (!env_.files.remove(folder / e.name)) continue;
        bytes -= e.bytes;
        ++removed;
        if (!is_sent) env_.log.warn("report " + e.name + " removed unsent: the spool keeps 30 days and 100 MB");
    }
    return removed;
}

std::uint64_t spool::clean_up(bool clock_agrees)
{
    std::uint64_t dropped = 0;
    for (const auto& folder : {env_.home.spool(), env_.home.rejected()})
        dropped += remove_beyond(folder, longest_spooled, most_spooled_bytes, clock_agrees);
    remove_beyond(env_.home.sent(), longest_kept_sent, most_sent_bytes, clock_agrees);
    return dropped;
}

} // namespace xentz::agent
