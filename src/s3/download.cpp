#include "s3/client.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace xentz::s3 {

using base::fail;
using base::failed;
using base::fault_code;

class client::part final : public download {
public:
    part(client& c, std::string_view key, std::uint64_t first, std::uint64_t length, std::string tag)
        : client_(c), next_(first), left_(length)
    {
        request_ = {.method = "GET", .url = c.address_.url(key), .wish = "read an object"};
        if (!tag.empty()) request_.headers.push_back({"If-Match", std::move(tag)});
    }

    base::result<std::size_t> read(std::span<char> out) override
    {
        const auto wanted = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
        if (wanted.empty()) return std::size_t{0};
        std::size_t got = 0;
        auto done = transfer_ ? read_once(wanted, got) : base::result<>{};
        if (got == 0) done = client_.persist([&] { return read_once(wanted, got); });
        if (!done) return failed(done);
        next_ += got;
        left_ -= got;
        if (left_ == 0) finish();
        return got;
    }

private:
    base::result<> read_once(std::span<char> out, std::size_t& got)
    {
        if (!transfer_)
            if (auto ok = begin(); !ok) return ok;
        auto n = transfer_->read(out);
        if (n && *n == 0)
            n = fail(fault_code::network_unreachable, "the object store has sent less of an object than there is");
        if (!n) {
            transfer_.reset();
            return failed(n);
        }
        got = *n;
        return {};
    }

    base::result<> begin()
    {
        request_.range = std::to_string(next_) + "-" + std::to_string(next_ + left_ - 1);
        auto t = client_.ask(request_);
        if (!t) return failed(t);
        // A store that ignores the range sends it from its beginning on.
        if ((*t)->status() != 206 && next_ != 0)
            return fail(fault_code::server_refused, "the object store does not send parts of objects",
                        "Check that the endpoint speaks the S3 protocol");
        transfer_ = std::move(*t);
        return {};
    }

    // An answer that was read to its end leaves a connection that can be used again.
    void finish()
    {
        std::array<char, 1> beyond{};
        static_cast<void>(transfer_->read(beyond));
        transfer_.reset();
    }

    client& client_;
    request request_;
    std::uint64_t next_;
    std::uint64_t left_;
    std::unique_ptr<transfer> transfer_;
};

std::unique_ptr<download> client::get_part(std::string_view key, std::uint64_t first, std::uint64_t length,
                                           std::string tag)
{
    return std::make_unique<part>(*this, key, first, length, std::move(tag));
}

} // namespace xentz::s3
