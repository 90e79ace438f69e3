// The seam to the file system. Everything that must survive a crash goes through it, so that tests can put a
// faulty disk underneath. Paths are absolute. Folders are made 0700 and files 0600 unless said otherwise.
//
// Errors: fault_code::not_found where the path does not exist, conflict where it exists and must not,
// disk_full for ENOSPC and EDQUOT, file_failed for everything else; the message names the path and the cause.
// Threads: a `files` may be used from any thread at once; a `file` by one thread at a time.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::os {

using base::result;
using std::filesystem::path;

class file {
public:
    virtual ~file() = default; // closes; what was not synced may be lost
    // Writes all of `bytes` at the end.
    virtual result<> write(std::span<const char> bytes) = 0;
    // Reads up to out.size() bytes at `offset`; 0 at the end of the file.
    virtual result<std::size_t> read(std::uint64_t offset, std::span<char> out) = 0;
    // Sends up to `most` bytes from `offset` on into a socket, without a copy here: how many, 0 where the socket takes
    // none now, or none for as long as it may block (SO_SNDTIMEO), or has ended. Nothing where this kind of file
    // cannot.
    virtual result<std::optional<std::size_t>> send_to(int /*socket*/, std::uint64_t /*offset*/, std::uint64_t /*most*/)
    {
        return std::nullopt;
    }
    // Returns once the bytes and the size are on stable storage.
    virtual result<> sync() = 0;
    virtual result<std::uint64_t> size() = 0;
};

enum class file_kind { regular, directory, symlink, other };

struct file_info {
    file_kind kind = file_kind::other;
    std::uint64_t bytes = 0;
    base::time_point modified;
    base::time_point changed; // of content, name, owner or rights; nobody can set it back
    unsigned mode = 0;        // permission bits
    std::uint32_t owner = 0;  // the user's number
    // Together, which file it is, whatever its name: one that replaces another is another one.
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    bool operator==(const file_info&) const = default;
};

struct directory_entry {
    std::string name;
    file_kind kind = file_kind::other;
};

// Walks the entries of a folder but "." and "..", in no order, holding one of them at a time. What is created or
// removed in the folder meanwhile may be seen or not; everything else is seen once.
class directory_reader {
public:
    virtual ~directory_reader() = default;
    virtual result<std::optional<directory_entry>> next() = 0; // nothing at the end
    // Of an entry of this folder, as files::info, without the way to the folder.
    virtual result<file_info> info(const std::string& name) = 0;
};

class files {
public:
    virtual ~files() = default;

    // A new empty file, open for writing; conflict where the name is taken.
    virtual result<std::unique_ptr<file>> create(const path& p) = 0;
    virtual result<std::unique_ptr<file>> open(const path& p) = 0; // for reading
    // Replaces `to` atomically.
    virtual result<> rename(const path& from, const path& to) = 0;
    virtual result<> remove(const path& p) = 0; // a file or an empty folder
    // Makes names that were created, renamed or removed in the folder durable.
    virtual result<> sync_directory(const path& p) = 0;
    virtual result<> create_directory(const path& p) = 0; // conflict where it exists; its parent must exist
    // Does not follow a symlink in the last place.
    virtual result<file_info> info(const path& p) = 0;
    virtual result<std::unique_ptr<directory_reader>> open_directory(const path& p) = 0;

    // Calls `each` for every entry of a folder; stops early where it returns false.
    result<> list(const path& p, const std::function<bool(const directory_entry&)>& each);
};

// The real file system. One object serves a whole program.
std::unique_ptr<files> make_files();

// ---- what is built on the seam; the same for every implementation

// Temporary file beside `p` (".NAME.N.tmp"), write, sync, rename, sync of the folder: `p` holds either the old or
// the new bytes.
result<> write_atomic(files& fs, const path& p, std::string_view bytes);

struct file_content {
    path where;
    std::string_view bytes;
};
// Several files, for less than each by itself would cost: all are written and synced side by side, then renamed in this
// order. Whoever is killed meanwhile leaves the new bytes in the first files and the old in the rest; so it is after a
// failure, too, and a power cut leaves either in each.
result<> write_atomic(files& fs, std::span<const file_content> all);

// As write_atomic, without the syncs: for what costs nothing where a power cut takes it. The file may then hold the old
// bytes, the new ones, or anything else.
result<> write_without_sync(files& fs, const path& p, std::string_view bytes);

// The whole file; invalid_value where it is larger than `most` bytes.
result<std::string> read_all(files& fs, const path& p, std::uint64_t most);

// Makes `p` and its missing parents, each durable. A symlink to a folder counts as one.
result<> create_directories(files& fs, const path& p);

// Removes a tree, following no symlink; a missing one is no error.
result<> remove_all(files& fs, const path& p);

} // namespace xentz::os
