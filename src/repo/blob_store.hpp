// Where the objects of restic repositories lie. An object has a type and, but for the config, a name that is the
// SHA-256 of its bytes in hex.
//
// The contract, checked by one suite over every implementation (tests/contract/blob_store_suite.hpp):
// - what `commit` has acknowledged survives a power cut; what was not committed is never visible, not even in lists;
// - committing an object that exists with the same bytes succeeds; objects never change otherwise;
// - removing what is missing succeeds;
// - memory does not depend on the size of an object or the number of objects.
//
// Faults: not_found, conflict (another config exists), invalid_value (the bytes do not have the hash that the name
// claims), disk_full, repository_unavailable (the storage itself is not there: not mounted, or another one), file_failed.
// Threads: a store may be used from any thread at once; an incoming or a reader by one thread at a time.
#pragma once

#include "base/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace xentz::repo {

enum class object_type { config, data, keys, locks, snapshots, index };

std::string_view name(object_type t);
std::optional<object_type> parse_object_type(std::string_view text);

struct object_key {
    std::string repository_id;
    object_type type = object_type::config;
    std::string name; // 64 hex digits; empty for the config
};

// An object that is being received; destroyed without commit it leaves nothing behind.
class incoming {
public:
    virtual ~incoming() = default;
    virtual base::result<> write(std::span<const char> bytes) = 0;
    virtual base::result<> commit() = 0; // once
};

class object_reader {
public:
    virtual ~object_reader() = default;
    virtual std::uint64_t size() const = 0;
    // Fills a front part of `out` from `offset` on; 0 only at the end.
    virtual base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) = 0;
};

struct object_info {
    std::string name;
    std::uint64_t size = 0;
};

class blob_store {
public:
    virtual ~blob_store() = default;
    // Whether the storage is there and the one that belongs to this installation.
    virtual base::result<> ready() = 0;
    virtual base::result<> create_repository(std::string_view repository_id) = 0; // no error where it exists
    virtual base::result<std::unique_ptr<incoming>> receive(const object_key& key) = 0;
    virtual base::result<std::unique_ptr<object_reader>> open(const object_key& key) = 0;
    virtual base::result<std::uint64_t> size(const object_key& key) = 0;
    virtual base::result<> remove(const object_key& key) = 0;
    // Every object of a type, in no order, one in memory at a time; not_found where the repository was never created.
    virtual base::result<> list(std::string_view repository_id, object_type type,
                                const std::function<bool(const object_info&)>& each) = 0;
};

} // namespace xentz::repo
