#include "token.hpp"

#include "os/files.hpp"

#include <cstdlib>
#include <filesystem>

namespace xentz::apps {

using base::fail;
using base::fault_code;
using base::result;

result<std::string> read_token(agent::environment& env, const std::string& token, const std::string& file,
                               const char* variable)
{
    if (!token.empty()) return token;
    if (!file.empty()) {
        auto text = os::read_all(env.files, std::filesystem::absolute(file), 65536);
        if (!text)
            return fail(fault_code::usage, "the token cannot be read: " + text.error().message,
                        "Name the file that holds it with --token-file");
        auto first = text->substr(0, text->find_first_of("\r\n"));
        if (!first.empty()) return first;
        return fail(fault_code::usage, "the token file " + file + " is empty", "Put the token into its first line");
    }
    if (const char* set = std::getenv(variable); set != nullptr && *set != '\0') return set;
    return fail(fault_code::usage, "no token is given",
                "Use --token-file FILE, --token TOKEN or the variable " + std::string{variable});
}

std::optional<std::string> absolute_or_none(const std::string& p)
{
    if (p.empty()) return std::nullopt;
    return std::filesystem::absolute(p).lexically_normal().string();
}

} // namespace xentz::apps
