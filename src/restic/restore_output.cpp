#include "restic/restore_output.hpp"

#include "restic/json_line.hpp"

#include <algorithm>

namespace xentz::restic {

void restore_output::read_out(std::string_view line)
{
    const auto object = parse_object(line);
    if (!object) return;
    const auto type = text_of(*object, "message_type");
    const auto files = count_of(*object, "files_restored").value_or(0);
    const auto bytes = count_of(*object, "bytes_restored").value_or(0);
    if (type == "summary") summary_ = engine::restore_outcome{.files = files, .bytes = bytes};
    if (type != "status" || !*on_progress_) return;
    (*on_progress_)({.fraction = std::clamp(number_of(*object, "percent_done").value_or(0), 0.0, 1.0),
                     .files_done = files,
                     .files_total = count_of(*object, "total_files").value_or(0),
                     .bytes_done = bytes,
                     .bytes_total = count_of(*object, "total_bytes").value_or(0)});
}

} // namespace xentz::restic
