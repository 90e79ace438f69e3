// Reads what `restic backup --json` prints while it runs: progress and the summary on stdout, sources that could not
// be read on stderr. Memory stays bounded however many files fail.
//
// Threads: one thread at a time; the sink is called on it.
#pragma once

#include "engine/engine.hpp"
#include "restic/json_fields.hpp"
#include "restic/text.hpp"

#include <string_view>
#include <utility>

namespace xentz::restic {

class backup_output {
public:
    static constexpr std::size_t most_missing_listed = 1000;

    // The sink must outlive the object.
    backup_output(const engine::progress_sink& on_progress, cleaner clean)
        : on_progress_(&on_progress), clean_(std::move(clean))
    {
    }

    void read_out(std::string_view line);
    // True where the line is about a source, so that it is no cause of a failure of the whole run.
    bool read_err(std::string_view line);

    // Whether the summary named a snapshot.
    bool saved() const { return outcome_.metrics.snapshot_id.has_value(); }
    // partial where anything is missing from the snapshot.
    engine::backup_outcome outcome() const;

private:
    void read_summary();
    std::string reason() const;

    const engine::progress_sink* on_progress_;
    cleaner clean_;
    json_fields out_{"message_type",  "action",     "percent_done",          "files_done",
                     "total_files",   "bytes_done", "total_bytes",           "files_new",
                     "files_changed", "data_added", "total_files_processed", "total_bytes_processed",
                     "snapshot_id"};
    json_fields err_{"message_type", "error", "error.message", "error.Err", "error.Op", "during", "item"};
    engine::backup_outcome outcome_;
};

} // namespace xentz::restic
