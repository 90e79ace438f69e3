#include "http/transport_fault.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>

namespace xentz::http {
namespace {

using base::fault_code;

std::string why_unconnected(CURL* handle)
{
    long number = 0;
    curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &number);
    if (number == 0) return "no connection";
    auto text = std::generic_category().message(static_cast<int>(number));
    if (!text.empty()) text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
    return text;
}

std::unexpected<base::fault> untrusted(CURL* handle, const std::string& name, const std::string& option)
{
    long result = 0;
    curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
    // What libcurl leaves there where OpenSSL had no objection and the name is the only thing wrong.
    const bool of_other_name = result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED;
    const std::string why = of_other_name ? "it is made out to another name" : X509_verify_cert_error_string(result);
    return base::fail(fault_code::tls_failed, "the certificate of " + name + " is not trusted: " + why,
                      "Check the address, or name the authority that signed it with " + option);
}

std::unexpected<base::fault> timed_out(CURL* handle, const transport_limits& limits, const std::string& name)
{
    curl_off_t connected = 0;
    curl_easy_getinfo(handle, CURLINFO_CONNECT_TIME_T, &connected);
    const auto limit = connected > 0 ? limits.answer : std::min(limits.connect, limits.answer);
    return base::fail(fault_code::network_timeout,
                      std::string{connected > 0 ? "no complete answer from " : "no connection to "} + name +
                          " within " + std::to_string(limit.count()) + " ms",
                      "Check that the server is running and that the network lets it through");
}

bool is_tls_trouble(CURLcode code)
{
    constexpr std::array codes{CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
                               CURLE_SSL_CERTPROBLEM,   CURLE_SSL_CIPHER,          CURLE_USE_SSL_FAILED,
                               CURLE_SSL_ISSUER_ERROR,  CURLE_SSL_CLIENTCERT};
    return std::ranges::find(codes, code) != codes.end();
}

bool is_no_http(CURLcode code)
{
    constexpr std::array codes{CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2,
                               CURLE_HTTP2_STREAM,       CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP3};
    return std::ranges::find(codes, code) != codes.end();
}

} // namespace

destination destination_of(const url_parts& parts)
{
    const std::string_view url = parts.url;
    const auto start = url.find("://") + 3;
    const auto authority = url.substr(start, url.find_first_of("/?#", start) - start);
    const auto colon = authority.rfind(':');
    const auto bracket = authority.rfind(']');
    const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    auto name = std::string{authority};
    if (!has_port) name += parts.https ? ":443" : ":80";
    return {std::move(name), parts.host, parts.https};
}

std::unexpected<base::fault> transport_fault(CURL* handle, CURLcode code, const transport_limits& limits,
                                             const destination& to)
{
    const auto& name = to.name;
    const std::string look = "Check that the server is running and that its address is right";
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return base::fail(fault_code::interrupted, "the exchange with " + name + " was interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(handle, limits, name);
    case CURLE_COULDNT_RESOLVE_HOST:
        return base::fail(fault_code::network_unreachable, "cannot reach " + name + ": its name was not found",
                          "Check the server's address and this machine's network");
    case CURLE_COULDNT_RESOLVE_PROXY:
        return base::fail(fault_code::network_unreachable, "cannot reach " + name + ": the proxy was not found",
                          "Check the proxy settings of the environment");
    case CURLE_COULDNT_CONNECT:
        return base::fail(fault_code::network_unreachable, "cannot reach " + name + ": " + why_unconnected(handle),
                          look);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return base::fail(fault_code::network_unreachable,
                          "the connection with " + name + " broke off before the answer was complete", look);
    case CURLE_PEER_FAILED_VERIFICATION:
        return untrusted(handle, name, limits.trust_option);
    case CURLE_SSL_CACERT_BADFILE:
        return base::fail(fault_code::tls_failed, "cannot read the certificate authorities for " + name,
                          "Check the file that " + limits.trust_option + " names");
    case CURLE_OUT_OF_MEMORY:
        return base::fail(fault_code::out_of_memory, "no memory for the request to " + name);
    default:
        break;
    }
    if (is_tls_trouble(code)) {
        return base::fail(fault_code::tls_failed, "no TLS connection with " + name + " came about",
                          "Check that the server speaks HTTPS at this port");
    }
    if (is_no_http(code)) return base::fail(fault_code::protocol_error, name + " does not answer in HTTP", look);
    return base::fail(fault_code::network_unreachable,
                      "the exchange with " + name + " failed: " + curl_easy_strerror(code), look);
}

} // namespace xentz::http
