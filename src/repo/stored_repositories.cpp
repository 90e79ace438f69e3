#include "repo/stored_repositories.hpp"

#include "repo/disk_layout.hpp"
#include "repo/storage_identity.hpp"

#include <algorithm>

namespace xentz::repo {

base::result<std::vector<std::string>> stored_repositories(os::files& fs, const std::filesystem::path& root,
                                                           std::string_view storage_id)
{
    if (auto ok = check_storage(fs, root, storage_id); !ok) return base::failed(ok);
    std::vector<std::string> out;
    auto listed = fs.list(disk_layout{root}.repositories(), [&](const os::directory_entry& e) {
        if (e.kind == os::file_kind::directory) out.push_back(e.name);
        return true;
    });
    // A storage that nothing was ever written to.
    if (!listed && listed.error().code != base::fault_code::not_found) return base::failed(listed);
    std::ranges::sort(out);
    return out;
}

} // namespace xentz::repo
