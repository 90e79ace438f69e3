#include "http/message.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace xentz::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }

// What follows the scheme's name in an Authorization header; the spaces between them are left out.
std::optional<std::string_view> credentials(const request_head& head, std::string_view scheme)
{
    const auto* value = head.find("Authorization");
    if (value == nullptr) return std::nullopt;
    const std::string_view text = *value;
    if (text.size() <= scheme.size() || !same_word(text.substr(0, scheme.size()), scheme)) return std::nullopt;
    const auto start = text.find_first_not_of(' ', scheme.size());
    if (start == scheme.size() || start == std::string_view::npos) return std::nullopt;
    return text.substr(start);
}

int base64_digit(char c)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = digits.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// RFC 4648 section 4: padded, nothing but the alphabet, the unused bits zero. So each text has one encoding only.
std::optional<std::string> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    std::string out;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const int digit = base64_digit(c);
        if (digit < 0) return std::nullopt;
        bits = ((bits << 6U) | static_cast<std::uint32_t>(digit)) & 0xffffU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out.push_back(static_cast<char>((bits >> held) & 0xffU));
        }
    }
    if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
    return out;
}

std::string two_digits(unsigned number)
{
    return {static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}

std::optional<std::string> decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

std::string text_of(const boost::json::object& o, std::string_view key)
{
    const auto* value = o.if_contains({key.data(), key.size()});
    if (value == nullptr || !value->is_string()) return {};
    const auto& s = value->get_string();
    return {s.data(), s.size()};
}

} // namespace

const std::string* find_header(const std::vector<header>& headers, std::string_view name)
{
    const auto at = std::ranges::find_if(headers, [&](const header& h) { return same_word(h.name, name); });
    return at == headers.end() ? nullptr : &at->value;
}

response to_response(const problem& p)
{
    boost::json::object o;
    o["type"] = p.type;
    o["title"] = p.title;
    o["status"] = p.status;
    o["detail"] = p.detail;
    response r;
    r.status = p.status;
    r.headers.push_back({"Content-Type", "application/problem+json"});
    r.body = boost::json::serialize(o);
    return r;
}

std::optional<problem> parse_problem(std::string_view body)
{
    boost::system::error_code error;
    const auto value = boost::json::parse({body.data(), body.size()}, error);
    if (error || !value.is_object()) return std::nullopt;
    const auto& o = value.get_object();
    problem p{0, text_of(o, "type"), text_of(o, "title"), text_of(o, "detail")};
    if (p.type.empty()) return std::nullopt;
    if (const auto* status = o.if_contains("status"); status != nullptr && status->is_int64()) {
        const auto number = status->get_int64();
        if (number >= 100 && number <= 599) p.status = static_cast<int>(number);
    }
    return p;
}

response json_response(int status, std::string body)
{
    response r;
    r.status = status;
    r.headers.push_back({"Content-Type", "application/json"});
    r.body = std::move(body);
    return r;
}

std::optional<basic_credentials> basic_auth(const request_head& head)
{
    const auto text = credentials(head, "Basic");
    if (!text) return std::nullopt;
    const auto plain = from_base64(*text);
    if (!plain) return std::nullopt;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    const auto colon = plain->find(':');
    if (colon == std::string::npos || std::ranges::any_of(*plain, is_control)) return std::nullopt;
    return basic_credentials{plain->substr(0, colon), plain->substr(colon + 1)};
}

std::optional<std::string> bearer_token(const request_head& head)
{
    const auto text = credentials(head, "Bearer");
    if (!text) return std::nullopt;
    // The characters of RFC 6750 section 2.1.
    const auto allowed = [](char c) {
        return is_letter_or_digit(c) || std::string_view{"-._~+/="}.find(c) != std::string_view::npos;
    };
    if (!std::ranges::all_of(*text, allowed)) return std::nullopt;
    return std::string{*text};
}

std::string to_date(base::time_point t)
{
    using namespace std::chrono;
    constexpr std::array names_of_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array names_of_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(t);
    const year_month_day date{day};
    const hh_mm_ss time{floor<seconds>(t - day)};
    const auto part = [](auto duration) { return two_digits(static_cast<unsigned>(duration.count())); };
    return std::string{names_of_days.at(weekday{day}.c_encoding())} + ", " +
           two_digits(static_cast<unsigned>(date.day())) + " " +
           names_of_months.at(static_cast<unsigned>(date.month()) - 1) + " " +
           std::to_string(static_cast<int>(date.year())) + " " + part(time.hours()) + ":" + part(time.minutes()) + ":" +
           part(time.seconds()) + " GMT";
}

std::optional<std::string> query_value(std::string_view query, std::string_view key)
{
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = decoded(pair.substr(0, equals));
        if (name != key) continue;
        return decoded(pair.substr(std::min(equals + 1, pair.size())));
    }
    return std::nullopt;
}

} // namespace xentz::http
