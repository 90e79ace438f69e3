// Printing for people and programs.
#pragma once

#include "base/fault.hpp"
#include "base/table.hpp"
#include "wire/json.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xentz::apps {

// "xentz-server: MESSAGE. REMEDY." to standard error; returns the exit code: 2 for wrong usage, 5 for a lock, else 1.
int print_fault(const base::fault& f);

void print_line(const std::string& text);

template <class T>
void print_json(const T& v)
{
    print_line(wire::print_json(wire::to_json(v)));
}

// "2026-11-23 18:31" in UTC, "-" where there is none.
std::string short_time(const std::optional<base::time_point>& t);

// `empty` is said instead of a table without rows.
void print_table(const base::table& t, const std::string& empty);

} // namespace xentz::apps
