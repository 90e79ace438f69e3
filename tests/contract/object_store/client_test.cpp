// What the client and the store over it rely on in a real object store.
#include "contract/repo/blob_store_support.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/scratch_folder.hpp"
#include "repo/s3_blob_store.hpp"
#include "support/object_store.hpp"

#include <gtest/gtest.h>

namespace xentz::s3 {
namespace {

using namespace std::chrono_literals;
using base::fault_code;
using repo::suite::code;

struct real : testing::Test {
    test::fresh_prefix prefix;
    std::unique_ptr<client> c = prefix.client({.attempts = 1});

    base::result<> put(const std::string& key, std::string_view bytes)
    {
        return c->put(key, payload_of(bytes), when_present::replace);
    }
    std::vector<std::string> keys(client::list_request l)
    {
        std::vector<std::string> out;
        for (;;) {
            const auto p = c->list(l).value();
            for (const auto& o : p.objects) out.push_back(o.key);
            for (const auto& f : p.folders) out.push_back(f);
            if (p.next.empty()) return out;
            l.after = p.next;
        }
    }
};

TEST_F(real, an_object_goes_in_and_comes_out_in_parts)
{
    std::string bytes(5'000'000, ' ');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 25);
    ASSERT_TRUE(put("data/a", bytes));
    const auto head = c->head("data/a").value();
    EXPECT_EQ(head.bytes, bytes.size());
    EXPECT_LT(abs(head.stored_at - std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())),
              1min);
    const auto part = c->get_part("data/a", 1'000'000, 3'000'000, head.tag);
    std::string got;
    std::vector<char> piece(77'777);
    for (;;) {
        const auto n = part->read(piece).value();
        if (n == 0) break;
        got.append(piece.data(), n);
    }
    EXPECT_TRUE(got == bytes.substr(1'000'000, 3'000'000));
    EXPECT_TRUE(c->get("data/a", bytes.size()).value() == bytes);
}

TEST_F(real, bytes_without_the_right_hash_are_refused_and_leave_nothing)
{
    for (const std::size_t size : {std::size_t{10}, std::size_t{3'000'000}}) {
        const std::string bytes(size, 'x');
        auto body = payload_of(bytes);
        body.sha256 = payload_of("something else").sha256;
        EXPECT_FALSE(c->put("data/a", body));
        EXPECT_EQ(code(c->head("data/a")), fault_code::not_found);
    }
}

TEST_F(real, refuses_a_second_where_there_must_be_one)
{
    ASSERT_TRUE(c->put("config", payload_of("one"), when_present::refuse));
    EXPECT_EQ(code(c->put("config", payload_of("two"), when_present::refuse)), fault_code::conflict);
    EXPECT_EQ(c->get("config", 100).value(), "one");
    ASSERT_TRUE(put("config", "two"));
    EXPECT_EQ(c->get("config", 100).value(), "two");
}

TEST_F(real, a_version_that_was_replaced_is_not_read_on)
{
    ASSERT_TRUE(put("config", "first"));
    const auto head = c->head("config").value();
    ASSERT_TRUE(put("config", "other"));
    std::vector<char> piece(10);
    EXPECT_EQ(code(c->get_part("config", 0, 5, head.tag)->read(piece)), fault_code::conflict);
}

TEST_F(real, lists_page_by_page_and_by_folder)
{
    std::vector<std::string> expected;
    for (const auto* key : {"a/1", "a/2", "a/3/x", "b/1", "b/2", "c", "d", "e", "f"}) {
        ASSERT_TRUE(put(key, key));
        expected.emplace_back(key);
    }
    EXPECT_EQ(keys({.prefix = "", .most = 2}), expected);
    EXPECT_EQ(keys({.prefix = "a/", .most = 1}), (std::vector<std::string>{"a/1", "a/2", "a/3/x"}));
    EXPECT_EQ(keys({.prefix = "a/", .by_folder = true}), (std::vector<std::string>{"a/1", "a/2", "a/3/"}));
    EXPECT_TRUE(keys({.prefix = "nothing/"}).empty());
}

TEST_F(real, copies_and_removes)
{
    ASSERT_TRUE(put("a", "bytes"));
    ASSERT_TRUE(c->copy("a", "trash/b"));
    EXPECT_EQ(c->get("trash/b", 100).value(), "bytes");
    EXPECT_EQ(code(c->copy("nothing", "x")), fault_code::not_found);
    EXPECT_TRUE(c->remove("a"));
    EXPECT_TRUE(c->remove("a")) << "what is missing";
    EXPECT_EQ(code(c->get("a", 100)), fault_code::not_found);
}

TEST_F(real, says_what_is_wrong)
{
    auto keys_of_nobody = test::object_store().get().keys;
    keys_of_nobody.secret_key = "wrong";
    client stranger{prefix.address(), std::make_unique<test::fixed_credentials>(keys_of_nobody), prefix.clock(),
                    prefix.random()};
    EXPECT_EQ(code(stranger.get("a", 10)), fault_code::repository_refused);
    auto elsewhere = prefix.address();
    elsewhere.bucket = "no-such-bucket-here";
    client lost{elsewhere, std::make_unique<test::fixed_credentials>(test::object_store().get().keys), prefix.clock(),
                prefix.random()};
    EXPECT_EQ(code(lost.get("a", 10)), fault_code::repository_missing);
    EXPECT_EQ(code(lost.list({})), fault_code::repository_missing);
}

TEST_F(real, the_identity_of_a_bucket_is_known_for_a_while)
{
    fakes::fake_clock clock;
    fakes::scratch_folder folder;
    const auto store =
        std::move(repo::s3_blob_store::open(prefix.client(), "storage_1", clock, {folder.path(), 1s}).value());
    ASSERT_TRUE(store->initialise());
    ASSERT_TRUE(store->initialise()) << "a second time";
    ASSERT_TRUE(store->ready());
    const auto key = repo::suite::key_of(repo::object_type::data, "bytes");
    ASSERT_TRUE(c->remove("storage.json"));
    EXPECT_EQ(code(store->size(key)), fault_code::not_found);
    EXPECT_EQ(code(store->ready()), fault_code::repository_unavailable) << "whoever asks for it is told at once";
    clock.advance(1s);
    EXPECT_EQ(code(store->size(key)), fault_code::repository_unavailable);
    EXPECT_EQ(code(store->create_repository("repo_1")), fault_code::repository_unavailable);
}

TEST_F(real, another_installation_does_not_take_a_bucket_over)
{
    fakes::scratch_folder folder;
    const auto open = [&](const std::string& id) {
        return std::move(repo::s3_blob_store::open(prefix.client(), id, prefix.clock(), {folder.path()}).value());
    };
    ASSERT_TRUE(open("storage_1")->initialise());
    const auto refused = open("storage_2")->initialise();
    EXPECT_EQ(code(refused), fault_code::conflict);
    EXPECT_TRUE(refused.error().message.contains("storage_1"));
    EXPECT_TRUE(open("storage_1")->ready());
    EXPECT_EQ(code(open("storage_2")->ready()), fault_code::repository_unavailable);
    ASSERT_TRUE(open("storage_1")->create_repository("repo_b"));
    ASSERT_TRUE(open("storage_1")->create_repository("repo_a"));
    EXPECT_EQ(open("storage_1")->repositories().value(), (std::vector<std::string>{"repo_a", "repo_b"}));
}

TEST_F(real, an_upload_leaves_no_file_behind)
{
    fakes::scratch_folder folder;
    auto store =
        std::move(repo::s3_blob_store::open(prefix.client(), "storage_1", prefix.clock(), {folder.path()}).value());
    ASSERT_TRUE(store->initialise());
    ASSERT_TRUE(store->create_repository("repo_1"));
    const std::string large(1'000'000, 'x');
    const auto key = repo::suite::key_of(repo::object_type::data, large);
    {
        auto in = store->receive(key, large.size());
        ASSERT_TRUE(in);
        ASSERT_TRUE((*in)->write(large));
        EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file that it waits in has no name";
    }
    ASSERT_TRUE(repo::suite::put(*store, key, large));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

} // namespace
} // namespace xentz::s3
