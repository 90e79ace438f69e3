#include "repo/rest_bodies.hpp"

#include "repo/rest_answers.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace xentz::repo {
namespace {

class sent_object final : public http::body_source {
public:
    sent_object(std::unique_ptr<object_reader> reader, const byte_range& range, base::logger& log, std::string label)
        : reader_(std::move(reader)), offset_(range.first), left_(range.length), log_(log), label_(std::move(label))
    {
        reader_->expect(range.first, range.length);
    }

    base::result<std::size_t> read(std::span<char> out) override
    {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()));
        if (wanted == 0) return std::size_t{0};
        auto n = reader_->read(offset_, out.first(wanted));
        if (n && *n == 0)
            n = base::fail(base::fault_code::file_failed, "the object has become shorter while it was read");
        if (!n) {
            log_.warn(label_ + ": " + base::sentence(n.error()));
            return n;
        }
        offset_ += *n;
        left_ -= *n;
        return n;
    }

    base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t most) override
    {
        auto n = reader_->send_to(socket, offset_, std::min(left_, most));
        if (!n) log_.warn(label_ + ": " + base::sentence(n.error()));
        if (n && *n) {
            offset_ += **n;
            left_ -= **n;
        }
        return n;
    }

private:
    std::unique_ptr<object_reader> reader_;
    std::uint64_t offset_;
    std::uint64_t left_;
    base::logger& log_;
    std::string label_;
};

class sent_list final : public http::body_source {
public:
    sent_list(std::unique_ptr<object_list> objects, list_version version, base::logger& log, std::string label)
        : objects_(std::move(objects)), version_(version), log_(log), label_(std::move(label))
    {
    }

    base::result<std::size_t> read(std::span<char> out) override
    {
        std::size_t filled = 0;
        while (filled < out.size()) {
            if (at_ == text_.size()) {
                if (ended_) break;
                if (auto ok = produce(); !ok) return base::failed(ok);
            }
            const auto n = text_.copy(out.data() + filled, out.size() - filled, at_);
            at_ += n;
            filled += n;
        }
        return filled;
    }

private:
    // The next piece of text: an entry, or the end.
    base::result<> produce()
    {
        auto object = objects_->next();
        if (!object) {
            log_.warn(label_ + ": " + base::sentence(object.error()));
            return base::failed(object);
        }
        at_ = 0;
        if (!*object) {
            text_ = empty_ ? "[]" : "]";
            ended_ = true;
            return {};
        }
        text_ = empty_ ? "[" : ",";
        empty_ = false;
        // Names are hex digits: nothing to escape.
        const bool sized = version_ == list_version::v2;
        text_ += sized ? R"({"name":")" : "\"";
        text_ += (*object)->name;
        text_ += sized ? R"(","size":)" : "\"";
        if (sized) text_ += std::to_string((*object)->size) + "}";
        return {};
    }

    std::unique_ptr<object_list> objects_;
    list_version version_;
    base::logger& log_;
    std::string label_;
    std::string text_;
    std::size_t at_ = 0;
    bool empty_ = true;
    bool ended_ = false;
};

class arriving_object final : public http::body_sink {
public:
    arriving_object(std::unique_ptr<incoming> in, arrival a, ledger& l, base::logger& log)
        : in_(std::move(in)), arrival_(std::move(a)), ledger_(l), log_(log)
    {
    }

    base::result<> write(std::span<const char> bytes) override
    {
        received_ += bytes.size();
        auto written = in_->write(bytes);
        if (!written) refusal_ = storage_problem(written.error());
        if (!written) warn(base::sentence(written.error()));
        return written;
    }

    http::response refusal() override { return answer(refusal_, arrival_.retry_after); }

    http::response finish() override
    {
        if (received_ != arrival_.length) {
            warn("of " + std::to_string(arrival_.length) + " bytes " + std::to_string(received_) + " arrived");
            return answer(cut_short(), arrival_.retry_after);
        }
        if (auto ok = in_->commit(); !ok) {
            warn(base::sentence(ok.error()));
            return answer(storage_problem(ok.error()), arrival_.retry_after);
        }
        if (arrival_.key.type != object_type::config) return {};
        try {
            ledger_.set_initialised(arrival_.key.repository_id, true);
        } catch (const std::exception& e) {
            // The client sends the same config again, which is then found and remembered.
            warn(std::string{"the ledger failed: "} + e.what());
            return answer(ledger_unavailable(), arrival_.retry_after);
        }
        return {};
    }

private:
    void warn(const std::string& cause) { log_.warn(arrival_.label + ": " + cause); }

    std::unique_ptr<incoming> in_;
    arrival arrival_;
    ledger& ledger_;
    base::logger& log_;
    std::uint64_t received_ = 0;
    http::problem refusal_ = storage_problem({});
};

} // namespace

std::unique_ptr<http::body_source> object_source(std::unique_ptr<object_reader> reader, const byte_range& range,
                                                 base::logger& log, std::string label)
{
    return std::make_unique<sent_object>(std::move(reader), range, log, std::move(label));
}

std::unique_ptr<http::body_source> list_source(std::unique_ptr<object_list> objects, list_version version,
                                               base::logger& log, std::string label)
{
    return std::make_unique<sent_list>(std::move(objects), version, log, std::move(label));
}

std::unique_ptr<http::body_sink> object_sink(std::unique_ptr<incoming> in, arrival a, ledger& l, base::logger& log)
{
    return std::make_unique<arriving_object>(std::move(in), std::move(a), l, log);
}

} // namespace xentz::repo
