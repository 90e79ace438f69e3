// Lines out of bytes that arrive in pieces. A line is handed on without its end ('\n', and a '\r' before it), cut at
// `longest` bytes; memory is that of the longest line under way, and small again behind a long one.
//
// Threads: one thread at a time; the sink is called on it and must outlive the object.
#pragma once

#include "os/process.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace xentz::os {

class line_splitter {
public:
    line_splitter(std::size_t longest, const line_sink& sink) : longest_(longest), sink_(&sink) {}

    void feed(std::string_view bytes)
    {
        for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            if (held_.empty()) {
                emit(bytes.substr(0, std::min(end, longest_)));
            } else {
                keep(bytes.substr(0, end));
                emit_held();
            }
            bytes.remove_prefix(end + 1);
        }
        keep(bytes);
    }

    // The last line may have no end.
    void finish()
    {
        if (!held_.empty()) emit_held();
    }

private:
    static constexpr std::size_t kept_for_reuse = std::size_t{128} * 1024;

    void keep(std::string_view bytes) { held_.append(bytes.substr(0, longest_ - std::min(longest_, held_.size()))); }

    void emit_held()
    {
        emit(held_);
        held_.clear();
        if (held_.capacity() > kept_for_reuse) held_.shrink_to_fit();
    }

    void emit(std::string_view line) const
    {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (*sink_) (*sink_)(line);
    }

    std::size_t longest_;
    const line_sink* sink_;
    std::string held_;
};

} // namespace xentz::os
