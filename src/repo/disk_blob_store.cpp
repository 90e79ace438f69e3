#include "repo/disk_blob_store.hpp"

#include "base/hex.hpp"
#include "crypto/hash.hpp"
#include "repo/disk_list.hpp"

#include <array>
#include <optional>
#include <utility>

namespace xentz::repo {

using base::fail;
using base::failed;
using base::fault_code;
using std::filesystem::path;

namespace {

class disk_reader final : public object_reader {
public:
    disk_reader(std::unique_ptr<os::file> file, std::uint64_t size, base::time_point stored_at)
        : file_(std::move(file)), size_(size), stored_at_(stored_at)
    {
    }
    std::uint64_t size() const override { return size_; }
    base::time_point stored_at() const override { return stored_at_; }
    base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        return file_->read(offset, out);
    }
    base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t offset, std::uint64_t most) override
    {
        return file_->send_to(socket, offset, most);
    }

private:
    std::unique_ptr<os::file> file_;
    std::uint64_t size_;
    base::time_point stored_at_;
};

base::fault absent(std::string what) { return {fault_code::not_found, std::move(what), {}}; }

} // namespace

struct disk_blob_store::temporary {
    std::unique_ptr<os::file> file;
    path where;
};

class disk_blob_store::upload final : public incoming {
public:
    upload(disk_blob_store& store, object_key key, temporary t)
        : store_(store), key_(std::move(key)), temporary_(std::move(t))
    {
    }
    ~upload() override
    {
        temporary_.file.reset();
        // What cannot be removed now is swept when the storage is claimed next.
        if (!placed_) static_cast<void>(store_.fs_.remove(temporary_.where));
    }
    upload(const upload&) = delete;
    upload& operator=(const upload&) = delete;

    base::result<> write(std::span<const char> bytes) override
    {
        hash_.update(bytes);
        return temporary_.file->write(bytes);
    }

    base::result<> commit() override
    {
        const auto hash = base::to_hex(hash_.finish());
        const bool is_config = key_.type == object_type::config;
        if (!is_config && hash != key_.name)
            return fail(fault_code::invalid_value, "the bytes do not have the hash that their name claims",
                        "Send the object again; where that does not help, check the memory of the sending machine");
        if (auto ok = temporary_.file->sync(); !ok) return ok;
        temporary_.file.reset();
        auto placed =
            is_config ? store_.place_config(temporary_.where, key_, hash) : store_.place(temporary_.where, key_);
        placed_ = placed.has_value();
        return placed;
    }

private:
    disk_blob_store& store_;
    object_key key_;
    temporary temporary_;
    crypto::sha256 hash_;
    bool placed_ = false;
};

disk_blob_store::disk_blob_store(os::files& fs, path root, std::string storage_id)
    : fs_(fs), layout_(std::move(root)), storage_id_(std::move(storage_id))
{
}

base::result<std::unique_ptr<disk_blob_store>> disk_blob_store::open(os::files& fs, path root, std::string storage_id)
{
    if (!root.is_absolute())
        return fail(fault_code::invalid_value, "the storage's path " + root.string() + " is not absolute");
    if (storage_id.empty()) return fail(fault_code::invalid_value, "the id of the storage is not known");
    return std::unique_ptr<disk_blob_store>{new disk_blob_store{fs, std::move(root), std::move(storage_id)}};
}

base::result<> disk_blob_store::make_folder(const path& p)
{
    auto made = fs_.create_directory(p);
    if (!made && made.error().code == fault_code::conflict) return {};
    return made;
}

base::result<> disk_blob_store::create_repository(std::string_view repository_id)
{
    if (auto ok = check_repository_id(repository_id); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto made = make_folder(layout_.repository(repository_id));
    if (made) made = complete(repository_id);
    if (!made) return std::unexpected(explained(std::move(made.error())));
    return {};
}

// Makes the folders that a repository's own folder lacks.
base::result<> disk_blob_store::complete(std::string_view repository_id)
{
    const std::lock_guard guard{durable_mutex_};
    durable_.erase(std::string{repository_id});
    for (const auto& folder : disk_layout::folders())
        if (auto ok = make_folder(layout_.repository(repository_id) / folder); !ok) return ok;
    return save_names(repository_id);
}

// With durable_mutex_ held.
base::result<> disk_blob_store::save_names(std::string_view repository_id)
{
    const auto repository = layout_.repository(repository_id);
    auto saved = fs_.sync_directory(repository / name(object_type::data));
    // A copy of a storage may have lost its empty folders; they are made when they are needed.
    if (!saved && saved.error().code != fault_code::not_found) return saved;
    for (const auto& p : {repository, layout_.repositories()})
        if (auto ok = fs_.sync_directory(p); !ok) return ok;
    durable_.emplace(repository_id);
    return {};
}

base::result<> disk_blob_store::save_names_once(std::string_view repository_id)
{
    const std::lock_guard guard{durable_mutex_};
    return durable_.contains(repository_id) ? base::result<>{} : save_names(repository_id);
}

base::result<disk_blob_store::temporary> disk_blob_store::create_temporary()
{
    bool mended = false;
    auto number = next_temporary_++;
    for (;;) {
        auto where = layout_.incoming(number) / std::to_string(number);
        auto file = fs_.create(where);
        if (file) return temporary{std::move(*file), std::move(where)};
        if (file.error().code == fault_code::conflict) { // of another process
            number = next_temporary_++;
            mended = false;
            continue;
        }
        if (file.error().code != fault_code::not_found || mended) return failed(file);
        // Nobody has needed it yet; and as with a repository's folders, a copy may have lost empty ones.
        if (auto ok = ready(); !ok) return failed(ok);
        for (const auto& folder : {layout_.incoming(), layout_.incoming(number)})
            if (auto ok = make_folder(folder); !ok) return failed(ok);
        mended = true;
    }
}

base::result<std::unique_ptr<incoming>> disk_blob_store::receive(const object_key& key, std::uint64_t)
{
    if (auto ok = check_key(key); !ok) return failed(ok);
    if (auto ok = ready(); !ok) return failed(ok);
    auto repository = fs_.info(layout_.repository(key.repository_id));
    if (!repository) return std::unexpected(explained(std::move(repository.error())));
    if (auto ok = save_names_once(key.repository_id); !ok) return std::unexpected(explained(std::move(ok.error())));
    auto t = create_temporary();
    if (!t) return failed(t);
    return std::make_unique<upload>(*this, key, std::move(*t));
}

// Replaces what is there: the bytes have the hash of the name, so they are the same or heal a damaged object.
base::result<> disk_blob_store::place(const path& from, const object_key& key)
{
    const auto folder = layout_.folder(key);
    auto renamed = fs_.rename(from, layout_.file(key));
    if (!renamed && renamed.error().code == fault_code::not_found) {
        if (auto ok = ready(); !ok) return ok;
        // Not the repository's own folder: what was removed meanwhile must not come back.
        auto made = complete(key.repository_id);
        if (!made) return std::unexpected(explained(std::move(made.error())));
        renamed = fs_.rename(from, layout_.file(key));
    }
    if (!renamed) return renamed;
    return fs_.sync_directory(folder);
}

base::result<> disk_blob_store::place_config(const path& from, const object_key& key, std::string_view hash)
{
    const std::lock_guard guard{config_mutex_};
    auto present = hash_of(layout_.file(key));
    if (!present) {
        auto why = explained(std::move(present.error()));
        if (why.code != fault_code::not_found) return std::unexpected(std::move(why));
    } else if (*present != hash) {
        return fail(fault_code::conflict, "the repository " + key.repository_id + " has another config already",
                    "Remove the config first where the repository is really to be made anew");
    }
    return place(from, key);
}

base::result<std::string> disk_blob_store::hash_of(const path& p)
{
    auto file = fs_.open(p);
    if (!file) return failed(file);
    crypto::sha256 hash;
    std::array<char, 16 * 1024> piece{};
    for (std::uint64_t offset = 0;;) {
        auto n = (*file)->read(offset, piece);
        if (!n) return failed(n);
        if (*n == 0) return base::to_hex(hash.finish());
        hash.update(std::span{piece}.first(*n));
        offset += *n;
    }
}

base::result<std::unique_ptr<object_reader>> disk_blob_store::open(const object_key& key)
{
    auto info = present(key);
    if (!info) return failed(info);
    auto file = fs_.open(layout_.file(key));
    if (!file) return std::unexpected(explained(std::move(file.error())));
    auto bytes = (*file)->size();
    if (!bytes) return failed(bytes);
    return std::make_unique<disk_reader>(std::move(*file), *bytes, info->modified);
}

base::result<os::file_info> disk_blob_store::present(const object_key& key)
{
    if (auto ok = check_key(key); !ok) return failed(ok);
    auto info = fs_.info(layout_.file(key));
    if (!info) return std::unexpected(explained(std::move(info.error())));
    if (info->kind != os::file_kind::regular)
        return std::unexpected(explained(absent(layout_.file(key).string() + " is no file")));
    return info;
}

base::result<std::uint64_t> disk_blob_store::size(const object_key& key)
{
    auto info = present(key);
    if (!info) return failed(info);
    return info->bytes;
}

base::result<> disk_blob_store::remove(const object_key& key)
{
    if (auto ok = check_key(key); !ok) return ok;
    if (auto ok = ready(); !ok) return ok;
    auto removed = fs_.remove(layout_.file(key));
    if (!removed && removed.error().code != fault_code::not_found) return removed;
    // Also where it was missing: an earlier removal may not be durable yet.
    auto synced = fs_.sync_directory(layout_.folder(key));
    if (synced) return {};
    auto why = explained(std::move(synced.error()));
    if (why.code == fault_code::not_found) return {};
    return std::unexpected(std::move(why));
}

base::result<std::unique_ptr<object_list>> disk_blob_store::list(std::string_view repository_id, object_type type)
{
    if (auto ok = check_repository_id(repository_id); !ok) return failed(ok);
    if (type == object_type::config)
        return fail(fault_code::invalid_value, "there is one config, which cannot be listed");
    if (auto ok = ready(); !ok) return failed(ok);
    auto repository = layout_.repository(repository_id);
    auto there = fs_.info(repository);
    if (!there) return std::unexpected(explained(std::move(there.error())));
    return std::make_unique<disk_list>(fs_, std::move(repository), type,
                                       [this](base::fault f) { return explained(std::move(f)); });
}

} // namespace xentz::repo
