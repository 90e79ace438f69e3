// A control plane without a network: a real store in a SQLite file, a clock that stands still, calls by hand.
#pragma once

#include "control/administration.hpp"
#include "control/device_api.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_random.hpp"
#include "fakes/recording_logger.hpp"
#include "fakes/scratch_folder.hpp"
#include "wire/messages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace xentz::control {

struct fleet {
    fakes::scratch_folder folder;
    fakes::fake_clock clock;
    fakes::fake_random random;
    fakes::recording_logger log;
    store::fleet_store store{sql::open_database("sqlite:" + (folder.path() / "fleet.db").string())};
    crypto::master_key key = crypto::master_key::generate(random);
    services s{store, key, clock, random, log, "https://backup.example.com"};
    administrator admin{store, clock, random};
    store::tenant home;

    fleet()
    {
        store.migrate();
        static_cast<void>(create_tenant(admin, "home"));
        home = *store.find_tenant("home");
    }

    std::string new_token(const control::new_token& n = {}) { return create_token(admin, home, n)->token; }
};

using headers = std::vector<http::header>;

inline http::request post(const std::string& bearer, const std::string& body, headers more = {})
{
    http::request r;
    r.head.method = "POST";
    r.head.headers = std::move(more);
    if (!bearer.empty()) r.head.headers.push_back({"Authorization", "Bearer " + bearer});
    r.body = body;
    return r;
}

inline std::string body_of(const http::response& r) { return std::get<std::string>(r.body); }

inline std::string header_of(const http::response& r, std::string_view name)
{
    const auto* value = http::find_header(r.headers, name);
    return value == nullptr ? "" : *value;
}

// "401 token-used" of a problem, "200" of anything else.
inline std::string kind_of(const http::response& r)
{
    const auto p = http::parse_problem(body_of(r));
    return std::to_string(r.status) + (p ? " " + p->type : "");
}

inline std::string detail_of(const http::response& r)
{
    const auto p = http::parse_problem(body_of(r));
    return p ? p->detail : "";
}

inline const std::string plain_install = R"({"metadata":{"hostname":"web1","os":"linux","arch":"amd64"}})";

struct enrolled_device {
    std::string id;
    std::string key;
    std::string repository;
    std::optional<std::string> password;
};

inline enrolled_device enrol(fleet& f, const std::string& token, const std::string& body = plain_install,
                             const headers& more = {})
{
    const auto r = install_call(f.s, post(token, body, more));
    EXPECT_EQ(r.status, 200) << body_of(r);
    const auto answer = wire::decode<wire::install_response>(body_of(r));
    if (!answer) {
        ADD_FAILURE() << answer.error().message;
        return {};
    }
    return {answer->device_id, answer->device_api_key, answer->repo_path, answer->password};
}

inline http::response get_config(fleet& f, const std::string& key, headers more = {})
{
    return config_call(f.s, post(key, "", std::move(more)).head);
}

} // namespace xentz::control
