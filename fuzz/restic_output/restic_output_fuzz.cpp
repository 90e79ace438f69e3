// Whatever restic prints, in whatever pieces it arrives: nothing throws, what is kept stays bounded, and a failure has
// a sentence. The first byte chooses the size of the pieces.
#include "os/line_splitter.hpp"
#include "require.hpp"
#include "restic/backup_output.hpp"
#include "restic/error_lines.hpp"
#include "restic/failure.hpp"
#include "restic/listing.hpp"
#include "restic/restore_output.hpp"
#include "restic/retry_watch.hpp"
#include "restic/version.hpp"

#include <algorithm>
#include <cstdint>

namespace xentz::restic {
namespace {

using fuzz::require;

std::string unchanged(std::string_view text) { return std::string{text}; }

void read_all(std::string_view text, std::size_t piece)
{
    const engine::progress_sink on_progress = [](const engine::progress& p) {
        require(p.fraction >= 0 && p.fraction <= 1);
    };
    backup_output backup{on_progress, unchanged};
    restore_output restore{on_progress};
    error_lines errors{unchanged};
    retry_watch watch{operation::backup, std::chrono::seconds{30}};
    std::optional<finding> given_up;
    const os::line_sink sink = [&](std::string_view line) {
        backup.read_out(line);
        restore.read_out(line);
        if (!backup.read_err(line)) errors.add(line);
        if (!given_up) given_up = watch.read_err(line, std::chrono::seconds{1});
        parse_snapshots(line);
        parse_forget(line);
        parse_node(line);
        parse_lock(line);
        parse_repository_id(line);
        parse_prune_total(line);
        parse_version(line);
    };
    os::line_splitter lines{2048, sink};
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) lines.feed(text.substr(0, piece));
    lines.finish();
    const auto outcome = backup.outcome();
    require(outcome.unreadable.size() <= domain::most_unreadable_listed);
    require(errors.all().size() <= error_lines::most_lines);
    const auto f = given_up ? in_vain(operation::backup, *given_up)
                            : judge(operation::backup, std::nullopt, {.exit_code = 1}, errors.all());
    require(!f.message.empty() && !f.remedy.empty());
}

} // namespace
} // namespace xentz::restic

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    xentz::restic::read_all(text, std::size_t{1} + data[0]);
    return 0;
}
