#include "output.hpp"

#include "agent/exit_code.hpp"

#include <filesystem>
#include <iostream>

namespace xentz::apps {

int print_fault(const base::fault& f)
{
    std::cerr << "xentz-agent: " << base::sentence(f) << "\n";
    return agent::exit_code_of(f);
}

void print_line(const std::string& text) { std::cout << text << "\n" << std::flush; }

void print_warning(const std::string& text) { std::cerr << "xentz-agent: warning: " << text << "\n"; }

std::string printable(std::string text)
{
    for (auto& ch : text)
        if (static_cast<unsigned char>(ch) < 0x20 || ch == 0x7F) ch = '?';
    return text;
}

std::vector<std::string> absolute_paths(const std::vector<std::string>& paths)
{
    std::vector<std::string> out;
    for (const auto& p : paths) {
        auto path = std::filesystem::absolute(p).lexically_normal().string();
        if (path.size() > 1 && path.ends_with('/')) path.pop_back();
        out.push_back(std::move(path));
    }
    return out;
}

} // namespace xentz::apps
