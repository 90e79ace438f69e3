#include "restic/version.hpp"

#include "unit/restic/captures.hpp"

namespace xentz::restic {
namespace {

class recorded_version : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(all, recorded_version, testing::ValuesIn(recorded_versions()), version_name);

TEST_P(recorded_version, is_read_from_text_and_json)
{
    for (const auto* name : {"01-version", "02-version-json"}) {
        const auto v = parse_version(lines_of(capture(GetParam(), name).out).at(0));
        ASSERT_TRUE(v) << name;
        EXPECT_EQ(to_text(*v), GetParam());
    }
}

TEST(version, is_ordered_by_number_not_by_text)
{
    EXPECT_LT((version{0, 9, 6}), (version{0, 14, 0}));
    EXPECT_LT((version{0, 19, 1}), (version{1, 0, 0}));
}

TEST(version, of_a_build_between_releases_is_the_release_before)
{
    EXPECT_EQ(parse_version("restic 0.19.1-dev (compiled manually) compiled with go1.26 on linux/amd64"),
              (version{0, 19, 1}));
}

TEST(version, of_something_else_is_none)
{
    for (const auto* text : {"", "restic", "restic x.y.z", "restic 0.14", "restic 0.-1.0", "git version 2.39.5", "{}",
                             R"({"message_type":"version","version":7})", "restic 99999999999.0.0"})
        EXPECT_FALSE(parse_version(text)) << text;
}

} // namespace
} // namespace xentz::restic
