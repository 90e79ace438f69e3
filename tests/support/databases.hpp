// Real databases for tests: a SQLite file in a folder of its own, or a database of its own on a real PostgreSQL 15.
// The server is the one that the URL in XENTZ_TEST_POSTGRESQL names; without it, the test program starts one when it
// first needs it (tests/support/postgresql) and stops it at the end. A server that cannot be had is a failed test.
#pragma once

#include "fakes/scratch_folder.hpp"
#include "sql/session.hpp"
#include "support/output.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace xentz::test {

class postgresql_environment : public testing::Environment {
public:
    // The address of a database that is always there, to make and drop others from.
    const std::string& url()
    {
        if (!url_.empty()) return url_;
        if (const char* given = std::getenv("XENTZ_TEST_POSTGRESQL"); given && *given) {
            url_ = given;
        } else {
            folder_ = std::make_unique<fakes::scratch_folder>();
            url_ = output_of(script("start") + " " + std::to_string(::getpid()));
        }
        return url_;
    }

    void TearDown() override
    {
        if (folder_) output_of(script("stop"));
        folder_.reset();
    }

private:
    std::string script(const std::string& verb) const
    {
        return std::string{"'"} + XENTZ_TESTS_DIR + "/support/postgresql' " + verb + " '" + folder_->path().string() +
               "'";
    }

    std::unique_ptr<fakes::scratch_folder> folder_;
    std::string url_;
};

inline postgresql_environment& postgresql()
{
    static auto* const environment =
        static_cast<postgresql_environment*>(testing::AddGlobalTestEnvironment(new postgresql_environment));
    return *environment;
}

// GoogleTest takes environments before the first test runs only.
inline const auto& postgresql_is_registered = postgresql();

enum class engine { sqlite, postgresql };

inline std::string name(engine e) { return e == engine::sqlite ? "sqlite" : "postgresql"; }
inline void PrintTo(engine e, std::ostream* out) { *out << name(e); }

// An empty database that exists as long as this.
class fresh_database {
public:
    explicit fresh_database(engine e)
    {
        if (e == engine::sqlite) {
            folder_ = std::make_unique<fakes::scratch_folder>();
            address_ = "sqlite:" + file().string();
            return;
        }
        std::random_device random;
        name_ = "xentz_test_" + std::to_string(random()) + "_" + std::to_string(random());
        const auto& url = postgresql().url();
        sql::open_postgresql(url)->run_script("create database " + name_);
        const auto query = url.find('?');
        const auto slash = url.rfind('/', query);
        address_ = url.substr(0, slash + 1) + name_ + (query == std::string::npos ? "" : url.substr(query));
    }
    fresh_database(const fresh_database&) = delete;
    fresh_database& operator=(const fresh_database&) = delete;
    ~fresh_database()
    {
        if (name_.empty()) return;
        try {
            sql::open_postgresql(postgresql().url())->run_script("drop database " + name_ + " with (force)");
        } catch (const std::exception& e) {
            ADD_FAILURE() << "cannot drop a test's database: " << e.what();
        }
    }

    const std::string& address() const { return address_; }
    std::filesystem::path file() const { return folder_->path() / "fleet.db"; }

private:
    std::unique_ptr<fakes::scratch_folder> folder_;
    std::string name_;
    std::string address_;
};

} // namespace xentz::test
