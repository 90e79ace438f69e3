#include "restic/environment.hpp"

#include <array>
#include <utility>

namespace xentz::restic {
namespace {

constexpr auto names = std::to_array<std::string_view>({
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "B2_ACCOUNT_ID",
    "B2_ACCOUNT_KEY",
    "AZURE_ACCOUNT_NAME",
    "AZURE_ACCOUNT_KEY",
    "GOOGLE_PROJECT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
});

} // namespace

std::span<const std::string_view> inherited_names() { return names; }

std::map<std::string, std::string> inherited(const std::function<std::string(const std::string&)>& variable)
{
    std::map<std::string, std::string> result;
    for (const auto name : names) {
        std::string key{name};
        if (auto value = variable(key); !value.empty()) result.emplace(std::move(key), std::move(value));
    }
    return result;
}

std::map<std::string, std::string> inherited(const std::map<std::string, std::string>& base)
{
    return inherited([&](const std::string& name) {
        const auto at = base.find(name);
        return at == base.end() ? std::string{} : at->second;
    });
}

std::map<std::string, std::string> environment(const std::map<std::string, std::string>& base,
                                               const environment_files& files)
{
    auto result = inherited(base);
    result["RESTIC_REPOSITORY_FILE"] = files.repository.string();
    result["RESTIC_PASSWORD_FILE"] = files.password.string();
    result["RESTIC_CACHE_DIR"] = files.cache.string();
    result["RESTIC_PROGRESS_FPS"] = "1";
    return result;
}

} // namespace xentz::restic
