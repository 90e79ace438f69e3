// A repo::journal in memory: everything but locks goes to the trash, unless it is told to keep nothing.
// Threads: any.
#pragma once

#include "repo/journal.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace xentz::fakes {

class memory_journal final : public repo::journal {
public:
    struct row {
        repo::object_identity what;
        std::int64_t place = 0;
        bool present = true;
    };
    bool keeps = true;
    bool broken = false;
    std::vector<row> rows;

    void arrived(const repo::object_identity& o) override
    {
        const std::lock_guard guard{mutex_};
        fail_if_broken();
        if (find(o) == rows.end()) rows.push_back({o, ++place_, true});
    }
    std::optional<std::int64_t> departing(const repo::object_identity& o) override
    {
        const std::lock_guard guard{mutex_};
        fail_if_broken();
        auto at = find(o);
        if (!keeps || o.key.type == repo::object_type::locks) {
            if (at != rows.end()) rows.erase(at);
            return std::nullopt;
        }
        if (at == rows.end()) at = rows.insert(rows.end(), {o, ++place_, true});
        at->present = false;
        return at->place;
    }
    void stayed(const repo::object_identity& o, std::int64_t place) override
    {
        const std::lock_guard guard{mutex_};
        for (auto& r : rows)
            if (r.place == place && r.what.hash == o.hash) r.present = true;
    }
    // Places in the trash of objects with these bytes.
    std::vector<std::int64_t> buried(std::string_view hash) const
    {
        const std::lock_guard guard{mutex_};
        std::vector<std::int64_t> out;
        for (const auto& r : rows)
            if (!r.present && r.what.hash == hash) out.push_back(r.place);
        return out;
    }

private:
    std::vector<row>::iterator find(const repo::object_identity& o)
    {
        return std::ranges::find_if(rows, [&](const row& r) {
            return r.present && r.what.key.repository_id == o.key.repository_id && r.what.key.type == o.key.type &&
                   r.what.key.name == o.key.name;
        });
    }
    void fail_if_broken() const
    {
        if (broken) throw std::runtime_error("the database is gone");
    }

    mutable std::mutex mutex_;
    std::int64_t place_ = 0;
};

} // namespace xentz::fakes
