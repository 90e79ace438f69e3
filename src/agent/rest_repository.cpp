#include "agent/rest_repository.hpp"

#include "crypto/hash.hpp"
#include "wire/json.hpp"

namespace xentz::agent {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::chrono::seconds longest_question{10};
constexpr std::string_view list_version_2 = "application/vnd.x.restic.rest.v2";

std::unexpected<base::fault> refusal(int status)
{
    if (status == 401 || status == 403)
        return fail(fault_code::repository_refused,
                    "the repository server refused the credential (" + std::to_string(status) + ")",
                    "Run the agent again once the control plane can be reached, so that it gets the current one; if it "
                    "stays refused, ask an administrator");
    return fail(fault_code::repository_unavailable,
                "the repository server cannot serve the repository (" + std::to_string(status) + ")",
                "Look at the server's log: its storage may not be mounted");
}

result<wire::json::array> items_in(std::string_view body)
{
    auto list = wire::parse_json(body);
    if (!list || !list->is_array())
        return fail(fault_code::repository_unavailable, "the repository server answers a list with something else",
                    "Check the repository's address");
    return std::move(list->get_array());
}

// Version 1 of the protocol lists names, version 2 objects with a name.
result<std::vector<std::string>> names_in(std::string_view body)
{
    const auto items = items_in(body);
    if (!items) return std::unexpected(items.error());
    std::vector<std::string> names;
    for (const auto& item : *items) {
        const auto* object = item.if_object();
        const auto* name = object != nullptr ? object->if_contains("name") : &item;
        if (name != nullptr && name->is_string()) names.emplace_back(name->get_string());
    }
    return names;
}

} // namespace

rest_repository::rest_repository(http::url_parts parts, http::client& client)
    : parts_(std::move(parts)), client_(client)
{
    if (!parts_.url.ends_with('/')) parts_.url += '/';
}

result<rest_repository> rest_repository::at(std::string_view address, http::client& client)
{
    if (is_rest(address)) address.remove_prefix(std::string_view{"rest:"}.size());
    auto parts = http::parse_url(address);
    if (!parts)
        return fail(fault_code::config_invalid, "the repository's address is no URL", "Enrol the machine again");
    return rest_repository{std::move(*parts), client};
}

result<http::client_response> rest_repository::ask(const std::string& method, const std::string& path,
                                                   std::stop_token stop)
{
    http::client_request r;
    r.method = method;
    r.url = parts_.url + path;
    r.basic = parts_.basic;
    r.headers.push_back({"Accept", std::string{list_version_2}});
    r.timeout = longest_question;
    auto answer = client_.send(r, std::move(stop));
    if (answer) {
        if (const auto time = answer->server_time()) server_time_ = time;
        return answer;
    }
    const auto& f = answer.error();
    const bool away = f.code == fault_code::network_unreachable || f.code == fault_code::network_timeout;
    return fail(away ? fault_code::repository_unreachable : f.code, "the repository cannot be reached: " + f.message,
                f.remedy);
}

result<std::optional<std::string>> rest_repository::config_hash(std::stop_token stop)
{
    const auto answer = ask("GET", "config", std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) return std::optional<std::string>{};
    if (answer->status != 200) return refusal(answer->status);
    return crypto::sha256_hex(answer->body);
}

result<std::vector<std::string>> rest_repository::snapshots(std::stop_token stop)
{
    const auto answer = ask("GET", "snapshots/", std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) return std::vector<std::string>{};
    if (answer->status != 200) return refusal(answer->status);
    return names_in(answer->body);
}

result<std::vector<rest_repository::stored_pack>> rest_repository::packs(std::stop_token stop)
{
    const auto answer = ask("GET", "data/", std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return refusal(answer->status);
    const auto items = items_in(answer->body);
    if (!items) return std::unexpected(items.error());
    std::vector<stored_pack> packs;
    for (const auto& item : *items) {
        const auto* object = item.if_object();
        const auto* name = object != nullptr ? object->if_contains("name") : nullptr;
        const auto* size = object != nullptr ? object->if_contains("size") : nullptr;
        if (name == nullptr || !name->is_string() || size == nullptr || !size->is_int64() || size->get_int64() < 0)
            return fail(fault_code::repository_unavailable, "the repository server lists packs without their sizes");
        packs.push_back({std::string{name->get_string()}, static_cast<std::uint64_t>(size->get_int64())});
    }
    return packs;
}

result<std::optional<rest_repository::stored_lock>> rest_repository::find_lock(const std::string& id,
                                                                               std::stop_token stop)
{
    const auto answer = ask("HEAD", "locks/" + id, std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) return std::optional<stored_lock>{};
    if (answer->status != 200) return refusal(answer->status);
    const auto* modified = answer->find("Last-Modified");
    return stored_lock{.stored_at = modified != nullptr ? http::parse_date(*modified) : std::nullopt};
}

result<> rest_repository::remove_lock(const std::string& id, std::stop_token stop)
{
    const auto answer = ask("DELETE", "locks/" + id, std::move(stop));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200 && answer->status != 404) return refusal(answer->status);
    return {};
}

} // namespace xentz::agent
