#include "crypto/hash.hpp"
#include "repo/memory_blob_store.hpp"
#include "repo/memory_room_book.hpp"
#include "repo/quota_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace xentz::repo {
namespace {

using base::fault_code;

// Counts what is stored, as the journal does: after the bytes have their name.
class counted_store final : public blob_store, public room_source {
public:
    room limits{.tenant = "ten_1"};
    bool broken = false;

    base::result<> ready() override { return {}; }
    base::result<> create_repository(std::string_view id) override { return inner_.create_repository(id); }
    base::result<std::unique_ptr<incoming>> receive(const object_key& key, std::uint64_t most) override
    {
        auto in = inner_.receive(key, most);
        if (!in) return base::failed(in);
        return std::make_unique<upload>(*this, std::move(*in));
    }
    base::result<std::unique_ptr<object_reader>> open(const object_key& key) override { return inner_.open(key); }
    base::result<std::uint64_t> size(const object_key& key) override { return inner_.size(key); }
    base::result<> remove(const object_key& key) override
    {
        const auto bytes = inner_.size(key);
        if (!bytes) return {};
        const std::lock_guard guard{mutex_};
        live_ -= *bytes;
        trash_ += *bytes;
        return inner_.remove(key);
    }
    base::result<std::unique_ptr<object_list>> list(std::string_view id, object_type t) override
    {
        return inner_.list(id, t);
    }
    room room_of(const std::string&) override
    {
        if (broken) throw std::runtime_error("the database is gone");
        const std::lock_guard guard{mutex_};
        auto r = limits;
        r.live = r.tenant_live = live_;
        r.trash = r.tenant_trash = trash_;
        return r;
    }
    std::uint64_t live() const { return live_; }

private:
    class upload final : public incoming {
    public:
        upload(counted_store& s, std::unique_ptr<incoming> in) : store_(s), in_(std::move(in)) {}
        base::result<> write(std::span<const char> bytes) override
        {
            count_ += bytes.size();
            return in_->write(bytes);
        }
        base::result<> commit() override
        {
            if (auto ok = in_->commit(); !ok) return ok;
            const std::lock_guard guard{store_.mutex_};
            store_.live_ += count_;
            return {};
        }

    private:
        counted_store& store_;
        std::unique_ptr<incoming> in_;
        std::uint64_t count_ = 0;
    };
    memory_blob_store inner_;
    std::mutex mutex_;
    std::uint64_t live_ = 0;
    std::uint64_t trash_ = 0;
};

struct quota : testing::Test {
    counted_store disk;
    std::optional<std::uint64_t> free_bytes;
    memory_room_book rooms{disk};
    quota_store store{disk, rooms, {.bytes = 1000, .free = [this] { return free_bytes; }}};
    quota() { EXPECT_TRUE(disk.create_repository("repo_1")); }

    static object_key key_of(const std::string& bytes, object_type t = object_type::data)
    {
        return {"repo_1", t, crypto::sha256_hex(bytes)};
    }
    base::result<> put(const std::string& bytes, object_type t = object_type::data)
    {
        auto in = store.receive(key_of(bytes, t), bytes.size());
        if (!in) return base::failed(in);
        if (auto ok = (*in)->write(std::span{bytes.data(), bytes.size()}); !ok) return ok;
        return (*in)->commit();
    }
    static fault_code code(const base::result<>& r) { return r ? fault_code::internal : r.error().code; }
};

TEST_F(quota, is_exact_to_the_byte)
{
    disk.limits.quota = 100;
    EXPECT_TRUE(put(std::string(60, 'a')));
    EXPECT_EQ(code(put(std::string(41, 'b'))), fault_code::repository_full);
    EXPECT_TRUE(put(std::string(40, 'c')));
    EXPECT_EQ(code(put("d")), fault_code::repository_full);
    EXPECT_EQ(disk.live(), 100U);
}

TEST_F(quota, an_upload_that_ends_gives_its_room_back)
{
    disk.limits.quota = 100;
    const std::string bytes(100, 'a');
    {
        auto in = store.receive(key_of(bytes), bytes.size());
        ASSERT_TRUE(in);
        EXPECT_EQ(code(put("b")), fault_code::repository_full) << "reserved from the start";
        ASSERT_TRUE((*in)->write(std::span{bytes.data(), 50}));
    }
    {
        auto in = store.receive(key_of(bytes), bytes.size());
        ASSERT_TRUE(in);
        EXPECT_FALSE((*in)->commit()) << "the wrong hash";
    }
    EXPECT_TRUE(put(bytes));
}

TEST_F(quota, an_object_that_is_there_needs_no_room)
{
    disk.limits.quota = 5;
    ASSERT_TRUE(put("bytes"));
    EXPECT_TRUE(store.receive(key_of("bytes"), 5));
}

TEST_F(quota, more_than_was_announced_is_refused)
{
    auto in = store.receive(key_of("bytes"), 4);
    ASSERT_TRUE(in);
    EXPECT_EQ(code((*in)->write(std::span{"bytes", 5})), fault_code::invalid_value);
}

TEST_F(quota, of_the_tenant_holds_for_all_its_repositories)
{
    disk.limits.tenant_quota = 100;
    EXPECT_TRUE(put(std::string(60, 'a')));
    const auto refused = put(std::string(41, 'b'));
    EXPECT_EQ(code(refused), fault_code::repository_full);
    EXPECT_NE(refused.error().message.find("the tenant"), std::string::npos);
}

TEST_F(quota, uploading_and_deleting_in_a_loop_cannot_fill_the_disk)
{
    disk.limits.quota = 100;
    std::uint64_t stored = 0;
    for (int i = 0; i < 100; ++i) {
        const auto bytes = std::to_string(i) + std::string(20, 'x');
        const auto done = put(bytes);
        if (!done) {
            EXPECT_NE(done.error().message.find("trash"), std::string::npos) << done.error().message;
            break;
        }
        stored += bytes.size();
        ASSERT_TRUE(store.remove(key_of(bytes)));
    }
    EXPECT_GT(stored, 150U);
    EXPECT_LE(stored, 200U);
}

TEST_F(quota, a_full_repository_can_still_be_locked_and_pruned)
{
    disk.limits.quota = 10;
    ASSERT_TRUE(put(std::string(10, 'a')));
    EXPECT_TRUE(put("a lock", object_type::locks));
    EXPECT_TRUE(put("an index", object_type::index));
    EXPECT_EQ(code(put("a key", object_type::keys)), fault_code::repository_full);
}

TEST_F(quota, leaves_a_floor_of_free_space)
{
    free_bytes = 1010;
    EXPECT_EQ(code(put(std::string(11, 'a'))), fault_code::disk_full);
    EXPECT_TRUE(put(std::string(10, 'b')));
    free_bytes.reset();
    EXPECT_TRUE(put(std::string(11, 'a'))) << "where the space cannot be known";
}

TEST_F(quota, that_cannot_be_read_refuses_for_a_while)
{
    disk.broken = true;
    EXPECT_EQ(code(put("bytes")), fault_code::repository_unavailable);
}

TEST_F(quota, is_exact_under_parallel_uploads)
{
    constexpr int uploads = 8;
    for (int round = 0; round < 20; ++round) {
        disk.limits.quota = disk.live() + 1000;
        disk.limits.trash_factor = 100;
        std::atomic<int> accepted{0};
        std::barrier together{uploads};
        std::vector<std::thread> threads;
        for (int t = 0; t < uploads; ++t)
            threads.emplace_back([&, t] {
                // 8 times 200 bytes for 1000: five of them fit, whoever comes first.
                auto bytes = std::to_string(round) + "/" + std::to_string(t);
                bytes.resize(200, 'x');
                together.arrive_and_wait();
                if (put(bytes)) ++accepted;
            });
        for (auto& t : threads) t.join();
        EXPECT_EQ(accepted, 5);
        EXPECT_EQ(disk.live(), *disk.limits.quota);
    }
}

} // namespace
} // namespace xentz::repo
