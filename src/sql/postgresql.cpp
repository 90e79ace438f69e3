#include "sql/session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>

namespace xentz::sql {

namespace {

constexpr const char* session_settings = "set statement_timeout = '30s'";
// Held until the transaction's end. The number is only a name; it spells "xentz". Changing a large table may take long.
constexpr const char* lock_of_the_schema =
    "set local statement_timeout = 0; select pg_advisory_xact_lock(517097813114)";
// Of a session, by the hash of a name; the number sets it apart from other programs in the same database.
constexpr const char* lock_by_name = "select case when pg_try_advisory_lock(hashtextextended($1, 517097813114)) "
                                     "then 1 else 0 end";

struct finish_connection {
    void operator()(PGconn* p) const { PQfinish(p); }
};
struct clear_result {
    void operator()(PGresult* p) const { PQclear(p); }
};
struct free_options {
    void operator()(PQconninfoOption* p) const { PQconninfoFree(p); }
};
using handle = std::unique_ptr<PGconn, finish_connection>;
using answer = std::unique_ptr<PGresult, clear_result>;

std::string one_line(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (!space) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

// The password of a sound address. Where a password was not escaped, pieces of it end up in other parts, which
// libpq repeats in its messages: such an address is refused before libpq sees it.
std::string password_of(const std::string& url)
{
    const std::unique_ptr<PQconninfoOption, free_options> options{PQconninfoParse(url.c_str(), nullptr)};
    bool sound = options != nullptr;
    std::string password;
    for (const auto* o = options.get(); o && o->keyword; ++o) {
        const std::string_view keyword = o->keyword;
        const std::string_view given = o->val ? o->val : "";
        if (keyword == "password") password = given;
        if (keyword == "host" || keyword == "dbname") sound = sound && given.find('@') == std::string_view::npos;
    }
    if (sound) return password;
    throw error(errc::other, "the PostgreSQL address is not valid; in its user name and password, characters such as "
                             "@ : / % have to be written as %40 %3A %2F %25");
}

std::string without(std::string text, const std::string& secret)
{
    if (secret.empty()) return text;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
        text.replace(at, secret.size(), "***");
    }
    return text;
}

handle connect(const std::string& url)
{
    const auto password = password_of(url);
    // What stands before the address gives way to what the address says. A server that vanished without a word is
    // noticed after half a minute instead of hours.
    constexpr std::array<const char*, 10> keywords{"connect_timeout",
                                                   "keepalives_idle",
                                                   "keepalives_interval",
                                                   "keepalives_count",
                                                   "tcp_user_timeout",
                                                   "client_encoding",
                                                   "application_name",
                                                   "dbname",
                                                   nullptr,
                                                   nullptr};
    const std::array<const char*, 10> values{"10",   "15",    "5",         "3",     "30000",
                                             "UTF8", "xentz", url.c_str(), nullptr, nullptr};
    handle out{PQconnectdbParams(keywords.data(), values.data(), 1)};
    if (PQstatus(out.get()) != CONNECTION_OK) {
        throw error(errc::connection_lost, "cannot connect to the PostgreSQL database: " +
                                               without(one_line(PQerrorMessage(out.get())), password));
    }
    return out;
}

errc code_of(std::string_view state, const PGconn* connection)
{
    // 08P01 is a wrong call on a sound connection; what follows a real loss has a bad status.
    const bool lost = (state.starts_with("08") && state != "08P01") || state.starts_with("57P");
    if (lost || PQstatus(connection) == CONNECTION_BAD) return errc::connection_lost;
    if (state == "23505") return errc::unique_violation;
    if (state == "23503") return errc::foreign_key_violation;
    if (state == "40001" || state == "40P01") return errc::busy;
    if (state == "22021") return errc::invalid_text;
    return errc::other;
}

// An argument in libpq's form: text, and a null as no pointer.
struct argument_texts {
    std::vector<std::string> texts;
    std::vector<const char*> pointers;

    explicit argument_texts(std::span<const value> arguments)
    {
        texts.reserve(arguments.size());
        for (const auto& argument : arguments) {
            auto& text = texts.emplace_back();
            if (const auto* number = std::get_if<std::int64_t>(&argument)) text = std::to_string(*number);
            if (const auto* real = std::get_if<double>(&argument)) text = shortest(*real);
            const auto* given = std::get_if<std::string>(&argument);
            const bool null = std::holds_alternative<std::monostate>(argument);
            pointers.push_back(null ? nullptr : (given ? given : &text)->c_str());
        }
    }

    static std::string shortest(double v)
    {
        std::array<char, 32> out{};
        return {out.data(), std::to_chars(out.data(), out.data() + out.size(), v).ptr};
    }
};

class postgresql_session final : public session {
public:
    explicit postgresql_session(const std::string& url) : connection_(connect(url))
    {
        PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
        run_script(session_settings);
    }

    void commit() override
    {
        const answer a{PQexec(connection_.get(), "commit")};
        require_success(a.get());
        // A transaction in which something failed answers a commit with success, and with this word.
        if (std::string_view{PQcmdStatus(a.get())} != "COMMIT") {
            throw error(errc::other, "the PostgreSQL database did not store the transaction");
        }
    }

    bool rollback() noexcept override
    {
        if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
            const answer ignored{PQexec(connection_.get(), "rollback")};
        }
        return PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
    }

    void run_script(const std::string& text) override
    {
        const answer a{PQexec(connection_.get(), text.c_str())};
        require_success(a.get());
    }

    void lock_schema() override { run_script(lock_of_the_schema); }

    void lock_gate(std::string_view gate) override
    {
        run_script("lock table " + std::string{gate} + " in exclusive mode");
    }

    std::string_view now_expression() const override
    {
        return "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
    }

protected:
    // In one message, so that a gate costs no further way to the server and back. A lock of this mode, which is held
    // until the transaction's end, is in the way of `lock_gate` alone.
    bool start(access a, std::string_view gate) override
    {
        std::string text = a == access::read ? "begin isolation level repeatable read read only" : "begin";
        if (gate.empty()) {
            run_script(text);
            return true;
        }
        const std::string table{gate};
        if (a == access::write) text += "; lock table " + table + " in row share mode";
        text += "; select 1 from " + table + " limit 1";
        const answer found{PQexec(connection_.get(), text.c_str())};
        require_success(found.get());
        return PQntuples(found.get()) == 0;
    }

    row_set execute(std::string_view text, std::span<const value> arguments) override
    {
        const auto& name = prepared(text);
        const argument_texts texts(arguments);
        const answer a{PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(texts.pointers.size()),
                                      texts.pointers.data(), nullptr, nullptr, 0)};
        require_success(a.get());
        return rows_of(a.get());
    }

private:
    void require_success(const PGresult* a) const
    {
        const auto status = PQresultStatus(a);
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
        const auto field = [&](int which) {
            const char* text = PQresultErrorField(a, which);
            return std::string{text ? text : ""};
        };
        const auto state = field(PG_DIAG_SQLSTATE);
        auto message = field(PG_DIAG_MESSAGE_PRIMARY);
        // The messages of this class quote the value; so does the detail of any, which is left out altogether.
        if (state.starts_with("22")) message = "a value does not fit its column (" + state + ")";
        if (message.empty()) message = one_line(PQerrorMessage(connection_.get()));
        throw error(code_of(state, connection_.get()), "the PostgreSQL database failed: " + message);
    }

    const std::string& prepared(std::string_view text)
    {
        if (const auto known = names_.find(text); known != names_.end()) return known->second;
        const std::string whole{text};
        auto name = "s" + std::to_string(names_.size());
        const answer a{PQprepare(connection_.get(), name.c_str(), whole.c_str(), 0, nullptr)};
        require_success(a.get());
        return names_.emplace(whole, std::move(name)).first->second;
    }

    static row_set rows_of(const PGresult* a)
    {
        row_set out;
        const int columns = PQnfields(a);
        for (int c = 0; c < columns; ++c) out.columns.emplace_back(PQfname(a, c));
        for (int r = 0; r < PQntuples(a); ++r) {
            auto& row = out.rows.emplace_back();
            for (int c = 0; c < columns; ++c) {
                if (PQgetisnull(a, r, c) != 0) {
                    row.emplace_back();
                } else {
                    row.emplace_back(std::string(PQgetvalue(a, r, c), static_cast<std::size_t>(PQgetlength(a, r, c))));
                }
            }
        }
        return out;
    }

    handle connection_;
    std::map<std::string, std::string, std::less<>> names_; // of the prepared statements
};

class postgresql_lock final : public advisory_lock {
public:
    explicit postgresql_lock(std::unique_ptr<session> s) : session_(std::move(s)) {}
    bool held() noexcept override
    {
        try {
            session_->query("select 1");
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

private:
    std::unique_ptr<session> session_; // the lock ends with it
};

} // namespace

std::unique_ptr<session> open_postgresql(const std::string& url) { return std::make_unique<postgresql_session>(url); }

std::unique_ptr<advisory_lock> try_postgresql_lock(const std::string& url, const std::string& name)
{
    auto s = open_postgresql(url);
    if (!s->query(lock_by_name, name).get<bool>(0, 0)) return nullptr;
    return std::make_unique<postgresql_lock>(std::move(s));
}

} // namespace xentz::sql
