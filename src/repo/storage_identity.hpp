// Which storage a folder or a bucket is: storage.json in its root carries an id that the installation's database knows
// too. So a disk that is not mounted, or another one in its place, is told from an empty repository.
//
//     {"format":1,"id":"..."}
//
// Threads: functions of the file system only; two `initialise_storage` of one root must not run at once.
#pragma once

#include "base/fault.hpp"
#include "os/files.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace xentz::repo {

// What storage.json holds, wherever it lies, and the id back: invalid_value where `text` is none or of a newer format,
// with `where` in the message.
std::string identity_text(std::string_view id);
base::result<std::string> parse_identity(std::string_view text, const std::string& where);

// Whether `present`, what was read, is the storage with this id; repository_unavailable where not, with a remedy for
// where another one is in its place, and where none is.
struct identity_remedies {
    std::string for_another;
    std::string for_none;
};
base::result<> check_identity(const base::result<std::string>& present, std::string_view id, const std::string& where,
                              const identity_remedies& remedies);

// Makes `root` a storage, durably; no error where it already is the one with this id. conflict, and nothing changed,
// where it has another id. For the moment an installation gets its id, not for each start: it would turn the empty
// mount point of a missing disk into the storage.
base::result<> initialise_storage(os::files& fs, const std::filesystem::path& root, std::string_view id);

// not_found where storage.json is missing, invalid_value where it is none or of a newer format.
base::result<std::string> read_storage_id(os::files& fs, const std::filesystem::path& root);

// repository_unavailable where `root` is not the storage with this id, whatever the reason.
base::result<> check_storage(os::files& fs, const std::filesystem::path& root, std::string_view id);

} // namespace xentz::repo
