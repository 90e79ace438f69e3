#include "base/time_text.hpp"
#include "http/client.hpp"

#include <gtest/gtest.h>

namespace xentz::http {
namespace {

TEST(date, is_read)
{
    const auto t = parse_date("Mon, 23 Nov 2026 14:20:25 GMT");
    ASSERT_TRUE(t);
    EXPECT_EQ(base::to_rfc3339(*t), "2026-11-23T14:20:25Z");
    EXPECT_TRUE(parse_date("Fri, 31 Dec 9999 23:59:59 GMT"));
}

TEST(date, that_no_time_point_holds_is_none)
{
    for (const auto* text : {"", "yesterday", "Mon, 23 Nov (2081520", "Sat, 01 Jan 10000 00:00:00 GMT",
                             "Mon, 23 Nov 292277026596 00:00:00 GMT", "Mon, 30 Dec 1968 23:59:59 GMT"})
        EXPECT_FALSE(parse_date(text)) << text;
}

} // namespace
} // namespace xentz::http
