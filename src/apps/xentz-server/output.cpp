#include "output.hpp"

#include <iostream>

namespace xentz::apps {

int print_fault(const base::fault& f)
{
    std::cerr << "xentz-server: " << base::sentence(f) << "\n";
    switch (f.code) {
    case base::fault_code::usage:
        return 2;
    case base::fault_code::config_missing:
        return 4;
    case base::fault_code::run_locked:
        return 5;
    default:
        return 1;
    }
}

void print_line(const std::string& text) { std::cout << text << "\n" << std::flush; }

std::string short_time(const std::optional<base::time_point>& t)
{
    if (!t) return "-";
    auto text = base::to_rfc3339(*t).substr(0, 16);
    text[10] = ' ';
    return text;
}

void print_table(const base::table& t, const std::string& empty)
{
    if (t.empty())
        print_line(empty);
    else
        std::cout << t.text() << std::flush;
}

} // namespace xentz::apps
