// What restic leaves undone after a restore: the holes of sparse files, and before 0.15 a count of what it wrote. Its
// own --sparse (since 0.15) makes holes only where a whole chunk, of up to 8 MiB, is zero.
// Only entries that changed at or after `since` are looked at, so that a target which held other files before
// keeps them as they are; links are not followed, other file systems below the target not entered.
//
// Threads: one thread at a time per tree.
// Errors: none; what cannot be read or changed is left as it is, its content is right without holes as well.
#pragma once

#include "restic/repository_file.hpp"

#include <cstdint>
#include <filesystem>

namespace xentz::restic {

struct tree_total {
    std::uint64_t entries = 0; // below the root: files, folders, links, ...
    std::uint64_t bytes = 0;   // of regular files; one with several names counts once
};

tree_total count_changed(const std::filesystem::path& root, file_instant since);

// Makes holes of runs of zeros in regular files of 128 KiB and more. A run counts from 64 KiB on,
// in whole blocks of 4096 bytes. Content, size, times, mode and file capabilities stay. Returns the bytes freed.
std::uint64_t punch_holes(const std::filesystem::path& root, file_instant since);

} // namespace xentz::restic
