// Where the objects of restic repositories lie. An object has a type and, but for the config, a name that is the
// SHA-256 of its bytes in hex.
//
// The contract, checked by one suite over every implementation (tests/contract/repo/blob_store_suite.hpp):
// - what `commit` has acknowledged survives a power cut; what was not committed is never visible, not even in lists;
// - committing an object that exists with the same bytes succeeds; objects never change otherwise;
// - removing what is missing succeeds;
// - memory does not depend on the size of an object or the number of objects;
// - a storage that is not there is never taken for an empty one: what would be "not found" is repository_unavailable.
//
// Faults: not_found, conflict (another config exists), invalid_value (the bytes do not have the hash that the name
// claims, or the key is none), disk_full, repository_full (a quota), repository_unavailable (the storage itself is not
// there: not mounted, or another one), file_failed.
// Threads: a store may be used from any thread at once; an incoming, a reader or a list by one thread at a time.
// Ownership: what a store hands out must not outlive it.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"

#include <cstddef>
#include <cstdint>
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

// invalid_value where a part of the key could not have come from a client that keeps to the protocol, or could
// leave the repository's folder.
base::result<> check_repository_id(std::string_view repository_id);
base::result<> check_key(const object_key& key);

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
    // By the storage's clock, never the client's; sent again, an object may count as stored again.
    virtual base::time_point stored_at() const = 0;
    // Says that so much will be read from there on, piece after piece: a store over a network asks for no more.
    virtual void expect(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}
    // Fills a front part of `out` from `offset` on; 0 only at the end.
    virtual base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) = 0;
    // As os::file::send_to: nothing where the bytes are not in a file of this machine.
    virtual base::result<std::optional<std::size_t>> send_to(int /*socket*/, std::uint64_t /*offset*/,
                                                             std::uint64_t /*most*/)
    {
        return std::nullopt;
    }
};

struct object_info {
    std::string name;
    std::uint64_t size = 0;
};

// The objects of one type, in no order, in memory that does not grow with their number. What is stored or removed
// meanwhile may be seen or not; everything else is seen once.
class object_list {
public:
    virtual ~object_list() = default;
    virtual base::result<std::optional<object_info>> next() = 0; // nothing at the end
};

class blob_store {
public:
    virtual ~blob_store() = default;
    // Whether the storage is there and the one that belongs to this installation.
    virtual base::result<> ready() = 0;
    virtual base::result<> create_repository(std::string_view repository_id) = 0; // no error where it exists
    // `most` bytes at most will be written. not_found where the repository was never created.
    virtual base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) = 0;
    virtual base::result<std::unique_ptr<object_reader>> open(const object_key& key) = 0;
    virtual base::result<std::uint64_t> size(const object_key& key) = 0;
    virtual base::result<> remove(const object_key& key) = 0;
    // not_found where the repository was never created; any type but the config.
    virtual base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) = 0;
};

} // namespace xentz::repo
