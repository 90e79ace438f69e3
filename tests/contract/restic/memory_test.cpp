// Memory does not grow with the number of lines: a program that prints as restic does, read by the engine.
#include "contract/restic/real_restic.hpp"

#include <algorithm>
#include <fstream>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// g++ 12 comes without the header that declares it, sanitizer/allocator_interface.h.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace xentz::restic {
namespace {

// Private memory of this process in KiB. Under a sanitizer, which keeps freed memory back on purpose: what is
// allocated.
std::uint64_t private_memory()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes() / 1024;
#else
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word != "RssAnon:") continue;
        std::uint64_t kib = 0;
        status >> kib;
        return kib;
    }
    return 0;
#endif
}

// Prints `lines` lines of status with ever other names, then as many files that cannot be read, then a summary.
std::uint64_t peak_of(const std::filesystem::path& folder, unsigned lines)
{
    const auto program = folder / "restic";
    write_file(program, R"(#!/usr/bin/mawk -Wexec
BEGIN {
    if (ARGV[1] == "version") { print "restic 0.18.0 compiled with go1.24 on linux/amd64"; exit }
    for (i = 0; i < )" + std::to_string(lines) +
                            R"(; ++i) {
        printf "{\"message_type\":\"status\",\"percent_done\":0.5,\"total_files\":%d,\"files_done\":%d,", i + 9, i
        printf "\"current_files\":[\"/srv/folder/file-%d\",\"/srv/folder/other-%d\"]}\n", i, i
        if (i % 10 == 0)
            printf "{\"message_type\":\"error\",\"error\":{\"message\":\"no\"},\"during\":\"archival\",\"item\":\"/f%d\"}\n", i > "/dev/stderr"
    }
    print "{\"message_type\":\"summary\",\"total_files_processed\":1000000,\"snapshot_id\":\"0123abcd\"}"
    exit 3
}
)");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const auto runner = os::make_process_runner();
    const auto engine = make_restic_engine(
        {.program = program, .runtime_directory = folder / "run", .base_environment = {{"PATH", "/usr/bin:/bin"}}},
        *runner);
    const auto session = std::move(*engine->open({.address = "/nowhere", .password_file = "/nowhere"}));
    std::uint64_t peak = 0;
    std::uint64_t seen = 0;
    const auto outcome = session->backup({.scope = {"h", "t"}, .include = {"/srv"}},
                                         [&](const engine::progress&) {
                                             if (seen++ % (lines / 20) == 0) peak = std::max(peak, private_memory());
                                         },
                                         {});
    EXPECT_TRUE(outcome) << fault_of(outcome);
    EXPECT_EQ(seen, lines);
    EXPECT_EQ(outcome->unreadable_count, lines / 10);
    return peak;
}

TEST(memory, of_the_engine_is_the_same_for_a_thousand_lines_and_for_a_hundred_thousand)
{
    const fakes::scratch_folder folder;
    const auto few = peak_of(folder.path(), 1'000);
    const auto many = peak_of(folder.path(), 100'000);
    EXPECT_GT(few, 0U);
    EXPECT_LE(many, few + 1024) << "KiB";
}

} // namespace
} // namespace xentz::restic
