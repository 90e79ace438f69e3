#include "restic_folder.hpp"

#include "base/hex.hpp"
#include "crypto/hash.hpp"
#include "repo/disk_layout.hpp"

namespace xentz::apps {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using base::result;
using repo::object_type;

constexpr std::size_t piece = std::size_t{256} * 1024;

// Everything in one folder of objects; a folder that is missing holds none.
result<> list_objects(os::files& fs, const std::filesystem::path& folder, object_type type, const std::string& shard,
                      restic_folder& out)
{
    auto listed = fs.list(folder, [&](const os::directory_entry& e) {
        const auto where = folder / e.name;
        const bool in_place = shard.empty() || e.name.starts_with(shard);
        if (e.kind == os::file_kind::regular && base::is_sha256_hex(e.name) && in_place)
            (type == object_type::locks ? out.locks : out.objects).push_back({type, e.name, e.name, 0, where});
        else if (e.kind != os::file_kind::directory || !shard.empty() || type != object_type::data)
            out.others.push_back(where);
        return true;
    });
    return !listed && listed.error().code == fault_code::not_found ? result<>{} : listed;
}

result<> measure(os::files& fs, std::vector<folder_object>& objects)
{
    for (auto& o : objects) {
        auto info = fs.info(o.where);
        if (!info) return failed(info);
        o.bytes = info->bytes;
    }
    return {};
}

result<folder_object> config_of(os::files& fs, const std::filesystem::path& root)
{
    constexpr std::uint64_t most_config_bytes = std::uint64_t{1} << 20U;
    auto text = os::read_all(fs, root / "config", most_config_bytes);
    if (!text && text.error().code == fault_code::not_found)
        return fail(fault_code::usage, root.string() + " is no restic repository: it has no file config",
                    "Name the folder that holds config, data, keys and snapshots");
    if (!text) return failed(text);
    return folder_object{object_type::config, "", crypto::sha256_hex(*text), text->size(), root / "config"};
}

} // namespace

result<restic_folder> list_restic_folder(os::files& fs, const std::filesystem::path& root)
{
    restic_folder out;
    auto config = config_of(fs, root);
    if (!config) return failed(config);
    // Old repositories have packs directly below data/, which no server reads.
    if (auto ok = list_objects(fs, root / "data", object_type::data, "", out); !ok) return failed(ok);
    if (!out.objects.empty())
        return fail(fault_code::conflict,
                    "The packs of " + root.string() + " are not in the folders data/00 to data/ff",
                    "Let restic migrate the repository first");
    for (const auto type :
         {object_type::keys, object_type::data, object_type::index, object_type::snapshots, object_type::locks})
        for (const auto& folder : repo::disk_layout::folders(type)) {
            const auto shard = type == object_type::data ? folder.substr(folder.size() - 2) : std::string{};
            if (auto ok = list_objects(fs, root / folder, type, shard, out); !ok) return failed(ok);
        }
    for (auto* objects : {&out.objects, &out.locks})
        if (auto ok = measure(fs, *objects); !ok) return failed(ok);
    out.objects.push_back(std::move(*config));
    return out;
}

result<> read_object(os::files& fs, const folder_object& o, const std::function<result<>(std::span<const char>)>& each)
{
    auto file = fs.open(o.where);
    if (!file) return failed(file);
    std::vector<char> buffer(piece);
    for (std::uint64_t offset = 0;;) {
        auto n = (*file)->read(offset, buffer);
        if (!n) return failed(n);
        if (*n == 0) return {};
        if (auto ok = each(std::span{buffer}.first(*n)); !ok) return ok;
        offset += *n;
    }
}

result<> check_object(os::files& fs, const folder_object& o)
{
    crypto::sha256 hash;
    auto read = read_object(fs, o, [&](std::span<const char> bytes) -> result<> {
        hash.update(bytes);
        return {};
    });
    if (!read || base::to_hex(hash.finish()) == o.hash) return read;
    return fail(fault_code::repository_damaged, o.where.string() + " is damaged: its bytes have another hash",
                "Let restic repair the repository where it is, and adopt it then");
}

} // namespace xentz::apps
