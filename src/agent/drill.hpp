// The restore drill: files of a snapshot, chosen by chance, are restored into a folder of the agent's own, compared
// with their source where that is the same as when it was backed up, and removed. It proves what only a restore can
// prove.
//
// Threads: one thread at a time, as the environment.
#pragma once

#include "agent/environment.hpp"

#include <cstdint>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

namespace xentz::agent {

// A fair choice among files of which nobody knows how many will come: each has the same chance, and memory does not
// grow with their number. Left out is what cannot be asked for by its path (names that are no UTF-8, which restic's
// listing shows altered) and what alone is larger than all may be.
class file_sample {
public:
    file_sample(std::uint64_t most_files, std::uint64_t most_bytes, base::random_source& random);

    void offer(const engine::node& n);
    // As many of them as have room, in an order by chance.
    std::vector<engine::node> take() &&;

private:
    std::uint64_t most_files_;
    std::uint64_t most_bytes_;
    std::mt19937_64 chance_;
    std::uint64_t offered_ = 0;
    std::vector<engine::node> chosen_;
};

struct drill_outcome {
    std::uint64_t files = 0;              // restored
    std::uint64_t bytes = 0;              // of them
    std::uint64_t compared = 0;           // with a source that has not changed since
    std::vector<std::string> differing;   // path and how: what is a flaw
    std::optional<std::string> left_over; // why the folder could not be removed
};

// Restores into home.drill(), which holds nothing before and after. What a killed drill left there is removed first.
// Faults: those of the engine, and of this machine's disk. A file that differs is no fault but a finding.
base::result<drill_outcome> run_drill(environment& env, engine::session& session, const std::string& snapshot_id,
                                      const domain::check_options& options, std::stop_token stop);

} // namespace xentz::agent
