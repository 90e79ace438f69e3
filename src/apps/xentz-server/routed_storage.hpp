// All storages of an installation as one: what concerns a repository goes to where it lies. For commands and background
// work; requests go through routed_guard, where the journal of each storage says what came and went there.
//
// Contract, threads and faults: repo/storage.hpp. repository_unavailable, too, where it cannot be known where a
// repository lies. What has no repository (`claim`, `free_bytes`) is about the installation's own storage.
#pragma once

#include "storages.hpp"

namespace xentz::apps {

class routed_storage final : public repo::storage {
public:
    explicit routed_storage(storages& all) : all_(all) {} // must outlive it

    base::result<> claim(std::string holder) override;
    // Of all storages.
    base::result<std::vector<std::string>> repositories() override;
    std::optional<std::uint64_t> free_bytes() override;
    base::result<> drop_repository(std::string_view id) override;
    base::result<> take_file(const repo::object_key& key, const std::filesystem::path& file) override;

    base::result<> ready() override;
    base::result<> create_repository(std::string_view id) override;
    base::result<std::unique_ptr<repo::incoming>> receive(const repo::object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<repo::object_reader>> open(const repo::object_key& key) override;
    base::result<std::uint64_t> size(const repo::object_key& key) override;
    base::result<> remove(const repo::object_key& key) override;
    base::result<std::unique_ptr<repo::object_list>> list(std::string_view id, repo::object_type type) override;

    base::result<> bury(const repo::trash_entry& e) override;
    base::result<> unbury(const repo::trash_entry& e) override;
    base::result<> destroy(const repo::trash_entry& e) override;
    base::result<std::unique_ptr<repo::object_reader>> open_buried(const repo::trash_entry& e) override;
    base::result<> list_buried(std::string_view id, const std::function<bool(const repo::trash_entry&)>& each) override;

private:
    storages& all_;
};

// The same for requests: each goes through the guard of its storage.
class routed_guard final : public repo::blob_store {
public:
    explicit routed_guard(storages& all) : all_(all) {} // must outlive it

    base::result<> ready() override;
    base::result<> create_repository(std::string_view id) override;
    base::result<std::unique_ptr<repo::incoming>> receive(const repo::object_key& key, std::uint64_t most) override;
    base::result<std::unique_ptr<repo::object_reader>> open(const repo::object_key& key) override;
    base::result<std::uint64_t> size(const repo::object_key& key) override;
    base::result<> remove(const repo::object_key& key) override;
    base::result<std::unique_ptr<repo::object_list>> list(std::string_view id, repo::object_type type) override;

private:
    storages& all_;
};

} // namespace xentz::apps
