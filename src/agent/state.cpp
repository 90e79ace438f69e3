#include "agent/state.hpp"

namespace xentz::agent {
namespace {

constexpr std::uint64_t most_state_bytes = std::uint64_t{8} << 20U;

template <class T>
std::optional<T> load(os::files& fs, const std::filesystem::path& p)
{
    const auto text = os::read_all(fs, p, most_state_bytes);
    if (!text) return std::nullopt;
    auto value = wire::decode<T>(*text);
    return value ? std::optional<T>{std::move(*value)} : std::nullopt;
}

template <class T>
base::result<> save(os::files& fs, const std::filesystem::path& p, const T& value)
{
    return os::write_atomic(fs, p, wire::pretty_json(wire::to_json(value)));
}

} // namespace

bool is_flaw(const domain::run_fault& f)
{
    return f.code == base::name(base::fault_code::repository_damaged) ||
           f.code == base::name(base::fault_code::restore_differs);
}

std::optional<job_state> load_state(os::files& fs, const home& h, domain::job j)
{
    return load<job_state>(fs, h.state(domain::name(j)));
}

base::result<> save_state(os::files& fs, const home& h, const job_state& s)
{
    return save(fs, h.state(domain::name(s.job)), s);
}

std::string state_text(const job_state& s) { return wire::pretty_json(wire::to_json(s)); }

std::optional<running_marker> load_marker(os::files& fs, const home& h)
{
    return load<running_marker>(fs, h.running());
}

base::result<> save_marker(os::files& fs, const home& h, const running_marker& m) { return save(fs, h.running(), m); }

base::result<> remove_marker(os::files& fs, const home& h)
{
    auto removed = fs.remove(h.running());
    if (!removed && removed.error().code != base::fault_code::not_found) return removed;
    // Without a sync: where a power cut brings it back, the next run finds this run's result in the state file, and its
    // report, if it is sent again, has the same id.
    return {};
}

} // namespace xentz::agent
