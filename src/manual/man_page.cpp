#include "manual/man_page.hpp"

#include <algorithm>
#include <cctype>

namespace xentz::manual {
namespace {

// Text as roff takes it: no character of it is a request.
std::string escaped(std::string_view text)
{
    std::string out;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\'')
            out += "\\(aq";
        else if (c == '`')
            out += "\\(ga";
        else if (c == '~')
            out += "\\(ti";
        else if (c == '^')
            out += "\\(ha";
        else
            out += c;
        line_start = c == '\n';
    }
    return out;
}

std::string upper(std::string text)
{
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

// Lines that begin with a blank are set as they are; an empty line begins a paragraph.
std::string paragraphs(const std::string& text)
{
    std::string out;
    bool example = false;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        const bool indented = line.starts_with(' ');
        if (example && !indented) out += ".fi\n";
        if (!example && indented) out += ".nf\n";
        example = indented;
        if (!line.empty())
            out += escaped(line) + "\n";
        else if (!out.empty())
            out += ".PP\n";
    }
    return out + (example ? ".fi\n" : "");
}

std::string option_text(const option& o)
{
    std::string out = ".TP\n";
    for (std::size_t i = 0; i < o.names.size(); ++i) out += (i == 0 ? "" : ", ") + bold(o.names[i]);
    if (!o.value.empty()) out += " " + italic(o.value);
    out += "\n" + escaped(o.description);
    if (o.required) out += " (required)";
    if (!o.standard.empty()) out += "; otherwise " + italic(o.standard);
    return out + "\n";
}

std::string argument_text(const argument& a)
{
    return ".TP\n" + italic(a.name) + (a.repeatable ? "...\n" : "\n") + escaped(a.description) + "\n";
}

std::string usage(const std::string& path, const command& c)
{
    auto out = bold(path);
    for (const auto& a : c.arguments)
        out += (a.required ? " " : " [") + italic(a.name) + (a.repeatable ? "..." : "") + (a.required ? "" : "]");
    if (!c.options.empty()) out += " [" + italic("OPTIONS") + "]";
    if (!c.commands.empty()) out += " " + italic("COMMAND");
    return out;
}

void add_commands(std::string& out, const std::string& path, const command& c)
{
    for (const auto& below : c.commands) {
        const auto name = path.empty() ? below.name : path + " " + below.name;
        if (below.commands.empty()) {
            out += ".SS " + usage(name, below) + "\n" + paragraphs(below.description);
            for (const auto& a : below.arguments) out += argument_text(a);
            for (const auto& o : below.options) out += option_text(o);
        }
        add_commands(out, name, below);
    }
}

} // namespace

std::string man_page(const command& top, const std::string& version)
{
    const auto first_line = top.description.substr(0, top.description.find_first_of("\n."));
    std::string out =
        ".TH " + upper(escaped(top.name)) + " 1 \"\" \"xentz " + escaped(version) + "\" \"User Commands\"\n";
    out += ".SH NAME\n" + escaped(top.name) + " \\- " + escaped(first_line) + "\n";
    out += ".SH SYNOPSIS\n" + usage(top.name, top) + "\n";
    out += ".SH DESCRIPTION\n" + paragraphs(top.description);
    out += ".SH OPTIONS\nThese may stand before or after the name of a command.\n";
    for (const auto& o : top.options) out += option_text(o);
    out += ".SH COMMANDS\n";
    add_commands(out, "", top);
    if (!top.footer.empty()) out += ".SH NOTES\n" + paragraphs(top.footer.substr(top.footer.find_first_not_of('\n')));
    return out;
}

} // namespace xentz::manual
