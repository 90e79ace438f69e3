#include "s3/address.hpp"

#include <gtest/gtest.h>

#include <map>

namespace xentz::s3 {
namespace {

using base::fault_code;

environment variables(std::map<std::string, std::string> values = {})
{
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto at = values.find(name);
        return at == values.end() ? std::nullopt : std::optional{at->second};
    };
}

fault_code code_of(std::string_view text, const environment& e = variables())
{
    const auto a = parse_address(text, e);
    return a ? fault_code::internal : a.error().code;
}

TEST(address, of_an_own_store)
{
    const auto a = parse_address("s3://backups/fleet/one/?endpoint=https://s3.example.com:9000&region=default"
                                 "&credentials=/etc/keys&profile=store&ca-file=%2Fetc%2Fca.pem",
                                 variables())
                       .value();
    EXPECT_EQ(a.name(), "s3://backups/fleet/one");
    EXPECT_EQ(a.url("data/00"), "https://s3.example.com:9000/backups/fleet/one/data/00");
    EXPECT_EQ(a.url(""), "https://s3.example.com:9000/backups");
    EXPECT_EQ(a.source("config"), "/backups/fleet/one/config");
    EXPECT_EQ(a.region, "default");
    EXPECT_EQ(a.credentials_file, "/etc/keys");
    EXPECT_EQ(a.ca_file, "/etc/ca.pem");
    EXPECT_EQ(a.profile, "store");
}

TEST(address, of_amazon)
{
    const auto a = parse_address("s3://backups", variables({{"AWS_REGION", "eu-central-1"}})).value();
    EXPECT_EQ(a.url("config"), "https://backups.s3.eu-central-1.amazonaws.com/config");
    EXPECT_EQ(a.url(""), "https://backups.s3.eu-central-1.amazonaws.com/");
    // A certificate for *.s3... does not cover another dot.
    EXPECT_EQ(parse_address("s3://my.backups?region=eu-west-1", variables())->url("config"),
              "https://s3.eu-west-1.amazonaws.com/my.backups/config");
    EXPECT_EQ(code_of("s3://backups"), fault_code::invalid_value) << "without a region";
}

TEST(address, addressing_can_be_chosen)
{
    EXPECT_EQ(parse_address("s3://backups?endpoint=https://s3.example.com&addressing=host", variables())->url("a"),
              "https://backups.s3.example.com/a");
    EXPECT_EQ(parse_address("s3://backups?region=eu-west-1&addressing=path", variables())->url("a"),
              "https://s3.eu-west-1.amazonaws.com/backups/a");
}

TEST(address, plain_http_only_on_loopback_unless_it_is_allowed)
{
    EXPECT_TRUE(parse_address("s3://backups?endpoint=http://127.0.0.1:9000", variables()));
    EXPECT_EQ(code_of("s3://backups?endpoint=http://192.0.2.1:9000"), fault_code::insecure_transport);
    EXPECT_EQ(code_of("s3://backups?endpoint=http://localhost:9000"), fault_code::insecure_transport);
    EXPECT_TRUE(parse_address("s3://backups?endpoint=http://192.0.2.1:9000&allow-http=true", variables()));
}

TEST(address, refuses_what_is_none)
{
    const std::string end = "?endpoint=https://s3.example.com";
    for (const auto& text :
         {"file:/backups" + end, "s3://" + end, "s3://b" + end, "s3://Backups" + end, "s3://back..ups" + end,
          "s3://-backups" + end, "s3://backups/../x" + end, "s3://backups//x" + end, "s3://backups/a b" + end,
          "s3://backups" + end + "/path", "s3://backups" + end + "&unknown=1", "s3://backups" + end + "&region=",
          "s3://backups" + end + "&region=a&region=b", "s3://backups" + end + "&credentials=keys",
          "s3://backups" + end + "&addressing=other", std::string{"s3://backups?endpoint=s3.example.com"},
          std::string{"s3://backups?endpoint=https://user:secret@s3.example.com"}})
        EXPECT_EQ(code_of(text), fault_code::invalid_value) << text;
}

TEST(address, never_repeats_keys_that_somebody_put_into_it)
{
    const auto a = parse_address("s3://AKID:topsecret@backups?endpoint=https://s3.example.com", variables());
    ASSERT_FALSE(a);
    EXPECT_EQ(base::sentence(a.error()).find("topsecret"), std::string::npos);
}

} // namespace
} // namespace xentz::s3
