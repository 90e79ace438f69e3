// Printing for people and programs.
#pragma once

#include "base/fault.hpp"
#include "base/redactor.hpp"
#include "wire/json.hpp"

#include <string>

namespace xentz::apps {

// "xentz-agent: MESSAGE. REMEDY." to standard error; returns the exit code that belongs to it.
int print_fault(const base::fault& f);

void print_line(const std::string& text);
void print_warning(const std::string& text); // to standard error

template <class T>
void print_json(const T& v)
{
    print_line(wire::print_json(wire::to_json(v)));
}

} // namespace xentz::apps
