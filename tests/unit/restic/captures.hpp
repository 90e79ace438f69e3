// Recorded runs of restic (tests/golden/restic/README.md).
#pragma once

#include "fakes/fake_process_runner.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace xentz::restic {

inline std::string golden_file(const std::string& version, const std::string& name)
{
    const auto path = std::string{XENTZ_TESTS_DIR} + "/golden/restic/" + version + "/" + name;
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error("there is no " + path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// How the process ended, from the exit code that a shell saw.
inline os::process_end end_of(int shell_code)
{
    using how = os::process_end::how;
    if (shell_code == 124) return {.kind = how::timed_out, .exit_code = 1};
    if (shell_code == 128 + SIGTERM) return {.kind = how::killed, .signal = SIGTERM};
    return {.exit_code = shell_code};
}

inline fakes::scripted_run capture(const std::string& version, const std::string& name)
{
    const auto meta = golden_file(version, name + ".meta");
    const auto at = meta.find("rc: ");
    if (at == std::string::npos) throw std::runtime_error(name + ".meta has no exit code");
    return {.out = golden_file(version, name + ".stdout"),
            .err = golden_file(version, name + ".stderr"),
            .end = end_of(std::stoi(meta.substr(at + 4)))};
}

inline std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

inline const std::vector<std::string>& recorded_versions()
{
    static const std::vector<std::string> all{"0.14.0", "0.18.0", "0.19.1"};
    return all;
}

inline std::string version_name(const testing::TestParamInfo<std::string>& info)
{
    auto name = "v" + info.param;
    for (auto& c : name) {
        if (c == '.') c = '_';
    }
    return name;
}

} // namespace xentz::restic
