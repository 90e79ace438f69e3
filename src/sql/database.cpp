#include "sql/database.hpp"

#include "sql/session.hpp"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

namespace xentz::sql {

namespace {

constexpr int most_repeats_when_busy = 4;

constexpr const char* create_schema_migrations = "create table if not exists schema_migrations ("
                                                 "version bigint primary key, name text not null, "
                                                 "applied_at bigint not null)";

constexpr const char* applied_scripts = "select version, name from schema_migrations order by version";

// Connections that wait for the next transaction, and a count of those in use.
class pool {
public:
    using opener = std::function<std::unique_ptr<session>()>;

    pool(opener open, const database_options& options) : open_(std::move(open)), options_(options) {}

    // A place in the pool is held for a whole call, while the sessions in it may be lost and replaced.
    void enter()
    {
        std::unique_lock lock(mutex_);
        if (!left_.wait_for(lock, options_.longest_wait, [&] { return in_use_ < options_.connections; })) {
            throw error(errc::other, "all connections to the database have been in use for too long");
        }
        ++in_use_;
    }

    void leave() noexcept
    {
        {
            const std::lock_guard lock(mutex_);
            --in_use_;
        }
        left_.notify_one();
    }

    std::unique_ptr<session> take()
    {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                auto out = std::move(idle_.back());
                idle_.pop_back();
                return out;
            }
        }
        return open_();
    }

    void give_back(std::unique_ptr<session> s)
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(s));
    }

    // When one connection is lost, those that wait are most likely lost too.
    void forget_idle()
    {
        std::vector<std::unique_ptr<session>> lost;
        const std::lock_guard lock(mutex_);
        lost.swap(idle_);
    }

private:
    opener open_;
    database_options options_;
    std::mutex mutex_;
    std::condition_variable left_;
    std::vector<std::unique_ptr<session>> idle_;
    std::size_t in_use_ = 0;
};

class place_in_pool {
public:
    explicit place_in_pool(pool& p) : pool_(p) { pool_.enter(); }
    place_in_pool(const place_in_pool&) = delete;
    place_in_pool& operator=(const place_in_pool&) = delete;
    ~place_in_pool() { pool_.leave(); }

private:
    pool& pool_;
};

// The number of scripts that are applied; they have to be the first ones of `scripts`.
std::size_t count_applied(session& s, const std::vector<database::script>& scripts)
{
    const auto applied = s.query(applied_scripts);
    for (std::size_t i = 0; i < applied.size(); ++i) {
        const auto version = applied.get<std::size_t>(i, 0);
        if (version > scripts.size()) {
            throw error(errc::other,
                        "the database has a newer schema than this program knows; use the newer program, or "
                        "a copy of the database from before the update");
        }
        if (version != i + 1 || applied.get<std::string>(i, 1) != scripts[i].name) {
            throw error(errc::other, "the database's schema was not made by this program: its change " +
                                         std::to_string(version) + " is another one");
        }
    }
    return applied.size();
}

class pooled_database final : public database {
public:
    using locker = std::function<std::unique_ptr<advisory_lock>(const std::string&)>;

    pooled_database(pool::opener open, locker lock, bool one_writer, const database_options& options)
        : pool_(std::move(open), options), lock_(std::move(lock)), options_(options), one_writer_(one_writer)
    {
        pool_.give_back(pool_.take());
    }

    void migrate(const std::vector<script>& scripts) override
    {
        std::size_t applied = 0;
        in_session(access::write, [&](session& s) {
            s.lock_schema();
            s.run_script(create_schema_migrations);
            applied = count_applied(s, scripts);
        });
        for (; applied < scripts.size(); ++applied) {
            in_session(access::write, [&](session& s) { apply(s, scripts, applied); });
        }
    }

    std::unique_ptr<advisory_lock> try_lock(const std::string& name) override
    {
        const auto plain = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
        };
        if (name.empty() || !std::ranges::all_of(name, plain))
            throw error(errc::other, "a lock of the database has a name of letters, digits and dashes");
        return lock_(name);
    }

protected:
    void transact(access a, const std::function<void(connection&)>& f) override
    {
        in_session(a, [&](session& s) { f(s); }, options_.gate ? &*options_.gate : nullptr);
    }

    void transact_alone(std::string_view table, const std::function<void(connection&)>& f) override
    {
        in_session(access::write, [&](session& s) {
            s.lock_gate(table);
            f(s);
        });
    }

private:
    static void apply(session& s, const std::vector<script>& scripts, std::size_t index)
    {
        s.lock_schema();
        if (count_applied(s, scripts) > index) return;
        s.run_script(scripts[index].text);
        s.query("insert into schema_migrations (version, name, applied_at) values ($1, $2, " +
                    std::string{s.now_expression()} + ")",
                index + 1, scripts[index].name);
    }

    void in_session(access a, const std::function<void(session&)>& f, const gate* way = nullptr)
    {
        // SQLite lets one write at a time and makes the others poll; a queue of our own is quicker and fair. It comes
        // before the place in the pool, so that waiting writers keep no connection from readers.
        std::unique_lock turn(write_turn_, std::defer_lock);
        if (one_writer_ && a == access::write) turn.lock();
        const place_in_pool place(pool_);
        int repeats = 0;
        bool reconnected = false;
        for (;;) {
            bool committing = false;
            try {
                return attempt(a, f, way, committing);
            } catch (const error& e) {
                if (e.code == errc::busy && repeats < most_repeats_when_busy) {
                    std::this_thread::sleep_for(std::chrono::milliseconds{5 << repeats++});
                } else if (e.code == errc::connection_lost && !committing && !reconnected) {
                    reconnected = true;
                } else {
                    throw;
                }
            }
        }
    }

    void attempt(access a, const std::function<void(session&)>& f, const gate* way, bool& committing)
    {
        auto s = pool_.take();
        try {
            if (!s->begin(a, way != nullptr ? std::string_view{way->table} : std::string_view{}))
                throw error(errc::shut, way->message);
            f(*s);
            if (s->failed()) {
                throw error(errc::other,
                            "a statement of this database transaction failed, so nothing of it was stored");
            }
            committing = true;
            s->commit();
        } catch (...) {
            if (s->rollback()) {
                pool_.give_back(std::move(s));
            } else {
                pool_.forget_idle();
            }
            throw;
        }
        pool_.give_back(std::move(s));
    }

    pool pool_;
    locker lock_;
    const database_options options_;
    const bool one_writer_;
    std::mutex write_turn_;
};

} // namespace

std::shared_ptr<database> open_database(const std::string& address, const database_options& options)
{
    constexpr std::string_view sqlite = "sqlite:";
    if (address.starts_with(sqlite) && address.size() > sqlite.size()) {
        const auto open = [file = address.substr(sqlite.size())] { return open_sqlite(file); };
        const auto lock = [file = address.substr(sqlite.size())](const std::string& name) {
            return try_sqlite_lock(file, name);
        };
        return std::make_shared<pooled_database>(open, lock, true, options);
    }
    if (address.starts_with("postgresql://") || address.starts_with("postgres://")) {
        const auto lock = [address](const std::string& name) { return try_postgresql_lock(address, name); };
        return std::make_shared<pooled_database>([address] { return open_postgresql(address); }, lock, false, options);
    }
    throw error(errc::other, "the database's address is neither sqlite:FILE nor postgresql://USER:PASSWORD@HOST/NAME");
}

} // namespace xentz::sql
