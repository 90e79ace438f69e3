// What the commands below `repo` stand on: the installation, its storage, and the repository that --device names. The
// storage is not claimed: a server may serve it at the same time.
#pragma once

#include "context.hpp"
#include "control/repository_views.hpp"
#include "installation.hpp"
#include "object_key.hpp"
#include "routed_storage.hpp"

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace xentz::apps {

struct repo_options {
    std::string device;
    std::string tenant;
    std::string before;
    std::string reason;
    std::string older_than;
    std::string duration = "1h";
    std::string kind = "read-only";
    std::string credential; // an id
    std::string from;
    std::string to;
    std::string storage; // an id
    bool copy = false;
    std::int64_t release = 0;
    bool exact = false;
    bool keys = false;
    bool dry_run = false;
    bool with_trash = false;
    bool show = false;
    bool end = false;
    std::string public_url;
};

struct repo_context {
    context& c;
    installation home;
    std::unique_ptr<storages> places;
    std::unique_ptr<repo::storage> blobs; // all of them
    control::administrator admin;
    store::object_journal objects;
    store::repository repository; // of --device, where it was given

    static base::result<std::unique_ptr<repo_context>> open(context& c, const repo_options& o);
};

using repo_work = base::result<> (*)(repo_context&, const repo_options&);

// Runs `work` when the command is called.
void on_repo_call(CLI::App* command, context& c, const std::shared_ptr<repo_options>& o, repo_work work);

// Each adds its commands below `repo`.
void add_undelete_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);
void add_trash_commands(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);      // trash, hold
void add_credential_commands(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o); // maintain, too
void add_adopt_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);
void add_move_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);
void add_scrub_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);
void add_verify_command(CLI::App& repo, context& c, const std::shared_ptr<repo_options>& o);

} // namespace xentz::apps
