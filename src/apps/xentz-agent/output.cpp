#include "output.hpp"

#include "agent/exit_code.hpp"

#include <iostream>

namespace xentz::apps {

int print_fault(const base::fault& f)
{
    std::cerr << "xentz-agent: " << base::sentence(f) << "\n";
    return agent::exit_code_of(f);
}

void print_line(const std::string& text) { std::cout << text << "\n" << std::flush; }

void print_warning(const std::string& text) { std::cerr << "xentz-agent: warning: " << text << "\n"; }

} // namespace xentz::apps
