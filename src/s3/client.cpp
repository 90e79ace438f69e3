#include "s3/client.hpp"

#include "s3/answer_fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>
#include <utility>

namespace xentz::s3 {
namespace {

using base::fail;
using base::failed;
using base::fault_code;

constexpr std::size_t most_error_bytes = std::size_t{64} << 10U;

// What may pass by itself. A full store and a wrong clock do not within seconds.
bool is_passing(fault_code code)
{
    constexpr std::array codes{fault_code::network_unreachable, fault_code::network_timeout, fault_code::server_failed,
                               fault_code::protocol_error};
    return std::ranges::find(codes, code) != codes.end();
}

// RFC 3986, 2.3; a slash is escaped, too, as signatures want it in a query.
std::string escaped(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

std::string query_of(const client::list_request& l, const std::string& full_prefix)
{
    std::string out = "?";
    // Sorted by name: libcurl signs the query as it stands.
    if (!l.after.empty()) out += "continuation-token=" + escaped(l.after) + "&";
    if (l.by_folder) out += "delimiter=%2F&";
    return out + "list-type=2&max-keys=" + std::to_string(l.most) + "&prefix=" + escaped(full_prefix);
}

base::result<object_head> head_of(const transfer& t)
{
    const auto* length = http::find_header(t.headers(), "Content-Length");
    const auto* stored = http::find_header(t.headers(), "Last-Modified");
    const auto* tag = http::find_header(t.headers(), "ETag");
    const auto when = stored == nullptr ? std::nullopt : http::parse_date(*stored);
    object_head out;
    if (length == nullptr || tag == nullptr || !when ||
        std::from_chars(length->data(), length->data() + length->size(), out.bytes).ec != std::errc{})
        return fail(fault_code::protocol_error, "the object store does not say how large an object is, or when it came",
                    "Check that the endpoint speaks the S3 protocol");
    out.stored_at = *when;
    out.tag = *tag;
    return out;
}

} // namespace

client::client(address a, std::unique_ptr<credential_source> keys, const base::clock& clock,
               base::random_source& random, client_options options)
    : address_(std::move(a)), keys_(std::move(keys)), clock_(clock), random_(random), options_(std::move(options)),
      outage_(options_.limits.silence)
{
    if (!options_.wait) options_.wait = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
}

base::result<std::unique_ptr<transfer>> client::ask(const request& r)
{
    const auto keys = keys_->get();
    if (!keys) return std::unexpected(keys.error());
    auto t = std::make_unique<transfer>(lines_, address_, options_.limits, r, *keys);
    auto begun = t->begin();
    if (!begun && begun.error().code == fault_code::network_timeout) outage_.silence(begun.error(), clock_.elapsed());
    if (!begun) return failed(begun);
    outage_.answer();
    if (t->status() >= 200 && t->status() < 300) return t;
    const auto said = t->read_all(most_error_bytes);
    return std::unexpected(answer_fault(address_, {.status = t->status(),
                                                   .headers = t->headers(),
                                                   .body = said ? std::string_view{*said} : std::string_view{},
                                                   .wish = r.wish,
                                                   .origin_of_keys = keys->origin,
                                                   .now = clock_.now()}));
}

base::result<> client::ask_briefly(const request& r)
{
    auto t = ask(r);
    if (!t) return failed(t);
    auto rest = (*t)->read_all(most_error_bytes);
    if (!rest) return failed(rest);
    return {};
}

bool client::has_other_keys()
{
    const auto before = keys_->get();
    const auto after = keys_->renewed();
    return before && after && !before->same_as(*after);
}

void client::pause(int failures)
{
    auto step = options_.first_pause;
    for (int i = 1; i < failures && step < options_.longest_pause; ++i) step *= 2;
    step = std::min(step, options_.longest_pause);
    std::array<std::uint8_t, 1> drawn{};
    random_.fill(drawn);
    // Between a half and the whole of it, so that those who failed together do not come back together.
    options_.wait(step / 2 + step * drawn[0] / 510);
}

base::result<> client::persist(const std::function<base::result<>()>& attempt)
{
    const auto begun = clock_.elapsed();
    bool looked_for_others = false;
    for (int failures = 1;; ++failures) {
        if (auto in_the_way = outage_.in_the_way(clock_.elapsed())) return std::unexpected(std::move(*in_the_way));
        auto done = attempt();
        if (done) return done;
        const auto code = done.error().code;
        if (code == fault_code::repository_refused && !std::exchange(looked_for_others, true) && has_other_keys())
            continue;
        if (!is_passing(code) || failures >= options_.attempts || clock_.elapsed() - begun > options_.patience)
            return done;
        pause(failures);
    }
}

base::result<> client::put(std::string_view key, const payload& body, when_present present)
{
    request r{.method = "PUT",
              .url = address_.url(key),
              .headers = {},
              .range = {},
              .body = &body,
              .wish = "store an object"};
    if (present == when_present::refuse) r.headers.push_back({"If-None-Match", "*"});
    return persist([&] { return ask_briefly(r); });
}

base::result<object_head> client::head(std::string_view key)
{
    const request r{.method = "HEAD", .url = address_.url(key), .wish = "look at an object"};
    object_head out;
    auto done = persist([&]() -> base::result<> {
        auto t = ask(r);
        if (!t) return failed(t);
        auto found = head_of(**t);
        if (!found) return failed(found);
        out = std::move(*found);
        auto rest = (*t)->read_all(0);
        return rest ? base::result<>{} : failed(rest);
    });
    if (!done) return failed(done);
    return out;
}

base::result<std::string> client::get(std::string_view key, std::size_t most)
{
    const request r{.method = "GET", .url = address_.url(key), .wish = "read an object"};
    std::string out;
    auto done = persist([&]() -> base::result<> {
        auto t = ask(r);
        if (!t) return failed(t);
        const auto* length = http::find_header((*t)->headers(), "Content-Length");
        std::uint64_t bytes = 0;
        if (length != nullptr) std::from_chars(length->data(), length->data() + length->size(), bytes);
        if (bytes > most) return fail(fault_code::invalid_value, "an object is larger than expected");
        auto text = (*t)->read_all(most);
        if (!text) return failed(text);
        out = std::move(*text);
        return {};
    });
    if (!done) return failed(done);
    return out;
}

base::result<> client::remove(std::string_view key)
{
    const request r{.method = "DELETE", .url = address_.url(key), .wish = "remove an object"};
    auto done = persist([&] { return ask_briefly(r); });
    if (!done && done.error().code == fault_code::not_found) return {};
    return done;
}

base::result<> client::copy(std::string_view from, std::string_view to)
{
    const request r{.method = "PUT",
                    .url = address_.url(to),
                    .headers = {{"x-amz-copy-source", address_.source(from)}},
                    .range = {},
                    .body = nullptr,
                    .wish = "copy an object"};
    return persist([&] { return copy_once(r); });
}

// A copy may fail after its answer has begun with 200: what counts is the document.
base::result<> client::copy_once(const request& r)
{
    auto t = ask(r);
    if (!t) return failed(t);
    const auto text = (*t)->read_all(most_error_bytes);
    if (!text) return std::unexpected(text.error());
    bool copied = false;
    document_reader reader{
        [&](std::string_view path, std::string_view) { copied = copied || path.starts_with("CopyObjectResult"); }};
    if (reader.feed(*text) && reader.finish() && copied) return {};
    const auto code = parse_error(*text).code;
    return fail(fault_code::server_failed,
                "the object store did not complete a copy" + (code.empty() ? std::string{} : ": " + code),
                "Look at the object store if it stays");
}

base::result<page> client::list(const list_request& l)
{
    const auto own = address_.prefix.empty() ? std::string{} : address_.prefix + "/";
    const request r{
        .method = "GET", .url = address_.url("") + query_of(l, own + l.prefix), .wish = "list what is in it"};
    page out;
    auto done = persist([&]() -> base::result<> {
        auto t = ask(r);
        if (!t) return failed(t);
        page_reader reader;
        std::vector<char> piece(std::size_t{16} << 10U);
        for (;;) {
            auto n = (*t)->read(piece);
            if (!n) return failed(n);
            if (*n == 0) break;
            if (auto ok = reader.feed(std::span{piece}.first(*n)); !ok) return ok;
        }
        auto read = reader.finish();
        if (!read) return failed(read);
        out = std::move(*read);
        return {};
    });
    if (!done) return failed(done);
    for (auto& o : out.objects) o.key.erase(0, o.key.starts_with(own) ? own.size() : 0);
    for (auto& f : out.folders) f.erase(0, f.starts_with(own) ? own.size() : 0);
    return out;
}

} // namespace xentz::s3
