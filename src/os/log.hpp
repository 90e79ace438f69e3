// The real loggers, over spdlog.
#pragma once

#include "base/log.hpp"
#include "base/redactor.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace xentz::os {

// To standard error, one line each: with journald's <N> priority prefix where systemd reads it
// (JOURNAL_STREAM is set), otherwise with time and level.
std::unique_ptr<base::logger> make_stderr_logger(std::shared_ptr<const base::redactor> redactor, base::log_level least);

// To a file that is rotated: five files of `most_bytes`. Falls back to a logger that drops everything where the file
// cannot be written: a full disk must not stop a backup.
std::unique_ptr<base::logger> make_file_logger(const std::filesystem::path& file,
                                               std::shared_ptr<const base::redactor> redactor,
                                               std::size_t most_bytes = std::size_t{1} << 20U);

// Writes to both.
std::unique_ptr<base::logger> make_tee_logger(std::unique_ptr<base::logger> first,
                                              std::unique_ptr<base::logger> second);

} // namespace xentz::os
