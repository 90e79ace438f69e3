// Brings what lies of a repository on one storage in line with its journal, from the bytes on another: present objects
// and the trash. For repository_move.cpp.
#pragma once

#include "repo/storage.hpp"
#include "store/object_journal.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace xentz::apps {

class repository_copy {
public:
    // `before_each` is called before each object that is copied or removed. All must outlive it.
    repository_copy(repo::storage& from, repo::storage& to, store::object_journal objects, domain::repository_id id,
                    std::function<void()> before_each)
        : from_(from), to_(to), objects_(std::move(objects)), id_(std::move(id)), before_each_(std::move(before_each))
    {
    }

    // What an earlier copy has brought there. Once, before the first round.
    base::result<> look();
    // Copies and removes until `to` holds what the journal said while this ran. How many objects it changed.
    base::result<std::uint64_t> round();

    std::uint64_t objects() const { return count_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    using names = std::map<std::string, std::set<std::string>>; // by their first two digits

    base::result<> trash();
    base::result<> bury(const store::object_life& l);
    base::result<> config();
    base::result<> present(repo::object_type type, const std::string& part);
    base::result<> copy(const store::object_life& l);
    base::result<std::unique_ptr<repo::object_reader>> source_of(const store::object_life& l);
    base::result<> send(repo::object_reader& reader, const repo::object_key& key, std::uint64_t bytes);
    void changed();

    repo::storage& from_;
    repo::storage& to_;
    store::object_journal objects_;
    domain::repository_id id_;
    std::function<void()> before_each_;
    std::map<repo::object_type, names> there_;
    std::map<std::int64_t, repo::trash_entry> buried_;
    std::string config_hash_; // of the config there
    std::uint64_t changes_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t bytes_ = 0;
};

} // namespace xentz::apps
