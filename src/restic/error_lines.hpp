// What restic says on stderr, kept as far as it may tell why a run failed: the last 64 lines or 16 KiB, as plain
// text without Go's stack traces. JSON (`exit_error`, `error`) and text come mixed; both end up as text. Every line
// is redacted before it is kept.
//
// Threads: one thread at a time.
#pragma once

#include "restic/json_fields.hpp"
#include "restic/text.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace xentz::restic {

class error_lines {
public:
    static constexpr std::size_t most_lines = 64;
    static constexpr std::size_t most_bytes = std::size_t{16} * 1024;

    explicit error_lines(cleaner clean) : clean_(std::move(clean)) {}

    void add(std::string_view line);
    // Oldest first.
    const std::deque<std::string>& all() const { return lines_; }

private:
    std::string message() const;
    void add_text(std::string_view text);
    void keep(std::string line);

    cleaner clean_;
    json_fields fields_{"message_type", "message", "item", "error.message"};
    std::deque<std::string> lines_;
    std::size_t bytes_ = 0;
    bool crashed_ = false; // behind a panic stand only the stacks of all goroutines
};

} // namespace xentz::restic
