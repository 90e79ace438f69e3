// The bytes of an object that arrives, until they are known to be right and can be sent on: the first 64 KiB in memory,
// all of them in a file without a name as soon as there are more.
//
// Threads: one at a time. Errors: those of os/files.hpp.
#pragma once

#include "crypto/hash.hpp"
#include "os/files.hpp"
#include "s3/transfer.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace xentz::repo {

class spooled_object {
public:
    // A file is made in `folder`.
    explicit spooled_object(std::filesystem::path folder) : folder_(std::move(folder)) {}

    base::result<> write(std::span<const char> bytes);
    // After the last byte, once: what was written, with its hash. It must not outlive this.
    s3::payload finish();

private:
    base::result<> spill();

    std::filesystem::path folder_;
    crypto::sha256 hash_;
    std::uint64_t bytes_ = 0;
    std::string small_;
    std::unique_ptr<os::file> file_;
};

} // namespace xentz::repo
