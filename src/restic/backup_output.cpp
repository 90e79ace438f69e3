#include "restic/backup_output.hpp"

#include "restic/json_line.hpp"
#include "restic/text.hpp"

#include <algorithm>
#include <system_error>

namespace xentz::restic {
namespace {

constexpr std::size_t longest_reason = 500;
constexpr std::string_view missing_mark = " does not exist, skipping";

engine::progress read_progress(const boost::json::object& o)
{
    return {.fraction = std::clamp(number_of(o, "percent_done").value_or(0), 0.0, 1.0),
            .files_done = count_of(o, "files_done").value_or(0),
            .files_total = count_of(o, "total_files").value_or(0),
            .bytes_done = count_of(o, "bytes_done").value_or(0),
            .bytes_total = count_of(o, "total_bytes").value_or(0)};
}

void read_summary(const boost::json::object& o, domain::metrics& m)
{
    m.files_total = count_of(o, "total_files_processed");
    m.files_new = count_of(o, "files_new");
    m.files_changed = count_of(o, "files_changed");
    m.bytes_total = count_of(o, "total_bytes_processed");
    m.data_added_bytes = count_of(o, "data_added");
    m.snapshot_id = text_of(o, "snapshot_id");
    if (m.snapshot_id && m.snapshot_id->empty()) m.snapshot_id.reset();
}

// Since 0.17.1 {"message":...}; before that Go's error as it is in memory: {"Op","Path","Err":13} or {}.
std::string read_reason(const boost::json::object& line)
{
    const auto* error = object_of(line, "error");
    if (error == nullptr) return "it could not be read";
    if (auto message = text_of(*error, "message")) return *message;
    const auto number = count_of(*error, "Err").value_or(0);
    if (number == 0 || number > 4095) return "it could not be read";
    const auto cause = std::generic_category().message(static_cast<int>(number));
    const auto call = text_of(*error, "Op").value_or("");
    return call.empty() ? cause : call + ": " + cause;
}

} // namespace

void backup_output::read_out(std::string_view line)
{
    const auto object = parse_object(line);
    if (!object) return;
    const auto type = text_of(*object, "message_type");
    if (type == "summary") read_summary(*object, outcome_.metrics);
    // 0.14 gives "status" to the end of its scan as well, a line without progress.
    if (type == "status" && !object->contains("action") && *on_progress_) (*on_progress_)(read_progress(*object));
}

bool backup_output::read_err(std::string_view line)
{
    if (const auto object = parse_object(line)) {
        if (text_of(*object, "message_type") != "error" || !object->contains("error")) return false;
        // What the scan cannot read is told again, and counts, when it is to be archived.
        if (text_of(*object, "during") == "scan") return true;
        ++outcome_.unreadable_count;
        if (outcome_.unreadable.size() < domain::most_unreadable_listed) {
            outcome_.unreadable.push_back({fit(text_of(*object, "item").value_or(""), clean_),
                                           shortened(fit(read_reason(*object), clean_), longest_reason)});
        }
        return true;
    }
    if (!line.ends_with(missing_mark)) return false;
    if (outcome_.missing_sources.size() < most_missing_listed) {
        line.remove_suffix(missing_mark.size());
        outcome_.missing_sources.push_back(fit(line, clean_));
    }
    return true;
}

engine::backup_outcome backup_output::outcome() const
{
    auto result = outcome_;
    result.metrics.files_unreadable = result.unreadable_count;
    const bool complete = result.unreadable_count == 0 && result.missing_sources.empty();
    result.status = complete ? domain::run_status::success : domain::run_status::partial;
    return result;
}

} // namespace xentz::restic
