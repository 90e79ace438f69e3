#include "repo/spooled_object.hpp"

#include "base/hex.hpp"
#include "os/spool.hpp"

#include <utility>

namespace xentz::repo {
namespace {

// Snapshots, keys, locks and small indexes stay below it.
constexpr std::size_t most_in_memory = std::size_t{64} << 10U;

} // namespace

base::result<> spooled_object::write(std::span<const char> bytes)
{
    hash_.update(bytes);
    bytes_ += bytes.size();
    if (!file_ && small_.size() + bytes.size() <= most_in_memory) {
        small_.append(bytes.data(), bytes.size());
        return {};
    }
    if (!file_)
        if (auto ok = spill(); !ok) return ok;
    return file_->write(bytes);
}

base::result<> spooled_object::spill()
{
    auto file = os::make_spool_file(folder_);
    // Not what a client has asked for is missing.
    if (!file && file.error().code == base::fault_code::not_found) file.error().code = base::fault_code::file_failed;
    if (!file) return base::failed(file);
    if (auto ok = (*file)->write(small_); !ok) return ok;
    file_ = std::move(*file);
    small_ = std::string{}; // its memory, too
    return {};
}

s3::payload spooled_object::finish()
{
    return {.bytes = bytes_,
            .sha256 = base::to_hex(hash_.finish()),
            .read = [this](std::uint64_t offset, std::span<char> out) -> base::result<std::size_t> {
                if (file_) return file_->read(offset, out);
                return small_.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
            }};
}

} // namespace xentz::repo
