#include "progress_text.hpp"
#include "rate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace xentz::apps {
namespace {

using namespace std::chrono_literals;

constexpr engine::progress halfway{
    .fraction = 0.45, .files_done = 3, .files_total = 8, .bytes_done = 1288490189, .bytes_total = 2899102925};

TEST(progress, the_bar_has_share_amount_speed_and_time_left)
{
    EXPECT_EQ(progress_bar(halfway, {.bytes_per_second = 41.0 * 1024 * 1024, .width = 100}),
              "[#########-----------]  45%  1.2 GiB of 2.7 GiB, 3 of 8 files, 41.0 MiB/s, 37.4 s left");
    EXPECT_EQ(progress_bar(halfway, {.width = 100}), "[#########-----------]  45%  1.2 GiB of 2.7 GiB, 3 of 8 files");
}

TEST(progress, what_does_not_fit_is_left_out_from_the_end)
{
    const auto at = [](std::size_t width) {
        return progress_bar(halfway, {.bytes_per_second = 41.0 * 1024 * 1024, .width = width});
    };
    EXPECT_EQ(at(80), "[#########-----------]  45%  1.2 GiB of 2.7 GiB, 3 of 8 files, 41.0 MiB/s");
    EXPECT_EQ(at(60), "[#########-----------]  45%  1.2 GiB of 2.7 GiB");
    EXPECT_EQ(at(30), "[#########-----------]  45%");
    EXPECT_EQ(at(10), "45%");
    EXPECT_EQ(at(0), "");
}

TEST(progress, is_never_wider_than_the_terminal)
{
    EXPECT_TRUE(rc::check([](std::uint8_t width, std::uint64_t done, std::uint64_t total, std::uint64_t files) {
        const engine::progress p{.fraction = static_cast<double>(done) / (1.0 + static_cast<double>(total)),
                                 .files_done = files,
                                 .files_total = files,
                                 .bytes_done = done,
                                 .bytes_total = total};
        RC_ASSERT(progress_bar(p, {.bytes_per_second = static_cast<double>(files), .width = width}).size() <= width);
    }));
}

TEST(progress, colours_only_where_they_are_wanted)
{
    EXPECT_EQ(progress_bar(halfway, {.width = 100}).find('\033'), std::string::npos);
    const auto coloured = progress_bar(halfway, {.width = 30, .coloured = true});
    EXPECT_EQ(coloured, "[\033[32m#########\033[0m-----------]  45%");
}

TEST(progress, as_a_line)
{
    EXPECT_EQ(progress_sentence(halfway, 1024.0 * 1024),
              "45%, 1.2 GiB of 2.7 GiB, 3 of 8 files, 1.0 MiB/s, 25 min 36 s left");
    // Where nothing moves, a time would be made up.
    EXPECT_EQ(progress_sentence(halfway, 0.0), "45%, 1.2 GiB of 2.7 GiB, 3 of 8 files, 0 B/s");
}

TEST(progress, the_estimate_of_a_first_run)
{
    EXPECT_EQ(estimate_sentence(halfway, 41.0 * 1024 * 1024), "about 8 files, 2.7 GiB; at 41.0 MiB/s about 1 min 07 s");
    EXPECT_EQ(estimate_sentence(halfway, std::nullopt), "about 8 files, 2.7 GiB");
}

TEST(rate, is_that_of_the_last_seconds)
{
    rate r;
    EXPECT_FALSE(r.per_second());
    r.note(0s, 0);
    EXPECT_FALSE(r.per_second());
    r.note(1s, 1000);
    EXPECT_DOUBLE_EQ(*r.per_second(), 1000.0);
    for (int s = 2; s <= 30; ++s) r.note(std::chrono::seconds{s}, 1000); // an hour of unchanged files would be the same
    EXPECT_DOUBLE_EQ(*r.per_second(), 0.0);
    for (int s = 31; s <= 40; ++s) r.note(std::chrono::seconds{s}, 1000 + static_cast<std::uint64_t>(s - 30) * 500);
    EXPECT_DOUBLE_EQ(*r.per_second(), 500.0);
}

TEST(rate, keeps_few_samples_however_many_come)
{
    rate r;
    for (int i = 0; i < 100'000; ++i) r.note(std::chrono::milliseconds{i / 10}, static_cast<std::uint64_t>(i) * 100);
    EXPECT_LE(r.samples(), 102U);
    EXPECT_NEAR(r.per_second().value(), 1'000'000.0, 20'000.0);
}

TEST(rate, begins_anew_where_the_amount_shrinks)
{
    rate r;
    r.note(0s, 5000);
    r.note(2s, 6000);
    r.note(3s, 10);
    EXPECT_FALSE(r.per_second());
    r.note(5s, 2010);
    EXPECT_DOUBLE_EQ(*r.per_second(), 1000.0);
}

} // namespace
} // namespace xentz::apps
