#include "restic/restore_output.hpp"

#include <algorithm>

namespace xentz::restic {

void restore_output::read_out(std::string_view line)
{
    if (!fields_.read(line)) return;
    const auto type = fields_.text("message_type");
    const auto files = fields_.count("files_restored").value_or(0);
    const auto bytes = fields_.count("bytes_restored").value_or(0);
    if (type == "summary") summary_ = engine::restore_outcome{.files = files, .bytes = bytes};
    if (type != "status" || !*on_progress_) return;
    (*on_progress_)({.fraction = std::clamp(fields_.number("percent_done").value_or(0), 0.0, 1.0),
                     .files_done = files,
                     .files_total = fields_.count("total_files").value_or(0),
                     .bytes_done = bytes,
                     .bytes_total = fields_.count("total_bytes").value_or(0)});
}

} // namespace xentz::restic
