#include "store_ledger.hpp"

#include "control/addresses.hpp"

namespace xentz::apps {

std::optional<repo::access> store_ledger::open(const repo::address& a, std::string_view user, std::string_view secret)
{
    const auto repository = store_.find_repository(a.tenant, a.device, a.user);
    // A secret is derived and compared for an unknown address too, so that the time says nothing about it.
    const auto expected = control::repository_secret(key_, repository.value_or(store::repository{}));
    const bool fits = crypto::equal(expected, secret) && crypto::equal(a.device, user);
    if (!repository || !fits) return std::nullopt;
    const auto device = store_.find_device(repository->device_id);
    if (!device || device->revoked_at) return std::nullopt;
    return repo::access{.repository_id = repository->id.text, .initialised = repository->initialised};
}

void store_ledger::set_initialised(std::string_view repository_id, bool initialised)
{
    store_.set_initialised(domain::repository_id{std::string{repository_id}}, initialised);
}

} // namespace xentz::apps
