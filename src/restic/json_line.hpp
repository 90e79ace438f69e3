// restic's JSON, one value per line: reading it without ever throwing. What is no JSON is no error, since restic
// mixes plain text into it.
//
// Threads: pure functions.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::restic {

std::optional<boost::json::object> parse_object(std::string_view line);
std::optional<boost::json::array> parse_array(std::string_view line);

// Nothing where the key is missing or of another kind. restic omits figures that are zero.
std::optional<std::string> text_of(const boost::json::object& o, std::string_view key);
std::optional<std::uint64_t> count_of(const boost::json::object& o, std::string_view key);
std::optional<double> number_of(const boost::json::object& o, std::string_view key);

// Empty where the key is missing, null or no list; what is no text in it is left out.
std::vector<std::string> texts_of(const boost::json::object& o, std::string_view key);

// Null where the key is missing, null or of another kind.
const boost::json::object* object_of(const boost::json::object& o, std::string_view key);
const boost::json::array* array_of(const boost::json::object& o, std::string_view key);

} // namespace xentz::restic
