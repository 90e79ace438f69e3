#include "http/observed_handler.hpp"

#include "base/hex.hpp"
#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace xentz::http {
namespace {

constexpr std::string_view id_header = "X-Request-Id";

// One request under way: told to the observer when nobody holds it any more, whichever way that came about.
class request_under_way {
public:
    request_under_way(finished_request r, bool head_only, const base::clock& clock, const request_observer& observer)
        : head_only_(head_only), record_(std::move(r)), clock_(clock), observer_(observer), started_(clock.elapsed())
    {
    }
    ~request_under_way()
    {
        record_.duration = clock_.elapsed() - started_;
        if (record_.status == 401) record_.user.clear();
        observer_(record_);
    }
    request_under_way(const request_under_way&) = delete;
    request_under_way& operator=(const request_under_way&) = delete;

    finished_request& record() { return record_; }
    bool head_only() const { return head_only_; } // a body of the answer is not sent

private:
    bool head_only_;
    finished_request record_;
    const base::clock& clock_;
    const request_observer& observer_;
    std::chrono::microseconds started_;
};

using tracking = std::shared_ptr<request_under_way>;

class counted_source final : public body_source {
public:
    counted_source(std::unique_ptr<body_source> inner, std::optional<std::uint64_t> length, tracking t)
        : inner_(std::move(inner)), left_(length), tracking_(std::move(t))
    {
        tracking_->record().broken_off = left_ != std::uint64_t{0};
    }

    base::result<std::size_t> read(std::span<char> out) override
    {
        auto n = inner_->read(out);
        if (!n) return n;
        count(*n);
        if (*n == 0) tracking_->record().broken_off = false;
        return n;
    }

    base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t most) override
    {
        auto n = inner_->send_to(socket, most);
        if (n && *n) count(**n);
        return n;
    }

private:
    void count(std::uint64_t n)
    {
        tracking_->record().bytes_out += n;
        if (left_) *left_ -= std::min<std::uint64_t>(*left_, n);
        if (left_ == std::uint64_t{0}) tracking_->record().broken_off = false;
    }

    std::unique_ptr<body_source> inner_;
    std::optional<std::uint64_t> left_;
    tracking tracking_;
};

// The same answer, marked and with a body that is counted.
response observed(response r, const tracking& t)
{
    auto& record = t->record();
    record.status = r.status;
    record.broken_off = false;
    r.headers.push_back({std::string{id_header}, record.id});
    if (t->head_only()) return r;
    if (const auto* text = std::get_if<std::string>(&r.body)) {
        record.bytes_out = text->size();
    } else if (auto& source = std::get<std::unique_ptr<body_source>>(r.body)) {
        source = std::make_unique<counted_source>(std::move(source), r.content_length, t);
    }
    return r;
}

class counted_sink final : public body_sink {
public:
    counted_sink(std::unique_ptr<body_sink> inner, tracking t) : inner_(std::move(inner)), tracking_(std::move(t))
    {
        tracking_->record().broken_off = true;
    }

    base::result<> write(std::span<const char> bytes) override
    {
        tracking_->record().bytes_in += bytes.size();
        return inner_->write(bytes);
    }
    response refusal() override
    {
        auto r = observed(inner_->refusal(), tracking_);
        tracking_->record().broken_off = true;
        return r;
    }
    response finish() override { return observed(inner_->finish(), tracking_); }

private:
    std::unique_ptr<body_sink> inner_;
    tracking tracking_;
};

admission observed(collect c, const tracking& t)
{
    t->record().broken_off = true;
    c.then = [then = std::move(c.then), t](const request& r) {
        t->record().bytes_in = r.body.size();
        return observed(then(r), t);
    };
    return c;
}

bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view{"._-/:@+%~,;*[]"}.find(c) != std::string_view::npos;
}

void add_field(std::string& line, std::string_view name, std::string_view value)
{
    line += " " + std::string{name} + "=";
    if (!value.empty() && std::ranges::all_of(value, is_plain)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            line += "\\x" + base::to_hex(std::array{static_cast<std::uint8_t>(byte)});
            continue;
        }
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    line += '"';
}

std::string milliseconds_text(std::chrono::microseconds d)
{
    const auto parts = std::to_string(1000 + d.count() % 1000);
    return std::to_string(d.count() / 1000) + "." + parts.substr(1);
}

} // namespace

bool is_request_id(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
               c == '-';
    });
}

std::string to_log_line(const finished_request& r)
{
    std::string line = "request";
    add_field(line, "id", r.id);
    add_field(line, "remote", r.remote_address);
    add_field(line, "method", r.method);
    add_field(line, "path", r.path);
    add_field(line, "user", r.user);
    add_field(line, "status", std::to_string(r.status));
    add_field(line, "in", std::to_string(r.bytes_in));
    add_field(line, "out", std::to_string(r.bytes_out));
    add_field(line, "ms", milliseconds_text(r.duration));
    if (r.broken_off) line += " broken-off";
    return line;
}

std::string observed_handler::id_for(const request_head& head)
{
    const auto* brought = head.find(id_header);
    if (brought != nullptr && is_request_id(*brought) && is_literal_loopback(head.remote_address)) return *brought;
    std::array<std::uint8_t, 8> bytes{};
    random_.fill(bytes);
    return base::to_hex(bytes);
}

admission observed_handler::begin(const request_head& head)
{
    auto known = head;
    known.request_id = id_for(head);
    finished_request r{.id = known.request_id,
                       .method = head.method,
                       .path = head.path,
                       .remote_address = head.remote_address,
                       .user = {}};
    if (auto credentials = basic_auth(head)) r.user = std::move(credentials->user);
    const auto t = std::make_shared<request_under_way>(std::move(r), head.method == "HEAD", clock_, observer_);
    t->record().status = 500; // where the handler throws
    auto admitted = inner_.begin(known);
    t->record().status = 0;
    if (auto* answer = std::get_if<response>(&admitted)) return observed(std::move(*answer), t);
    if (auto* c = std::get_if<collect>(&admitted)) return observed(std::move(*c), t);
    auto& u = std::get<upload>(admitted);
    if (u.sink) u.sink = std::make_unique<counted_sink>(std::move(u.sink), t);
    return admitted;
}

} // namespace xentz::http
