#include "restic/version_record.hpp"

#include "restic/json_line.hpp"

#include <boost/json.hpp>

#include <array>
#include <fstream>
#include <sys/stat.h>

namespace xentz::restic {
namespace {

constexpr std::uint64_t most_record_bytes = std::uint64_t{1} << 16U;

std::string nanoseconds(const ::timespec& t)
{
    const auto fraction = std::to_string(t.tv_nsec);
    return std::to_string(t.tv_sec) + "." + std::string(9 - fraction.size(), '0') + fraction;
}

bool is_script(const std::filesystem::path& program)
{
    std::array<char, 2> first{};
    std::ifstream in{program, std::ios::binary};
    return !in.read(first.data(), first.size()) || (first[0] == '#' && first[1] == '!');
}

} // namespace

std::optional<std::string> identity_of(const std::filesystem::path& program)
{
    struct ::stat info{};
    if (::stat(program.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || is_script(program)) return std::nullopt;
    std::string text = program.string();
    for (const auto number : {std::uint64_t{info.st_dev}, std::uint64_t{info.st_ino}, std::uint64_t(info.st_size)})
        text += " " + std::to_string(number);
    return text + " " + nanoseconds(info.st_mtim) + " " + nanoseconds(info.st_ctim);
}

std::optional<version> version_record::find(const std::string& identity) const
{
    const auto text = os::read_all(*fs_, file_, most_record_bytes);
    if (!text) return std::nullopt;
    const auto object = parse_object(*text);
    if (!object || text_of(*object, "program") != identity) return std::nullopt;
    const auto kept = parse_version("restic " + text_of(*object, "version").value_or(""));
    return kept && *kept >= oldest_supported ? kept : std::nullopt;
}

void version_record::keep(const std::string& identity, const version& v) const
{
    const boost::json::object record{{"format", 1}, {"program", identity}, {"version", to_text(v)}};
    // Where it cannot be written, the program is asked again next time.
    static_cast<void>(os::write_atomic(*fs_, file_, boost::json::serialize(record) + "\n"));
}

} // namespace xentz::restic
