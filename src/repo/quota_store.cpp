#include "repo/quota_store.hpp"

#include "base/size_text.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace xentz::repo {
namespace {

using base::fail;
using base::failed;
using base::fault_code;

// For a refusal to be exact, those who are about to store are waited for; a disk that hangs must not hang the others.
constexpr auto most_patience = std::chrono::seconds{10};

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

// Room that is spoken for.
class quota_store::reservation {
public:
    reservation(quota_store& store, std::string repository, std::string tenant, std::uint64_t bytes)
        : store_(store), repository_(std::move(repository)), tenant_(std::move(tenant)), bytes_(bytes)
    {
    }
    ~reservation()
    {
        const std::lock_guard guard{store_.mutex_};
        auto& r = store_.reserved_;
        give_back(r.of_repository, repository_);
        give_back(r.of_tenant, tenant_);
        r.whole -= bytes_;
        if (settling_) --store_.settling_;
        store_.settled_.notify_all();
    }
    reservation(const reservation&) = delete;
    reservation& operator=(const reservation&) = delete;

    void settle()
    {
        const std::lock_guard guard{store_.mutex_};
        if (!settling_) ++store_.settling_;
        settling_ = true;
    }

private:
    void give_back(std::map<std::string, std::uint64_t>& from, const std::string& whose) const
    {
        const auto at = from.find(whose);
        at->second -= bytes_;
        if (at->second == 0) from.erase(at);
    }

    quota_store& store_;
    std::string repository_;
    std::string tenant_;
    std::uint64_t bytes_;
    bool settling_ = false;
};

class quota_store::upload final : public incoming {
public:
    upload(std::unique_ptr<reservation> r, std::uint64_t most) : reserved_(std::move(r)), left_(most) {}

    base::result<> begin(blob_store& inner, const object_key& key, std::uint64_t most)
    {
        auto in = inner.receive(key, most);
        if (!in) return failed(in);
        inner_ = std::move(*in);
        return {};
    }

    base::result<> write(std::span<const char> bytes) override
    {
        if (bytes.size() > left_) return fail(fault_code::invalid_value, "more bytes arrived than were announced");
        left_ -= bytes.size();
        return inner_->write(bytes);
    }

    base::result<> commit() override
    {
        if (reserved_) reserved_->settle();
        auto done = inner_->commit();
        reserved_.reset();
        return done;
    }

private:
    std::unique_ptr<reservation> reserved_;
    std::unique_ptr<incoming> inner_;
    std::uint64_t left_;
};

base::result<std::unique_ptr<incoming>> quota_store::receive(const object_key& key, std::uint64_t most)
{
    std::unique_ptr<reservation> reserved;
    if (const auto present = inner_.size(key); !present || *present != most) {
        auto room = reserve(key, most);
        if (!room) return failed(room);
        reserved = std::move(*room);
    }
    auto out = std::make_unique<upload>(std::move(reserved), most);
    if (auto ok = out->begin(inner_, key, most); !ok) return failed(ok);
    return out;
}

base::result<std::unique_ptr<quota_store::reservation>> quota_store::reserve(const object_key& key, std::uint64_t bytes)
try {
    const auto deadline = std::chrono::steady_clock::now() + most_patience;
    std::unique_lock lock{mutex_};
    for (;;) {
        // Under the lock, and the book after the reservations: what moves from one to the other meanwhile is counted
        // twice and never missed.
        const auto r = book_.room_of(key.repository_id);
        auto fitting = fits(r, key, bytes);
        if (fitting) fitting = above_floor(bytes);
        if (fitting) {
            reserved_.of_repository[key.repository_id] += bytes;
            reserved_.of_tenant[r.tenant] += bytes;
            reserved_.whole += bytes;
            return std::make_unique<reservation>(*this, key.repository_id, r.tenant, bytes);
        }
        if (settling_ == 0 || settled_.wait_until(lock, deadline) == std::cv_status::timeout) return failed(fitting);
    }
} catch (const std::exception& e) {
    return fail(fault_code::repository_unavailable, std::string{"the quota cannot be read: "} + e.what());
}

base::result<> quota_store::fits(const room& r, const object_key& key, std::uint64_t bytes)
{
    const bool for_pruning = key.type == object_type::locks || key.type == object_type::index;
    const auto more = for_pruning ? pruning_allowance : 0;
    const auto pending_in = [](const std::map<std::string, std::uint64_t>& in, const std::string& whose) {
        const auto at = in.find(whose);
        return at == in.end() ? std::uint64_t{0} : at->second;
    };
    const auto own = pending_in(reserved_.of_repository, key.repository_id) + bytes;
    const auto tenants = pending_in(reserved_.of_tenant, r.tenant) + bytes;
    if (r.quota)
        for (const auto& l : {limit{r.live + own, *r.quota, "the repository", false},
                              limit{r.live + r.trash + own, *r.quota * r.trash_factor, "the repository", true}})
            if (l.used > l.most + more) return over(l);
    if (r.tenant_quota)
        for (const auto& l :
             {limit{r.tenant_live + tenants, *r.tenant_quota, "the tenant", false},
              limit{r.tenant_live + r.tenant_trash + tenants, *r.tenant_quota * r.trash_factor, "the tenant", true}})
            if (l.used > l.most + more) return over(l);
    return {};
}

base::result<> quota_store::above_floor(std::uint64_t bytes)
{
    const auto free = floor_.free ? floor_.free() : std::nullopt;
    if (!free || floor_.bytes + reserved_.whole + bytes <= *free) return {};
    return fail(fault_code::disk_full,
                "the disk of the storage has less than " + base::to_size(floor_.bytes) + " left besides this object");
}

} // namespace xentz::repo
