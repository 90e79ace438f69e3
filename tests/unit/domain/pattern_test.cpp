#include "domain/pattern.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::domain {
namespace {

TEST(pattern, a_path_with_wildcards_in_its_name_is_taken_literally)
{
    EXPECT_EQ(literal_pattern("/var/lib/xentz-agent"), "/var/lib/xentz-agent");
    EXPECT_EQ(literal_pattern(R"(/home/we[ir]d*x\y?)"), R"(/home/we\[ir]d\*x\\y\?)");
    EXPECT_TRUE(takes_away(R"(/home/we\[ir]d\*x\\y\?)", R"(/home/we[ir]d*x\y?/below)"));
    EXPECT_FALSE(takes_away(R"(/home/we\[ir]d\*x\\y\?)", "/home/weird"));
}

TEST(pattern, every_path_is_taken_away_by_its_own_pattern_and_no_longer_name_is)
{
    EXPECT_TRUE(rc::check([] {
        const auto name =
            *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string{R"(ab*?[]\ -)"})));
        const auto path = "/x/" + name;
        RC_ASSERT(takes_away(literal_pattern(path), path));
        RC_ASSERT(takes_away(literal_pattern(path), path + "/below"));
        RC_ASSERT(!takes_away(literal_pattern(path), path + "b"));
    }));
}

TEST(pattern, is_cleaned_as_restic_does_it)
{
    for (const auto* pattern : {"/srv/", "/srv//", "/srv/.", "/srv/www/..", "//srv", "/"}) {
        EXPECT_TRUE(takes_away(pattern, "/srv/www")) << pattern;
        EXPECT_TRUE(takes_away(pattern, "/srv")) << pattern;
    }
    EXPECT_TRUE(takes_away("/srv", "/srv/"));
    EXPECT_FALSE(takes_away("/srv/", "/srv2"));
    EXPECT_FALSE(takes_away("/srv/www/", "/srv"));
}

TEST(pattern, what_is_not_understood_takes_nothing_away)
{
    for (const auto* pattern : {"/*", "/s?v", "/[s]rv", "srv", "**/srv", "!/srv", "/srv\\", ""})
        EXPECT_FALSE(takes_away(pattern, "/srv")) << pattern;
}

} // namespace
} // namespace xentz::domain
