// A blob store that never forgets by accident: what comes and goes is written into the journal, and what is removed
// moves to the trash where the journal says so. To a client a removed object is gone either way.
//
// An upload: the bytes are durable under their name, then the journal knows them, then it is acknowledged. A removal:
// the journal says where the bytes belong, then they are moved. Whatever a crash leaves between the two was not
// acknowledged, and is settled when the server compares the two.
// Threads and faults: as blob_store.hpp. A journal that throws is repository_unavailable: trying again may succeed.
#pragma once

#include "repo/blob_store.hpp"
#include "repo/journal.hpp"
#include "repo/trash_store.hpp"

#include <mutex>
#include <shared_mutex>

namespace xentz::repo {

class guarded_store final : public blob_store {
public:
    // All must outlive it.
    guarded_store(blob_store& inner, trash_store& trash, journal& j) : inner_(inner), trash_(trash), journal_(j) {}

    base::result<> ready() override { return inner_.ready(); }
    base::result<> create_repository(std::string_view id) override { return inner_.create_repository(id); }
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override { return inner_.open(key); }
    base::result<std::uint64_t> size(const object_key& key) override { return inner_.size(key); }
    base::result<> remove(const object_key& key) override;
    base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) override
    {
        return inner_.list(repository_id, type);
    }

    // Held while rows and files are compared: no object is between its two places then.
    std::unique_lock<std::shared_mutex> hold_still() { return std::unique_lock{moving_}; }

private:
    class upload;

    base::result<> move_to_trash(const object_identity& o, std::int64_t place);

    blob_store& inner_;
    trash_store& trash_;
    journal& journal_;
    std::shared_mutex moving_; // shared by those who change both a row and a file
};

// The hash of a whole object, read once.
base::result<std::string> hash_of(object_reader& reader);

} // namespace xentz::repo
