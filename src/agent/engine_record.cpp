#include "agent/engine_record.hpp"

namespace xentz::agent {
namespace {

struct engine_record {
    std::uint32_t format = 1;
    std::vector<engine_process> processes;
};
BOOST_DESCRIBE_STRUCT(engine_record, (), (format, processes))

constexpr std::uint64_t most_record_bytes = std::uint64_t{1} << 18U;

} // namespace

std::vector<engine_process> load_engine_record(os::files& fs, const home& h)
{
    const auto text = os::read_all(fs, h.engine_record(), most_record_bytes);
    if (!text) return {};
    auto record = wire::decode<engine_record>(*text);
    return record ? std::move(record->processes) : std::vector<engine_process>{};
}

void record_engine_process(environment& env, std::int64_t process_id)
{
    engine_record record{.processes = load_engine_record(env.files, env.home)};
    record.processes.push_back({.process_id = process_id, .started_at = env.clock.now(), .host = env.host_name});
    if (record.processes.size() > most_processes_recorded)
        record.processes.erase(record.processes.begin(), record.processes.end() - most_processes_recorded);
    const auto saved = os::write_atomic(env.files, env.home.engine_record(), wire::pretty_json(wire::to_json(record)));
    if (!saved) env.log.warn("the engine's process could not be recorded: " + base::sentence(saved.error()));
}

} // namespace xentz::agent
