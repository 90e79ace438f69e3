#include "store/all_rows.hpp"

#include "store/migrations.hpp"

#include <algorithm>
#include <span>

namespace xentz::store {

namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t rows_at_once = 200;     // of a read; a row has at most some 300 KiB
constexpr std::size_t rows_in_statement = 32; // of a restore

constexpr const char* any_row = "select name from setting limit 1";
constexpr const char* schema_is_there = "select name from schema_migrations order by version";

constexpr const char* void_tokens =
    "update install_token set revoked_at = $1 where revoked_at is null and uses_left > 0 returning id";
constexpr const char* void_recovery_tokens =
    "update recovery_token set revoked_at = $1 where revoked_at is null and successor_id is null returning id";
constexpr const char* void_credentials =
    "update repository_credential set revoked_at = $1 where revoked_at is null returning id";
// Whatever generation was left since the copy stays left: nobody rotates a thousand times.
constexpr const char* renew_secrets = "update repository set generation = generation + 1000";
// The trash may hold objects under places that were given out since the copy.
constexpr const char* make_states =
    "insert into repository_state (repository_id, place, live_objects, live_bytes, trash_objects, trash_bytes, "
    "purge_day, purge_left) select id, 0, 0, 0, 0, 0, 0, 0 from repository where true "
    "on conflict (repository_id) do nothing";
constexpr const char* leave_places = "update repository_state set place = place + 1000000000";
constexpr const char* next_epoch = "select coalesce(max(number), 0) + 1 from epoch";

std::string joined(const auto& names)
{
    std::string out;
    for (const auto& n : names) out.append(out.empty() ? "" : ", ").append(n);
    return out;
}

std::string places(std::size_t first, std::size_t count)
{
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
        out.append(out.empty() ? "(" : ", ").append("$" + std::to_string(first + i));
    return out + ")";
}

// Reads one table by its key, some rows at a time; each time behind the last row of the time before.
class table_reader {
public:
    explicit table_reader(const table& t) : table_(t)
    {
        std::vector<std::string_view> names;
        names.reserve(t.columns.size());
        for (const auto& c : t.columns) names.push_back(c.name);
        for (const auto& k : t.key)
            key_at_.push_back(static_cast<std::size_t>(std::ranges::find(names, k) - names.begin()));
        const auto key = joined(t.key);
        const auto ordered = " order by " + key + " limit " + std::to_string(rows_at_once);
        first_ = "select " + joined(names) + " from " + std::string{t.name};
        behind_ = first_ + " where (" + key + ") > " + places(1, t.key.size()) + ordered;
        first_ += ordered;
    }

    result<> read(sql::connection& c, row_receiver& to)
    {
        row last;
        for (;;) {
            const auto found = last.empty() ? c.query(first_) : c.query_with(behind_, last);
            row values;
            for (std::size_t r = 0; r < found.size(); ++r) {
                values = row_at(found, r);
                if (auto ok = to.add(values); !ok) return ok;
            }
            if (found.size() < rows_at_once) return {};
            last.clear();
            for (const auto at : key_at_) last.push_back(values.at(at));
        }
    }

private:
    // PostgreSQL gives every cell as text; the table says what it is.
    row row_at(const sql::row_set& found, std::size_t r) const
    {
        row out;
        out.reserve(table_.columns.size());
        for (std::size_t i = 0; i < table_.columns.size(); ++i)
            out.push_back(table_.columns[i].is_number ? sql::to_value(found.get<std::optional<std::int64_t>>(r, i))
                                                      : sql::to_value(found.get<std::optional<std::string>>(r, i)));
        return out;
    }

    const table& table_;
    std::vector<std::size_t> key_at_;
    std::string first_;
    std::string behind_;
};

// Puts rows in, several with one statement.
class row_writer {
public:
    explicit row_writer(sql::connection& c) : c_(c) {}

    void add(const copied_row& r)
    {
        if (group_.table != r.group->table || group_.columns != r.group->columns) {
            flush();
            group_ = *r.group;
        }
        values_.insert(values_.end(), r.values.begin(), r.values.end());
        if (++held_ == rows_in_statement) flush();
    }

    void flush()
    {
        if (held_ == 0) return;
        // Few texts, so that each is prepared once: one for a full load, one for a single row.
        const auto width = group_.columns.size();
        if (held_ == rows_in_statement) {
            put(values_, held_);
        } else {
            const std::span<const sql::value> all{values_};
            for (std::size_t i = 0; i < held_; ++i) put(all.subspan(i * width, width), 1);
        }
        values_.clear();
        held_ = 0;
    }

private:
    void put(std::span<const sql::value> values, std::size_t rows)
    {
        const auto width = group_.columns.size();
        auto text = "insert into " + group_.table + " (" + joined(group_.columns) + ") values ";
        for (std::size_t i = 0; i < rows; ++i) text += (i == 0 ? "" : ", ") + places(i * width + 1, width);
        c_.query_with(text, values);
    }

    sql::connection& c_;
    row_group group_;
    row values_;
    std::size_t held_ = 0;
};

result<> read_all(sql::connection& c, row_receiver& to)
{
    if (auto ok = to.begin(); !ok) return ok;
    for (const auto& t : tables()) {
        if (auto ok = to.begin_table(t); !ok) return ok;
        if (auto ok = table_reader{t}.read(c, to); !ok) return ok;
    }
    return to.end();
}

// Names are put into statements, so they must be nothing but names; the values are arguments.
bool is_name(std::string_view text)
{
    return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

result<> check(const copied_row& r)
{
    const auto& g = *r.group;
    if (is_name(g.table) && std::ranges::all_of(g.columns, is_name) && r.values.size() == g.columns.size()) return {};
    return fail(fault_code::invalid_value, "a row of the copy does not fit its table", "Use another copy");
}

// Ends a transaction that must not be stored; caught where it was begun.
struct abandoned {
    base::fault why;
};

void put_all(sql::connection& c, row_source& from)
{
    if (auto ok = from.rewind(); !ok) throw abandoned{ok.error()};
    row_writer writer{c};
    for (;;) {
        auto next = from.next();
        if (!next) throw abandoned{next.error()};
        if (!*next) break;
        if (auto ok = check(**next); !ok) throw abandoned{ok.error()};
        writer.add(**next);
    }
    writer.flush();
}

// Tables that came after the schema of the copy are not there yet, and would be empty.
bool has(const std::vector<std::string>& schema, std::string_view migration)
{
    return std::ranges::find(schema, migration) != schema.end();
}

restored_rows begin_epoch(sql::connection& c, const epoch& started, const std::vector<std::string>& schema)
{
    restored_rows out{.epoch = started};
    out.epoch.number = c.query(next_epoch).get<std::int64_t>(0, 0);
    auto tokens = c.query(void_tokens, started.began_at).size();
    if (has(schema, "0007_recovery")) tokens += c.query(void_recovery_tokens, started.began_at).size();
    out.tokens_voided = static_cast<std::int64_t>(tokens);
    out.credentials_voided = static_cast<std::int64_t>(c.query(void_credentials, started.began_at).size());
    c.query(renew_secrets);
    c.query(make_states);
    c.query(leave_places);
    c.insert("epoch", out.epoch);
    return out;
}

base::fault occupied()
{
    return {fault_code::conflict, "the database holds a control plane already", "Name an empty one with --database"};
}

// The migrations that made the schema of the copy.
result<std::vector<sql::database::script>> scripts_of(const std::vector<std::string>& schema)
{
    auto known = migrations();
    const auto same = [](const sql::database::script& s, const std::string& name) { return s.name == name; };
    if (schema.size() <= known.size() && std::ranges::equal(std::span{known}.first(schema.size()), schema, same)) {
        known.resize(schema.size());
        return known;
    }
    return fail(fault_code::config_invalid, "the copy was made by a newer xentz-server than this one",
                "Restore it with that version or a later one");
}

} // namespace

std::vector<std::string> schema_names()
{
    std::vector<std::string> out;
    for (const auto& s : migrations()) out.push_back(s.name);
    return out;
}

result<> check_schema(const std::vector<std::string>& schema)
{
    if (schema == schema_names()) return {};
    return fail(fault_code::config_invalid, "the control plane was exported by another version of xentz-server",
                "Use the same version for the export and the import, and upgrade before or after");
}

result<> all_rows::read(row_receiver& to)
{
    return db_->read([&](sql::connection& c) { return read_all(c, to); });
}

bool all_rows::holds_any()
{
    try {
        if (db_->read([](sql::connection& c) { return c.query(schema_is_there).empty(); })) return false;
    } catch (const sql::error& e) {
        // No schema: a database that was just made.
        if (e.code == sql::errc::other) return false;
        throw;
    }
    return db_->read([](sql::connection& c) { return !c.query(any_row).empty(); });
}

result<> all_rows::make_tables(const std::vector<sql::database::script>& scripts)
{
    if (holds_any()) return std::unexpected(occupied());
    db_->migrate(scripts);
    return {};
}

result<restored_rows> all_rows::restore(const std::vector<std::string>& schema, row_source& from, const epoch& started)
{
    const auto scripts = scripts_of(schema);
    if (!scripts) return std::unexpected(scripts.error());
    if (auto ok = make_tables(*scripts); !ok) return base::failed(ok);
    try {
        auto out = db_->write([&](sql::connection& c) {
            put_all(c, from);
            return begin_epoch(c, started, schema);
        });
        db_->migrate(migrations());
        return out;
    } catch (const abandoned& a) {
        return std::unexpected(a.why);
    }
}

result<> all_rows::move_in(const std::vector<std::string>& schema, row_source& from, row_receiver& back)
{
    if (auto ok = check_schema(schema); !ok) return ok;
    if (auto ok = make_tables(migrations()); !ok) return ok;
    try {
        db_->write([&](sql::connection& c) {
            // Whoever came first, since the look into the database, stays.
            if (!c.query(any_row).empty()) throw abandoned{occupied()};
            put_all(c, from);
            if (auto ok = read_all(c, back); !ok) throw abandoned{ok.error()};
        });
        return {};
    } catch (const abandoned& a) {
        return std::unexpected(a.why);
    }
}

} // namespace xentz::store
