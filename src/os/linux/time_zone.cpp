#include "os/time_zone.hpp"

#include <array>
#include <ctime>
#include <system_error>

namespace xentz::os {
namespace {

std::tm local(std::chrono::sys_seconds t)
{
    const std::time_t seconds = t.time_since_epoch().count();
    std::tm out{};
    if (::localtime_r(&seconds, &out) == nullptr)
        throw std::system_error(std::make_error_code(std::errc::value_too_large), "localtime_r");
    return out;
}

class local_zone final : public time_zone {
public:
    local_zone() { ::tzset(); }
    std::chrono::seconds offset_at(std::chrono::sys_seconds t) const override
    {
        return std::chrono::seconds{local(t).tm_gmtoff};
    }
};

} // namespace

std::unique_ptr<time_zone> make_local_zone() { return std::make_unique<local_zone>(); }

std::string to_local_text(std::chrono::sys_seconds t)
{
    const auto fields = local(t);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a %Y-%m-%d %H:%M:%S %Z", &fields);
    return {text.data(), size};
}

} // namespace xentz::os
