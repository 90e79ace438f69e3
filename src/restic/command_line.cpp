#include "restic/command_line.hpp"

namespace xentz::restic {
namespace {

void add(arguments& to, std::initializer_list<std::string> more) { to.insert(to.end(), more); }

arguments command(const invocation& i, std::string name)
{
    arguments a{std::move(name)};
    if (i.options.limit_upload_kib) add(a, {"--limit-upload", std::to_string(*i.options.limit_upload_kib)});
    if (i.options.limit_download_kib) add(a, {"--limit-download", std::to_string(*i.options.limit_download_kib)});
    if (i.options.pack_size_mib) add(a, {"--pack-size", std::to_string(*i.options.pack_size_mib)});
    // RESTIC_CACERT is not read by 0.14.
    if (i.ca_file) add(a, {"--cacert", i.ca_file->string()});
    return a;
}

arguments json_command(const invocation& i, std::string name)
{
    auto a = command(i, std::move(name));
    add(a, {"--json"});
    return a;
}

void add_scope(arguments& to, const engine::scope& s) { add(to, {"--host", s.host, "--tag", s.tag}); }

bool knows_read_concurrency(const invocation& i) { return i.version >= first_with_read_concurrency; }

void add_backup_options(arguments& to, const invocation& i)
{
    const auto& o = i.options;
    for (const auto& tag : o.tags.value_or(std::vector<std::string>{})) add(to, {"--tag=" + tag});
    if (o.compression) add(to, {"--compression", *o.compression});
    if (o.read_concurrency && knows_read_concurrency(i))
        add(to, {"--read-concurrency", std::to_string(*o.read_concurrency)});
    if (o.exclude_caches.value_or(false)) add(to, {"--exclude-caches"});
    if (o.one_file_system.value_or(false)) add(to, {"--one-file-system"});
    for (const auto& file : o.exclude_files.value_or(std::vector<std::string>{})) add(to, {"--exclude-file=" + file});
}

void add_keep(arguments& to, const std::string& flag, std::uint32_t count)
{
    if (count > 0) add(to, {flag, std::to_string(count)});
}

} // namespace

std::vector<std::string> unsupported_options(const invocation& i)
{
    std::vector<std::string> names;
    if (i.options.read_concurrency && !knows_read_concurrency(i)) names.emplace_back("restic.read_concurrency");
    return names;
}

arguments version_arguments() { return {"version"}; }

arguments init_arguments(const invocation& i) { return json_command(i, "init"); }

arguments backup_arguments(const invocation& i, const engine::backup_request& r)
{
    auto a = json_command(i, "backup");
    // Caches of repositories that were not used for 30 days; otherwise nobody ever removes them.
    add(a, {"--cleanup-cache"});
    add_scope(a, r.scope);
    add_backup_options(a, i);
    for (const auto& tag : r.tags) add(a, {"--tag=" + tag});
    if (r.stream) {
        add(a, {"--stdin", "--stdin-filename", r.stream->file_name});
        return a;
    }
    for (const auto& pattern : r.exclude) add(a, {"--exclude=" + pattern});
    add(a, {"--"});
    a.insert(a.end(), r.include.begin(), r.include.end());
    return a;
}

arguments snapshots_arguments(const invocation& i, const std::optional<engine::scope>& s)
{
    auto a = json_command(i, "snapshots");
    if (s) add_scope(a, *s);
    return a;
}

arguments latest_arguments(const invocation& i, const std::optional<engine::scope>& s)
{
    auto a = snapshots_arguments(i, s);
    add(a, {"--latest", "1"});
    return a;
}

arguments list_arguments(const invocation& i, const std::string& snapshot_id, const std::string& path)
{
    auto a = json_command(i, "ls");
    add(a, {"--", snapshot_id});
    if (!path.empty()) add(a, {path});
    return a;
}

arguments forget_arguments(const invocation& i, const domain::retention& r, const engine::scope& s, bool dry_run)
{
    auto a = json_command(i, "forget");
    add_scope(a, s);
    // The default groups by paths as well: a changed include list would start a new group and keep its own set.
    add(a, {"--group-by", "host,tags"});
    add_keep(a, "--keep-last", r.keep_last);
    add_keep(a, "--keep-daily", r.keep_daily);
    add_keep(a, "--keep-weekly", r.keep_weekly);
    add_keep(a, "--keep-monthly", r.keep_monthly);
    add_keep(a, "--keep-yearly", r.keep_yearly);
    if (r.keep_within && !r.keep_within->empty()) add(a, {"--keep-within", *r.keep_within});
    if (dry_run) add(a, {"--dry-run"});
    return a;
}

arguments prune_arguments(const invocation& i) { return command(i, "prune"); }

arguments restore_arguments(const invocation& i, const engine::restore_request& r)
{
    auto a = i.version >= first_with_restore_json ? json_command(i, "restore") : command(i, "restore");
    if (i.version >= first_with_sparse_restore) add(a, {"--sparse"});
    add(a, {"--target", r.target.string()});
    for (const auto& pattern : r.include) add(a, {"--include=" + pattern});
    add(a, {"--", r.snapshot_id});
    return a;
}

arguments check_arguments(const invocation& i, const engine::data_part& part)
{
    auto a = i.version >= first_with_check_json ? json_command(i, "check") : command(i, "check");
    if (part.of == 1)
        add(a, {"--read-data"});
    else if (part.of > 1)
        add(a, {"--read-data-subset=" + std::to_string(part.number) + "/" + std::to_string(part.of)});
    return a;
}

arguments unlock_arguments(const invocation& i) { return command(i, "unlock"); }

arguments key_list_arguments(const invocation& i)
{
    auto a = json_command(i, "key");
    add(a, {"list"});
    return a;
}

arguments key_add_arguments(const invocation& i, const std::filesystem::path& new_password_file)
{
    auto a = command(i, "key");
    add(a, {"add", "--new-password-file", new_password_file.string()});
    return a;
}

arguments key_remove_arguments(const invocation& i, const std::string& id)
{
    auto a = command(i, "key");
    add(a, {"remove", "--", id});
    return a;
}

arguments repository_config_arguments(const invocation& i)
{
    auto a = command(i, "cat");
    add(a, {"--no-lock", "config"});
    return a;
}

arguments lock_list_arguments(const invocation& i)
{
    auto a = command(i, "list");
    add(a, {"--no-lock", "locks"});
    return a;
}

arguments lock_arguments(const invocation& i, const std::string& id)
{
    auto a = command(i, "cat");
    add(a, {"--no-lock", "lock", id});
    return a;
}

} // namespace xentz::restic
