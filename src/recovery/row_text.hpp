// The rows of a copy as text, one JSON document in each line: a heading begins a table, an array is a row of it.
//
//     {"table":"tenant","columns":["id","name","custody","created_at"]}
//     ["ten_5f0c...","home","server",1795458665000000]
//
// A number is a number of 64 bits, everything else is text or null: what was read from one engine goes into the other
// as it was. Threads: pure functions.
#pragma once

#include "base/fault.hpp"
#include "store/all_rows.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace xentz::recovery {

// Both end in a line break.
std::string heading_line(const store::table& t);
// invalid_value where a text is no UTF-8, which would come back as another one.
base::result<std::string> row_line(const store::row& r);

using line = std::variant<store::row_group, store::row>;
// invalid_value where it is neither.
base::result<line> read_line(std::string_view text);

} // namespace xentz::recovery
