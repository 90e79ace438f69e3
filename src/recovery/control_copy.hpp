// A copy of a control plane, and the way back: every row of its database as one moment had it, the master key sealed
// under a passphrase, the config file sealed under the master key (docs/control-copy.md). An export, which moves a
// control plane to another database, is made and opened in the same way; its kind is another one.
//
// A copy is read back before it counts: each file has the hash that was written down, each row can be read, and the
// passphrase opens the key. The same is done before a restore touches anything.
//
// Errors: those of os::files and of crypto/passphrase.hpp; repository_damaged where a file of a copy is not as it was
// written; a sql::error is an exception. Threads: a copy may be made while a server serves the same database.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "crypto/passphrase.hpp"
#include "recovery/copy_folder.hpp"
#include "store/all_rows.hpp"

#include <functional>
#include <optional>
#include <string>

namespace xentz::recovery {

struct settings_file {
    std::string path; // where it lies
    std::string text;
};

struct copy_parts {
    os::files& files;
    const base::clock& clock;
    base::random_source& random;
    store::all_rows rows;
    const crypto::master_key& key;
    std::string passphrase;
    std::string version;    // of this program
    std::string storage_id; // of the installation
    std::int64_t epoch = 0;
    std::optional<settings_file> settings;
    std::string kind = kind_of_copy;
    crypto::stretching cost = {};
};

// Into a folder that was prepared, in the place of an older copy.
base::result<manifest> make_copy(const copy_parts& p, const copy_folder& folder);

// How the master key of a copy is come by.
struct unlocking {
    std::optional<std::string> passphrase;
    std::optional<crypto::master_key> key; // from the recovery sheet or the data folder, instead of the passphrase
};

struct opened_copy {
    recovery::manifest manifest;
    crypto::master_key key;
    std::optional<settings_file> settings;
};

// Everything was read and is whole when it returns. wrong_password where it does not open, conflict where the key is
// another one, invalid_value where it is of another kind.
base::result<opened_copy> open_copy(os::files& fs, const copy_folder& folder, const unlocking& by,
                                    std::string_view kind = kind_of_copy);

// The rows of a copy that was opened, for store::all_rows.
class copied_rows final : public store::row_source {
public:
    copied_rows(os::files& fs, std::filesystem::path database) : fs_(fs), path_(std::move(database)) {}
    base::result<> rewind() override;
    base::result<std::optional<store::copied_row>> next() override;

private:
    os::files& fs_;
    std::filesystem::path path_;
    std::optional<line_reader> lines_;
    store::row_group group_;
};

} // namespace xentz::recovery
