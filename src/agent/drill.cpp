#include "agent/drill.hpp"

#include "base/time_text.hpp"
#include "base/utf8.hpp"
#include "domain/pattern.hpp"

#include <algorithm>
#include <array>
#include <system_error>

namespace xentz::agent {
namespace {

using base::result;

constexpr std::size_t buffer_bytes = std::size_t{64} * 1024;
constexpr std::string_view replacement = "\xEF\xBF\xBD"; // what restic's listing shows for bytes that are no UTF-8

std::uint64_t seed_of(base::random_source& random)
{
    std::array<std::uint8_t, 8> bytes{};
    random.fill(bytes);
    std::uint64_t seed = 0;
    for (const auto b : bytes) seed = seed << 8U | b;
    return seed;
}

// restic has written here, past the seam to the file system, folders as the source has them: some that not even their
// owner may write to.
void make_removable(const std::filesystem::path& folder)
{
    namespace fs = std::filesystem;
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add | fs::perm_options::nofollow, ignored);
    for (fs::directory_iterator at{folder, ignored}, end; !ignored && at != end; at.increment(ignored))
        if (at->is_directory(ignored) && !at->is_symlink(ignored)) make_removable(at->path());
}

result<> clear(environment& env)
{
    if (!env.files.info(env.home.drill())) return {};
    make_removable(env.home.drill());
    return os::remove_all(env.files, env.home.drill());
}

// As much as there is, since one read may bring less.
result<std::size_t> read_fully(os::file& f, std::uint64_t offset, std::span<char> out)
{
    std::size_t got = 0;
    while (got < out.size()) {
        auto more = f.read(offset + got, out.subspan(got));
        if (!more) return base::failed(more);
        if (*more == 0) break;
        got += *more;
    }
    return got;
}

// Whether both hold the same bytes; a fault where one of them cannot be read.
result<bool> same_bytes(os::files& fs, const std::filesystem::path& a, const std::filesystem::path& b)
{
    auto first = fs.open(a);
    if (!first) return base::failed(first);
    auto second = fs.open(b);
    if (!second) return base::failed(second);
    std::vector<char> left(buffer_bytes);
    std::vector<char> right(buffer_bytes);
    for (std::uint64_t offset = 0;;) {
        auto one = read_fully(**first, offset, left);
        if (!one) return base::failed(one);
        auto other = read_fully(**second, offset, right);
        if (!other) return base::failed(other);
        if (!std::ranges::equal(std::span{left}.first(*one), std::span{right}.first(*other))) return false;
        if (*one < left.size()) return true;
        offset += *one;
    }
}

// The source as it was backed up: nothing of it, not even its owner, was changed since. Only then its bytes say
// anything about those of the snapshot.
bool is_unchanged(os::files& fs, const engine::node& n)
{
    const auto changed = base::parse_rfc3339(n.ctime);
    const auto now = fs.info(n.path);
    return changed && now && now->kind == os::file_kind::regular && now->bytes == n.size && now->changed == *changed;
}

void compare(environment& env, const engine::node& n, drill_outcome& out)
{
    const auto restored = env.home.drill() / std::filesystem::path{n.path}.relative_path();
    const auto info = env.files.info(restored);
    if (!info || info->kind != os::file_kind::regular) {
        out.differing.push_back(n.path + ": was not restored");
        return;
    }
    ++out.files;
    out.bytes += info->bytes;
    if (info->bytes != n.size) {
        out.differing.push_back(n.path + ": has " + std::to_string(info->bytes) + " bytes instead of " +
                                std::to_string(n.size));
        return;
    }
    if (!is_unchanged(env.files, n)) return;
    const auto same = same_bytes(env.files, n.path, restored);
    // A source that this user cannot read now, or that somebody wrote to meanwhile, proves nothing.
    if (!same || !is_unchanged(env.files, n)) return;
    ++out.compared;
    if (!*same) out.differing.push_back(n.path + ": its bytes are not those of the file, which was not changed since");
}

result<std::vector<engine::node>> choose(environment& env, engine::session& session, const std::string& snapshot_id,
                                         const domain::check_options& options, std::stop_token stop)
{
    file_sample sample{options.drill_files, std::uint64_t{options.drill_mib} << 20U, env.random};
    auto listed = session.list(snapshot_id, "", [&](const engine::node& n) { sample.offer(n); }, std::move(stop));
    if (!listed) return base::failed(listed);
    return std::move(sample).take();
}

} // namespace

file_sample::file_sample(std::uint64_t most_files, std::uint64_t most_bytes, base::random_source& random)
    : most_files_(most_files), most_bytes_(most_bytes), chance_(seed_of(random))
{
}

void file_sample::offer(const engine::node& n)
{
    if (n.type != "file" || n.size > most_bytes_ || most_files_ == 0) return;
    if (!base::is_utf8(n.path) || n.path.find(replacement) != std::string::npos) return;
    ++offered_;
    if (chosen_.size() < most_files_) {
        chosen_.push_back(n);
        return;
    }
    const auto place = std::uniform_int_distribution<std::uint64_t>{0, offered_ - 1}(chance_);
    if (place < most_files_) chosen_[place] = n;
}

std::vector<engine::node> file_sample::take() &&
{
    std::ranges::shuffle(chosen_, chance_);
    auto left = most_bytes_;
    std::erase_if(chosen_, [&](const engine::node& n) {
        if (n.size > left) return true;
        left -= n.size;
        return false;
    });
    return std::move(chosen_);
}

result<drill_outcome> run_drill(environment& env, engine::session& session, const std::string& snapshot_id,
                                const domain::check_options& options, std::stop_token stop)
{
    drill_outcome out;
    if (options.drill_files == 0) return out;
    if (auto ok = clear(env); !ok) return base::failed(ok);
    const auto chosen = choose(env, session, snapshot_id, options, stop);
    if (!chosen) return std::unexpected(chosen.error());
    if (chosen->empty()) return out;
    if (auto ok = os::create_directories(env.files, env.home.drill()); !ok) return base::failed(ok);
    engine::restore_request request{.snapshot_id = snapshot_id, .target = env.home.drill()};
    for (const auto& n : *chosen) request.include.push_back(domain::literal_pattern(n.path));
    const auto restored = session.restore(request, nullptr, stop);
    if (restored)
        for (const auto& n : *chosen) compare(env, n, out);
    if (const auto gone = clear(env); !gone) out.left_over = gone.error().message;
    if (!restored) return std::unexpected(restored.error());
    return out;
}

} // namespace xentz::agent
