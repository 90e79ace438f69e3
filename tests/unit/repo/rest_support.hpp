// What the tests of the REST handler stand on: a ledger and a log in memory, requests, and a server's part in an
// exchange (feeding bodies to sinks, draining sources).
#pragma once

#include "base/hex.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"
#include "http/handler.hpp"
#include "repo/ledger.hpp"
#include "repo/rest_handler.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xentz::repo::testing_support {

class memory_log final : public base::logger {
public:
    void write(base::log_level level, std::string_view message) override
    {
        if (level == base::log_level::warning) warnings.emplace_back(message);
    }
    bool says(std::string_view text) const
    {
        return std::ranges::any_of(warnings, [&](const auto& w) { return w.find(text) != std::string::npos; });
    }
    std::vector<std::string> warnings;
};

class fake_ledger final : public ledger {
public:
    struct row {
        address where;
        std::string user;
        std::string secret;
        access what;
    };
    std::vector<row> rows;
    bool broken = false;
    std::vector<std::pair<std::string, bool>> calls; // of set_initialised

    std::optional<access> open(const address& a, std::string_view user, std::string_view secret) override
    {
        if (broken) throw std::runtime_error("the database is gone");
        for (const auto& r : rows)
            if (r.where == a && r.user == user && r.secret == secret) return r.what;
        return std::nullopt;
    }
    void set_initialised(std::string_view repository_id, bool initialised) override
    {
        if (broken) throw std::runtime_error("the database is gone");
        calls.emplace_back(repository_id, initialised);
        for (auto& r : rows)
            if (r.what.repository_id == repository_id) r.what.initialised = initialised;
    }
    bool initialised(std::string_view repository_id) const
    {
        const auto at = std::ranges::find(rows, repository_id, [](const row& r) { return r.what.repository_id; });
        return at != rows.end() && at->what.initialised;
    }
};

inline std::string base64(std::string_view text)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 3; ++j)
            bits = (bits << 8U) | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j) out += i + j <= text.size() ? digits[(bits >> (18U - 6U * j)) & 63U] : '=';
    }
    return out;
}

struct answer {
    int status = 0;
    std::vector<http::header> headers;
    std::string body;
    std::optional<std::uint64_t> content_length;
    bool chunked = false; // a source without a length
    bool broke_off = false;

    std::string header(std::string_view name) const
    {
        const auto* value = http::find_header(headers, name);
        return value == nullptr ? "" : *value;
    }
    std::string problem() const
    {
        const auto p = http::parse_problem(body);
        return p ? p->type : "";
    }
};

inline answer drained(http::response r, std::size_t piece = 1000)
{
    answer out{r.status, std::move(r.headers), {}, r.content_length};
    if (auto* text = std::get_if<std::string>(&r.body)) {
        out.body = std::move(*text);
        return out;
    }
    out.chunked = !r.content_length;
    auto& source = std::get<std::unique_ptr<http::body_source>>(r.body);
    std::vector<char> buffer(piece);
    for (;;) {
        const auto n = source->read(buffer);
        out.broke_off = !n;
        if (!n || *n == 0) return out;
        out.body.append(buffer.data(), *n);
    }
}

// Plays the server: feeds `body` in pieces, stops at a refusal.
inline answer played(http::admission a, std::string_view body, std::size_t piece = 1000)
{
    if (auto* r = std::get_if<http::response>(&a)) return drained(std::move(*r));
    auto& up = std::get<http::upload>(a);
    while (!body.empty()) {
        const auto part = body.substr(0, piece);
        if (!up.sink->write(std::span{part.data(), part.size()})) return drained(up.sink->refusal());
        body.remove_prefix(part.size());
    }
    return drained(up.sink->finish());
}

struct ask {
    std::string method = "GET";
    std::string rest; // below the address, with a query
    std::optional<std::string> body = {};
    std::vector<http::header> headers = {};
    std::string where = "/ten_1/dev_1/default/";
    std::string credentials = "dev_1:secret one"; // empty: none
};

inline http::request_head head_of(const ask& q)
{
    http::request_head head;
    head.method = q.method;
    const auto question = q.rest.find('?');
    head.path = q.where + q.rest.substr(0, question);
    if (question != std::string::npos) head.query = q.rest.substr(question + 1);
    head.headers = q.headers;
    if (!q.credentials.empty()) head.headers.push_back({"Authorization", "Basic " + base64(q.credentials)});
    if (q.body) head.content_length = q.body->size();
    head.remote_address = "127.0.0.1";
    return head;
}

inline answer asked(http::handler& h, const ask& q) { return played(h.begin(head_of(q)), q.body.value_or("")); }

inline std::string name_of(std::string_view bytes) { return crypto::sha256_hex(bytes); }

} // namespace xentz::repo::testing_support
