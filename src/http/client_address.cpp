#include "http/client_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

namespace xentz::http {
namespace {

namespace ip = boost::asio::ip;
using base::fault_code;

constexpr unsigned mapped_bits = 96; // before the bits of an IPv4 address

std::optional<ip::address> address_in(std::string_view text)
{
    boost::system::error_code error;
    const auto a = ip::make_address(std::string{text}, error);
    return error ? std::nullopt : std::optional{a};
}

std::array<std::uint8_t, 16> bytes_of(const ip::address& a)
{
    const auto v6 = a.is_v4() ? ip::make_address_v6(ip::v4_mapped, a.to_v4()) : a.to_v6();
    return v6.to_bytes();
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_forwarded_for(std::string_view name)
{
    constexpr std::string_view wanted = "x-forwarded-for";
    return std::ranges::equal(name, wanted, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

// All values of the header, in the order in which the proxies wrote them.
std::vector<std::string_view> forwarded_for(const std::vector<header>& headers)
{
    std::vector<std::string_view> out;
    for (const auto& h : headers) {
        if (!is_forwarded_for(h.name)) continue;
        std::string_view rest = h.value;
        for (;;) {
            const auto comma = rest.find(',');
            out.push_back(trimmed(rest.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return out;
}

} // namespace

base::result<trusted_proxies> trusted_proxies::parse(const std::vector<std::string>& texts)
{
    trusted_proxies out;
    for (const auto& text : texts) {
        const auto slash = text.find('/');
        const auto address = address_in(std::string_view{text}.substr(0, slash));
        const unsigned most = address && address->is_v4() ? 32 : 128;
        unsigned bits = most;
        bool good = address.has_value();
        if (good && slash != std::string::npos) {
            const auto* end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
            good = error == std::errc{} && stopped == end && bits <= most;
        }
        if (!good)
            return base::fail(fault_code::invalid_value, "'" + text + "' is no address of a proxy",
                              "Write it as 127.0.0.1, 10.0.0.0/8 or fd00::/8");
        out.ranges_.push_back({bytes_of(*address), most == 32 ? bits + mapped_bits : bits});
    }
    return out;
}

bool trusted_proxies::contains(std::string_view address) const
{
    const auto parsed = address_in(address);
    if (!parsed) return false;
    const auto bytes = bytes_of(*parsed);
    return std::ranges::any_of(ranges_, [&](const range& r) {
        for (unsigned i = 0; i < bytes.size() && 8 * i < r.bits; ++i) {
            const auto left = std::min(8U, r.bits - 8 * i);
            const auto mask = static_cast<std::uint8_t>(0xFFU << (8U - left));
            if ((bytes.at(i) & mask) != (r.bytes.at(i) & mask)) return false;
        }
        return true;
    });
}

std::string trusted_proxies::client_of(const std::string& peer, const std::vector<header>& headers) const
{
    auto client = peer;
    if (!contains(client)) return client;
    const auto named = forwarded_for(headers);
    for (const auto text : named | std::views::reverse) {
        const auto address = address_in(text);
        if (!address) return client;
        client = address->to_string();
        if (!contains(client)) return client;
    }
    return client;
}

std::string network_of(std::string_view address)
{
    const auto parsed = address_in(address);
    if (!parsed || parsed->is_v4()) return std::string{address};
    const auto v6 = parsed->to_v6();
    if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return ip::make_address_v6(bytes).to_string() + "/64";
}

} // namespace xentz::http
