// Arrivals of objects, written together where they come at the same time: while one transaction is being stored, those
// that come meanwhile wait for the next one, and share its sync. Each call returns when its own row is stored.
//
// Errors: exceptions of type sql::error, as of object_journal::arrived. One arrival that cannot be written fails no
// other one. Threads: may be used from any thread at once.
#pragma once

#include "store/object_journal.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <vector>

namespace xentz::store {

class grouped_arrivals {
public:
    explicit grouped_arrivals(object_journal objects) : objects_(std::move(objects)) {}

    void arrived(const object_journal::arrival& a);

private:
    enum class fate { none, leads, stored, failed };
    struct waiting {
        const object_journal::arrival* what = nullptr;
        fate turn = fate::none; // `failed`: not stored with the others, and up to its own thread
        std::condition_variable woken;
    };

    void store(const std::vector<waiting*>& group);
    void let_next_lead();
    static void tell(waiting& w, fate turn);

    object_journal objects_;
    std::mutex mutex_;
    std::vector<waiting*> queue_;
    bool is_storing_ = false;
};

} // namespace xentz::store
