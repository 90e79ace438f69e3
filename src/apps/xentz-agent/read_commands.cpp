#include "agent/exit_code.hpp"
#include "agent/restore.hpp"
#include "base/size_text.hpp"
#include "base/table.hpp"
#include "context.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace xentz::apps {
namespace {

struct snapshot_line {
    std::string id;
    std::string short_id;
    std::string time;
    std::string hostname;
    std::vector<std::string> paths;
    std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(snapshot_line, (), (id, short_id, time, hostname, paths, tags))

struct node_line {
    std::string path;
    std::string type;
    std::uint64_t size = 0;
    std::string mtime;
};
BOOST_DESCRIBE_STRUCT(node_line, (), (path, type, size, mtime))

int show_snapshots(agent::environment& env, bool json, std::stop_token stop)
{
    const auto all = agent::list_snapshots(env, stop);
    if (!all) return print_fault(all.error());
    if (json) {
        std::vector<snapshot_line> lines;
        for (const auto& s : *all) lines.push_back({s.id, s.short_id, s.time, s.hostname, s.paths, s.tags});
        print_json(lines);
        return agent::exit_done;
    }
    base::table table{{"SNAPSHOT", "TIME (UTC)", "PATHS"}};
    for (const auto& s : *all) {
        const auto time = base::parse_rfc3339(s.time);
        std::string paths;
        for (const auto& p : s.paths) paths += (paths.empty() ? "" : ", ") + p;
        table.add({s.short_id, time ? base::to_rfc3339(*time).substr(0, 19) : s.time, paths});
    }
    if (table.empty())
        print_line("This machine has no snapshot yet. Run `xentz-agent backup`.");
    else
        std::cout << table.text() << std::flush;
    return agent::exit_done;
}

int show_files(agent::environment& env, const std::string& snapshot, const std::string& path, bool json,
               std::stop_token stop)
{
    const auto done = agent::list_files(
        env, snapshot, path,
        [&](const engine::node& n) {
            if (json)
                print_json(node_line{n.path, n.type, n.size, n.mtime});
            else
                std::cout << printable(n.path) << (n.type == "dir" ? "/" : "") << "\n";
        },
        stop);
    std::cout << std::flush;
    return done ? agent::exit_done : print_fault(done.error());
}

} // namespace

void add_read_commands(CLI::App& app, context& c)
{
    app.add_subcommand("snapshots", "list this machine's snapshots, the newest last")->callback([&c] {
        c.action = [&c](agent::environment& env, std::stop_token stop) { return show_snapshots(env, c.json, stop); };
    });
    auto* ls = app.add_subcommand("ls", "list the files of a snapshot; with --json one object in each line");
    auto snapshot = std::make_shared<std::string>("latest");
    auto path = std::make_shared<std::string>();
    ls->add_option("SNAPSHOT", *snapshot, "an id, latest, or a day such as 2026-11-23")->type_name("")->required();
    ls->add_option("PATH", *path, "only what is below this folder")->type_name("");
    ls->callback([&c, snapshot, path] {
        c.action = [&c, snapshot, path](agent::environment& env, std::stop_token stop) {
            return show_files(env, *snapshot, *path, c.json, stop);
        };
    });
}

} // namespace xentz::apps
