// The folder that a copy lies in. It holds one copy; another one takes its place at the moment in which manifest.json
// is replaced, so whatever happens meanwhile there is a whole one, the old or the new.
//
//     manifest.json  database-<time>.jsonl  master-key-<time>.json  settings-<time>.sealed  lock
//
// An export lies in the same way. It serves once: `imported.json` beside it says that it was put into a database.
//
// Errors: those of os::files. Threads: one at a time; processes exclude each other by `lock`, which the caller takes.
#pragma once

#include "os/files.hpp"
#include "recovery/manifest.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::recovery {

class copy_folder {
public:
    // Makes the folder where it is missing. target_not_empty where it holds anything but copies, or exports.
    static base::result<copy_folder> prepare(os::files& fs, std::filesystem::path folder,
                                             std::string_view kind = kind_of_copy);
    // For reading. not_found where there is no manifest.
    static base::result<copy_folder> open(os::files& fs, std::filesystem::path folder);

    std::filesystem::path lock() const { return folder_ / "lock"; }
    std::filesystem::path manifest_file() const { return folder_ / manifest_name; }
    std::filesystem::path file(const file_record& r) const { return folder_ / r.name; }
    std::filesystem::path database(const std::string& stamp) const
    {
        return folder_ / ("database-" + stamp + ".jsonl");
    }
    std::filesystem::path key(const std::string& stamp) const { return folder_ / ("master-key-" + stamp + ".json"); }
    std::filesystem::path settings(const std::string& stamp) const
    {
        return folder_ / ("settings-" + stamp + ".sealed");
    }

    base::result<std::string> read_manifest_text() const;
    // Durable when it returns, and so are the files that it names.
    base::result<> put_manifest(std::string_view text) const;
    // Makes what lies here no copy any more, by removing its manifest; the rest goes with `tidy`.
    base::result<> withdraw() const;

    // When an export was imported; nothing where it was not, or not as far as this folder knows.
    base::result<std::optional<base::time_point>> imported_at() const;
    base::result<> put_imported(base::time_point at) const;
    std::filesystem::path imported_file() const { return folder_ / imported_name; }

    // Removes what no manifest names: an older copy, and what an interrupted one left.
    base::result<> tidy() const;

private:
    static constexpr auto manifest_name = "manifest.json";
    static constexpr auto imported_name = "imported.json";

    copy_folder(os::files& fs, std::filesystem::path folder) : fs_(&fs), folder_(std::move(folder)) {}
    base::result<std::vector<std::string>> names() const;

    os::files* fs_;
    std::filesystem::path folder_;
};

} // namespace xentz::recovery
