// Real restics and a repository in a local folder for each: those of XENTZ_TEST_RESTICS (paths with colons between
// them), else the one on PATH.
#pragma once

#include "restic/restic_engine.hpp"

#include "fakes/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

namespace xentz::restic {

inline std::vector<std::filesystem::path> real_restics()
{
    const auto* named = std::getenv("XENTZ_TEST_RESTICS");
    if (named == nullptr) {
        const auto found = os::find_program("restic", "/usr/local/bin:/usr/bin:/bin");
        if (!found) throw std::runtime_error(found.error().message);
        return {*found};
    }
    std::vector<std::filesystem::path> all;
    std::string_view rest{named};
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        all.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return all;
}

inline std::string read_file(const std::filesystem::path& p)
{
    std::ifstream in{p, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::filesystem::path& p, const std::string& content)
{
    std::filesystem::create_directories(p.parent_path());
    std::ofstream{p, std::ios::binary} << content;
}

inline std::string noise(std::size_t size, unsigned seed)
{
    std::mt19937 numbers{seed};
    std::string bytes(size, '\0');
    for (auto& b : bytes) b = static_cast<char>(numbers());
    return bytes;
}

// What an ordinary user may not read, restic may not: root without its privilege to read everything.
inline std::filesystem::path without_privilege(const std::filesystem::path& restic, const std::filesystem::path& folder)
{
    if (::geteuid() != 0) return restic;
    const auto wrapper = folder / "restic-without-privilege";
    write_file(wrapper, "#!/bin/sh\nexec /usr/bin/setpriv --bounding-set=-dac_override,-dac_read_search " +
                            restic.string() + " \"$@\"\n");
    std::filesystem::permissions(wrapper, std::filesystem::perms::owner_all);
    return wrapper;
}

class real_repository {
public:
    explicit real_repository(const std::filesystem::path& restic) : program(restic)
    {
        write_file(scratch.path() / "password", "correct horse");
        runner = os::make_process_runner();
        engine = make_engine({.program = without_privilege(restic, scratch.path())});
        session = open(domain::restic_options{});
        std::filesystem::create_directory(source());
    }

    // What is left out of the setup is filled in.
    std::unique_ptr<engine::backup_engine> make_engine(restic_setup setup)
    {
        if (setup.program.empty()) setup.program = program;
        setup.cache_directory = scratch.path() / "cache";
        setup.runtime_directory = scratch.path() / "run";
        setup.base_environment = {
            {"PATH", "/usr/bin:/bin"}, {"HOME", scratch.path().string()}, {"TMPDIR", scratch.path().string()}};
        setup.limits.longest = std::chrono::minutes{4};
        return make_restic_engine(std::move(setup), *runner);
    }

    std::unique_ptr<engine::session> open_at(const std::string& address)
    {
        return open({.address = address, .password_file = scratch.path() / "password"});
    }
    std::unique_ptr<engine::session> open(const domain::restic_options& options)
    {
        return open(
            {.address = repository().string(), .password_file = scratch.path() / "password", .options = options});
    }
    std::unique_ptr<engine::session> open(const engine::repository& r) { return std::move(*engine->open(r)); }

    std::filesystem::path repository() const { return scratch.path() / "repository"; }
    std::filesystem::path source() const { return scratch.path() / "source"; }
    std::filesystem::path target() const { return scratch.path() / "target"; }
    // restic restores absolute paths below the target.
    std::filesystem::path restored() const { return target() / source().relative_path(); }

    base::result<engine::backup_outcome> back_up(std::vector<std::string> also = {})
    {
        also.insert(also.begin(), source().string());
        return session->backup({.scope = ours, .include = also}, {}, {});
    }

    const std::filesystem::path program;
    const engine::scope ours{"this-host", "xentz"};
    fakes::scratch_folder scratch;
    std::unique_ptr<os::process_runner> runner;
    std::unique_ptr<engine::backup_engine> engine;
    std::unique_ptr<engine::session> session;
};

template <class T>
std::string fault_of(const base::result<T>& r)
{
    return r ? std::string{} : std::string{base::name(r.error().code)} + ": " + base::sentence(r.error());
}

inline void with_each_restic(const std::function<void(real_repository&)>& test)
{
    for (const auto& restic : real_restics()) {
        real_repository r{restic};
        const auto version = r.engine->version();
        SCOPED_TRACE(restic.string() + " " + version.value_or(fault_of(version)));
        ASSERT_TRUE(version);
        test(r);
    }
}

} // namespace xentz::restic
