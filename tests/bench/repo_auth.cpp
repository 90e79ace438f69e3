// What it costs the repository server to know who asks: for a credential that it met within the last half second, and
// for one about which it has to ask its database. The ledger is the server's own, over SQLite in a scratch folder.
#include "control/addresses.hpp"
#include "crypto/secrets.hpp"
#include "fakes/scratch_folder.hpp"
#include "os/system.hpp"
#include "repo/known_credentials.hpp"
#include "repo/login_throttle.hpp"
#include "store_ledger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

namespace {

using namespace xentz;
using std::chrono::steady_clock;

constexpr int devices = 1000;

store::repository enrolled(store::fleet_store& store, base::random_source& random)
{
    store::new_enrolment e;
    e.token_hash = "token";
    e.fresh_device.id = base::make_id<domain::device_id>("dev", random);
    e.fresh_device.user_id = "default";
    e.fresh_device.include = "[]";
    e.fresh_device.key_hash = e.fresh_device.id.text;
    e.fresh_repository.id = base::make_id<domain::repository_id>("repo", random);
    e.fresh_repository.user_id = "default";
    return store.enrol(e, {}, std::chrono::minutes{15}).result.value().repository;
}

// Microseconds of the machine for each call: the median of ten rounds, each of all threads at once.
double measured(unsigned threads, int calls, const std::function<void()>& call)
{
    std::vector<double> rounds;
    for (int round = 0; round < 10; ++round) {
        const auto start = steady_clock::now();
        {
            std::vector<std::jthread> all;
            for (unsigned t = 0; t < threads; ++t)
                all.emplace_back([&] {
                    for (int i = 0; i < calls; ++i) call();
                });
        }
        rounds.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - start).count() / calls /
                         threads);
    }
    std::ranges::sort(rounds);
    return rounds[rounds.size() / 2];
}

} // namespace

int main()
{
    const fakes::scratch_folder folder;
    const auto clock = os::make_clock();
    const auto random = os::make_random();
    store::fleet_store store{sql::open_database("sqlite:" + (folder.path() / "fleet.db").string())};
    store.migrate();
    const store::tenant tenant{{"ten_1"}, "acme", "server", {}};
    store.add_tenant(tenant, "{}");
    const store::install_token token{.id = {"tok_1"},
                                     .tenant_id = tenant.id,
                                     .policy_name = "default",
                                     .token_hash = "token",
                                     .uses_total = devices,
                                     .uses_left = devices,
                                     .created_at = {},
                                     .expires_at = base::time_point{std::chrono::hours{1}},
                                     .revoked_at = {}};
    store.add_token(token);
    store::repository last;
    for (int i = 0; i < devices; ++i) last = enrolled(store, *random);

    const auto key = crypto::master_key::generate(*random);
    const auto secret = control::repository_secret(key, last);
    const repo::address where{last.tenant_id.text, last.device_id.text, last.user_id};
    const auto account = last.device_id.text;
    apps::store_ledger ledger{store, key, *clock};
    repo::known_credentials known{ledger, *clock, *random};
    repo::login_throttle throttle{*clock};

    const auto ask_unknown = [&] { ledger.open(where, account, secret).value(); };
    const auto ask_known = [&] {
        const repo::login_throttle::attempt a{"192.0.2.1", account, secret};
        if (throttle.wait_for(a).count() > 0) std::abort();
        known.open(where, account, secret).value();
        throttle.passed(a);
    };
    std::printf("%d devices, SQLite; microseconds for each request\n", devices);
    std::printf("%-8s %12s %12s\n", "threads", "known", "unknown");
    for (const unsigned threads : {1U, 4U, 16U})
        std::printf("%-8u %12.2f %12.2f\n", threads, measured(threads, 20'000, ask_known),
                    measured(threads, 500, ask_unknown));
    return 0;
}
