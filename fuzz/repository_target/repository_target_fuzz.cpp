// Whatever path is asked for: it has one meaning, is made of what it was taken apart into, and the file that an object
// would have lies in the folder of its own repository, whatever repository that is.
#include "base/hex.hpp"
#include "repo/disk_layout.hpp"
#include "repo/target.hpp"
#include "require.hpp"

#include <cstdint>
#include <string>

namespace xentz::repo {
namespace {

using fuzz::require;

bool lies_below(const std::filesystem::path& file, const std::filesystem::path& folder)
{
    const auto relative = file.lexically_normal().lexically_relative(folder.lexically_normal());
    return file == file.lexically_normal() && !relative.empty() && *relative.begin() != ".." && relative != ".";
}

void check_key_and_file(const object_key& key)
{
    if (!check_key(key)) return;
    const disk_layout layout{"/srv/storage"};
    require(lies_below(layout.repository(key.repository_id), layout.repositories()));
    require(lies_below(layout.file(key), layout.repository(key.repository_id)));
    require(layout.file(key).parent_path() == layout.folder(key));
    const trash_entry e{key, key.name.empty() ? std::string(64, 'a') : key.name, 7};
    require(lies_below(layout.trash_file(e), layout.trash(key.repository_id)));
}

void check_resource(std::string_view rest)
{
    const auto r = parse_resource(rest);
    const std::string type{name(r.type)};
    switch (r.kind) {
    case resource_kind::repository:
        require(rest.empty());
        break;
    case resource_kind::config:
        require(rest == "config");
        check_key_and_file({"repo_1", object_type::config, {}});
        break;
    case resource_kind::list:
        require(rest == type || rest == type + "/");
        break;
    case resource_kind::object:
        require(rest == type + "/" + r.name && base::is_sha256_hex(r.name) && r.type != object_type::config);
        require(check_key({"repo_1", r.type, r.name}).has_value());
        check_key_and_file({"repo_1", r.type, r.name});
        break;
    case resource_kind::bad_name:
        require(rest.starts_with(type + "/") && r.type != object_type::config);
        break;
    case resource_kind::unknown:
        break;
    }
}

void check(std::string_view path)
{
    check_resource(path);
    // Whatever a ledger or a journal might hold: a name that is accepted stays in its folder.
    check_key_and_file({std::string{path}, object_type::config, {}});
    check_key_and_file({"repo_1", object_type::data, std::string{path}});
    const auto at = parse_address(path);
    if (!at) return;
    for (const auto& segment : {at->where.tenant, at->where.device, at->where.user}) {
        require(is_address_segment(segment));
        require(check_repository_id(segment).has_value());
    }
    const auto again =
        "/" + at->where.tenant + "/" + at->where.device + "/" + at->where.user + "/" + std::string{at->rest};
    require(again == path);
    check_resource(at->rest);
}

} // namespace
} // namespace xentz::repo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string path(data, data + size);
    xentz::repo::check(path);
    return 0;
}
