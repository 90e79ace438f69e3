// manifest.json of a copy: what the copy is, and which files belong to it. It is written last, so a copy without one is
// none. Its `mac` is made with the master key over everything else in it: nobody without that key, or the passphrase,
// makes or alters a copy that a restore would take.
//
// Format 1; what a later program adds is ignored, what it changes gets another number.
// Threads: pure functions.
#pragma once

#include "base/clock.hpp"
#include "crypto/secrets.hpp"
#include "recovery/hashed_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::recovery {

constexpr std::uint32_t copy_format = 1;

// A copy is put back after a loss, and begins an epoch. An export is the control plane itself on its way to another
// database: it was moved out of the one that it comes from.
constexpr auto kind_of_copy = "xentz control plane";
constexpr auto kind_of_export = "xentz control plane, moved";

struct table_count {
    std::string table;
    std::uint64_t rows = 0;
    std::optional<std::string> digest; // row_tally.hpp; earlier programs wrote none
    bool operator==(const table_count&) const = default;
};
BOOST_DESCRIBE_STRUCT(table_count, (), (table, rows, digest))

struct manifest {
    std::uint32_t format = copy_format;
    std::string kind = kind_of_copy;
    std::string version; // of the program that made it
    base::time_point made_at;
    std::int64_t epoch = 0; // of the control plane then; 0: it was never restored
    std::string master_key_fingerprint;
    std::string storage_id;
    std::vector<std::string> schema; // the migrations that made it
    std::vector<table_count> tables;
    file_record database;
    file_record master_key;                   // sealed under the passphrase
    std::optional<file_record> settings;      // the config file, sealed under the master key
    std::optional<std::string> settings_path; // where it lay
};
BOOST_DESCRIBE_STRUCT(manifest, (),
                      (format, kind, version, made_at, epoch, master_key_fingerprint, storage_id, schema, tables,
                       database, master_key, settings, settings_path))

std::string print_manifest(const manifest& m, const crypto::master_key& key);
// invalid_value where it is none, config_invalid where it is of a newer format.
base::result<manifest> read_manifest(std::string_view text);
// Whether it was written with that key, and is as it was.
bool is_genuine(std::string_view manifest_text, const crypto::master_key& key);

} // namespace xentz::recovery
