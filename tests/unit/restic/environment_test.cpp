#include "restic/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace xentz::restic {
namespace {

TEST(environment, names_files_and_drops_what_is_not_on_the_list)
{
    const auto e = environment({{"PATH", "/bin"},
                                {"HTTPS_PROXY", "http://proxy:3128"},
                                {"TMPDIR", ""},
                                {"RESTIC_PASSWORD", "other"},
                                {"RESTIC_PASSWORD_COMMAND", "false"},
                                {"RESTIC_REPOSITORY", "/other"},
                                {"RESTIC_KEY_HINT", "1234"},
                                {"LD_PRELOAD", "/lib/other.so"},
                                {"XENTZ_INSTALL_TOKEN", "secret"}},
                               {.repository = "/run/x/repository-1", .password = "/etc/pw", .cache = "/var/cache/x"});
    const std::map<std::string, std::string> expected{{"PATH", "/bin"},
                                                      {"HTTPS_PROXY", "http://proxy:3128"},
                                                      {"RESTIC_REPOSITORY_FILE", "/run/x/repository-1"},
                                                      {"RESTIC_PASSWORD_FILE", "/etc/pw"},
                                                      {"RESTIC_CACHE_DIR", "/var/cache/x"},
                                                      {"RESTIC_PROGRESS_FPS", "1"}};
    EXPECT_EQ(e, expected);
}

TEST(environment, hands_on_home_temp_proxies_certificates_and_credentials)
{
    const auto e = inherited([](const std::string& name) { return "value of " + name; });
    for (const auto* name : {"PATH", "HOME", "TMPDIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "SSL_CERT_FILE",
                             "SSL_CERT_DIR", "SSH_AUTH_SOCK", "AWS_ACCESS_KEY_ID", "GOMEMLIMIT"})
        EXPECT_EQ(e.at(name), std::string{"value of "} + name);
    for (const auto& [name, value] : e) EXPECT_FALSE(name.starts_with("RESTIC_") || name.starts_with("XENTZ_")) << name;
}

TEST(environment, is_the_list_that_the_documents_give)
{
    std::ifstream in{XENTZ_TESTS_DIR "/../docs/agent-files.md"};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto begin = text.find("where\nthey are set:\n");
    const auto end = text.find("Without `PATH`", begin);
    ASSERT_LT(begin, end);
    std::istringstream words{text.substr(text.find('`', begin), end - text.find('`', begin))};
    std::set<std::string> documented;
    for (std::string word; words >> word;) documented.insert(word.substr(1, word.size() - 2));
    const auto names = inherited_names();
    EXPECT_EQ(documented, std::set<std::string>(names.begin(), names.end()));
}

} // namespace
} // namespace xentz::restic
