#include "restic/json_fields.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace xentz::restic {
namespace {

using boost::system::error_code;
using text_part = boost::json::string_view;

struct field {
    std::string name;
    bool present = false;
    bool is_text = false;
    std::string text{};
    std::optional<std::uint64_t> count{};
    std::optional<double> number{};
};

std::string_view std_view(text_part t) { return {t.data(), t.size()}; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// What the parser calls while it reads. Depth 1 is the object itself.
class field_handler {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    std::vector<field> fields;

    void begin()
    {
        for (auto& f : fields) {
            f.present = f.is_text = false;
            f.count.reset();
            f.number.reset();
        }
        depth_ = arrays_ = 0;
        outer_.clear();
        key_.clear();
        in_text_ = in_key_ = false;
        current_ = nullptr;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code&)
    {
        find();
        if (++depth_ == 2) outer_ = key_;
        return true;
    }
    bool on_object_end(std::size_t, error_code&)
    {
        --depth_;
        return true;
    }
    bool on_array_begin(error_code&)
    {
        find();
        ++arrays_;
        return true;
    }
    bool on_array_end(std::size_t, error_code&)
    {
        --arrays_;
        return true;
    }

    bool on_key_part(text_part part, std::size_t, error_code&)
    {
        if (!in_key_) key_.clear();
        in_key_ = true;
        append(key_, part, longest_key);
        return true;
    }
    bool on_key(text_part part, std::size_t size, error_code& e)
    {
        on_key_part(part, size, e);
        in_key_ = false;
        return true;
    }

    bool on_string_part(text_part part, std::size_t, error_code&)
    {
        if (!in_text_ && find() != nullptr) {
            current_->is_text = true;
            current_->text.clear();
        }
        in_text_ = true;
        if (current_ != nullptr) append(current_->text, part, json_fields::longest_text);
        return true;
    }
    bool on_string(text_part part, std::size_t size, error_code& e)
    {
        on_string_part(part, size, e);
        in_text_ = false;
        return true;
    }

    bool on_number_part(text_part, error_code&) { return true; }
    bool on_int64(std::int64_t value, text_part, error_code&)
    {
        if (find() == nullptr) return true;
        current_->number = static_cast<double>(value);
        if (value >= 0) current_->count = static_cast<std::uint64_t>(value);
        return true;
    }
    bool on_uint64(std::uint64_t value, text_part, error_code&)
    {
        if (find() == nullptr) return true;
        current_->number = static_cast<double>(value);
        current_->count = value;
        return true;
    }
    bool on_double(double value, text_part, error_code&)
    {
        if (find() == nullptr || !std::isfinite(value)) return true;
        current_->number = value;
        // Two to the 64th is the first double that does not fit.
        if (value >= 0 && value < 18446744073709551616.0) current_->count = static_cast<std::uint64_t>(value);
        return true;
    }
    bool on_bool(bool, error_code&)
    {
        find();
        return true;
    }
    bool on_null(error_code&)
    {
        find();
        return true;
    }
    bool on_comment_part(text_part, error_code&) { return true; }
    bool on_comment(text_part, error_code&) { return true; }

private:
    static constexpr std::size_t longest_key = 64;

    static void append(std::string& to, text_part part, std::size_t longest)
    {
        to.append(std_view(part).substr(0, longest - std::min(longest, to.size())));
    }

    bool is_current(std::string_view name) const
    {
        if (depth_ == 1) return name == key_;
        return name.size() == outer_.size() + 1 + key_.size() && name.starts_with(outer_) && name.ends_with(key_) &&
               name[outer_.size()] == '.';
    }

    field* find()
    {
        current_ = nullptr;
        if (arrays_ > 0 || depth_ < 1 || depth_ > 2) return nullptr;
        const auto at = std::ranges::find_if(fields, [this](const field& f) { return is_current(f.name); });
        if (at == fields.end()) return nullptr;
        current_ = &*at;
        current_->present = true;
        current_->is_text = false;
        current_->count.reset();
        current_->number.reset();
        return current_;
    }

    int depth_ = 0;
    int arrays_ = 0;
    std::string outer_;
    std::string key_;
    bool in_text_ = false;
    bool in_key_ = false;
    field* current_ = nullptr;
};

} // namespace

struct json_fields::reader {
    boost::json::basic_parser<field_handler> parser{boost::json::parse_options{}};
    bool complete = false;

    const field* find(std::string_view name)
    {
        const auto& all = parser.handler().fields;
        const auto at = std::ranges::find(all, name, &field::name);
        return !complete || at == all.end() || !at->present ? nullptr : &*at;
    }
};

json_fields::json_fields(std::initializer_list<std::string_view> names) : reader_(std::make_unique<reader>())
{
    for (const auto name : names) reader_->parser.handler().fields.push_back({.name = std::string{name}});
}

json_fields::~json_fields() = default;

bool json_fields::read(std::string_view line)
{
    auto& r = *reader_;
    r.complete = false;
    const auto text = json_of(line);
    if (!text.starts_with('{')) return false;
    r.parser.reset();
    r.parser.handler().begin();
    error_code error;
    const auto used = r.parser.write_some(false, text.data(), text.size(), error);
    r.complete = !error && r.parser.done() && std::ranges::all_of(text.substr(used), is_blank);
    return r.complete;
}

bool json_fields::has(std::string_view name) const { return reader_->find(name) != nullptr; }

std::optional<std::string_view> json_fields::text(std::string_view name) const
{
    const auto* f = reader_->find(name);
    if (f == nullptr || !f->is_text) return std::nullopt;
    return f->text;
}

std::optional<std::uint64_t> json_fields::count(std::string_view name) const
{
    const auto* f = reader_->find(name);
    return f == nullptr ? std::nullopt : f->count;
}

std::optional<double> json_fields::number(std::string_view name) const
{
    const auto* f = reader_->find(name);
    return f == nullptr ? std::nullopt : f->number;
}

std::string_view json_of(std::string_view line)
{
    while (!line.empty() && (is_blank(line.front()) || line.front() == '\x1b')) {
        const bool sequence = line.starts_with("\x1b[");
        line.remove_prefix(sequence ? 2 : 1);
        while (sequence && !line.empty() && (line.front() < '@' || line.front() > '~')) line.remove_prefix(1);
        if (sequence && !line.empty()) line.remove_prefix(1);
    }
    return line.starts_with('{') || line.starts_with('[') ? line : std::string_view{};
}

} // namespace xentz::restic
