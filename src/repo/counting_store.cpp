#include "repo/counting_store.hpp"

#include <span>

namespace xentz::repo {

using base::failed;

void traffic_counts::add(const object_key& k, const traffic& t)
{
    const std::lock_guard guard{mutex_};
    auto& c = counts_[{k.repository_id, k.type}];
    c.written += t.written;
    c.bytes_written += t.bytes_written;
    c.read += t.read;
    c.bytes_read += t.bytes_read;
    c.removed += t.removed;
    c.bytes_removed += t.bytes_removed;
}

std::map<traffic_counts::key, traffic> traffic_counts::all() const
{
    const std::lock_guard guard{mutex_};
    return counts_;
}

class counting_store::upload final : public incoming {
public:
    upload(std::unique_ptr<incoming> inner, object_key key, traffic_counts& counts)
        : inner_(std::move(inner)), key_(std::move(key)), counts_(counts)
    {
    }
    base::result<> write(std::span<const char> bytes) override
    {
        bytes_ += bytes.size();
        return inner_->write(bytes);
    }
    base::result<> commit() override
    {
        auto done = inner_->commit();
        if (done) counts_.add(key_, {.written = 1, .bytes_written = bytes_});
        return done;
    }

private:
    std::unique_ptr<incoming> inner_;
    object_key key_;
    traffic_counts& counts_;
    std::uint64_t bytes_ = 0;
};

class counting_store::reader final : public object_reader {
public:
    reader(std::unique_ptr<object_reader> inner, object_key key, traffic_counts& counts)
        : inner_(std::move(inner)), key_(std::move(key)), counts_(counts)
    {
    }
    ~reader() override
    {
        // HEAD and refused ranges read nothing.
        if (bytes_ > 0) counts_.add(key_, {.read = 1, .bytes_read = bytes_});
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

    std::uint64_t size() const override { return inner_->size(); }
    base::time_point stored_at() const override { return inner_->stored_at(); }
    void expect(std::uint64_t offset, std::uint64_t length) override { inner_->expect(offset, length); }
    base::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
    {
        auto n = inner_->read(offset, out);
        if (n) bytes_ += *n;
        return n;
    }
    base::result<std::optional<std::size_t>> send_to(int socket, std::uint64_t offset, std::uint64_t most) override
    {
        auto n = inner_->send_to(socket, offset, most);
        if (n) bytes_ += n->value_or(0);
        return n;
    }

private:
    std::unique_ptr<object_reader> inner_;
    object_key key_;
    traffic_counts& counts_;
    std::uint64_t bytes_ = 0;
};

base::result<std::unique_ptr<incoming>> counting_store::receive(const object_key& key, std::uint64_t most)
{
    auto in = inner_.receive(key, most);
    if (!in) return failed(in);
    return std::make_unique<upload>(std::move(*in), key, counts_);
}

base::result<std::unique_ptr<object_reader>> counting_store::open(const object_key& key)
{
    auto found = inner_.open(key);
    if (!found) return failed(found);
    return std::make_unique<reader>(std::move(*found), key, counts_);
}

base::result<> counting_store::remove(const object_key& key)
{
    const auto bytes = inner_.size(key);
    auto done = inner_.remove(key);
    if (done && bytes) counts_.add(key, {.removed = 1, .bytes_removed = *bytes});
    return done;
}

} // namespace xentz::repo
