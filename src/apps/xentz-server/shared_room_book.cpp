#include "shared_room_book.hpp"

#include "base/id.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace xentz::apps {
namespace {

std::uint64_t unsigned_of(std::int64_t n) { return n < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(n); }

std::optional<std::uint64_t> unsigned_of(const std::optional<std::int64_t>& n)
{
    return n ? std::optional{unsigned_of(*n)} : std::optional<std::uint64_t>{};
}

base::result<> reserve_row(store::upload_reservations& rows, const store::upload_reservation& row,
                           repo::object_type type)
try {
    base::result<> fitting;
    const auto fits = [&](const store::room& r) {
        fitting = repo::fits(to_room(r), type, unsigned_of(row.bytes));
        return fitting.has_value();
    };
    rows.reserve(row, fits);
    return fitting;
} catch (const std::exception& e) {
    return base::fail(base::fault_code::repository_unavailable, std::string{"the quota cannot be read: "} + e.what());
}

} // namespace

repo::room to_room(const store::room& r)
{
    return {.tenant = r.tenant.text,
            .live = unsigned_of(r.live_bytes),
            .trash = unsigned_of(r.trash_bytes),
            .reserved = unsigned_of(r.reserved_bytes),
            .tenant_live = unsigned_of(r.tenant_live_bytes),
            .tenant_trash = unsigned_of(r.tenant_trash_bytes),
            .tenant_reserved = unsigned_of(r.tenant_reserved_bytes),
            .quota = unsigned_of(r.rule.quota_bytes),
            .tenant_quota = unsigned_of(r.rule.tenant_quota_bytes),
            .trash_factor = unsigned_of(r.rule.trash_factor)};
}

class shared_room_book::entry final : public repo::reservation {
public:
    entry(std::shared_ptr<store::upload_reservations> rows, store::upload_reservation row, repo::object_type type)
        : rows_(std::move(rows)), row_(std::move(row)), type_(type)
    {
    }
    ~entry() override { rows_->release(row_.id); }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    base::result<> settle() override
    {
        try {
            if (rows_->stands(row_.id)) return {};
        } catch (const std::exception& e) {
            return base::fail(base::fault_code::repository_unavailable,
                              std::string{"the quota cannot be read: "} + e.what());
        }
        // The database was away, and another server took this one for gone.
        return reserve_row(*rows_, row_, type_);
    }

private:
    std::shared_ptr<store::upload_reservations> rows_;
    store::upload_reservation row_;
    repo::object_type type_;
};

base::result<std::unique_ptr<repo::reservation>> shared_room_book::reserve(const repo::object_key& key,
                                                                           std::uint64_t bytes)
{
    store::upload_reservation row{.id = base::make_id_text("upl", random_),
                                  .repository_id = {key.repository_id},
                                  .type = std::string{name(key.type)},
                                  .name = key.name,
                                  .bytes = static_cast<std::int64_t>(bytes)};
    if (auto ok = reserve_row(*rows_, row, key.type); !ok) return base::failed(ok);
    return std::make_unique<entry>(rows_, std::move(row), key.type);
}

} // namespace xentz::apps
