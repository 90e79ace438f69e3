// Printing for people and programs.
#pragma once

#include "base/fault.hpp"
#include "base/redactor.hpp"
#include "wire/json.hpp"

#include <string>
#include <vector>

namespace xentz::apps {

// "xentz-agent: MESSAGE. REMEDY." to standard error; returns the exit code that belongs to it.
int print_fault(const base::fault& f);

void print_line(const std::string& text);
void print_warning(const std::string& text); // to standard error

// A name may hold control characters; on a terminal they must not act.
std::string printable(std::string text);

// As they are meant from where the command is run; without a slash at the end.
std::vector<std::string> absolute_paths(const std::vector<std::string>& paths);

template <class T>
void print_json(const T& v)
{
    print_line(wire::print_json(wire::to_json(v)));
}

} // namespace xentz::apps
