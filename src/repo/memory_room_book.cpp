#include "repo/memory_room_book.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace xentz::repo {
namespace {

// For a refusal to be exact, those who are about to store are waited for; a disk that hangs must not hang the others.
constexpr auto most_patience = std::chrono::seconds{10};

std::uint64_t pending_in(const std::map<std::string, std::uint64_t>& in, const std::string& whose)
{
    const auto at = in.find(whose);
    return at == in.end() ? std::uint64_t{0} : at->second;
}

} // namespace

class memory_room_book::entry final : public reservation {
public:
    entry(memory_room_book& book, std::string repository, std::string tenant, std::uint64_t bytes)
        : book_(book), repository_(std::move(repository)), tenant_(std::move(tenant)), bytes_(bytes)
    {
    }
    ~entry() override
    {
        const std::lock_guard guard{book_.mutex_};
        give_back(book_.of_repository_, repository_);
        give_back(book_.of_tenant_, tenant_);
        if (settling_) --book_.settling_;
        book_.settled_.notify_all();
    }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    base::result<> settle() override
    {
        const std::lock_guard guard{book_.mutex_};
        if (!settling_) ++book_.settling_;
        settling_ = true;
        return {};
    }

private:
    void give_back(std::map<std::string, std::uint64_t>& from, const std::string& whose) const
    {
        const auto at = from.find(whose);
        at->second -= bytes_;
        if (at->second == 0) from.erase(at);
    }

    memory_room_book& book_;
    std::string repository_;
    std::string tenant_;
    std::uint64_t bytes_;
    bool settling_ = false;
};

base::result<std::unique_ptr<reservation>> memory_room_book::reserve(const object_key& key, std::uint64_t bytes)
try {
    const auto deadline = std::chrono::steady_clock::now() + most_patience;
    std::unique_lock lock{mutex_};
    for (;;) {
        // Under the lock, and the journal after the reservations: what moves from one to the other meanwhile is counted
        // twice and never missed.
        auto r = counted_.room_of(key.repository_id);
        r.reserved = pending_in(of_repository_, key.repository_id);
        r.tenant_reserved = pending_in(of_tenant_, r.tenant);
        auto fitting = fits(r, key.type, bytes);
        if (fitting) {
            of_repository_[key.repository_id] += bytes;
            of_tenant_[r.tenant] += bytes;
            return std::make_unique<entry>(*this, key.repository_id, r.tenant, bytes);
        }
        if (settling_ == 0 || settled_.wait_until(lock, deadline) == std::cv_status::timeout)
            return base::failed(fitting);
    }
} catch (const std::exception& e) {
    return base::fail(base::fault_code::repository_unavailable, std::string{"the quota cannot be read: "} + e.what());
}

} // namespace xentz::repo
