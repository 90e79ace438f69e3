#include "recovery/manifest.hpp"

#include "fakes/fake_random.hpp"
#include "support/golden.hpp"
#include "wire/json.hpp"

namespace xentz::recovery {
namespace {

using base::fault_code;

struct a_manifest : testing::Test {
    fakes::fake_random random;
    crypto::master_key key = *crypto::master_key::parse(std::string(64, '1'));
    manifest m{.version = "0.1.0",
               .made_at = *base::parse_rfc3339("2026-11-24T10:00:00Z"),
               .epoch = 2,
               .master_key_fingerprint = "0badcafe",
               .storage_id = "storage_1",
               .schema = {"0001_fleet", "0002_more"},
               .tables = {{"tenant", 3}, {"device", 17}},
               .database = {"database-1.jsonl", 4711, std::string(64, 'd')},
               .master_key = {"master-key-1.json", 300, std::string(64, 'k')},
               .settings = {},
               .settings_path = {}};
    std::string text = print_manifest(m, key);
};

TEST_F(a_manifest, looks_like_this) { test::expect_golden("recovery/manifest-alone.json", text); }

TEST_F(a_manifest, comes_back_as_it_was)
{
    m.settings = file_record{"settings-1.sealed", 80, std::string(64, 's')};
    m.settings_path = "/etc/xentz-server/server.conf";
    const auto read = read_manifest(print_manifest(m, key));
    ASSERT_TRUE(read);
    EXPECT_EQ(wire::encode(*read), wire::encode(m));
}

TEST_F(a_manifest, is_genuine_as_long_as_nothing_of_it_is_altered)
{
    EXPECT_TRUE(is_genuine(text, key));
    EXPECT_FALSE(is_genuine(text, *crypto::master_key::parse(std::string(64, '2'))));
    for (const auto* part :
         {"0.1.0", "2026", "4711", "dddd", "storage_1", "0badcafe", "0002_more", "17", "\"epoch\": 2"}) {
        auto altered = text;
        auto& c = altered.at(altered.find(part) + std::string_view{part}.size() - 1);
        c = c == '1' ? '3' : '1';
        EXPECT_FALSE(is_genuine(altered, key)) << part;
    }
}

TEST_F(a_manifest, may_be_laid_out_in_another_way_and_hold_more)
{
    const auto v = *wire::parse_json(text);
    EXPECT_TRUE(is_genuine(wire::print_json(v), key));
    auto more = v.get_object();
    more["made_by"] = "somebody";
    EXPECT_TRUE(read_manifest(wire::print_json(more)));
    EXPECT_FALSE(is_genuine(wire::print_json(more), key)) << "what a later program adds is covered, too";
}

TEST_F(a_manifest, without_a_mac_is_not_genuine)
{
    for (const auto* other : {"", "[]", "{}", "{\"mac\":7}"}) EXPECT_FALSE(is_genuine(other, key)) << other;
}

TEST_F(a_manifest, of_a_newer_format_or_of_something_else_is_refused)
{
    EXPECT_EQ(read_manifest("{\"format\":2}").error().code, fault_code::config_invalid);
    m.kind = "a web application";
    EXPECT_EQ(read_manifest(print_manifest(m, key)).error().code, fault_code::invalid_value);
    for (const auto* other : {"", "{}", "[]", "{\"name\":\"web\",\"icons\":[]}"})
        EXPECT_EQ(read_manifest(other).error().code, fault_code::invalid_value) << other;
}

TEST_F(a_manifest, names_no_file_outside_of_its_folder)
{
    for (const auto* name : {"", "../xentz.db", "/etc/shadow", "a/b", "..", ".hidden"}) {
        m.database.name = name;
        EXPECT_EQ(read_manifest(print_manifest(m, key)).error().code, fault_code::invalid_value) << name;
    }
}

} // namespace
} // namespace xentz::recovery
