#include "manual/completion.hpp"

#include <algorithm>
#include <functional>

namespace xentz::manual {
namespace {

// A command and where it stands: "", "config", "config show".
struct place {
    std::string path;
    const command* at;
};

void gather(const command& c, const std::string& path, std::vector<place>& out)
{
    out.push_back({path, &c});
    for (const auto& below : c.commands) gather(below, path.empty() ? below.name : path + " " + below.name, out);
}

std::vector<place> places_of(const command& top)
{
    std::vector<place> out;
    gather(top, "", out);
    return out;
}

// What may be given there: its own options and those of the top.
std::vector<option> options_at(const command& top, const place& p)
{
    auto out = p.at->options;
    if (p.at != &top)
        for (const auto& o : top.options) {
            const auto same = [&](const option& own) { return own.names == o.names; };
            if (std::ranges::none_of(out, same)) out.push_back(o);
        }
    return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view between)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? std::string_view{} : between), out += word;
    return out;
}

// The names of all options that take a value, so that a value is not taken for a command.
std::vector<std::string> value_options(const command& top)
{
    std::vector<std::string> out;
    for (const auto& p : places_of(top))
        for (const auto& o : p.at->options)
            if (!o.value.empty())
                for (const auto& name : o.names)
                    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    return out;
}

std::string function_name(const command& top)
{
    auto name = "_" + top.name;
    std::ranges::replace(name, '-', '_');
    return name;
}

// In single quotes.
std::string quoted(std::string_view text, std::string_view quote_inside)
{
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += quote_inside;
        else
            out += c == '\n' ? ' ' : c;
    }
    return out + "'";
}
std::string posix_quoted(std::string_view text) { return quoted(text, "'\\''"); }
std::string fish_quoted(std::string_view text)
{
    std::string doubled;
    for (const char c : text) doubled += c == '\\' ? std::string{"\\\\"} : std::string{c};
    return quoted(doubled, "\\'");
}

// The walk over the words before the cursor that finds the command; bash and zsh share it.
std::string walk(const command& top, const std::string& words, const std::string& first, const std::string& current)
{
    std::vector<std::string> known;
    for (const auto& p : places_of(top))
        if (!p.path.empty()) known.push_back("\"" + p.path + "\"");
    return "    for ((i = " + first + "; i < " + current + "; i++)); do\n        case ${" + words +
           "[i]} in\n        " + joined(value_options(top), "|") +
           ") ((i++)) || true ;;\n        *)\n            case \"${place:+$place }${" + words +
           "[i]}\" in\n            " + joined(known, "|") + ") place=\"${place:+$place }${" + words +
           "[i]}\" ;;\n            esac ;;\n        esac\n    done\n";
}

// "name:description" for zsh's _describe, where ":" ends the name.
std::string described(const std::string& name, const std::string& description)
{
    std::string safe;
    for (const char c : name) safe += c == ':' ? std::string{"\\:"} : std::string{c};
    return posix_quoted(safe + ":" + description);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

} // namespace

std::string bash_completion(const command& top)
{
    const auto function = function_name(top);
    auto out =
        "# bash completion for " + top.name + "\n" + function +
        "()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} place= words= i\n" +
        "    case $before in\n    " + joined(value_options(top), "|") +
        ") return ;; # a value: the shell's own completion of file names\n    esac\n" +
        walk(top, "COMP_WORDS", "1", "COMP_CWORD") + "    case $place in\n";
    for (const auto& p : places_of(top)) {
        std::vector<std::string> words;
        words.reserve(p.at->commands.size());
        for (const auto& below : p.at->commands) words.push_back(below.name);
        for (const auto& o : options_at(top, p)) words.insert(words.end(), o.names.begin(), o.names.end());
        out += "    \"" + p.path + "\") words=" + posix_quoted(joined(words, " ")) + " ;;\n";
    }
    return out +
           "    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\ncomplete -o default -F " +
           function + " " + top.name + "\n";
}

std::string zsh_completion(const command& top)
{
    const auto function = function_name(top);
    auto out = "#compdef " + top.name + "\n\n" + function +
               "() {\n    local place= i\n    local -a commands options\n" + walk(top, "words", "2", "CURRENT") +
               "    case $place in\n";
    for (const auto& p : places_of(top)) {
        out += "    \"" + p.path + "\")\n        commands=(";
        for (const auto& below : p.at->commands)
            out += "\n            " + described(below.name, first_line(below.description));
        out += ")\n        options=(";
        for (const auto& o : options_at(top, p))
            for (const auto& name : o.names) out += "\n            " + described(name, first_line(o.description));
        out += ")\n        ;;\n";
    }
    return out + "    esac\n    case ${words[CURRENT-1]} in\n    " + joined(value_options(top), "|") +
           ") _files; return ;;\n    esac\n    if [[ ${words[CURRENT]} == -* ]]; then\n"
           "        _describe -t options option options\n    elif (( $#commands )); then\n"
           "        _describe -t commands command commands\n    else\n        _files\n    fi\n}\n\n" +
           function + " \"$@\"\n";
}

std::string fish_completion(const command& top)
{
    const auto at = "_" + function_name(top) + "_at";
    std::vector<std::string> known;
    for (const auto& p : places_of(top))
        if (!p.path.empty()) known.push_back(fish_quoted(p.path));
    auto out = "# fish completion for " + top.name + "\nfunction " + at + "\n    set -l place ''\n    set -l skip 0\n" +
               "    for word in (commandline -opc)[2..-1]\n        if test $skip = 1\n            set skip 0\n"
               "            continue\n        end\n        switch $word\n            case " +
               joined(value_options(top), " ") +
               "\n                set skip 1\n            case '*'\n"
               "                set -l longer (string trim -- \"$place $word\")\n"
               "                contains -- $longer " +
               joined(known, " ") +
               "; and set place $longer\n        end\n    end\n    test \"$place\" = \"$argv[1]\"\nend\n";
    for (const auto& p : places_of(top)) {
        const auto here = "complete -c " + top.name + " -n " + fish_quoted(at + " \"" + p.path + "\"");
        for (const auto& below : p.at->commands)
            out += here + " -f -a " + below.name + " -d " + fish_quoted(first_line(below.description)) + "\n";
        for (const auto& o : options_at(top, p)) {
            out += here;
            for (const auto& name : o.names)
                out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            out += (o.value.empty() ? "" : " -r") + std::string{" -d "} + fish_quoted(first_line(o.description)) + "\n";
        }
    }
    return out;
}

} // namespace xentz::manual
