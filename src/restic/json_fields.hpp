// The few fields of a JSON object that somebody asks for, read while the line passes by. Nothing is built of the rest,
// so that memory stays the same however long a line is and however many come; buffers are used again.
//
// Threads: one thread at a time. Errors: what is no JSON object has no fields; nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>

namespace xentz::restic {

class json_fields {
public:
    // Longer texts are cut there.
    static constexpr std::size_t longest_text = std::size_t{64} * 1024;

    // "name", or "outer.name" for a field of an object inside the object.
    explicit json_fields(std::initializer_list<std::string_view> names);
    json_fields(const json_fields&) = delete;
    json_fields& operator=(const json_fields&) = delete;
    ~json_fields();

    // False where the line is no JSON object. What was read before is forgotten. A terminal escape before it is
    // passed over.
    bool read(std::string_view line);

    // Of the last line; nothing where the field is missing or of another kind. restic omits figures that are zero.
    bool has(std::string_view name) const;
    std::optional<std::string_view> text(std::string_view name) const;
    std::optional<std::uint64_t> count(std::string_view name) const;
    std::optional<double> number(std::string_view name) const;

private:
    struct reader;
    std::unique_ptr<reader> reader_;
};

// The line from its '{' or '[' on: blanks and terminal escapes before it left out. Empty where it begins otherwise.
std::string_view json_of(std::string_view line);

} // namespace xentz::restic
