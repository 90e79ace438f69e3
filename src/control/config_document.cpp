#include "control/config_document.hpp"

#include "control/addresses.hpp"

#include <algorithm>
#include <stdexcept>

namespace xentz::control {
namespace {

// A device that was away for longer has its own missed backup to make.
constexpr std::chrono::hours wish_lasts{7 * 24};

std::optional<std::string> wish_for_backup(services& s, const store::device& device)
{
    const auto request = s.store.backup_request_of(device.id);
    if (!request || request->requested_at < s.clock.now() - wish_lasts) return std::nullopt;
    return request->request_id;
}

} // namespace

config_document make_config_document(const domain::policy& policy, const store::device& device,
                                     const std::string& repository_address, const std::string& protection,
                                     const std::optional<std::string>& backup_now)
{
    wire::device_config config;
    config.enabled = device.enabled;
    config.schedule = policy.schedule;
    config.include = policy.include;
    config.exclude = policy.exclude;
    config.retention = policy.retention;
    config.check = policy.check;
    config.hooks = policy.hooks;
    config.dumps = policy.dumps;
    config.conditions = policy.conditions;
    config.commands = policy.commands;
    static_cast<domain::restic_options&>(config.restic) = policy.restic;
    config.restic.repository = repository_address;
    config.restic.protection = protection;
    config.backup_now = backup_now;
    const auto own = wire::decode<std::vector<std::string>>(device.include);
    if (own)
        for (const auto& path : *own)
            if (std::ranges::find(config.include, path) == config.include.end()) config.include.push_back(path);

    config_document document;
    document.version = crypto::sha256_hex(wire::print_json(wire::encode_config(config))).substr(0, 16);
    config.version = document.version;
    document.body = wire::print_json(wire::encode_config(config));
    return document;
}

config_document config_document_of(services& s, const store::device& device)
{
    const auto row = s.store.find_policy(device.tenant_id, device.policy_name);
    const auto repository = s.store.repository_of(device.id);
    if (!row || !repository)
        throw std::runtime_error("device " + device.id.text + " has no policy or no repository in the database");
    const auto policy = wire::decode<domain::policy>(row->document);
    if (!policy) throw std::runtime_error("policy " + row->name + " is damaged: " + policy.error().message);
    return make_config_document(*policy, device, repository_address(s.public_url, s.key, *repository),
                                s.store.objects().rule_of(repository->id).mode, wish_for_backup(s, device));
}

bool matches_etag(std::string_view if_none_match, std::string_view etag)
{
    if (if_none_match == "*") return true;
    while (!if_none_match.empty()) {
        const auto comma = std::min(if_none_match.find(','), if_none_match.size());
        auto one = if_none_match.substr(0, comma);
        if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
        while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
        while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == etag) return true;
    }
    return false;
}

} // namespace xentz::control
