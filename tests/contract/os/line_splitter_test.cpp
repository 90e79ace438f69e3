#include "os/line_splitter.hpp"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <vector>

namespace xentz::os {
namespace {

std::vector<std::string> split(std::string_view text, std::size_t longest, const std::vector<std::size_t>& pieces)
{
    std::vector<std::string> lines;
    const line_sink sink = [&](std::string_view line) { lines.emplace_back(line); };
    line_splitter splitter{longest, sink};
    for (const auto size : pieces) {
        splitter.feed(text.substr(0, size));
        text.remove_prefix(std::min(size, text.size()));
    }
    splitter.feed(text);
    splitter.finish();
    return lines;
}

rc::Gen<std::string> text_with_lines()
{
    return rc::gen::container<std::string>(
        rc::gen::oneOf(rc::gen::element('\n', '\r', 'a', '\0', '\xff'), rc::gen::arbitrary<char>()));
}

TEST(lines, are_the_same_however_the_bytes_arrive)
{
    EXPECT_TRUE(rc::check("pieces do not matter", [] {
        const auto text = *text_with_lines();
        const auto longest = *rc::gen::inRange<std::size_t>(1, 20);
        const auto pieces = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 9));
        const auto lines = split(text, longest, pieces);
        RC_ASSERT(lines == split(text, longest, {}));
        for (const auto& line : lines) RC_ASSERT(line.size() <= longest && line.find('\n') == std::string::npos);
    }));
}

TEST(lines, together_are_the_text)
{
    EXPECT_TRUE(rc::check("nothing is lost or made up", [] {
        auto text = *text_with_lines();
        std::erase(text, '\r');
        std::string joined;
        for (const auto& line : split(text, 1'000'000, {3, 1, 4, 1, 5})) joined += line + "\n";
        if (!text.empty() && !text.ends_with('\n')) text += '\n';
        RC_ASSERT(joined == text);
    }));
}

TEST(lines, may_be_any_length)
{
    const std::string longest(3'000'000, 'x');
    EXPECT_THAT(split(longest + "\nshort\n" + longest, 2'000'000, {1'000'000, 2'500'000}),
                testing::ElementsAre(longest.substr(0, 2'000'000), "short", longest.substr(0, 2'000'000)));
}

} // namespace
} // namespace xentz::os
