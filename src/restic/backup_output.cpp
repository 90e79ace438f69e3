#include "restic/backup_output.hpp"

#include "restic/text.hpp"

#include <algorithm>
#include <system_error>

namespace xentz::restic {
namespace {

constexpr std::size_t longest_reason = 500;
constexpr std::string_view missing_mark = " does not exist, skipping";

engine::progress read_progress(const json_fields& f)
{
    return {.fraction = std::clamp(f.number("percent_done").value_or(0), 0.0, 1.0),
            .files_done = f.count("files_done").value_or(0),
            .files_total = f.count("total_files").value_or(0),
            .bytes_done = f.count("bytes_done").value_or(0),
            .bytes_total = f.count("total_bytes").value_or(0)};
}

} // namespace

void backup_output::read_out(std::string_view line)
{
    if (!out_.read(line)) return;
    const auto type = out_.text("message_type");
    if (type == "summary") read_summary();
    // 0.14 gives "status" to the end of its scan as well, a line without progress.
    if (type == "status" && !out_.has("action") && *on_progress_) (*on_progress_)(read_progress(out_));
}

void backup_output::read_summary()
{
    auto& m = outcome_.metrics;
    m.files_total = out_.count("total_files_processed");
    m.files_new = out_.count("files_new");
    m.files_changed = out_.count("files_changed");
    m.bytes_total = out_.count("total_bytes_processed");
    m.data_added_bytes = out_.count("data_added");
    m.snapshot_id = out_.text("snapshot_id");
    if (m.snapshot_id && m.snapshot_id->empty()) m.snapshot_id.reset();
}

// Since 0.17.1 {"message":...}; before that Go's error as it is in memory: {"Op","Path","Err":13} or {}.
std::string backup_output::reason() const
{
    if (const auto message = err_.text("error.message")) return std::string{*message};
    const auto number = err_.count("error.Err").value_or(0);
    if (number == 0 || number > 4095) return "it could not be read";
    const auto cause = std::generic_category().message(static_cast<int>(number));
    const std::string call{err_.text("error.Op").value_or("")};
    return call.empty() ? cause : call + ": " + cause;
}

bool backup_output::read_err(std::string_view line)
{
    if (err_.read(line)) {
        if (err_.text("message_type") != "error" || !err_.has("error")) return false;
        // What the scan cannot read is told again, and counts, when it is to be archived.
        if (err_.text("during") == "scan") return true;
        ++outcome_.unreadable_count;
        if (outcome_.unreadable.size() < domain::most_unreadable_listed) {
            outcome_.unreadable.push_back(
                {fit(err_.text("item").value_or(""), clean_), shortened(fit(reason(), clean_), longest_reason)});
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
