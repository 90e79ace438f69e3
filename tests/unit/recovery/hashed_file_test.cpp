#include "recovery/hashed_file.hpp"

#include "fakes/memory_files.hpp"

#include <gtest/gtest.h>

namespace xentz::recovery {
namespace {

using base::fault_code;

struct hashed_file : testing::Test {
    fakes::memory_files files;
    const std::filesystem::path at = "/copy/rows";

    hashed_file() { EXPECT_TRUE(os::create_directories(files, "/copy")); }

    file_record put(const std::vector<std::string>& pieces)
    {
        auto out = *hashed_writer::create(files, at);
        for (const auto& p : pieces) EXPECT_TRUE(out.write(p));
        return *out.finish();
    }
    std::vector<std::string> lines()
    {
        std::vector<std::string> out;
        auto reader = *line_reader::open(files, at);
        for (;;) {
            const auto next = reader.next();
            EXPECT_TRUE(next);
            if (!next || !*next) return out;
            out.emplace_back(**next);
        }
    }
};

TEST_F(hashed_file, is_recorded_with_its_size_and_hash)
{
    const auto written = put({"ab", "", "c"});
    EXPECT_EQ(written.name, "rows");
    EXPECT_EQ(written.bytes, 3U);
    EXPECT_EQ(written.sha256, crypto::sha256_hex("abc"));
    EXPECT_EQ(*hash_file(files, at), written);
}

TEST_F(hashed_file, larger_than_a_piece_has_the_hash_of_the_whole)
{
    const std::string much(1'000'000, 'm');
    EXPECT_EQ(put({much, much}).sha256, crypto::sha256_hex(much + much));
    EXPECT_EQ(hash_file(files, at)->bytes, 2'000'000U);
}

TEST_F(hashed_file, takes_no_name_that_is_taken)
{
    put({"x"});
    EXPECT_EQ(hashed_writer::create(files, at).error().code, fault_code::conflict);
}

TEST_F(hashed_file, a_full_disk_is_told)
{
    auto out = *hashed_writer::create(files, at);
    files.fail_at(1, fault_code::disk_full);
    EXPECT_TRUE(out.write("held"));
    EXPECT_EQ(out.finish().error().code, fault_code::disk_full);
}

TEST_F(hashed_file, is_read_line_by_line_whatever_their_length)
{
    const std::string longer(700'000, 'l');
    put({"a\n\nb\n", longer + "\n", "without an end"});
    EXPECT_EQ(lines(), (std::vector<std::string>{"a", "", "b", longer, "without an end"}));
}

TEST_F(hashed_file, without_bytes_has_no_line)
{
    put({});
    EXPECT_TRUE(lines().empty());
}

TEST_F(hashed_file, a_line_without_end_does_not_fill_the_memory)
{
    put({std::string(std::size_t{18} << 20U, 'x')});
    EXPECT_EQ(line_reader::open(files, at)->next().error().code, fault_code::invalid_value);
}

} // namespace
} // namespace xentz::recovery
