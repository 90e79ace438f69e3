#include "repo/disk_layout.hpp"

namespace xentz::repo {

using std::filesystem::path;

path disk_layout::folder(const object_key& key) const
{
    auto out = repository(key.repository_id);
    if (key.type == object_type::config) return out;
    out /= name(key.type);
    if (key.type == object_type::data) out /= key.name.substr(0, 2);
    return out;
}

path disk_layout::file(const object_key& key) const
{
    return folder(key) / (key.type == object_type::config ? std::string{name(key.type)} : key.name);
}

path disk_layout::trash_file(const trash_entry& e) const { return trash(e.key.repository_id) / entry_name(e); }

std::vector<std::string> disk_layout::folders(object_type type)
{
    const std::string own{name(type)};
    if (type != object_type::data) return {own};
    constexpr std::string_view digits = "0123456789abcdef";
    std::vector<std::string> out;
    for (const char high : digits)
        for (const char low : digits) out.push_back(own + "/" + high + low);
    return out;
}

std::vector<std::string> disk_layout::folders()
{
    std::vector<std::string> out{std::string{name(object_type::data)}};
    for (const auto type :
         {object_type::data, object_type::keys, object_type::locks, object_type::snapshots, object_type::index})
        for (auto& folder : folders(type)) out.push_back(std::move(folder));
    return out;
}

} // namespace xentz::repo
