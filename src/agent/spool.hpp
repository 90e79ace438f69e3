// Reports on their way to the control plane. Every report is written here before it is sent and moved to spool/sent/
// once the server has named it, so that none is lost whenever the agent ends. Files: spool/<time>-<job>-<status>.json,
// sorted by time; what can never be delivered is set aside in spool/rejected/, with the server's answer in it. While
// the server does not take them, tries are spread further and further apart (state/delivery.json).
//
// What was sent is kept for a week: a control plane that was put back from a copy names another epoch and has lost what
// came after that copy, so all of it is sent again. It knows reports by their ids, and counts none twice.
#pragma once

#include "agent/control_plane.hpp"
#include "agent/environment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xentz::agent {

constexpr std::size_t most_sent_per_run = 20;
constexpr std::chrono::days longest_spooled{30};
constexpr std::uint64_t most_spooled_bytes = std::uint64_t{100} * 1000 * 1000;
constexpr std::chrono::days longest_kept_sent{7};
constexpr std::uint64_t most_sent_bytes = std::uint64_t{10} * 1000 * 1000;

class spool {
public:
    explicit spool(environment& env) : env_(env) {}

    // Durable when it returns; the name of its file.
    base::result<std::string> add(const wire::report_message& r);
    struct spooled {
        std::string name; // free now
        std::string text;
    };
    // What `add` would write, for a caller who writes it together with something else.
    spooled prepare(const wire::report_message& r);
    bool holds(const std::string& report_id);
    std::size_t pending();
    // Whether it is time to try again what the server did not take.
    bool is_due();

    struct delivery {
        std::size_t sent = 0;
        std::size_t set_aside = 0;
        std::optional<base::fault> fault; // what ended it early
    };
    // Oldest first, at most `most`, ending at the first failure that may pass. Where the server is in another epoch
    // than before, what was sent to it waits again, first.
    delivery send(control_plane& server, const std::string& device_key, std::size_t most, std::stop_token stop);

    // The one report of that file, whatever else waits.
    delivery send_one(control_plane& server, const std::string& device_key, const std::string& name,
                      std::stop_token stop);

    // Removes what is older than 30 days, then the oldest while there is more than 100 MB; says how many reports
    // were lost by it. Ages are judged only where the clock agrees with the server's: one that jumped must not cost
    // every report. What was sent already goes after 7 days or beyond 10 MB, and is no loss.
    std::uint64_t clean_up(bool clock_agrees);

private:
    struct entry {
        std::string name;
        std::uint64_t bytes = 0;
    };
    std::vector<entry> entries(const std::filesystem::path& folder); // oldest first
    void deliver(control_plane& server, const std::string& device_key, const std::string& name, delivery& d,
                 std::stop_token stop);
    void keep_sent(const std::string& name);
    base::result<> send_again();
    void follow_epoch(const std::string& epoch);
    std::uint64_t remove_beyond(const std::filesystem::path& folder, std::chrono::days longest,
                                std::uint64_t most_bytes, bool clock_agrees);
    void set_aside(const std::string& name, std::string_view why);
    void note(const delivery& d);

    environment& env_;
};

} // namespace xentz::agent
