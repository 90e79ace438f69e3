#include "http/detail/server_context.hpp"

#include <algorithm>
#include <stdexcept>

namespace xentz::http::detail {
namespace {

std::string one_line(std::string text)
{
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return text;
}

// The answer of `f`, or 500 where it threw.
template <class Answer, class F>
Answer guarded(server_context& context, const exchange& e, F f)
{
    try {
        return f();
    } catch (const std::exception& error) {
        report_failure(context, e, error.what());
    } catch (...) {
        report_failure(context, e, "an exception of unknown type");
    }
    return to_response(internal_problem());
}

} // namespace

void report_failure(server_context& context, const exchange& e, std::string_view what)
{
    context.log.error(one_line(e.head.method + " " + e.head.path + " failed: " + std::string{what}));
}

void connection_list::add(const std::shared_ptr<connection>& c)
{
    const std::lock_guard lock{mutex_};
    connections_.emplace(c.get(), c);
}

void connection_list::remove(const connection* c)
{
    const std::lock_guard lock{mutex_};
    connections_.erase(c);
    changed_.notify_all();
}

std::vector<std::shared_ptr<connection>> connection_list::all() const
{
    const std::lock_guard lock{mutex_};
    std::vector<std::shared_ptr<connection>> out;
    for (const auto& [key, weak] : connections_) {
        if (auto c = weak.lock()) out.push_back(std::move(c));
    }
    return out;
}

void connection_list::wait_until_empty() const
{
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return connections_.empty(); });
}

bool connection_list::wait_until_empty(std::chrono::milliseconds at_most) const
{
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, at_most, [this] { return connections_.empty(); });
}

admission begin_request(server_context& context, const exchange& e)
{
    return guarded<admission>(context, e, [&] {
        auto admitted = context.target.begin(e.head);
        const auto* u = std::get_if<upload>(&admitted);
        if (u != nullptr && u->sink == nullptr) throw std::logic_error{"an upload without a sink"};
        return admitted;
    });
}

response finish_collect(server_context& context, const exchange& e, collect& c, std::string body)
{
    const request r{e.head, std::move(body)};
    auto answer = guarded<response>(context, e, [&] { return c.then(r); });
    c.then = nullptr;
    return answer;
}

std::optional<response> give_piece(server_context& context, const exchange& e, std::unique_ptr<body_sink>& sink,
                                   std::span<const char> bytes, bool last, bool& failed)
{
    failed = true;
    auto answer = guarded<std::optional<response>>(context, e, [&]() -> std::optional<response> {
        if (!bytes.empty()) {
            const auto written = sink->write(bytes);
            if (!written) return sink->refusal();
        }
        if (!last) return std::nullopt;
        auto done = sink->finish();
        failed = false;
        return done;
    });
    if (answer) sink.reset();
    return answer;
}

std::optional<std::size_t> take_piece(server_context& context, const exchange& e, std::unique_ptr<body_source>& source,
                                      std::span<char> out, std::optional<std::uint64_t> left)
{
    std::optional<std::size_t> taken;
    try {
        auto got = source->read(out);
        if (!got) {
            report_failure(context, e, sentence(got.error()));
        } else if (*got > out.size() || (*got == 0 && left.value_or(0) > 0)) {
            report_failure(context, e, "the body ended before the length that was announced");
        } else {
            taken = *got;
        }
    } catch (const std::exception& error) {
        report_failure(context, e, error.what());
    } catch (...) {
        report_failure(context, e, "an exception of unknown type");
    }
    if (!taken || *taken == 0 || (left && *left == *taken)) source.reset();
    return taken;
}

} // namespace xentz::http::detail
