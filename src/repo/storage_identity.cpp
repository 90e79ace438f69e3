#include "repo/storage_identity.hpp"

#include "repo/disk_layout.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace xentz::repo {
namespace {

using base::fail;
using base::failed;
using base::fault_code;
using std::filesystem::path;
namespace json = boost::json;

constexpr std::int64_t format = 1;
constexpr std::uint64_t most_bytes = 4096;

path identity_file(const path& root) { return disk_layout{root}.identity_file(); }

base::result<> make_folder(os::files& fs, const path& p)
{
    auto made = fs.create_directory(p);
    if (!made && made.error().code == fault_code::conflict) return {};
    return made;
}

base::result<> write_identity(os::files& fs, const path& root, std::string_view id)
{
    return os::write_atomic(fs, identity_file(root), identity_text(id));
}

} // namespace

base::result<> initialise_storage(os::files& fs, const path& root, std::string_view id)
{
    if (id.empty()) return fail(fault_code::invalid_value, "a storage needs an id");
    if (auto ok = os::create_directories(fs, root); !ok) return ok;
    auto present = read_storage_id(fs, root);
    if (!present && present.error().code != fault_code::not_found) return failed(present);
    if (present && *present != id)
        return fail(fault_code::conflict,
                    "the storage at " + root.string() + " belongs to another installation (its id is " + *present + ")",
                    "Choose another folder, or restore the database that belongs to this storage");
    const disk_layout layout{root};
    if (auto ok = make_folder(fs, layout.repositories()); !ok) return ok;
    if (auto ok = make_folder(fs, layout.incoming()); !ok) return ok;
    if (auto ok = fs.sync_directory(root); !ok) return ok;
    // Last: from here on it counts as a storage.
    return present ? base::result<>{} : write_identity(fs, root, id);
}

std::string identity_text(std::string_view id)
{
    const json::object document{{"format", format}, {"id", json::string{id.data(), id.size()}}};
    return json::serialize(document) + "\n";
}

base::result<std::string> parse_identity(std::string_view text, const std::string& where)
{
    boost::system::error_code error;
    const auto document = json::parse(json::string_view{text.data(), text.size()}, error);
    const auto* object = error ? nullptr : document.if_object();
    const auto* number = object == nullptr ? nullptr : object->if_contains("format");
    const auto* id = object == nullptr ? nullptr : object->if_contains("id");
    if (number == nullptr || !number->is_int64() || id == nullptr || !id->is_string() || id->get_string().empty())
        return fail(fault_code::invalid_value, where + " is damaged", "Restore it from a backup of the server");
    if (number->get_int64() != format)
        return fail(fault_code::invalid_value,
                    where + " has format " + std::to_string(number->get_int64()) + ", which this version does not know",
                    "Install a newer xentz-server");
    return std::string{id->get_string().data(), id->get_string().size()};
}

base::result<std::string> read_storage_id(os::files& fs, const path& root)
{
    auto text = os::read_all(fs, identity_file(root), most_bytes);
    if (!text) return failed(text);
    return parse_identity(*text, identity_file(root).string());
}

base::result<> check_storage(os::files& fs, const path& root, std::string_view id)
{
    return check_identity(read_storage_id(fs, root), id, root.string(),
                          {.for_another = "Mount the disk that belongs to this server",
                           .for_none = "Mount the disk that holds it, or correct the storage's path"});
}

base::result<> check_identity(const base::result<std::string>& present, std::string_view id, const std::string& where,
                              const identity_remedies& remedies)
{
    if (present && *present == id) return {};
    if (present)
        return fail(fault_code::repository_unavailable,
                    "the storage at " + where + " is another one (its id is " + *present + ", the database knows " +
                        std::string{id} + ")",
                    remedies.for_another);
    if (present.error().code == fault_code::not_found)
        return fail(fault_code::repository_unavailable,
                    "the storage at " + where + " is not there: storage.json is missing", remedies.for_none);
    return fail(fault_code::repository_unavailable,
                "the storage at " + where + " cannot be used: " + present.error().message, present.error().remedy);
}

} // namespace xentz::repo
