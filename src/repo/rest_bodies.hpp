// Bodies that are never whole in memory: an object that is sent, a list that is sent, an object that arrives.
//
// Threads: one at a time, as http/handler.hpp says. Ownership: what is passed by reference must outlive them.
#pragma once

#include "base/log.hpp"
#include "http/handler.hpp"
#include "repo/blob_store.hpp"
#include "repo/ledger.hpp"
#include "repo/range.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace xentz::repo {

// `range` of an object; `label` names it in the log.
std::unique_ptr<http::body_source> object_source(std::unique_ptr<object_reader> reader, const byte_range& range,
                                                 base::logger& log, std::string label);

// The two forms of a list: 1 is ["name",...], 2 is [{"name":"...","size":N},...].
enum class list_version { v1, v2 };
std::unique_ptr<http::body_source> list_source(std::unique_ptr<object_list> objects, list_version version,
                                               base::logger& log, std::string label);

struct arrival {
    object_key key;
    std::uint64_t length = 0; // as announced
    std::chrono::seconds retry_after{60};
    std::string label; // names the request in the log
};

// Commits once the whole body has arrived. A config is in the ledger before its arrival is acknowledged.
std::unique_ptr<http::body_sink> object_sink(std::unique_ptr<incoming> in, arrival a, ledger& l, base::logger& log);

} // namespace xentz::repo
