#include "recovery/copy_folder.hpp"

#include "base/time_text.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <array>

namespace xentz::recovery {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_manifest_bytes = std::uint64_t{1} << 20U;

struct import_note {
    base::time_point imported_at;
};
BOOST_DESCRIBE_STRUCT(import_note, (), (imported_at))

bool is_between(std::string_view text, std::string_view begin, std::string_view end)
{
    return text.size() > begin.size() + end.size() && text.starts_with(begin) && text.ends_with(end);
}

// What a copy, whole or interrupted, leaves beside its manifest and its lock.
bool is_of_a_copy(std::string_view name)
{
    return is_between(name, "database-", ".jsonl") || is_between(name, "master-key-", ".json") ||
           is_between(name, "settings-", ".sealed") || is_between(name, ".manifest.json.", ".tmp") ||
           name == "imported.json" || is_between(name, ".imported.json.", ".tmp");
}

std::unexpected<base::fault> of_something_else(const std::filesystem::path& folder, const std::string& what)
{
    return fail(fault_code::target_not_empty, folder.string() + " holds something else than a copy: " + what,
                "Name a folder that is empty or does not exist yet, or the one of an earlier copy");
}

std::unexpected<base::fault> of_the_other_kind(const std::filesystem::path& folder, std::string_view kind)
{
    const std::string held = kind == kind_of_export ? "an export, which moves a control plane" : "a copy";
    return fail(fault_code::target_not_empty, folder.string() + " holds " + held,
                "Name a folder that is empty or does not exist yet");
}

} // namespace

result<std::vector<std::string>> copy_folder::names() const
{
    std::vector<std::string> out;
    auto listed = fs_->list(folder_, [&](const os::directory_entry& e) {
        out.push_back(e.kind == os::file_kind::regular ? e.name : e.name + "/");
        return true;
    });
    if (!listed) return base::failed(listed);
    std::ranges::sort(out);
    return out;
}

result<copy_folder> copy_folder::prepare(os::files& fs, std::filesystem::path folder, std::string_view kind)
{
    copy_folder out{fs, std::move(folder)};
    if (auto ok = os::create_directories(fs, out.folder_); !ok) return base::failed(ok);
    const auto there = out.names();
    if (!there) return std::unexpected(there.error());
    for (const auto& name : *there) {
        if (name == manifest_name) {
            const auto text = out.read_manifest_text();
            if (!text) return std::unexpected(text.error());
            const auto m = read_manifest(*text);
            if (!m && m.error().code == fault_code::invalid_value) return of_something_else(out.folder_, name);
            if (m && m->kind != kind) return of_the_other_kind(out.folder_, m->kind);
        } else if (name != "lock" && !is_of_a_copy(name)) {
            return of_something_else(out.folder_, name);
        }
    }
    return out;
}

result<copy_folder> copy_folder::open(os::files& fs, std::filesystem::path folder)
{
    copy_folder out{fs, std::move(folder)};
    const auto found = fs.info(out.manifest_file());
    if (found) return out;
    if (found.error().code != fault_code::not_found) return std::unexpected(found.error());
    return fail(fault_code::not_found, "there is no copy of a control plane in " + out.folder_.string(),
                "Name the folder that `xentz-server backup` or `export` has made; it holds a manifest.json");
}

result<std::string> copy_folder::read_manifest_text() const
{
    return os::read_all(*fs_, manifest_file(), most_manifest_bytes);
}

result<> copy_folder::put_manifest(std::string_view text) const
{
    // The names of the other files first: a manifest must never outlive them.
    if (auto ok = fs_->sync_directory(folder_); !ok) return ok;
    return os::write_atomic(*fs_, manifest_file(), text);
}

result<> copy_folder::withdraw() const
{
    if (auto gone = fs_->remove(manifest_file()); !gone && gone.error().code != fault_code::not_found) return gone;
    return fs_->sync_directory(folder_);
}

result<std::optional<base::time_point>> copy_folder::imported_at() const
{
    const auto text = os::read_all(*fs_, imported_file(), most_manifest_bytes);
    if (!text && text.error().code == fault_code::not_found) return std::optional<base::time_point>{};
    if (!text) return std::unexpected(text.error());
    const auto note = wire::decode<import_note>(*text);
    if (!note) return std::unexpected(note.error());
    return note->imported_at;
}

result<> copy_folder::put_imported(base::time_point at) const
{
    return os::write_atomic(*fs_, imported_file(), wire::pretty_json(wire::to_json(import_note{at})));
}

result<> copy_folder::tidy() const
{
    // With no manifest nothing is kept, nor what was said of the export that it was of.
    std::array<std::string, 4> kept;
    const auto found = fs_->info(manifest_file());
    // Only where there is certainly no copy may everything go.
    if (!found && found.error().code != fault_code::not_found) return std::unexpected(found.error());
    if (found) {
        const auto text = read_manifest_text();
        const auto m = text ? read_manifest(*text) : result<manifest>{std::unexpected(text.error())};
        if (!m) return std::unexpected(m.error());
        kept = {m->database.name, m->master_key.name, m->settings ? m->settings->name : "", imported_name};
    }
    const auto there = names();
    if (!there) return std::unexpected(there.error());
    for (const auto& name : *there) {
        if (!is_of_a_copy(name) || std::ranges::find(kept, name) != kept.end()) continue;
        if (auto gone = fs_->remove(folder_ / name); !gone) return gone;
    }
    return fs_->sync_directory(folder_);
}

} // namespace xentz::recovery
