#include "recovery/control_copy.hpp"

#include "base/time_text.hpp"
#include "recovery/row_tally.hpp"
#include "recovery/row_text.hpp"
#include "wire/json.hpp"

#include <algorithm>

namespace xentz::recovery {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::uint64_t most_key_file_bytes = std::uint64_t{64} << 10U;
constexpr std::uint64_t most_settings_bytes = std::uint64_t{4} << 20U;
constexpr auto settings_purpose = "control-copy-settings";

struct key_file {
    std::uint32_t format = 1;
    std::string derivation = "argon2id13";
    std::uint64_t operations = 0;
    std::uint64_t memory_bytes = 0;
    std::string salt;
    std::string box;
};
BOOST_DESCRIBE_STRUCT(key_file, (), (format, derivation, operations, memory_bytes, salt, box))

std::unexpected<base::fault> damaged(const std::string& name)
{
    return fail(fault_code::repository_damaged, name + " of the copy is not as it was written",
                "Use another copy, or fetch this one again from where it came");
}

std::unexpected<base::fault> of_the_other_kind(const manifest& m)
{
    if (m.kind == kind_of_export)
        return fail(fault_code::invalid_value, "the folder holds an export, which moves a control plane as it is",
                    "Put it into an empty database with `xentz-server import`");
    return fail(fault_code::invalid_value, "the folder holds a copy that `xentz-server backup` has made, and no export",
                "Move a control plane with `xentz-server export`, or put the copy back with `xentz-server restore`");
}

// Writes the rows into the file of the copy; from the start each time that the database asks for it.
class rows_to_file final : public store::row_receiver {
public:
    rows_to_file(os::files& fs, std::filesystem::path p) : fs_(fs), path_(std::move(p)) {}

    result<> begin() override
    {
        out_.reset();
        tally_.clear();
        if (auto gone = fs_.remove(path_); !gone && gone.error().code != fault_code::not_found) return gone;
        auto made = hashed_writer::create(fs_, path_);
        if (!made) return base::failed(made);
        out_.emplace(std::move(*made));
        return {};
    }
    result<> begin_table(const store::table& t) override
    {
        tally_.begin_table(t.name);
        return out_->write(heading_line(t));
    }
    result<> add(const store::row& r) override
    {
        const auto text = row_line(r);
        if (!text) return std::unexpected(text.error());
        tally_.add(*text);
        return out_->write(*text);
    }
    result<> end() override { return {}; }

    result<file_record> finish() { return out_->finish(); }
    std::vector<table_count> counts() const { return tally_.counts(); }

private:
    os::files& fs_;
    std::filesystem::path path_;
    std::optional<hashed_writer> out_;
    row_tally tally_;
};

result<file_record> write_file(os::files& fs, const std::filesystem::path& p, std::string_view text)
{
    auto out = hashed_writer::create(fs, p);
    if (!out) return base::failed(out);
    if (auto ok = out->write(text); !ok) return base::failed(ok);
    return out->finish();
}

result<> check_hash(os::files& fs, const copy_folder& folder, const file_record& r)
{
    const auto found = hash_file(fs, folder.file(r));
    if (!found && found.error().code == fault_code::not_found) return damaged(r.name);
    if (!found) return std::unexpected(found.error());
    return *found == r ? result<>{} : damaged(r.name);
}

// Every row can be read, and there are as many as there were.
result<> check_rows(os::files& fs, const copy_folder& folder, const manifest& m)
{
    copied_rows rows{fs, folder.file(m.database)};
    if (auto ok = rows.rewind(); !ok) return ok;
    auto left = m.tables;
    for (;;) {
        const auto next = rows.next();
        if (!next) return std::unexpected(next.error());
        if (!*next) break;
        const auto at = std::ranges::find(left, (*next)->group->table, &table_count::table);
        if (at == left.end() || at->rows == 0) return damaged(m.database.name);
        --at->rows;
    }
    const bool all = std::ranges::all_of(left, [](const table_count& t) { return t.rows == 0; });
    return all ? result<>{} : damaged(m.database.name);
}

result<crypto::master_key> unlock(os::files& fs, const copy_folder& folder, const manifest& m, const unlocking& by)
{
    if (by.key) {
        if (by.key->fingerprint() == m.master_key_fingerprint) return *by.key;
        return fail(fault_code::conflict,
                    "the copy is of another master key (" + m.master_key_fingerprint + ") than the one given (" +
                        by.key->fingerprint() + ")",
                    "Take the recovery sheet with the fingerprint of the copy, or its passphrase");
    }
    const auto text = os::read_all(fs, folder.file(m.master_key), most_key_file_bytes);
    if (!text) return std::unexpected(text.error());
    const auto sealed = wire::decode<key_file>(*text);
    if (!sealed || sealed->derivation != key_file{}.derivation) return damaged(m.master_key.name);
    const auto plain = crypto::open_with_passphrase(
        by.passphrase.value_or(""),
        {.cost = {sealed->operations, sealed->memory_bytes}, .salt = sealed->salt, .box = sealed->box});
    if (!plain) return std::unexpected(plain.error());
    return crypto::master_key::parse(*plain);
}

result<std::optional<settings_file>> open_settings(os::files& fs, const copy_folder& folder, const manifest& m,
                                                   const crypto::master_key& key)
{
    if (!m.settings) return std::optional<settings_file>{};
    const auto box = os::read_all(fs, folder.file(*m.settings), 2 * most_settings_bytes);
    if (!box) return std::unexpected(box.error());
    auto text = key.open(settings_purpose, *box);
    if (!text) return damaged(m.settings->name);
    return settings_file{m.settings_path.value_or(""), std::move(*text)};
}

result<opened_copy> open_files(os::files& fs, const copy_folder& folder, const manifest& m, const unlocking& by)
{
    for (const auto* r : {&m.database, &m.master_key, m.settings ? &*m.settings : nullptr})
        if (r != nullptr)
            if (auto ok = check_hash(fs, folder, *r); !ok) return base::failed(ok);
    auto key = unlock(fs, folder, m, by);
    if (!key) return base::failed(key);
    auto settings = open_settings(fs, folder, m, *key);
    if (!settings) return base::failed(settings);
    if (auto ok = check_rows(fs, folder, m); !ok) return base::failed(ok);
    return opened_copy{m, *key, std::move(*settings)};
}

result<manifest> write_files(const copy_parts& p, const copy_folder& folder)
{
    manifest m{.kind = p.kind,
               .version = p.version,
               .made_at = p.clock.now(),
               .epoch = p.epoch,
               .master_key_fingerprint = p.key.fingerprint(),
               .storage_id = p.storage_id,
               .schema = store::schema_names()};
    const auto stamp = base::to_file_stamp(m.made_at);
    auto sealed = crypto::seal_with_passphrase(p.passphrase, p.key.text(), p.random, p.cost);
    if (!sealed) return base::failed(sealed);
    const key_file content{.operations = sealed->cost.operations,
                           .memory_bytes = sealed->cost.memory_bytes,
                           .salt = sealed->salt,
                           .box = sealed->box};
    auto key = write_file(p.files, folder.key(stamp), wire::pretty_json(wire::to_json(content)));
    if (!key) return base::failed(key);
    m.master_key = std::move(*key);
    if (p.settings) {
        auto settings =
            write_file(p.files, folder.settings(stamp), p.key.seal(settings_purpose, p.settings->text, p.random));
        if (!settings) return base::failed(settings);
        m.settings = std::move(*settings);
        m.settings_path = p.settings->path;
    }
    rows_to_file rows{p.files, folder.database(stamp)};
    auto all = p.rows;
    if (auto ok = all.read(rows); !ok) return base::failed(ok);
    auto database = rows.finish();
    if (!database) return base::failed(database);
    m.database = std::move(*database);
    m.tables = rows.counts();
    return m;
}

} // namespace

result<manifest> make_copy(const copy_parts& p, const copy_folder& folder)
{
    if (auto ok = folder.tidy(); !ok) return base::failed(ok);
    auto m = write_files(p, folder);
    if (m)
        if (const auto whole = open_files(p.files, folder, *m, {.passphrase = p.passphrase, .key = {}}); !whole)
            m = std::unexpected(whole.error());
    if (m)
        if (auto ok = folder.put_manifest(print_manifest(*m, p.key)); !ok) m = std::unexpected(ok.error());
    // The older copy, or what this one has left where it failed. What stays does no harm, and goes the next time.
    if (const auto tidy = folder.tidy(); m && !tidy) return std::unexpected(tidy.error());
    return m;
}

result<opened_copy> open_copy(os::files& fs, const copy_folder& folder, const unlocking& by, std::string_view kind)
{
    const auto text = folder.read_manifest_text();
    if (!text) return std::unexpected(text.error());
    auto m = read_manifest(*text);
    if (!m) return base::failed(m);
    if (m->kind != kind) return of_the_other_kind(*m);
    auto opened = open_files(fs, folder, *m, by);
    if (!opened) return opened;
    if (!is_genuine(*text, opened->key)) return damaged("manifest.json");
    return opened;
}

result<> copied_rows::rewind()
{
    auto opened = line_reader::open(fs_, path_);
    if (!opened) return base::failed(opened);
    lines_.emplace(std::move(*opened));
    group_ = {};
    return {};
}

result<std::optional<store::copied_row>> copied_rows::next()
{
    for (;;) {
        const auto text = lines_->next();
        if (!text) return std::unexpected(text.error());
        if (!*text) return std::optional<store::copied_row>{};
        auto read = read_line(**text);
        if (!read) return base::failed(read);
        if (auto* heading = std::get_if<store::row_group>(&*read)) {
            group_ = std::move(*heading);
            continue;
        }
        return store::copied_row{&group_, std::get<store::row>(std::move(*read))};
    }
}

} // namespace xentz::recovery
