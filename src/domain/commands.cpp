#include "domain/commands.hpp"

#include "base/utf8.hpp"
#include "domain/names.hpp"
#include "domain/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace xentz::domain {
namespace {

constexpr std::size_t most_arguments = 100;
constexpr std::size_t longest_argument = 4096;
constexpr std::size_t longest_file_name = 255;
constexpr std::uint32_t longest_time = 86400;
constexpr std::string_view no_text{"\0\n\r", 3};

using rules::at;
using rules::check_word;
using rules::wrong;

base::result<> check_text(const std::string& field, const std::string& text)
{
    if (text.size() > longest_argument) return wrong(field, "is longer than 4096 bytes");
    if (text.find('\0') != std::string::npos) return wrong(field, "contains a NUL");
    if (!base::is_utf8(text)) return wrong(field, "is not UTF-8");
    return {};
}

bool is_variable(std::string_view key)
{
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !key.empty() && key.size() <= 100 && std::isdigit(static_cast<unsigned char>(key.front())) == 0 &&
           std::ranges::all_of(key, fits);
}

base::result<> check_file_name(const std::string& field, const std::string& name)
{
    const bool bad = name.empty() || name.size() > longest_file_name || name == "." || name == ".." ||
                     name.find_first_of(no_text) != std::string::npos || name.find('/') != std::string::npos ||
                     !base::is_utf8(name);
    return bad ? wrong(field, "must be the name of a file without a folder, at most 255 bytes") : base::result<>{};
}

base::result<> check_environment(const std::string& field, const std::map<std::string, std::string>& variables)
{
    if (variables.size() > most_arguments) return wrong(field, "has more than 100 entries");
    for (const auto& [key, value] : variables) {
        if (!is_variable(key)) return wrong(field, "has no variable's name: \"" + key + "\"");
        if (auto ok = check_text(field + "." + key, value); !ok) return ok;
    }
    return {};
}

template <class List, class Name>
std::optional<std::size_t> first_repeated(const List& all, const Name& name)
{
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (name(all[i]) == name(all[j])) return i;
    return std::nullopt;
}

} // namespace

base::result<> validate(const command& c, const std::string& field)
{
    if (auto ok = check_name(field + ".name", c.name); !ok) return ok;
    if (c.run.empty()) return wrong(field + ".run", "is empty: it is the program and its arguments");
    if (c.run.size() > most_arguments) return wrong(field + ".run", "has more than 100 entries");
    for (std::size_t i = 0; i < c.run.size(); ++i)
        if (auto ok = check_text(at(field + ".run", i), c.run[i]); !ok) return ok;
    if (!c.run.front().starts_with('/'))
        return wrong(field + ".run[0]", "must be the absolute path of a program, not \"" + c.run.front() + "\"");
    if (c.time_limit_seconds < 1 || c.time_limit_seconds > longest_time)
        return wrong(field + ".time_limit_seconds", "must be 1 to 86400");
    if (c.environment)
        if (auto ok = check_environment(field + ".environment", *c.environment); !ok) return ok;
    return c.file_name ? check_file_name(field + ".file_name", *c.file_name) : base::result<>{};
}

base::result<> validate_commands(const std::vector<command>& all)
{
    if (all.size() > most_commands) return wrong("commands", "has more than 50 entries");
    for (std::size_t i = 0; i < all.size(); ++i)
        if (auto ok = validate(all[i], at("commands", i)); !ok) return ok;
    if (const auto i = first_repeated(all, [](const command& c) { return c.name; }))
        return wrong(at("commands", *i) + ".name", "is there twice: " + all[*i].name);
    return {};
}

base::result<> validate_hooks(const std::vector<hook>& all)
{
    if (all.size() > most_hooks) return wrong("hooks", "has more than 50 entries");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& h = all[i];
        const auto field = at("hooks", i);
        if (auto ok = check_name(field + ".command", h.command); !ok) return ok;
        if (auto ok = check_word(field + ".job", h.job, {"backup", "retention", "check", "restore"}); !ok) return ok;
        if (auto ok = check_word(field + ".when", h.when, {"before", "after", "after-success", "after-failure"}); !ok)
            return ok;
        if (auto ok = check_word(field + ".on_failure", h.on_failure, {"stop", "continue"}); !ok) return ok;
    }
    return {};
}

base::result<> validate_dumps(const std::vector<std::string>& names)
{
    if (names.size() > most_dumps) return wrong("dumps", "has more than 50 entries");
    for (std::size_t i = 0; i < names.size(); ++i)
        if (auto ok = check_name(at("dumps", i), names[i]); !ok) return ok;
    if (const auto i = first_repeated(names, [](const std::string& name) { return name; }))
        return wrong(at("dumps", *i), "is there twice: " + names[*i]);
    return {};
}

} // namespace xentz::domain
