#include "s3/xml.hpp"

#include <gtest/gtest.h>

namespace xentz::s3 {
namespace {

constexpr std::string_view head = R"(<?xml version="1.0" encoding="UTF-8"?>)"
                                  R"(<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";

base::result<page> read(std::string_view text, std::size_t piece)
{
    page_reader reader;
    while (!text.empty()) {
        if (auto ok = reader.feed(text.substr(0, piece)); !ok) return base::failed(ok);
        text.remove_prefix(std::min(piece, text.size()));
    }
    return reader.finish();
}

TEST(xml_page, is_read_in_pieces_of_any_size)
{
    const auto text = std::string{head} +
                      R"(<Name>b</Name><Prefix>p/</Prefix><KeyCount>3</KeyCount><IsTruncated>true</IsTruncated>
        <NextContinuationToken>1ueGcxLPR&amp;x/+=</NextContinuationToken>
        <Contents><Key>p/a</Key><LastModified>2026-11-28T08:00:24.684Z</LastModified>
            <ETag>&quot;10c8&quot;</ETag><Size>5</Size>
            <Owner><ID>x</ID><DisplayName>Size</DisplayName></Owner></Contents>
        <Contents><Key>p/b</Key><Size>12345678901</Size></Contents>
        <CommonPrefixes><Prefix>p/c/</Prefix></CommonPrefixes></ListBucketResult>)";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
        const auto p = read(text, piece);
        ASSERT_TRUE(p) << piece;
        ASSERT_EQ(p->objects.size(), 2U);
        EXPECT_EQ(p->objects[0].key, "p/a");
        EXPECT_EQ(p->objects[0].bytes, 5U);
        EXPECT_EQ(p->objects[1].bytes, 12'345'678'901U);
        EXPECT_EQ(p->folders, std::vector<std::string>{"p/c/"});
        EXPECT_EQ(p->next, "1ueGcxLPR&x/+=");
    }
}

TEST(xml_page, an_empty_one_is_a_page)
{
    const auto p = read(std::string{head} + "<IsTruncated>false</IsTruncated></ListBucketResult>", 100);
    ASSERT_TRUE(p);
    EXPECT_TRUE(p->objects.empty() && p->folders.empty() && p->next.empty());
}

TEST(xml_page, one_that_is_cut_short_is_never_taken_for_a_short_one)
{
    const auto list = [](std::string_view inside) {
        return std::string{head} + std::string{inside} + "</ListBucketResult>";
    };
    for (const auto& text :
         {std::string{}, std::string{head}, std::string{head} + "<Contents><Key>a</Key>", std::string{"<html></html>"},
          std::string{"{}"}, list("<IsTruncated>true</IsTruncated>"),
          list("<NextContinuationToken>x</NextContinuationToken>"),
          list("<Contents><Key>a</Key><Size>many</Size></Contents>"), list("<Contents><Size>1</Size></Contents>")})
        EXPECT_FALSE(read(text, 50)) << text;
}

TEST(xml, refuses_entities_of_its_own_depth_without_end_and_endless_text)
{
    EXPECT_FALSE(read(R"(<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>)", 100));
    std::string deep{head};
    for (int i = 0; i < 100; ++i) deep += "<a>";
    EXPECT_FALSE(read(deep, 100));
    EXPECT_FALSE(read(std::string{head} + "<Contents><Key>" + std::string(100'000, 'x'), 1000));
}

TEST(xml_error, is_read_and_what_is_none_is_empty)
{
    const auto e = parse_error("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>why</Message>"
                               "<Region>eu-west-1</Region></Error>");
    EXPECT_EQ(e.code, "NoSuchKey");
    EXPECT_EQ(e.message, "why");
    EXPECT_EQ(e.region, "eu-west-1");
    EXPECT_EQ(parse_error("<Error><Code>NoSuchKey</Code>").code, "");
    EXPECT_EQ(parse_error("").code, "");
    EXPECT_EQ(parse_error("Bad Gateway").code, "");
}

} // namespace
} // namespace xentz::s3
