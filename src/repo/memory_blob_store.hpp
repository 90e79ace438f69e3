// A blob store in memory, for tests: it keeps the contract of blob_store.hpp but for surviving anything, and holds
// whole objects.
#pragma once

#include "repo/blob_store.hpp"
#include "repo/trash_store.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace xentz::repo {

class memory_blob_store final : public blob_store, public trash_store {
public:
    // As if the disk were not mounted.
    void set_available(bool available);
    // When what is stored from now on was stored.
    void set_now(base::time_point now);

    base::result<> ready() override;
    base::result<> create_repository(std::string_view repository_id) override;
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override;
    base::result<std::uint64_t> size(const object_key& key) override;
    base::result<> remove(const object_key& key) override;
    base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) override;

    base::result<> bury(const trash_entry& e) override;
    base::result<> unbury(const trash_entry& e) override;
    base::result<> destroy(const trash_entry& e) override;
    base::result<std::unique_ptr<object_reader>> open_buried(const trash_entry& e) override;
    base::result<> list_buried(std::string_view repository_id,
                               const std::function<bool(const trash_entry&)>& each) override;

private:
    class upload;
    class walk;
    class reader;
    using place = std::tuple<std::string, object_type, std::string>;                      // repository, type, name
    using buried_place = std::tuple<std::string, std::int64_t, object_type, std::string>; // the last is the hash
    struct object {
        std::string bytes;
        base::time_point stored_at;
    };
    using content = std::shared_ptr<const object>;

    base::result<> check(const object_key& key) const;
    base::result<content> find(const object_key& key) const;
    base::result<> store(const object_key& key, std::string bytes);
    static buried_place place_of(const trash_entry& e);

    mutable std::mutex mutex_;
    bool available_ = true;
    base::time_point now_;
    std::set<std::string, std::less<>> repositories_;
    std::map<place, content> objects_;
    std::map<buried_place, content> trash_;
};

} // namespace xentz::repo
