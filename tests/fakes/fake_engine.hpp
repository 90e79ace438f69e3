// A backup engine without a repository: each call answers what the test wrote into it and is noted by name.
// Threads: one thread at a time.
#pragma once

#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace xentz::fakes {

class fake_engine final : public engine::backup_engine {
public:
    // What the sessions answer.
    base::result<> init_result;
    base::result<engine::backup_outcome> backup_result = good_backup();
    base::result<std::vector<engine::snapshot>> snapshots_result = std::vector<engine::snapshot>{};
    base::result<std::vector<engine::snapshot>> dumps_result = std::vector<engine::snapshot>{}; // of other tags
    base::result<std::optional<engine::snapshot>> latest_result = std::optional<engine::snapshot>{};
    base::result<std::vector<engine::node>> list_result = std::vector<engine::node>{};
    base::result<engine::retention_outcome> apply_result = engine::retention_outcome{.kept = 3, .removed = 1};
    base::result<engine::restore_outcome> restore_result = engine::restore_outcome{.files = 2, .bytes = 42};
    base::result<> unlock_result;
    base::result<> check_result;
    base::result<std::string> repository_id_result = std::string(64, 'a');
    base::result<std::vector<engine::lock>> locks_result = std::vector<engine::lock>{};
    base::result<std::vector<engine::key>> keys_result =
        std::vector<engine::key>{{.id = "old", .current = true, .host = {}}};
    base::result<> add_key_result;
    base::result<> remove_key_result;
    base::result<std::string> version_result = std::string{"0.18.0"};

    // Called with the name of each call before it answers, for a look at the machine in the middle of a run.
    std::function<void(std::string_view)> on_call;
    // Instead of keys_result: what the repository says to whoever opens it so.
    std::function<base::result<std::vector<engine::key>>(const engine::repository&)> on_keys;
    // Instead of backup_result.
    std::function<base::result<engine::backup_outcome>(const engine::backup_request&, std::stop_token)> on_backup;
    // Puts the files there that a restore brings.
    std::function<void(const engine::restore_request&)> on_restore;

    // What was asked.
    std::vector<std::string> calls;
    std::vector<engine::repository> opened;
    std::vector<engine::backup_request> backups;
    std::vector<domain::retention> retentions;
    std::vector<engine::restore_request> restores;
    std::vector<engine::data_part> checked;
    std::vector<std::string> listed;
    std::vector<engine::scope> scopes;
    std::vector<std::filesystem::path> added_keys; // the files of their passwords
    std::vector<std::string> removed_keys;

    static engine::backup_outcome good_backup()
    {
        engine::backup_outcome o;
        o.metrics.files_total = 2;
        o.metrics.bytes_total = 12712;
        o.metrics.data_added_bytes = 15528;
        o.metrics.snapshot_id = std::string(64, '5');
        return o;
    }

    bool called(std::string_view name) const { return std::ranges::find(calls, name) != calls.end(); }

    std::string_view name() const override { return "fake"; }
    base::result<std::string> version() override { return version_result; }
    base::result<std::unique_ptr<engine::session>> open(const engine::repository& r) override
    {
        opened.push_back(r);
        return std::make_unique<fake_session>(*this);
    }

private:
    void note(std::string_view call)
    {
        calls.emplace_back(call);
        if (on_call) on_call(call);
    }

    class fake_session final : public engine::session {
    public:
        explicit fake_session(fake_engine& e) : e_(e) {}

        base::result<> init(std::stop_token) override
        {
            e_.note("init");
            return e_.init_result;
        }
        base::result<engine::backup_outcome> backup(const engine::backup_request& r, const engine::progress_sink& sink,
                                                    std::stop_token stop) override
        {
            e_.note("backup");
            e_.backups.push_back(r);
            if (sink) sink({.fraction = 1});
            if (e_.on_backup) return e_.on_backup(r, stop);
            return e_.backup_result;
        }
        base::result<std::vector<engine::snapshot>> snapshots(const std::optional<engine::scope>& s,
                                                              std::stop_token) override
        {
            e_.note("snapshots");
            if (s) e_.scopes.push_back(*s);
            return s && s->tag != "xentz" ? e_.dumps_result : e_.snapshots_result;
        }
        base::result<std::optional<engine::snapshot>> latest(const std::optional<engine::scope>&,
                                                             std::stop_token) override
        {
            e_.note("latest");
            return e_.latest_result;
        }
        base::result<> list(const std::string& id, const std::string&,
                            const std::function<void(const engine::node&)>& each, std::stop_token) override
        {
            e_.note("list");
            e_.listed.push_back(id);
            if (!e_.list_result) return std::unexpected(e_.list_result.error());
            for (const auto& n : *e_.list_result) each(n);
            return {};
        }
        base::result<engine::retention_outcome> apply(const domain::retention& r, const engine::scope& s, bool dry_run,
                                                      std::stop_token) override
        {
            e_.note(dry_run ? "preview" : "apply");
            e_.retentions.push_back(r);
            e_.scopes.push_back(s);
            return e_.apply_result;
        }
        base::result<engine::restore_outcome> restore(const engine::restore_request& r, const engine::progress_sink&,
                                                      std::stop_token) override
        {
            e_.note("restore");
            e_.restores.push_back(r);
            if (e_.on_restore) e_.on_restore(r);
            return e_.restore_result;
        }
        base::result<> check(const engine::data_part& part, std::stop_token) override
        {
            e_.note("check");
            e_.checked.push_back(part);
            return e_.check_result;
        }
        base::result<std::string> repository_id(std::stop_token) override
        {
            e_.note("repository_id");
            return e_.repository_id_result;
        }
        base::result<std::vector<engine::lock>> locks(std::stop_token) override
        {
            e_.note("locks");
            return e_.locks_result;
        }
        base::result<> unlock(std::stop_token) override
        {
            e_.note("unlock");
            return e_.unlock_result;
        }
        base::result<std::vector<engine::key>> keys(std::stop_token) override
        {
            e_.note("keys");
            return e_.on_keys ? e_.on_keys(e_.opened.back()) : e_.keys_result;
        }
        base::result<> add_key(const std::filesystem::path& file, std::stop_token) override
        {
            e_.note("add_key");
            if (e_.add_key_result) e_.added_keys.push_back(file);
            return e_.add_key_result;
        }
        base::result<> remove_key(const std::string& id, std::stop_token) override
        {
            e_.note("remove_key");
            if (e_.remove_key_result) e_.removed_keys.push_back(id);
            return e_.remove_key_result;
        }

    private:
        fake_engine& e_;
    };
};

} // namespace xentz::fakes
