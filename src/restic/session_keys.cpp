// The part of restic_session that lists and changes the keys of a repository.
#include "restic/listing.hpp"
#include "restic/restic_session.hpp"

namespace xentz::restic {

base::result<std::vector<engine::key>> restic_session::keys(std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    std::optional<std::vector<engine::key>> found;
    auto e = run(
        operation::keys, key_list_arguments(*i), limits_for_lists(),
        [&](std::string_view line) {
            if (auto list = parse_keys(line)) found = std::move(list);
        },
        nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0) || !found) return failure(*e);
    return std::move(*found);
}

base::result<> restic_session::add_key(const std::filesystem::path& new_password_file, std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    return change_keys(key_add_arguments(*i, new_password_file), stop);
}

base::result<> restic_session::remove_key(const std::string& id, std::stop_token stop)
{
    auto i = prepare(stop);
    if (!i) return base::failed(i);
    return change_keys(key_remove_arguments(*i, id), stop);
}

base::result<> restic_session::change_keys(const arguments& args, std::stop_token stop)
{
    auto e = run(operation::keys, args, limits(), unread, nothing_known, stop);
    if (!e) return base::failed(e);
    if (!e->with(0)) return failure(*e);
    return {};
}

} // namespace xentz::restic
