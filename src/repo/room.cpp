#include "repo/room.hpp"

#include "base/size_text.hpp"

namespace xentz::repo {
namespace {

using base::fail;
using base::fault_code;

constexpr std::uint64_t pruning_allowance = std::uint64_t{16} << 20U;

struct limit {
    std::uint64_t used;
    std::uint64_t most;
    std::string_view whose;
    bool with_trash;
};

std::unexpected<base::fault> over(const limit& l)
{
    const auto whose = std::string{l.whose};
    if (!l.with_trash)
        return fail(fault_code::repository_full,
                    "The quota of " + whose + ", " + base::to_size(l.most) + ", has no room for this object",
                    "Keep fewer snapshots and prune, or ask the administrator for a larger quota");
    return fail(fault_code::repository_full,
                "What " + whose +
                    " holds and what was deleted from it lately, which the trash keeps, would be more "
                    "than " +
                    base::to_size(l.most),
                "Wait until the trash has let go of it, or ask the administrator to empty the trash");
}

} // namespace

base::result<> fits(const room& r, object_type type, std::uint64_t bytes)
{
    const bool for_pruning = type == object_type::locks || type == object_type::index;
    const auto more = for_pruning ? pruning_allowance : 0;
    const auto own = r.live + r.reserved + bytes;
    const auto tenants = r.tenant_live + r.tenant_reserved + bytes;
    if (r.quota)
        for (const auto& l : {limit{own, *r.quota, "the repository", false},
                              limit{own + r.trash, *r.quota * r.trash_factor, "the repository", true}})
            if (l.used > l.most + more) return over(l);
    if (r.tenant_quota)
        for (const auto& l : {limit{tenants, *r.tenant_quota, "the tenant", false},
                              limit{tenants + r.tenant_trash, *r.tenant_quota * r.trash_factor, "the tenant", true}})
            if (l.used > l.most + more) return over(l);
    return {};
}

} // namespace xentz::repo
