#include "control/passwords.hpp"
#include "crypto/sealed_box.hpp"
#include "fleet.hpp"

namespace xentz::control {
namespace {

struct handing_over : testing::Test {
    fleet f;

    enrolled_device enrolled(const char* custody)
    {
        if (std::string_view{custody} == "sealed") {
            EXPECT_TRUE(set_tenant(f.admin, f.home, "custody-key=" + key.public_key));
        }
        EXPECT_TRUE(set_tenant(f.admin, f.home, std::string{"custody="} + custody));
        return enrol(f, f.new_token());
    }
    http::response hand_over(const enrolled_device& d, const std::string& body)
    {
        return password_call(f.s, post(d.key, body));
    }
    std::string box(const std::string& password) { return *crypto::seal_to(key.public_key, password); }
    store::repository repository(const enrolled_device& d) { return *f.store.repository_of(domain::device_id{d.id}); }

    crypto::key_pair key = crypto::make_key_pair(f.random);
};

TEST_F(handing_over, adds_to_those_that_the_server_keeps)
{
    const auto d = enrolled("server");
    EXPECT_EQ(hand_over(d, R"({"password":"second"})").status, 200);
    EXPECT_EQ(hand_over(d, R"({"password":"third"})").status, 200);
    EXPECT_EQ(kept_passwords(f.s, repository(d)), (std::vector<std::string>{"third", "second", *d.password}));
    for (const auto& row : f.store.passwords(repository(d).id)) EXPECT_EQ(row.box.find("second"), std::string::npos);
}

TEST_F(handing_over, the_same_one_again_adds_nothing)
{
    const auto d = enrolled("server");
    EXPECT_EQ(hand_over(d, R"({"password":")" + *d.password + "\"}").status, 200);
    EXPECT_EQ(hand_over(d, R"({"password":"second"})").status, 200);
    EXPECT_EQ(hand_over(d, R"({"password":"second"})").status, 200);
    EXPECT_EQ(f.store.passwords(repository(d).id).size(), 1U);
}

TEST_F(handing_over, sealed_ones_are_kept_as_they_are)
{
    const auto d = enrolled("sealed");
    EXPECT_FALSE(d.password);
    const auto one = box("one");
    const auto two = box("two");
    EXPECT_EQ(hand_over(d, R"({"sealed":")" + one + "\"}").status, 200);
    EXPECT_EQ(hand_over(d, R"({"sealed":")" + one + "\"}").status, 200);
    EXPECT_EQ(hand_over(d, R"({"sealed":")" + two + "\"}").status, 200);
    EXPECT_EQ(sealed_passwords(f.s, repository(d)), (std::vector<std::string>{two, one}));
    EXPECT_TRUE(kept_passwords(f.s, repository(d)).empty());
}

TEST_F(handing_over, in_another_way_than_the_custody_says_is_refused)
{
    const auto of_server = enrolled("server");
    const auto of_tenant = enrolled("sealed");
    const auto of_device = enrolled("device");
    EXPECT_EQ(kind_of(hand_over(of_server, R"({"sealed":")" + box("x") + "\"}")), "409 other-custody");
    EXPECT_EQ(kind_of(hand_over(of_tenant, R"({"password":"x"})")), "409 other-custody");
    EXPECT_EQ(kind_of(hand_over(of_device, R"({"password":"x"})")), "409 other-custody");
    EXPECT_EQ(kind_of(hand_over(of_server, "{}")), "409 other-custody");
    for (const auto& d : {of_server, of_tenant, of_device}) EXPECT_TRUE(f.store.passwords(repository(d).id).empty());
}

TEST_F(handing_over, what_is_no_password_is_refused)
{
    const auto d = enrolled("server");
    const auto sealed = enrolled("sealed");
    for (const auto& text : {std::string{}, std::string{"a\\nb"}, std::string(4097, 'x')})
        EXPECT_EQ(kind_of(hand_over(d, R"({"password":")" + text + "\"}")), "400 invalid-request");
    for (const auto* text : {"", "00", "no hex"})
        EXPECT_EQ(kind_of(hand_over(sealed, std::string{R"({"sealed":")"} + text + "\"}")), "400 invalid-request");
    EXPECT_EQ(kind_of(hand_over(d, "[")), "400 invalid-request");
    EXPECT_EQ(kind_of(password_call(f.s, post("xdk_unknown", R"({"password":"x"})"))), "401 unauthorized");
}

TEST_F(handing_over, ends_before_it_fills_the_database)
{
    const auto d = enrolled("server");
    for (std::int64_t i = 0; i < most_deposited_passwords; ++i)
        ASSERT_EQ(hand_over(d, R"({"password":"p)" + std::to_string(i) + "\"}").status, 200);
    EXPECT_EQ(kind_of(hand_over(d, R"({"password":"one more"})")), "409 too-many-passwords");
    EXPECT_EQ(kept_passwords(f.s, repository(d)).front(), "p99");
    EXPECT_EQ(kept_passwords(f.s, repository(d)).back(), *d.password);
}

TEST_F(handing_over, custody_is_chosen_by_the_tenant_and_stays_with_the_repository)
{
    EXPECT_FALSE(set_tenant(f.admin, f.home, "custody=sealed")) << "without a key";
    EXPECT_FALSE(set_tenant(f.admin, f.home, "custody-key=nothing"));
    EXPECT_FALSE(set_tenant(f.admin, f.home, "custody=nobody"));
    const auto d = enrolled("sealed");
    const auto first = key.public_key;
    key = crypto::make_key_pair(f.random);
    enrolled("sealed");
    EXPECT_EQ(repository(d).custody, "sealed");
    EXPECT_EQ(repository(d).custody_key, first);
}

TEST_F(handing_over, recovery_gets_all_of_them_the_newest_first)
{
    const auto d = enrolled("server");
    ASSERT_EQ(hand_over(d, R"({"password":"second"})").status, 200);
    const auto lost = *f.store.find_device(domain::device_id{d.id});
    const auto token = create_recovery_token(f.admin, lost, {})->token;
    const auto r = recover_call(f.s, post(token, plain_install, {{"Idempotency-Key", "k"}}));
    const auto answer = *wire::decode<wire::recover_response>(body_of(r));
    EXPECT_EQ(answer.password, "second");
    EXPECT_EQ(answer.older_passwords, std::vector<std::string>{*d.password});
    EXPECT_FALSE(answer.sealed_passwords);
}

} // namespace
} // namespace xentz::control
