#include "passphrase.hpp"

#include "os/terminal.hpp"

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

result<std::string> ask(bool new_one)
{
    auto answer = os::ask_secret("Passphrase of the copy: ");
    if (!answer) {
        if (answer.error().code == fault_code::usage)
            return fail(fault_code::usage, "there is no terminal to ask for the passphrase on",
                        "Name a file that holds it with --passphrase-file");
        return answer;
    }
    if (!new_one) return answer;
    const auto again = os::ask_secret("Once more: ");
    if (!again) return std::unexpected(again.error());
    if (*again != *answer) return fail(fault_code::usage, "the two passphrases differ", "Run it again");
    return answer;
}

} // namespace

result<std::string> read_small_file(context& c, const std::string& file)
{
    constexpr std::uint64_t most_bytes = std::uint64_t{64} << 10U;
    return os::read_all(c.files, std::filesystem::absolute(file), most_bytes);
}

result<std::string> read_passphrase(context& c, const std::string& file, bool new_one)
{
    auto text = file.empty() ? ask(new_one) : read_small_file(c, file);
    if (!text) return text;
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    if (!text->empty()) c.redactor->add(*text);
    return text;
}

} // namespace xentz::apps
