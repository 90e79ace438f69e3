// No line, however broken, makes a parser throw or keep more than it should.
#include "restic/backup_output.hpp"
#include "restic/error_lines.hpp"
#include "restic/failure.hpp"
#include "restic/listing.hpp"
#include "restic/restore_output.hpp"
#include "restic/version.hpp"
#include "unit/restic/captures.hpp"

#include <rapidcheck.h>

#include <algorithm>

namespace xentz::restic {
namespace {

std::string unchanged(std::string_view text) { return std::string{text}; }

std::vector<std::string> recorded_lines()
{
    std::vector<std::string> lines;
    for (const auto& version : recorded_versions()) {
        for (const auto* name : {"01-version", "09-backup-first", "11-backup-v", "18-snapshots", "22-ls",
                                 "48-forget-keep", "49-forget-prune", "67-backup-unreadable", "77-locked-forget-prune",
                                 "93-damaged-check-read-data", "102-rest-restore"}) {
            const auto c = capture(version, name);
            for (const auto& text : {c.out, c.err}) {
                const auto more = lines_of(text);
                lines.insert(lines.end(), more.begin(), more.end());
            }
        }
    }
    return lines;
}

// A recorded line with some bytes changed, taken out or cut off at the end.
rc::Gen<std::string> broken_line()
{
    static const auto lines = recorded_lines();
    return rc::gen::exec([] {
        auto line = *rc::gen::elementOf(lines);
        const auto faults = *rc::gen::inRange(0, 6);
        for (int i = 0; i < faults && !line.empty(); ++i) {
            const auto at = *rc::gen::inRange<std::size_t>(0, line.size());
            switch (*rc::gen::inRange(0, 4)) {
            case 0:
                line[at] = *rc::gen::arbitrary<char>();
                break;
            case 1:
                line.erase(at, 1);
                break;
            case 2:
                line.resize(at);
                break;
            default:
                line.insert(at, *rc::gen::element<std::string>("null", "[", "{", "\"", "-1", "1e999", ":", "\\u0000"));
            }
        }
        return line;
    });
}

rc::Gen<std::string> any_line() { return rc::gen::oneOf(broken_line(), rc::gen::arbitrary<std::string>()); }

template <class Property>
void holds(const char* what, Property property)
{
    EXPECT_TRUE(rc::check(what, property));
}

TEST(any_line, is_survived_by_every_parser)
{
    holds("parsers neither throw nor crash", [] {
        const auto line = *any_line();
        if (const auto list = parse_snapshots(line)) {
            for (const auto& s : *list) RC_ASSERT(!s.id.empty());
        }
        const auto forgotten = parse_forget(line);
        RC_ASSERT(!forgotten || forgotten->removed_ids.size() <= forgotten->removed);
        RC_ASSERT(!(parse_node(line) && is_snapshot_line(line) && line.find("struct_type") == std::string::npos &&
                    line.find("message_type") == std::string::npos));
        parse_prune_total(line);
        parse_version(line);
    });
}

TEST(any_lines, give_a_backup_progress_between_none_and_all)
{
    holds("a backup's output stays within bounds", [] {
        const auto lines = *rc::gen::container<std::vector<std::string>>(any_line());
        const engine::progress_sink sink = [](const engine::progress& p) {
            RC_ASSERT(p.fraction >= 0 && p.fraction <= 1);
        };
        backup_output output{sink, unchanged};
        restore_output restored{sink};
        for (const auto& line : lines) {
            output.read_out(line);
            output.read_err(line);
            restored.read_out(line);
        }
        const auto o = output.outcome();
        RC_ASSERT(o.unreadable.size() <= domain::most_unreadable_listed);
        RC_ASSERT(o.unreadable.size() <= o.unreadable_count);
        RC_ASSERT((o.status == domain::run_status::success) == (o.unreadable_count == 0 && o.missing_sources.empty()));
    });
}

TEST(any_lines, are_judged_in_one_bounded_sentence)
{
    holds("every failure has a sentence and a remedy", [] {
        const auto lines = *rc::gen::container<std::vector<std::string>>(any_line());
        error_lines kept{unchanged};
        for (const auto& line : lines) kept.add(line);
        RC_ASSERT(kept.all().size() <= error_lines::most_lines);
        const os::process_end end{.kind = *rc::gen::element(os::process_end::how::exited, os::process_end::how::killed,
                                                            os::process_end::how::timed_out),
                                  .exit_code = *rc::gen::inRange(0, 256),
                                  .signal = *rc::gen::inRange(1, 65)};
        const auto op = *rc::gen::element(operation::backup, operation::restore, operation::check, operation::forget);
        const auto f = judge(op, std::nullopt, end, kept.all());
        RC_ASSERT(!f.message.empty() && f.message.size() <= 600);
        RC_ASSERT(!f.remedy.empty());
        RC_ASSERT(std::ranges::none_of(f.message, [](char c) { return c >= 0 && c < ' '; }));
    });
}

} // namespace
} // namespace xentz::restic
