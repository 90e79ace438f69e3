// The room book of a storage that this process alone serves: reservations are in memory, and end with the process,
// like the uploads that they were made for. Contract: room_book.hpp.
#pragma once

#include "repo/room_book.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

namespace xentz::repo {

// What is counted already: without reservations. May throw; then nothing is reserved.
class room_source {
public:
    virtual ~room_source() = default;
    virtual room room_of(const std::string& repository_id) = 0;
};

class memory_room_book final : public room_book {
public:
    explicit memory_room_book(room_source& counted) : counted_(counted) {} // must outlive it
    base::result<std::unique_ptr<reservation>> reserve(const object_key& key, std::uint64_t bytes) override;

private:
    class entry;

    room_source& counted_;
    std::mutex mutex_;
    std::condition_variable settled_;
    std::map<std::string, std::uint64_t> of_repository_;
    std::map<std::string, std::uint64_t> of_tenant_;
    std::uint64_t settling_ = 0; // uploads between the journal's entry and the end of their reservation, at most
};

} // namespace xentz::repo
