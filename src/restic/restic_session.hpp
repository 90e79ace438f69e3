// One repository, spoken to through restic: builds the command line, runs it, reads what it prints.
//
// Threads and errors: as restic/restic_engine.hpp says.
#pragma once

#include "restic/command_line.hpp"
#include "restic/environment.hpp"
#include "restic/failure_rules.hpp"
#include "restic/repository_file.hpp"
#include "restic/restic_program.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace xentz::restic {

class restic_session final : public engine::session {
public:
    restic_session(std::shared_ptr<restic_program> program, engine::repository repository);

    base::result<> init(std::stop_token stop) override;
    base::result<engine::backup_outcome>
    backup(const engine::backup_request& r, const engine::progress_sink& on_progress, std::stop_token stop) override;
    base::result<std::vector<engine::snapshot>> snapshots(const std::optional<engine::scope>& s,
                                                          std::stop_token stop) override;
    base::result<std::optional<engine::snapshot>> latest(const std::optional<engine::scope>& s,
                                                         std::stop_token stop) override;
    base::result<> list(const std::string& snapshot_id, const std::string& path,
                        const std::function<void(const engine::node&)>& each, std::stop_token stop) override;
    base::result<engine::retention_outcome> apply(const domain::retention& r, const engine::scope& s, bool dry_run,
                                                  std::stop_token stop) override;
    // Up to restic 0.15 the files are counted on disk: what changed below the target during the run, folders and
    // links too, as newer versions count. Holes are made by restic since 0.15, before by us.
    base::result<engine::restore_outcome>
    restore(const engine::restore_request& r, const engine::progress_sink& on_progress, std::stop_token stop) override;
    base::result<> check(const engine::data_part& part, std::stop_token stop) override;
    base::result<> unlock(std::stop_token stop) override;
    base::result<std::string> repository_id(std::stop_token stop) override;
    base::result<std::vector<engine::lock>> locks(std::stop_token stop) override;
    base::result<std::vector<engine::key>> keys(std::stop_token stop) override;
    base::result<> add_key(const std::filesystem::path& new_password_file, std::stop_token stop) override;
    base::result<> remove_key(const std::string& id, std::stop_token stop) override;
    std::vector<std::string> unsupported() const override;

private:
    struct ended {
        operation op;
        os::process_end how;
        std::deque<std::string> errors;
        file_instant began;
        std::optional<finding> given_up; // why we interrupted it ourselves

        // Also where it was interrupted too late to matter.
        bool with(int code) const { return how.signal == 0 && how.exit_code == code; }
    };
    // True where the line was understood and tells nothing about a failure.
    using line_filter = std::function<bool(std::string_view)>;
    static bool nothing_known(std::string_view) { return false; }
    static void unread(std::string_view) {}

    base::result<invocation> prepare(std::stop_token stop);
    base::result<ended> run(operation op, arguments args, const os::process_limits& limits, const os::line_sink& out,
                            const line_filter& err, std::stop_token stop,
                            const std::optional<engine::stream_source>& stream = std::nullopt);
    base::result<> change_keys(const arguments& args, std::stop_token stop);
    base::result<std::string> read_text(operation op, const arguments& args, std::stop_token stop);
    base::result<std::vector<engine::snapshot>> read_snapshots(const arguments& args, std::stop_token stop);
    base::result<engine::retention_outcome> forget(const arguments& args, std::stop_token stop);
    base::result<std::optional<std::uint64_t>> prune(const arguments& args, std::stop_token stop);
    os::command command(arguments args, const repository_file& address,
                        const std::optional<engine::stream_source>& stream) const;
    std::unexpected<base::fault> failure(const ended& e) const;
    std::string clean(std::string_view text) const;
    os::process_limits limits() const;
    os::process_limits limits_for(const engine::backup_request& r) const;
    os::process_limits limits_for_lists() const;

    std::shared_ptr<restic_program> program_;
    engine::repository repository_;
    std::shared_ptr<base::redactor> own_secrets_;
    std::optional<version> version_;
};

} // namespace xentz::restic
