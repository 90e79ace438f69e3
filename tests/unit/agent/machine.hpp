// A machine with an agent on it, and the servers that it talks to: files in memory, a clock that stands still, a
// control plane that answers from variables, a repository that does what it is told. Only the run lock is a real file.
#pragma once

#include "agent/check.hpp"
#include "agent/config_source.hpp"
#include "agent/enrolment.hpp"
#include "agent/job_run.hpp"
#include "agent/local_config.hpp"
#include "agent/spool.hpp"
#include "agent/state.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_engine.hpp"
#include "fakes/fake_http_client.hpp"
#include "fakes/fake_process_runner.hpp"
#include "fakes/fake_random.hpp"
#include "fakes/memory_files.hpp"
#include "fakes/recording_logger.hpp"
#include "fakes/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace xentz::agent {

using base::fault_code;

// How the control plane answers.
enum class plane { up, away, refuses, fails, revokes, portal };

struct control_plane_model {
    plane how = plane::up;
    wire::device_config config;
    std::string etag = "\"v1\"";
    std::vector<wire::report_message> reports; // as received, repeated ones too
    // Instead of the usual answer to a report.
    std::function<std::optional<fakes::http_answer>(const wire::report_message&)> on_report;
    int repository_status = 200;                // of GET .../config
    std::string repository_config = "config-1"; // its bytes
    std::vector<std::string> snapshots = {"5b57749a" + std::string(56, '0')};
    std::string packs = "[]";                // the answer to GET .../data/
    std::vector<http::header> clock_headers; // what every answer says of the server's clock
    std::vector<std::string> removed_locks;
    std::vector<http::header> lock_headers;
    int locks_status = 200; // of HEAD .../locks/...

    control_plane_model()
    {
        config.version = "v1";
        config.include = {"/srv"};
        config.exclude = {"*.tmp"};
        config.restic.repository = "rest:https://dev_1:credential-1@repo.example.com/repo/ten_1/dev_1/default/";
        config.retention = {.keep_daily = 7};
    }

    std::optional<fakes::http_answer> answer(const http::client_request& r)
    {
        auto a = r.url.starts_with("https://cp.example.com") ? plane_answer(r) : repository_answer(r);
        if (a && *a) (*a)->headers.insert((*a)->headers.end(), clock_headers.begin(), clock_headers.end());
        return a;
    }

private:
    std::optional<fakes::http_answer> repository_answer(const http::client_request& r)
    {
        if (repository_status == 0) return fakes::no_network();
        if (r.url.ends_with("/snapshots/")) {
            std::string list;
            for (const auto& id : snapshots)
                list += (list.empty() ? "" : ",") + ("{\"name\":\"" + id + "\",\"size\":1}");
            return fakes::answer(200, "[" + list + "]");
        }
        if (r.url.ends_with("/data/")) return fakes::answer(200, packs);
        if (r.method == "HEAD") return fakes::answer(locks_status, "", lock_headers);
        if (r.method == "DELETE") {
            removed_locks.push_back(r.url.substr(r.url.rfind('/') + 1));
            return fakes::answer(200);
        }
        return fakes::answer(repository_status, repository_status == 200 ? repository_config : "");
    }

    std::optional<fakes::http_answer> plane_answer(const http::client_request& r)
    {
        switch (how) {
        case plane::up:
            return usual(r);
        case plane::away:
            return fakes::no_network();
        case plane::refuses:
            return fakes::problem(401, "unauthorized", "unknown device key");
        case plane::fails:
            return fakes::problem(500, "internal", "internal error");
        case plane::revokes:
            return fakes::problem(403, "device-revoked", "device revoked");
        case plane::portal:
            return fakes::answer(200, "<html>Please log in</html>");
        }
        return std::nullopt;
    }

    std::optional<fakes::http_answer> usual(const http::client_request& r)
    {
        if (r.url.ends_with("/v1/config")) {
            const auto* known = http::find_header(r.headers, "If-None-Match");
            if (known != nullptr && *known == etag) return fakes::answer(304, "", {{"ETag", etag}});
            return fakes::answer(200, wire::print_json(wire::encode_config(config)), {{"ETag", etag}});
        }
        if (r.url.ends_with("/v1/report")) {
            const auto report = wire::decode_report(r.body);
            if (!report) return fakes::problem(400, "invalid-request", report.error().message);
            if (on_report)
                if (auto other = on_report(*report)) return other;
            reports.push_back(*report);
            return fakes::answer(200, wire::encode(wire::report_answer{report->report_id.value_or("")}));
        }
        return std::nullopt;
    }
};

struct process_list final : os::process_table {
    bool all = true;
    std::map<std::int64_t, base::time_point> started;
    bool sees_all() const override { return all; }
    std::optional<base::time_point> started_at(std::int64_t id) const override
    {
        const auto at = started.find(id);
        return at == started.end() ? std::nullopt : std::optional{at->second};
    }
};

struct fixed_circumstances final : os::circumstances {
    std::optional<bool> battery;
    std::optional<bool> metered;
    std::optional<bool> on_battery() const override { return battery; }
    std::optional<bool> on_metered() const override { return metered; }
};

struct machine {
    fakes::scratch_folder folder;
    fakes::memory_files memory;
    fakes::fake_clock clock;
    fakes::fake_random random;
    fakes::recording_logger log;
    fakes::fake_engine restic;
    fakes::fake_network network;
    process_list processes;
    fakes::fake_process_runner programs;
    fixed_circumstances around;
    control_plane_model server;
    environment env;

    machine() : machine(nullptr) {}
    // With other files than those in memory.
    explicit machine(os::files* files)
        : env{.home = {.folder = folder.path(), .config = folder.path() / "config.json"},
              .files = files != nullptr ? *files : memory,
              .clock = clock,
              .random = random,
              .log = log,
              .secrets = std::make_shared<base::redactor>(),
              .engine = restic,
              .make_client = [this](const http::client_options& o) { return network.connect(o); },
              .agent_version = "0.1.0",
              .host_name = "web1",
              .machine_id = "machine-1",
              .process_id = 4711,
              .processes = processes,
              .programs = programs,
              .circumstances = around}
    {
        network.serve = [this](const http::client_request& r) { return server.answer(r); };
        restic.backup_result->metrics.snapshot_id = "5b57749a";
    }

    local_config enrolled_config() const
    {
        local_config c;
        c.server_url = "https://cp.example.com";
        c.tenant_id = "ten_1";
        c.device_id = "dev_1";
        c.device_api_key = "xdk_device-key-1";
        c.host = "web1";
        c.restic.repository = server.config.restic.repository;
        c.restic.password_file = env.home.password().string();
        return c;
    }
    local_config legacy_config() const
    {
        local_config c;
        c.host = "web1";
        c.include = {"/srv"};
        c.restic.repository = "/mnt/disk/repository";
        c.restic.password_file = env.home.password().string();
        c.retention = {.keep_last = 2};
        return c;
    }

    void enrol() { set_up(enrolled_config()); }
    void set_up(const local_config& c)
    {
        write(env.home.password(), "repository-password\n");
        write(env.home.config, wire::pretty_json(wire::to_json(c)));
        // What `install` leaves behind, so that a test may write into the folders.
        EXPECT_TRUE(prepare(env.files, env.home));
    }

    void write(const std::filesystem::path& p, const std::string& text)
    {
        EXPECT_TRUE(os::create_directories(env.files, p.parent_path()));
        EXPECT_TRUE(os::write_atomic(env.files, p, text));
    }
    std::string read(const std::filesystem::path& p) const
    {
        return os::read_all(env.files, p, 1U << 20U).value_or("(no file)");
    }
    bool exists(const std::filesystem::path& p) const { return env.files.info(p).has_value(); }

    std::vector<std::string> names_in(const std::filesystem::path& p) const
    {
        std::vector<std::string> out;
        static_cast<void>(env.files.list(p, [&](const os::directory_entry& e) {
            if (e.kind == os::file_kind::regular) out.push_back(e.name);
            return true;
        }));
        std::ranges::sort(out);
        return out;
    }
    std::vector<std::string> spooled() const
    {
        auto names = names_in(env.home.spool());
        std::erase_if(names, [](const std::string& name) { return !name.ends_with(".json"); }); // what a crash left
        return names;
    }
    std::vector<std::string> rejected() const { return names_in(env.home.rejected()); }

    base::result<run_result> backup() { return run_job(env, domain::job::backup, backup_work({}, {}), {}); }
    base::result<run_result> check() { return run_job(env, domain::job::check, check_work(), {}); }
    base::result<run_result> retention() { return run_job(env, domain::job::retention, retention_work(), {}); }

    std::optional<job_state> state(domain::job j = domain::job::backup) { return load_state(env.files, env.home, j); }
};

template <class T>
std::string code_of(const base::result<T>& r)
{
    return r ? "done" : std::string{base::name(r.error().code)};
}

// What a run came to: the code of its fault, "none", or "not run: ..." where it did not begin.
inline std::string fault_of(const base::result<run_result>& r)
{
    if (!r) return "not run: " + code_of(r);
    return r->fault ? std::string{base::name(r->fault->code)} : "none";
}

inline std::string message_of(const base::result<run_result>& r)
{
    return r && r->fault ? r->fault->message : "(no fault)";
}
inline std::string remedy_of(const base::result<run_result>& r)
{
    return r && r->fault ? r->fault->remedy : "(no fault)";
}

inline base::time_point time_at(std::string_view text) { return *base::parse_rfc3339(text); }

// An enrolled machine.
struct running : testing::Test {
    machine m;
    running() { m.enrol(); }

    wire::report_message last_report() const
    {
        EXPECT_FALSE(m.server.reports.empty());
        return m.server.reports.empty() ? wire::report_message{} : m.server.reports.back();
    }
};

} // namespace xentz::agent
