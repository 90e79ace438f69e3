// Memory for the pieces of bodies. A large piece that is given back is kept for the next request, up to a number:
// memory that goes back to the system and comes again is cleared by it each time, which costs as much as hashing it.
//
// Threads: may be used from any thread at once, one piece by one thread at a time. It outlives its pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace xentz::http::detail {

constexpr std::size_t piece_bytes = std::size_t{256} << 10U;

class piece_pool {
public:
    class piece {
    public:
        ~piece() { from_.give_back(std::move(memory_), room_.size()); }
        piece(const piece&) = delete;
        piece& operator=(const piece&) = delete;
        std::span<char> room() const { return room_; }

    private:
        friend class piece_pool;
        piece(piece_pool& from, std::unique_ptr<char[]> memory, std::size_t size)
            : from_{from}, memory_{std::move(memory)}, room_{memory_.get(), size}
        {
        }

        piece_pool& from_;
        std::unique_ptr<char[]> memory_;
        std::span<char> room_;
    };

    // With room for `size` bytes, at most piece_bytes and `frame`.
    piece take(std::size_t size);

    static constexpr std::size_t frame = 64; // what may stand round the bytes of a piece

private:
    void give_back(std::unique_ptr<char[]> memory, std::size_t size);

    std::mutex mutex_;
    std::vector<std::unique_ptr<char[]>> free_;
};

} // namespace xentz::http::detail
