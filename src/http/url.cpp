#include "http/client.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <charconv>

namespace xentz::http {
namespace {

namespace urls = boost::urls;

std::unexpected<base::fault> no_url()
{
    return base::fail(base::fault_code::invalid_value, "the address is no http:// or https:// URL",
                      "Write it as https://host:port/path");
}

// Boost.URL 1.81 takes "http://host:port/" for the host with the path "port/", and lets a port be any number.
bool is_sound(const urls::url_view& url)
{
    const auto path = url.encoded_path();
    if (!path.empty() && path.front() != '/') return false;
    if (!url.has_port()) return true;
    const auto digits = url.port();
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc{} && end == digits.data() + digits.size() && port != 0;
}

boost::core::string_view view(std::string_view text) { return {text.data(), text.size()}; }

} // namespace

base::result<url_parts> parse_url(std::string_view url)
{
    const auto parsed = urls::parse_uri(view(url));
    if (!parsed) return no_url();
    const auto scheme = parsed->scheme_id();
    if (scheme != urls::scheme::http && scheme != urls::scheme::https) return no_url();
    // An escaped character in a host has no good use, and one reader's host must not be another's.
    const auto encoded_host = parsed->encoded_host_address();
    if (encoded_host.empty() || encoded_host.contains('%') || !is_sound(*parsed)) return no_url();

    url_parts parts;
    parts.https = scheme == urls::scheme::https;
    parts.host = parsed->host_address();
    if (parsed->has_userinfo()) parts.basic = basic_credentials{parsed->user(), parsed->password()};
    urls::url bare{*parsed};
    bare.remove_userinfo();
    bare.remove_fragment();
    parts.url.assign(bare.buffer().data(), bare.buffer().size());
    return parts;
}

bool is_literal_loopback(std::string_view host)
{
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        const auto v6 = urls::parse_ipv6_address(view(host.substr(1, host.size() - 2)));
        return v6 && v6->is_loopback();
    }
    if (const auto v6 = urls::parse_ipv6_address(view(host))) return v6->is_loopback();
    const auto v4 = urls::parse_ipv4_address(view(host));
    return v4 && v4->is_loopback();
}

} // namespace xentz::http
