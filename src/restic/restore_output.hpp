// Reads what `restic restore --json` prints (0.16 and later): progress and the summary.
//
// Threads: one thread at a time; the sink is called on it.
#pragma once

#include "engine/engine.hpp"
#include "restic/json_fields.hpp"

#include <optional>
#include <string_view>

namespace xentz::restic {

class restore_output {
public:
    // The sink must outlive the object.
    explicit restore_output(const engine::progress_sink& on_progress) : on_progress_(&on_progress) {}

    void read_out(std::string_view line);

    // Nothing where restic printed no summary. Files count as restic counts them: folders and links too.
    const std::optional<engine::restore_outcome>& summary() const { return summary_; }

private:
    json_fields fields_{"message_type", "files_restored", "bytes_restored",
                        "percent_done", "total_files",    "total_bytes"};
    const engine::progress_sink* on_progress_;
    std::optional<engine::restore_outcome> summary_;
};

} // namespace xentz::restic
