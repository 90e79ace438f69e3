#include "os/files.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <utility>

namespace xentz::os {
namespace {

using base::fail;
using base::failed;
using base::fault_code;

struct temporary {
    std::unique_ptr<file> handle;
    path where;
};

// The first free name beside `p`: `create` refuses a taken one, so two writers never share a file, and what a
// crash left behind is passed over.
result<temporary> create_beside(files& fs, const path& p)
{
    constexpr int most_names = 10'000;
    for (int n = 0; n < most_names; ++n) {
        auto where = p.parent_path() / ("." + p.filename().string() + "." + std::to_string(n) + ".tmp");
        auto handle = fs.create(where);
        if (handle) return temporary{std::move(*handle), std::move(where)};
        if (handle.error().code != fault_code::conflict) return failed(handle);
    }
    return fail(fault_code::file_failed, "cannot write " + p.string() + ": too many temporary files lie beside it",
                "Remove the files ." + p.filename().string() + ".*.tmp in that folder");
}

// Writes every file under a temporary name beside its place. Those that were made are in `made`, also where it fails.
result<> write_beside(files& fs, std::span<const file_content> all, std::vector<temporary>& made)
{
    for (const auto& one : all) {
        auto t = create_beside(fs, one.where);
        if (!t) return failed(t);
        made.push_back(std::move(*t));
        if (auto ok = made.back().handle->write(one.bytes); !ok) return ok;
    }
    return {};
}

// Side by side: a journal that commits for one commits for all.
result<> sync_all(std::vector<temporary>& all)
{
    std::vector<std::future<result<>>> others;
    for (std::size_t i = 1; i < all.size(); ++i)
        others.push_back(std::async(std::launch::async, [&one = all[i]] { return one.handle->sync(); }));
    auto ok = all.empty() ? result<>{} : all.front().handle->sync();
    for (auto& other : others)
        if (auto one = other.get(); !one && ok) ok = std::move(one);
    return ok;
}

result<> rename_all(files& fs, std::vector<temporary>& made, std::span<const file_content> all)
{
    for (std::size_t i = 0; i < all.size(); ++i) {
        made[i].handle.reset();
        if (auto ok = fs.rename(made[i].where, all[i].where); !ok) return ok;
        made[i].where.clear();
    }
    return {};
}

result<> replace(files& fs, std::span<const file_content> all, bool synced)
{
    std::vector<temporary> made;
    auto ok = write_beside(fs, all, made);
    if (ok && synced) ok = sync_all(made);
    if (ok) ok = rename_all(fs, made, all);
    if (!ok)
        for (auto& t : made) {
            t.handle.reset();
            if (!t.where.empty()) static_cast<void>(fs.remove(t.where));
        }
    return ok;
}

result<> create_durably(files& fs, const path& p)
{
    if (auto ok = fs.create_directory(p); !ok) return ok;
    auto ok = fs.sync_directory(p.parent_path());
    // A folder that exists is taken for durable by the next call, so one that may not be must not stay.
    if (!ok) static_cast<void>(fs.remove(p));
    return ok;
}

// Some names at a time: to remove entries while a folder is read makes some file systems skip others.
result<> remove_entries(files& fs, const path& p)
{
    constexpr std::size_t most_names = 1000;
    for (;;) {
        std::vector<directory_entry> some;
        auto ok = fs.list(p, [&](const directory_entry& e) {
            some.push_back(e);
            return some.size() < most_names;
        });
        if (!ok || some.empty()) return ok;
        for (const auto& e : some) {
            auto gone = e.kind == file_kind::directory ? remove_all(fs, p / e.name) : fs.remove(p / e.name);
            if (!gone && gone.error().code != fault_code::not_found) return gone;
        }
    }
}

} // namespace

result<> files::list(const path& p, const std::function<bool(const directory_entry&)>& each)
{
    auto reader = open_directory(p);
    if (!reader) return failed(reader);
    for (;;) {
        auto entry = (*reader)->next();
        if (!entry) return failed(entry);
        if (!*entry || !each(**entry)) return {};
    }
}

result<> write_atomic(files& fs, std::span<const file_content> all)
{
    if (auto ok = replace(fs, all, true); !ok) return ok;
    std::vector<path> folders;
    for (const auto& one : all)
        if (std::ranges::find(folders, one.where.parent_path()) == folders.end())
            folders.push_back(one.where.parent_path());
    for (const auto& folder : folders)
        if (auto ok = fs.sync_directory(folder); !ok) return ok;
    return {};
}

result<> write_atomic(files& fs, const path& p, std::string_view bytes)
{
    return write_atomic(fs, std::array{file_content{p, bytes}});
}

result<> write_without_sync(files& fs, const path& p, std::string_view bytes)
{
    return replace(fs, std::array{file_content{p, bytes}}, false);
}

result<std::string> read_all(files& fs, const path& p, std::uint64_t most)
{
    auto handle = fs.open(p);
    if (!handle) return failed(handle);
    std::string out;
    std::array<char, 16 * 1024> piece{};
    for (;;) {
        // The size that the file system states is no use here: it is 0 for what the kernel makes up.
        auto n = (*handle)->read(out.size(), piece);
        if (!n) return failed(n);
        if (*n == 0) return out;
        if (out.size() + *n > most)
            return fail(fault_code::invalid_value, p.string() + " is larger than the " + std::to_string(most) +
                                                       " bytes that are expected at most");
        out.append(piece.data(), *n);
    }
}

result<> create_directories(files& fs, const path& p)
{
    if (!p.has_filename() && p.has_relative_path()) return create_directories(fs, p.parent_path()); // "/a/b/"
    auto made = create_durably(fs, p);
    if (!made && made.error().code == fault_code::not_found && p.has_relative_path()) {
        if (auto parents = create_directories(fs, p.parent_path()); !parents) return parents;
        made = create_durably(fs, p);
    }
    if (made || made.error().code != fault_code::conflict) return made;
    auto there = fs.info(p);
    if (!there) return failed(there);
    if (there->kind == file_kind::directory || there->kind == file_kind::symlink) return {};
    return fail(fault_code::file_failed, "cannot create the folder " + p.string() + ": a file of that name is there");
}

result<> remove_all(files& fs, const path& p)
{
    auto there = fs.info(p);
    if (!there && there.error().code == fault_code::not_found) return {};
    if (!there) return failed(there);
    if (there->kind == file_kind::directory) {
        auto emptied = remove_entries(fs, p);
        if (!emptied && emptied.error().code != fault_code::not_found) return emptied;
    }
    auto gone = fs.remove(p);
    if (!gone && gone.error().code == fault_code::not_found) return {};
    return gone;
}

} // namespace xentz::os
