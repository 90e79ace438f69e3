#include "s3/address.hpp"

#include "http/client.hpp"

#include <algorithm>
#include <array>

namespace xentz::s3 {
namespace {

using base::fail;
using base::failed;
using base::fault_code;

constexpr std::string_view scheme = "s3://";

std::unexpected<base::fault> wrong(std::string message, std::string remedy = {})
{
    if (remedy.empty()) remedy = "Write it as s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME";
    return fail(fault_code::invalid_value, std::move(message), std::move(remedy));
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_made_of(std::string_view text, std::string_view others)
{
    return std::ranges::all_of(text, [&](char c) { return is_letter_or_digit(c) || others.contains(c); });
}

// Amazon's rules for names, which the other stores share: 3 to 63 of a-z 0-9 . -, the first and last no punctuation.
bool is_bucket(std::string_view text)
{
    if (text.size() < 3 || text.size() > 63 || !is_made_of(text, ".-")) return false;
    if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
    return is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) && !text.contains("..");
}

bool is_prefix(std::string_view text)
{
    if (text.size() > 512 || !is_made_of(text, "/._-")) return false;
    while (!text.empty()) {
        const auto slash = std::min(text.find('/'), text.size());
        const auto part = text.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return false;
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    return true;
}

base::result<> take_absolute(std::optional<std::filesystem::path>& out, std::string_view name, const std::string& value)
{
    out = value;
    if (out->is_absolute()) return {};
    return wrong("the " + std::string{name} + "= of an s3:// address is no absolute path", "Name it from the root on");
}

base::result<> take_option(address& a, std::string_view name, const std::string& value)
{
    if (name == "endpoint") {
        a.endpoint = value;
    } else if (name == "region" && is_made_of(value, "-")) {
        a.region = value;
    } else if (name == "addressing" && (value == "host" || value == "path")) {
        a.bucket_in_host = value == "host";
    } else if (name == "credentials") {
        return take_absolute(a.credentials_file, name, value);
    } else if (name == "profile") {
        a.profile = value;
    } else if (name == "ca-file") {
        return take_absolute(a.ca_file, name, value);
    } else if (name == "allow-http" && (value == "true" || value == "false")) {
        a.allow_http = value == "true";
    } else {
        return wrong("an s3:// address has an option or a value that is not known",
                     "endpoint, region, addressing (host or path), credentials, profile, ca-file and allow-http (true "
                     "or false) are known");
    }
    return {};
}

base::result<> take_options(address& a, std::string_view query)
{
    std::string seen = "&";
    for (auto rest = query; !rest.empty();) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto name = rest.substr(0, std::min(rest.find('='), end));
        const auto value = http::query_value(query, name);
        if (!value || value->empty() || seen.contains("&" + std::string{name} + "&"))
            return wrong("an option of an s3:// address is empty, malformed or there twice");
        if (auto ok = take_option(a, name, *value); !ok) return ok;
        seen += std::string{name} + "&";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

base::result<> check_endpoint(const address& a)
{
    const auto parts = http::parse_url(a.endpoint);
    const bool whole = parts && !parts->basic && !a.endpoint.contains('?') &&
                       a.endpoint.find('/', a.endpoint.find("://") + 3) == std::string::npos;
    if (!whole) return wrong("the endpoint= of an s3:// address is no https://HOST or https://HOST:PORT");
    if (parts->https || a.allow_http || http::is_literal_loopback(parts->host)) return {};
    return fail(fault_code::insecure_transport,
                "the object store at " + parts->host + " would be spoken to over plain HTTP",
                "Use its https:// address, or add allow-http=true where the network itself is protected");
}

std::string region_of(const environment& variables)
{
    for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
        if (const auto value = variables(name); value && is_made_of(*value, "-")) return *value;
    return {};
}

// Fills in what the text leaves open.
base::result<> complete(address& a, bool addressing_given, const environment& variables)
{
    const bool of_amazon = a.endpoint.empty();
    if (a.region.empty()) a.region = region_of(variables);
    if (a.region.empty() && of_amazon)
        return wrong("an s3:// address of Amazon's needs a region", "Add region=NAME, or set AWS_REGION");
    if (a.region.empty()) a.region = "us-east-1";
    if (of_amazon) a.endpoint = "https://s3." + a.region + ".amazonaws.com";
    while (a.endpoint.ends_with('/')) a.endpoint.pop_back();
    if (auto ok = check_endpoint(a); !ok) return ok;
    // A certificate for *.host does not cover a name with further dots.
    if (!addressing_given) a.bucket_in_host = of_amazon && !a.bucket.contains('.');
    if (a.bucket_in_host) a.endpoint.insert(a.endpoint.find("://") + 3, a.bucket + ".");
    if (a.profile.empty()) a.profile = variables("AWS_PROFILE").value_or("default");
    return {};
}

} // namespace

std::string address::name() const { return std::string{scheme} + bucket + (prefix.empty() ? "" : "/" + prefix); }

std::string address::full_key(std::string_view key) const
{
    return prefix.empty() || key.empty() ? prefix + std::string{key} : prefix + "/" + std::string{key};
}

std::string address::url(std::string_view key) const
{
    const auto place = bucket_in_host ? endpoint : endpoint + "/" + bucket;
    if (!key.empty()) return place + "/" + full_key(key);
    return bucket_in_host ? place + "/" : place;
}

std::string address::source(std::string_view key) const { return "/" + bucket + "/" + full_key(key); }

base::result<address> parse_address(std::string_view text, const environment& variables)
{
    if (!text.starts_with(scheme)) return wrong("the address of an object store begins with s3://");
    text.remove_prefix(scheme.size());
    const auto mark = std::min(text.find('?'), text.size());
    const auto place = text.substr(0, mark);
    if (place.contains('@'))
        return wrong("an s3:// address holds no access keys",
                     "Put them into the environment, or into a file that credentials= names");
    address a;
    const auto slash = std::min(place.find('/'), place.size());
    a.bucket = place.substr(0, slash);
    a.prefix = place.substr(std::min(slash + 1, place.size()));
    while (a.prefix.ends_with('/')) a.prefix.pop_back();
    if (!is_bucket(a.bucket)) return wrong("an s3:// address does not name a bucket");
    if (!is_prefix(a.prefix))
        return wrong("the prefix of an s3:// address is not made of names of letters, digits and ._- with / between");
    const auto query = text.substr(std::min(mark + 1, text.size()));
    if (auto ok = take_options(a, query); !ok) return failed(ok);
    if (auto ok = complete(a, ("&" + std::string{query}).contains("&addressing="), variables); !ok) return failed(ok);
    return a;
}

} // namespace xentz::s3
