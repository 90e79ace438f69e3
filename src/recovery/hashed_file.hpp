// Files of a copy: written and read in pieces, with the SHA-256 of what went through. Memory is that of a piece, or of
// the longest line.
//
// Errors: those of os::files; invalid_value for a line of more than 16 MiB. Threads: one at a time.
#pragma once

#include "crypto/hash.hpp"
#include "os/files.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/describe/class.hpp>

namespace xentz::recovery {

struct file_record {
    std::string name; // in the folder of the copy
    std::uint64_t bytes = 0;
    std::string sha256;
    bool operator==(const file_record&) const = default;
};
BOOST_DESCRIBE_STRUCT(file_record, (), (name, bytes, sha256))

class hashed_writer {
public:
    // A new file; conflict where the name is taken.
    static base::result<hashed_writer> create(os::files& fs, const std::filesystem::path& p);

    base::result<> write(std::string_view bytes);
    // Syncs the file, whose name is durable once its folder is synced, too.
    base::result<file_record> finish();

private:
    hashed_writer(std::unique_ptr<os::file> f, std::string name) : file_(std::move(f)), record_{.name = std::move(name)}
    {
    }
    base::result<> flush();

    std::unique_ptr<os::file> file_;
    file_record record_;
    std::string held_;
    crypto::sha256 hash_;
};

base::result<file_record> hash_file(os::files& fs, const std::filesystem::path& p);

class line_reader {
public:
    static base::result<line_reader> open(os::files& fs, const std::filesystem::path& p);
    // Without its end; nothing at the end of the file. Valid until the next call.
    base::result<std::optional<std::string_view>> next();

private:
    explicit line_reader(std::unique_ptr<os::file> f) : file_(std::move(f)) {}

    std::unique_ptr<os::file> file_;
    std::uint64_t at_ = 0; // of the next byte to read
    std::string held_;
    std::size_t taken_ = 0; // of what is held
    bool at_end_ = false;
};

} // namespace xentz::recovery
