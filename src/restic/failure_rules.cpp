#include "restic/failure_rules.hpp"

#include <algorithm>
#include <array>
#include <ranges>

namespace xentz::restic {
namespace {

using enum base::fault_code;

struct rule {
    base::fault_code code;
    std::string_view text;
    std::string_view also = {};                   // stands in the same line
    std::optional<operation> only = std::nullopt; // where the text means this in one operation alone
};

// In order: the first rule that any line fulfils decides.
constexpr auto rules = std::to_array<rule>({
    {wrong_password, "wrong password or no key found"},
    {repository_locked, "repository is already locked"},
    {repository_exists, "config file already exists"},
    {repository_exists, "already initialized"},
    {password_missing, "an empty password is not"},
    {password_missing, "Resolving password failed"},
    {config_invalid, "parsing repository location failed"},
    {config_invalid, "unable to read root certificate"},
    {config_invalid, "failed to read patterns from file"},
    {snapshot_missing, "no matching ID found for prefix"},
    {snapshot_missing, "no snapshot found"},
    {source_missing, "target directories/files do not exist"},
    {source_missing, "source directories/files do not exist"},
    {source_missing, "snapshot is empty"}, // restic 0.14, of a stream without a byte
    {out_of_memory, "out of memory"},
    {out_of_memory, "cannot allocate memory"},
    {out_of_memory, "pthread_create failed"},
    {disk_full, "no space left on device", "restic-temp-"},
    {disk_full, "no space left on device", {}, operation::restore},
    {disk_full, "disk quota exceeded", {}, operation::restore},
    {repository_full, "no space left on device"},
    {repository_full, "disk quota exceeded"},
    {repository_full, "507 Insufficient Storage"},
    {repository_full, "(507)"},
    {repository_append_only, "403", "Remove(<snapshot/"},
    {repository_append_only, "403", "Remove(<data/"},
    {repository_append_only, "403", "Remove(<index/"},
    {repository_append_only, "blob not removed, server response: 403"},
    {repository_refused, "401 Unauthorized"},
    {repository_refused, "(401)"},
    {repository_refused, "403 Forbidden"},
    {repository_refused, "(403)"},
    {repository_unavailable, "(429)"},
    {repository_unavailable, "(500)"},
    {repository_unavailable, "(502)"},
    {repository_unavailable, "(503)"},
    {repository_unavailable, "(504)"},
    {tls_failed, "x509: "},
    {tls_failed, "tls: "},
    {tls_failed, "server gave HTTP response to HTTPS client"},
    {repository_unreachable, "connection refused"},
    {repository_unreachable, "connection reset by peer"},
    {repository_unreachable, "connection timed out"},
    {repository_unreachable, "no such host"},
    {repository_unreachable, "no route to host"},
    {repository_unreachable, "network is unreachable"},
    {repository_unreachable, "name resolution"},
    {repository_unreachable, "server misbehaving"},
    {repository_unreachable, "i/o timeout"},
    {repository_unreachable, "handshake timeout"},
    {repository_unreachable, "context deadline exceeded"},
    {repository_unreachable, "Client.Timeout exceeded"},
    {repository_unreachable, "broken pipe", "tcp"},
    {repository_unreachable, "EOF", "http"},
    {repository_unreachable, "dial tcp"},
    {repository_missing, "<config/> does not exist"},
    {repository_missing, "repository does not exist"},
    {repository_missing, "no such file or directory", "unable to open config file"},
    {repository_missing, "(404)", "unable to open config file"},
    {repository_missing, "(404)", "create repository at"},
    {repository_refused, "permission denied", "config file"},
    {repository_refused, "permission denied", "create repository at"},
    {repository_refused, "permission denied", "create lock"},
    {repository_refused, "permission denied", "unable to save"},
    {repository_refused, "read-only file system", "create repository at"},
    {repository_refused, "read-only file system", "create lock"},
    {repository_damaged, "ciphertext verification failed"},
    {repository_damaged, "invalid data returned"},
    {repository_damaged, "Pack ID does not match"},
    {repository_damaged, "not found in repository"},
    {repository_damaged, "does not exist", "pack "},
    {repository_damaged, "does not exist", "<data/"},
    {repository_damaged, "does not exist", "<index/"},
    {repository_damaged, "does not exist", "<snapshot/"},
    {repository_damaged, "seems to be missing"},
    {repository_damaged, "index is not complete"},
    {repository_damaged, "repository contains errors"},
    {repository_damaged, "LoadIndex returned errors"}, // restic 0.14
    {file_failed, "cannot create target directory"},
    {restore_incomplete, "ignoring error for", {}, operation::restore},
    {restore_incomplete, "permission denied", {}, operation::restore},
    {restore_incomplete, "operation not permitted", {}, operation::restore},
    {restore_incomplete, "There were", "errors", operation::restore},
});

bool fulfils(const rule& r, operation op, std::string_view line)
{
    if (r.only && *r.only != op) return false;
    return line.find(r.text) != std::string_view::npos && line.find(r.also) != std::string_view::npos;
}

bool is_repeated(std::string_view line) { return line.find("returned error, retrying") != std::string_view::npos; }

struct explained {
    base::fault_code code;
    explanation text;
};

constexpr auto explanations = std::to_array<explained>({
    {wrong_password,
     {"the repository does not open with this password", "Put back the password that the repository was made with"}},
    {repository_locked,
     {"the repository is locked", "Wait until the other run has ended; if it is dead, run `restic unlock` on the "
                                  "repository"}},
    {repository_exists,
     {"there is a repository at this address already", "Use that one with its password, or choose another address"}},
    {password_missing,
     {"the repository's password cannot be read", "Check that the password file exists, is readable and is not empty"}},
    {config_invalid,
     {"the repository's address, its CA file or a file of patterns cannot be used",
      "Correct the repository's address, the CA file and the exclude files in the configuration"}},
    {snapshot_missing, {"the repository has no such snapshot", "List the snapshots and choose one of them"}},
    {source_missing, {"none of the folders to back up exists", "Correct the list of folders to include"}},
    {out_of_memory,
     {"restic ran out of memory", "Give the machine more memory or swap, or run it while less else runs"}},
    {disk_full, {"a disk of this machine is full", "Free space in the target and in the folder for temporary files"}},
    {repository_full,
     {"the repository has no space left", "Have its quota or disk enlarged, or keep fewer snapshots and prune"}},
    {repository_append_only,
     {"this machine may add to the repository but not remove from it", "Let an administrator thin it out on the "
                                                                       "server, or allow this machine to remove"}},
    {repository_refused,
     {"access to the repository was refused", "Check the credentials, and whether the repository is append-only"}},
    {repository_unavailable,
     {"the server cannot serve the repository now", "Try again later; if it stays so, see the server's log"}},
    {tls_failed,
     {"no trusted connection to the repository's server could be made", "Check the server's certificate and the CA "
                                                                        "file of this machine"}},
    {repository_unreachable,
     {"the repository cannot be reached", "Check the network, the repository's address and that its server runs"}},
    {repository_missing,
     {"there is no repository at this address", "Check the address; where the repository is new, create it first"}},
    {repository_damaged,
     {"the repository is damaged", "Leave the repository as it is, check it with all its data, and repair it as "
                                   "restic's troubleshooting guide says before the next prune"}},
    {file_failed, {"the target cannot be written", "Choose a target folder that can be written"}},
    {restore_incomplete,
     {"not everything could be restored", "Check the owner, the permissions and the free space of the target, then "
                                          "restore again"}},
    {restic_killed, {"restic was killed", "Run it again"}},
    {restic_crashed, {"restic crashed", "Run it again; if it crashes again, install a newer restic"}},
    {timed_out, {"restic did not end in the time allowed", "Run it again; if it needs longer every time, allow more"}},
    {interrupted, {"it was interrupted", "Run it again"}},
    {restic_failed, {"restic gave up", "Run it again; if it fails again, act on what restic says"}},
});

} // namespace

std::optional<finding> find_cause(operation op, const std::deque<std::string>& lines, bool repeated)
{
    for (const auto& r : rules) {
        for (const auto& line : std::views::reverse(lines)) {
            if (is_repeated(line) == repeated && fulfils(r, op, line)) return finding{r.code, line};
        }
    }
    return std::nullopt;
}

explanation explain(base::fault_code code)
{
    const auto* at = std::ranges::find(explanations, code, &explained::code);
    return at == explanations.end() ? explain(restic_failed) : at->text;
}

} // namespace xentz::restic
