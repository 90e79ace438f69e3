// What the agent reads from a repository server that may say anything: a list, a lock's date, a problem. Nothing
// throws; and a list that our own server sends is read back name by name. The first byte chooses the size of the pieces
// in which the server writes.
#include "agent/rest_repository.hpp"
#include "crypto/hash.hpp"
#include "fakes/fake_http_client.hpp"
#include "repo/rest_bodies.hpp"
#include "require.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace xentz {
namespace {

using fuzz::require;

struct silent_log final : base::logger {
    void write(base::log_level, std::string_view) override {}
};

struct names final : repo::object_list {
    std::vector<std::string> left;
    base::result<std::optional<repo::object_info>> next() override
    {
        if (left.empty()) return std::nullopt;
        auto name = std::move(left.back());
        left.pop_back();
        return repo::object_info{std::move(name), left.size()};
    }
};

void read_what_a_server_says(const std::string& text)
{
    fakes::fake_network network;
    fakes::fake_http_client client{network};
    auto repository = agent::rest_repository::at("rest:http://127.0.0.1/repo/", client);
    network.answers = {fakes::answer(200, text), fakes::answer(200, text),
                       fakes::answer(200, {}, {{"Last-Modified", text}, {"Date", text}})};
    const auto snapshots = repository->snapshots({});
    require(!snapshots || snapshots->size() <= text.size());
    require(snapshots || !snapshots.error().message.empty());
    require(repository->config_hash({}).has_value());
    require(repository->find_lock(std::string(64, 'a'), {}).has_value());
    http::parse_problem(text);
}

void read_what_our_server_says(const std::string& text, std::size_t piece)
{
    silent_log log;
    for (const auto version : {repo::list_version::v1, repo::list_version::v2}) {
        auto listed = std::make_unique<names>();
        for (std::size_t i = 0; i < text.size() % 5; ++i)
            listed->left.push_back(crypto::sha256_hex(text + std::to_string(i)));
        auto expected = listed->left;
        std::ranges::reverse(expected);
        const auto source = repo::list_source(std::move(listed), version, log, "");
        std::string body;
        std::vector<char> room(piece);
        for (;;) {
            const auto n = source->read(room);
            require(n.has_value());
            if (*n == 0) break;
            body.append(room.data(), *n);
        }
        fakes::fake_network network;
        fakes::fake_http_client client{network};
        network.answers = {fakes::answer(200, body)};
        require(agent::rest_repository::at("rest:http://127.0.0.1/repo/", client)->snapshots({}).value() == expected);
    }
}

} // namespace
} // namespace xentz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    xentz::read_what_a_server_says(text);
    xentz::read_what_our_server_says(text, std::size_t{1} + data[0]);
    return 0;
}
