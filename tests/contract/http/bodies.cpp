#include "contract/http/support.hpp"

#include <algorithm>
#include <sys/socket.h>

namespace xentz::http::testing {
namespace {

class recording_sink final : public body_sink {
public:
    recording_sink(sink_record& record, sink_script script) : record_{record}, script_{std::move(script)} {}
    ~recording_sink() override
    {
        record_.state.change([this] { record_.destroyed = true; });
    }
    recording_sink(const recording_sink&) = delete;
    recording_sink& operator=(const recording_sink&) = delete;

    base::result<> write(std::span<const char> bytes) override
    {
        const auto before = record_.bytes.load();
        const bool right = pattern_text(before, bytes.size()) == std::string_view{bytes.data(), bytes.size()};
        record_.state.change([&] {
            record_.bytes += bytes.size();
            record_.largest_piece = std::max(record_.largest_piece.load(), bytes.size());
            if (!right) record_.correct = false;
        });
        return script_.on_write ? script_.on_write(before) : base::result<>{};
    }

    response refusal() override { return to_response({507, "repository-full", "full", "make room"}); }

    response finish() override
    {
        if (script_.on_finish) script_.on_finish();
        record_.state.change([this] { record_.finished = true; });
        return text_response("stored " + std::to_string(record_.bytes.load()));
    }

private:
    sink_record& record_;
    sink_script script_;
};

class pattern_source : public body_source {
public:
    pattern_source(source_record& record, std::uint64_t size, std::size_t piece, std::optional<std::uint64_t> fail_at)
        : record_{record}, size_{size}, piece_{piece}, fail_at_{fail_at}
    {
    }
    ~pattern_source() override
    {
        record_.state.change([this] { record_.destroyed = true; });
    }
    pattern_source(const pattern_source&) = delete;
    pattern_source& operator=(const pattern_source&) = delete;

    base::result<std::size_t> read(std::span<char> out) override
    {
        if (fail_at_ && offset_ >= *fail_at_) return base::fail(base::fault_code::file_failed, "the disk is broken");
        const auto n = std::min<std::uint64_t>({out.size(), piece_, size_ - offset_});
        const auto text = pattern_text(offset_, n);
        std::ranges::copy(text, out.begin());
        advance(n);
        return n;
    }

protected:
    std::uint64_t offset() const { return offset_; }
    void advance(std::uint64_t n)
    {
        offset_ += n;
        record_.state.change([this] { record_.produced = offset_; });
    }

private:
    source_record& record_;
    std::uint64_t size_;
    std::size_t piece_;
    std::optional<std::uint64_t> fail_at_;
    std::uint64_t offset_ = 0;
};

class sending_source final : public pattern_source {
public:
    using pattern_source::pattern_source;

    base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t most) override
    {
        if (++calls_ % 3 == 0) return std::size_t{0};
        const auto text = pattern_text(offset(), std::min<std::uint64_t>(most, 70'000));
        const auto sent = ::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) return std::size_t{0};
        advance(static_cast<std::uint64_t>(sent));
        return static_cast<std::size_t>(sent);
    }

private:
    int calls_ = 0;
};

constexpr std::size_t period = 65521; // a prime: no power of two of bytes repeats it

const std::string& two_periods()
{
    static const std::string text = [] {
        std::string out(period * 2, '\0');
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<char>((i % period * 2654435761U) >> 13U & 0xffU);
        }
        return out;
    }();
    return text;
}

} // namespace

std::string pattern_text(std::uint64_t offset, std::size_t size)
{
    std::string out;
    out.reserve(size);
    while (out.size() < size) {
        const auto at = static_cast<std::size_t>((offset + out.size()) % period);
        out.append(two_periods(), at, std::min(period, size - out.size()));
    }
    return out;
}

std::unique_ptr<body_sink> make_sink(sink_record& record, sink_script script)
{
    return std::make_unique<recording_sink>(record, std::move(script));
}

std::unique_ptr<body_source> make_source(source_record& record, std::uint64_t size, std::size_t piece,
                                         std::optional<std::uint64_t> fail_at)
{
    return std::make_unique<pattern_source>(record, size, piece, fail_at);
}

std::unique_ptr<body_source> make_sending_source(source_record& record, std::uint64_t size)
{
    return std::make_unique<sending_source>(record, size, 100000, std::nullopt);
}

response text_response(std::string body, int status)
{
    response r;
    r.status = status;
    r.headers.push_back({"Content-Type", "text/plain"});
    r.body = std::move(body);
    return r;
}

client_request get(std::string url)
{
    client_request r;
    r.url = std::move(url);
    return r;
}

client_request post(std::string url, std::string body)
{
    auto r = get(std::move(url));
    r.method = "POST";
    r.body = std::move(body);
    return r;
}

client_response exchange_with(client& c, const client_request& r)
{
    auto answer = c.send(r, {});
    if (answer) return std::move(*answer);
    ADD_FAILURE() << sentence(answer.error());
    return {};
}

} // namespace xentz::http::testing
