// A blob store that counts what passes through it: objects and bytes written, read and removed, for each repository and
// type. The counts begin anew with each process, as those of rest-server do; so do its units: an object that is read in
// parts counts once for each part, one that was stored already counts again when it is sent again, and a removal of
// what is missing does not count.
// Threads and faults: as blob_store.hpp.
#pragma once

#include "repo/blob_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace xentz::repo {

struct traffic {
    std::uint64_t written = 0;
    std::uint64_t bytes_written = 0;
    std::uint64_t read = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t removed = 0;
    std::uint64_t bytes_removed = 0;
};

class traffic_counts {
public:
    using key = std::pair<std::string, object_type>; // repository and type
    void add(const object_key& k, const traffic& t);
    std::map<key, traffic> all() const;

private:
    mutable std::mutex mutex_;
    std::map<key, traffic> counts_;
};

class counting_store final : public blob_store {
public:
    // Both must outlive it and what it hands out.
    counting_store(blob_store& inner, traffic_counts& counts) : inner_(inner), counts_(counts) {}

    base::result<> ready() override { return inner_.ready(); }
    base::result<> create_repository(std::string_view id) override { return inner_.create_repository(id); }
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override;
    base::result<std::uint64_t> size(const object_key& key) override { return inner_.size(key); }
    base::result<> remove(const object_key& key) override;
    base::result<std::unique_ptr<object_list>> list(std::string_view repository_id, object_type type) override
    {
        return inner_.list(repository_id, type);
    }

private:
    class upload;
    class reader;

    blob_store& inner_;
    traffic_counts& counts_;
};

} // namespace xentz::repo
