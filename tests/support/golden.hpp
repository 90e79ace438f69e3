// Texts that are part of a promise, kept as files below tests/golden and compared byte for byte. With
// XENTZ_TEST_ACCEPT=1 a test writes what it got instead, and fails all the same, so that somebody looks at the change.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace xentz::test {

inline std::string read_text(const std::filesystem::path& p)
{
    std::ifstream in{p, std::ios::binary};
    if (!in) ADD_FAILURE() << "cannot read " << p;
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::filesystem::path golden_file(const std::string& name)
{
    return std::filesystem::path{XENTZ_TESTS_DIR} / "golden" / name;
}

inline std::string golden(const std::string& name) { return read_text(golden_file(name)); }

inline void expect_golden(const std::string& name, const std::string& got)
{
    const auto path = golden_file(name);
    if (const auto* accept = std::getenv("XENTZ_TEST_ACCEPT"); accept != nullptr && std::string_view{accept} == "1") {
        std::ofstream{path, std::ios::binary} << got;
        ADD_FAILURE() << path << " was written anew: look at the difference before it is committed";
        return;
    }
    EXPECT_EQ(golden(name), got) << "differs from " << path;
}

} // namespace xentz::test
