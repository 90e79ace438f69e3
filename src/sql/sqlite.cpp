#include "sql/session.hpp"

#include "os/lock.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <map>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace xentz::sql {

namespace {

constexpr std::chrono::milliseconds busy_timeout{5000};
constexpr std::chrono::milliseconds wal_retry_pause{20};

struct close_database {
    void operator()(sqlite3* p) const { sqlite3_close_v2(p); }
};
struct finalize_statement {
    void operator()(sqlite3_stmt* p) const { sqlite3_finalize(p); }
};
using statement = std::unique_ptr<sqlite3_stmt, finalize_statement>;

errc code_of(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return errc::unique_violation;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return errc::foreign_key_violation;
    default:
        break;
    }
    const int primary = extended & 0xff;
    return primary == SQLITE_BUSY || primary == SQLITE_LOCKED ? errc::busy : errc::other;
}

// Never an existing file: closing a second descriptor of it would drop the locks that other connections of this
// process hold on it.
void create_private_file(const std::string& file)
{
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) {
        ::close(descriptor);
    } else if (errno != EEXIST) {
        throw error(errc::other,
                    "cannot create the database file " + file + ": " + std::generic_category().message(errno));
    }
}

void bind(sqlite3_stmt* s, int at, std::monostate) { sqlite3_bind_null(s, at); }
void bind(sqlite3_stmt* s, int at, std::int64_t v) { sqlite3_bind_int64(s, at, v); }
void bind(sqlite3_stmt* s, int at, double v) { sqlite3_bind_double(s, at, v); }
void bind(sqlite3_stmt* s, int at, const std::string& v)
{
    // No destructor: the caller's arguments outlive the statement's run, and its bindings are cleared after it.
    sqlite3_bind_text64(s, at, v.data(), v.size(), nullptr, SQLITE_UTF8);
}

value cell(sqlite3_stmt* s, int column)
{
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_NULL:
        return std::monostate{};
    case SQLITE_INTEGER:
        return std::int64_t{sqlite3_column_int64(s, column)};
    case SQLITE_FLOAT:
        return sqlite3_column_double(s, column);
    case SQLITE_TEXT: {
        const auto* text = sqlite3_column_text(s, column);
        const auto length = static_cast<std::size_t>(sqlite3_column_bytes(s, column));
        return std::string(text, text + length);
    }
    default:
        throw error(errc::other, "the SQLite database holds bytes where text was expected");
    }
}

class sqlite_lock final : public advisory_lock {
public:
    explicit sqlite_lock(std::unique_ptr<os::file_lock> lock) : lock_(std::move(lock)) {}
    bool held() noexcept override { return true; } // the kernel's, as long as the process lives

private:
    std::unique_ptr<os::file_lock> lock_;
};

class sqlite_session final : public session {
public:
    explicit sqlite_session(const std::string& file)
    {
        create_private_file(file);
        sqlite3* raw = nullptr;
        const int status = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
        database_.reset(raw);
        if (status != SQLITE_OK) {
            throw error(errc::other, "cannot open the database file " + file + ": " + sqlite3_errstr(status));
        }
        sqlite3_extended_result_codes(raw, 1);
        sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
        use_write_ahead_log();
        run_script("pragma synchronous = full; pragma foreign_keys = on");
    }

    void commit() override { run_script("commit"); }

    bool rollback() noexcept override
    {
        // Some errors end the transaction by themselves.
        if (sqlite3_get_autocommit(database_.get()) == 0) {
            sqlite3_exec(database_.get(), "rollback", nullptr, nullptr, nullptr);
        }
        return sqlite3_get_autocommit(database_.get()) != 0;
    }

    void run_script(const std::string& text) override
    {
        if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
    }

    // A transaction that may write shuts out all others already.
    void lock_schema() override {}
    void lock_gate(std::string_view) override {}

    std::string_view now_expression() const override
    {
        return "cast((julianday('now') - 2440587.5) * 86400000000 as integer)";
    }

protected:
    bool start(access a, std::string_view gate) override
    {
        if (const bool wanted = a == access::read; wanted != query_only_) {
            run_script(wanted ? "pragma query_only = on" : "pragma query_only = off");
            query_only_ = wanted;
        }
        // A transaction that begins as a reader and then writes fails at once when another has written meanwhile.
        run_script(a == access::read ? "begin" : "begin immediate");
        return gate.empty() || execute("select 1 from " + std::string{gate} + " limit 1", {}).empty();
    }

    row_set execute(std::string_view text, std::span<const value> arguments) override
    {
        auto* s = prepared(text);
        const auto rewind = [](sqlite3_stmt* used) {
            sqlite3_reset(used);
            sqlite3_clear_bindings(used);
        };
        const std::unique_ptr<sqlite3_stmt, decltype(rewind)> rewound{s, rewind};
        bind_all(s, arguments);
        row_set out;
        const int columns = sqlite3_column_count(s);
        for (int c = 0; c < columns; ++c) out.columns.emplace_back(sqlite3_column_name(s, c));
        int status = SQLITE_ROW;
        while ((status = sqlite3_step(s)) == SQLITE_ROW) {
            auto& row = out.rows.emplace_back();
            for (int c = 0; c < columns; ++c) row.push_back(cell(s, c));
        }
        if (status != SQLITE_DONE) fail();
        return out;
    }

private:
    [[noreturn]] void fail() const
    {
        throw error(code_of(sqlite3_extended_errcode(database_.get())),
                    std::string{"the SQLite database failed: "} + sqlite3_errmsg(database_.get()));
    }

    // Two connections that turn a new file to the write-ahead log at once are told "busy" without any waiting.
    void use_write_ahead_log()
    {
        for (auto waited = std::chrono::milliseconds{0};; waited += wal_retry_pause) {
            try {
                if (execute("pragma journal_mode = wal", {}).get<std::string>(0, 0) == "wal") return;
                throw error(errc::other, "the SQLite database cannot use a write-ahead log where it lies; "
                                         "it needs a file on a local disk");
            } catch (const error& e) {
                if (e.code != errc::busy || waited >= busy_timeout) throw;
            }
            std::this_thread::sleep_for(wal_retry_pause);
        }
    }

    sqlite3_stmt* prepared(std::string_view text)
    {
        if (const auto known = statements_.find(text); known != statements_.end()) return known->second.get();
        sqlite3_stmt* raw = nullptr;
        const char* rest = nullptr;
        const int status = sqlite3_prepare_v3(database_.get(), text.data(), static_cast<int>(text.size()),
                                              SQLITE_PREPARE_PERSISTENT, &raw, &rest);
        statement fresh{raw};
        if (status != SQLITE_OK) fail();
        const auto unread = text.substr(static_cast<std::size_t>(rest - text.data()));
        if (!fresh || unread.find_first_not_of(" \n\t;") != std::string_view::npos) {
            throw error(errc::other, "a query of the database has to be exactly one statement");
        }
        return statements_.emplace(text, std::move(fresh)).first->second.get();
    }

    static void bind_all(sqlite3_stmt* s, std::span<const value> arguments)
    {
        if (sqlite3_bind_parameter_count(s) != static_cast<int>(arguments.size())) {
            throw error(errc::other, "a statement for the database got another number of arguments than it names");
        }
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const int at = sqlite3_bind_parameter_index(s, ("$" + std::to_string(i + 1)).c_str());
            if (at == 0) throw error(errc::other, "a statement for the database does not name all its arguments");
            std::visit([&](const auto& v) { bind(s, at, v); }, arguments[i]);
        }
    }

    std::unique_ptr<sqlite3, close_database> database_;
    std::map<std::string, statement, std::less<>> statements_; // before the database they belong to is closed
    bool query_only_ = false;
};

} // namespace

std::unique_ptr<session> open_sqlite(const std::string& file) { return std::make_unique<sqlite_session>(file); }

std::unique_ptr<advisory_lock> try_sqlite_lock(const std::string& file, const std::string& name)
{
    auto lock = os::try_lock(file + "-lock-" + name, "process " + std::to_string(::getpid()));
    if (lock) return std::make_unique<sqlite_lock>(std::move(*lock));
    if (lock.error().code == base::fault_code::run_locked) return nullptr;
    throw error(errc::other, "cannot lock beside the database: " + lock.error().message);
}

} // namespace xentz::sql
