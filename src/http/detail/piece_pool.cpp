#include "http/detail/piece_pool.hpp"

#include <utility>

namespace xentz::http::detail {
namespace {

constexpr std::size_t most_free = 16;
// Below, the allocator keeps what was freed.
constexpr std::size_t large = std::size_t{64} << 10U;

} // namespace

piece_pool::piece piece_pool::take(std::size_t size)
{
    if (size <= large) return {*this, std::make_unique_for_overwrite<char[]>(size), size};
    {
        const std::lock_guard guard{mutex_};
        if (!free_.empty()) {
            auto memory = std::move(free_.back());
            free_.pop_back();
            return {*this, std::move(memory), size};
        }
    }
    return {*this, std::make_unique_for_overwrite<char[]>(piece_bytes + frame), size};
}

void piece_pool::give_back(std::unique_ptr<char[]> memory, std::size_t size)
{
    if (size <= large) return;
    const std::lock_guard guard{mutex_};
    if (free_.size() < most_free) free_.push_back(std::move(memory));
}

} // namespace xentz::http::detail
