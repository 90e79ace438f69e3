// Which version a restic program has said it is, kept between runs: asking it costs a start of the program (about 16
// ms) before each backup. What is kept holds for one file only: another program, an update or a change of its rights is
// another file, and is asked anew. A script is never remembered, since it may start any restic.
//
// Threads: one thread at a time. Errors: none; what cannot be read or written is asked again next time.
#pragma once

#include "os/files.hpp"
#include "restic/version.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace xentz::restic {

// The program's file as it is now: its path, device, inode, size, and the times of its last writing and last change in
// nanoseconds. Nothing where there is none or where it is a script.
std::optional<std::string> identity_of(const std::filesystem::path& program);

class version_record {
public:
    // `fs` must outlive it. Nothing is kept where the folder of `file` does not exist.
    version_record(os::files& fs, std::filesystem::path file) : fs_(&fs), file_(std::move(file)) {}

    std::optional<version> find(const std::string& identity) const;
    void keep(const std::string& identity, const version& v) const;

private:
    os::files* fs_;
    std::filesystem::path file_;
};

} // namespace xentz::restic
