// The blob store in a bucket of an object store, in the layout of disk_layout.hpp: restic's own S3 back end reads a
// repository in it. An object that arrives waits in a spool file here (spooled_object.hpp) until its hash is known to
// be its name, and is then put whole, by one request that the store checks by the same hash: it is complete and durable
// before it has a name. A config is put on the condition that there is none. docs/adr/0024 says why.
//
// Moving to the trash and back is a copy within the store, and then a removal. Where it is cut short both are there;
// the journal says which of them counts.
// Whether the bucket is the right one (storage.json, storage_identity.hpp) is looked at before everything that changes
// something and before every "not found", but not again within a second.
//
// Any number of processes may serve one bucket at the same time; none of them holds a lock.
// Threads and faults: as blob_store.hpp says. Whatever keeps the store from answering is repository_unavailable, with
// its cause and remedy.
#pragma once

#include "base/clock.hpp"
#include "repo/disk_layout.hpp"
#include "repo/storage.hpp"
#include "s3/client.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::repo {

struct s3_store_options {
    std::filesystem::path spool_folder; // where uploads wait
    std::chrono::microseconds identity_known_for = std::chrono::seconds{1};
};

class s3_blob_store final : public storage {
public:
    // Sends nothing: a store that cannot be reached now may be later, `ready` tells. `clock` must outlive the store.
    // invalid_value where the id is empty.
    static base::result<std::unique_ptr<s3_blob_store>> open(std::unique_ptr<s3::client> client, std::string storage_id,
                                                             const base::clock& clock, s3_store_options options);

    // Makes the bucket a storage, as initialise_storage does a folder. server_refused, too, where the store does not
    // keep to If-None-Match, without which two configs could take one place.
    base::result<> initialise();

    base::result<> claim(std::string holder) override; // no lock: `ready`
    base::result<std::vector<std::string>> repositories() override;
    base::result<> drop_repository(std::string_view repository_id) override;
    base::result<> take_file(const object_key& key, const std::filesystem::path& file) override;
    std::optional<std::uint64_t> free_bytes() override { return std::nullopt; }

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
    class reader;
    class walk;

    s3_blob_store(std::unique_ptr<s3::client> client, std::string storage_id, const base::clock& clock,
                  s3_store_options options);

    base::result<std::string> present_id();
    base::result<> lately_ready();
    base::fault explained(base::fault f);
    base::fault unusable(base::fault f) const;
    base::result<> mark_created(std::string_view repository_id);
    base::result<bool> exists(std::string_view repository_id);
    base::result<> exists_or_not_found(std::string_view repository_id);
    base::result<> place_config(const object_key& key, const s3::payload& body);
    base::result<> remove_below(const std::string& prefix);
    base::result<s3::page> page_of(const s3::client::list_request& l);
    base::result<std::unique_ptr<object_reader>> open_at(std::string key, bool may_be_replaced);

    std::unique_ptr<s3::client> client_;
    std::string storage_id_;
    const base::clock& clock_;
    s3_store_options options_;
    disk_layout layout_{{}};
    std::atomic<std::int64_t> ready_at_; // by clock_.elapsed(), in microseconds
    std::mutex known_mutex_;
    std::set<std::string, std::less<>> known_; // repositories that were seen to exist
};

} // namespace xentz::repo
