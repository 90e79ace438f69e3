#include "http/client.hpp"

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <system_error>

namespace xentz::http {
namespace {

using base::fault_code;

constexpr std::size_t most_answer_header_bytes = std::size_t{256} << 10U;

struct free_handle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using curl_handle = std::unique_ptr<CURL, free_handle>;

struct free_list {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using header_list = std::unique_ptr<curl_slist, free_list>;

// What the callbacks of one transfer write to.
struct transfer {
    client_response answer;
    std::size_t most_body_bytes = 0;
    std::size_t header_bytes = 0;
    bool too_large = false;
    std::stop_token stop;
};

struct destination {
    std::string name; // host:port, the only part of a URL that messages show
    std::string host;
    bool https = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& t = *static_cast<transfer*>(user);
    const auto bytes = size * count;
    if (bytes > t.most_body_bytes - t.answer.body.size()) {
        t.too_large = true;
        return 0;
    }
    t.answer.body.append(data, bytes);
    return bytes;
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n";
    const auto start = text.find_first_not_of(blank);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blank) - start + 1);
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& t = *static_cast<transfer*>(user);
    const auto bytes = size * count;
    t.header_bytes += bytes;
    if (t.header_bytes > most_answer_header_bytes) {
        t.too_large = true;
        return 0;
    }
    const std::string_view line{data, bytes};
    // A status line opens the final answer after interim ones such as 100 Continue.
    if (line.starts_with("HTTP/")) t.answer.headers.clear();
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with("HTTP/")) return bytes;
    t.answer.headers.push_back(
        {std::string{trimmed(line.substr(0, colon))}, std::string{trimmed(line.substr(colon + 1))}});
    return bytes;
}

int check_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    return static_cast<transfer*>(user)->stop.stop_requested() ? 1 : 0;
}

template <class T>
bool set(CURL* handle, CURLoption option, T value)
{
    return curl_easy_setopt(handle, option, value) == CURLE_OK;
}

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

base::result<destination> check(const client_request& r, bool allow_http)
{
    auto parts = parse_url(r.url);
    if (!parts) return failed(parts);
    if (parts->basic) {
        return base::fail(fault_code::invalid_value, "the address of a request must not hold a user or password");
    }
    auto to = destination_of(*parts);
    for (const auto& h : r.headers) {
        const auto line_break = [](std::string_view s) {
            return s.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
        };
        if (line_break(h.name) || line_break(h.value)) {
            return base::fail(fault_code::invalid_value, "a header for " + to.name + " holds a line break");
        }
    }
    if (!to.https && !allow_http && !is_literal_loopback(to.host)) {
        return base::fail(fault_code::insecure_transport,
                          to.name + " would be spoken to over plain HTTP, where others can read along",
                          "Use its https:// address, or --allow-http where the network itself is protected");
    }
    return to;
}

header_list make_headers(const std::vector<header>& headers)
{
    header_list list;
    const auto add = [&list](const std::string& line) {
        auto* longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        static_cast<void>(list.release()); // a part of `longer` now
        list.reset(longer);
    };
    // libcurl would wait a second for 100 Continue before each larger body.
    add("Expect:");
    for (const auto& h : headers) add(h.value.empty() ? h.name + ";" : h.name + ": " + h.value);
    return list;
}

bool set_method(CURL* handle, const client_request& r)
{
    if (r.method == "HEAD") return set(handle, CURLOPT_NOBODY, 1L);
    if (r.method == "GET" && r.body.empty()) return set(handle, CURLOPT_HTTPGET, 1L);
    if (r.method != "POST" && r.body.empty()) return set(handle, CURLOPT_CUSTOMREQUEST, r.method.c_str());
    return set(handle, CURLOPT_POST, 1L) && set(handle, CURLOPT_CUSTOMREQUEST, r.method.c_str()) &&
           set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(r.body.size())) &&
           set(handle, CURLOPT_POSTFIELDS, r.body.data());
}

bool set_transport(CURL* handle, const client_options& o, const destination& to)
{
    bool done = set(handle, CURLOPT_NOSIGNAL, 1L) && set(handle, CURLOPT_PROTOCOLS_STR, "http,https") &&
                set(handle, CURLOPT_FOLLOWLOCATION, 0L) && set(handle, CURLOPT_PATH_AS_IS, 1L) &&
                set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
                set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
                set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(o.connect_timeout.count())) &&
                set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(o.total_timeout.count())) &&
                set(handle, CURLOPT_USERAGENT, o.user_agent.c_str());
    // A proxy of the environment cannot reach this machine's own loopback address.
    if (is_literal_loopback(to.host)) done = done && set(handle, CURLOPT_PROXY, "");
    if (o.ca_file) {
        done = done && set(handle, CURLOPT_CAINFO, o.ca_file->c_str()) &&
               set(handle, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    return done;
}

bool set_callbacks(CURL* handle, transfer& t)
{
    return set(handle, CURLOPT_WRITEFUNCTION, &take_body) && set(handle, CURLOPT_WRITEDATA, &t) &&
           set(handle, CURLOPT_HEADERFUNCTION, &take_header) && set(handle, CURLOPT_HEADERDATA, &t) &&
           set(handle, CURLOPT_XFERINFOFUNCTION, &check_stop) && set(handle, CURLOPT_XFERINFODATA, &t) &&
           set(handle, CURLOPT_NOPROGRESS, 0L);
}

bool set_credentials(CURL* handle, const std::optional<basic_credentials>& basic)
{
    if (!basic) return true;
    return set(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC)) &&
           set(handle, CURLOPT_USERNAME, basic->user.c_str()) && set(handle, CURLOPT_PASSWORD, basic->password.c_str());
}

std::string why_unconnected(CURL* handle)
{
    long number = 0;
    curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &number);
    if (number == 0) return "no connection";
    auto text = std::generic_category().message(static_cast<int>(number));
    if (!text.empty()) text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
    return text;
}

std::unexpected<base::fault> untrusted(CURL* handle, const std::string& name)
{
    long result = 0;
    curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
    // What libcurl leaves there where OpenSSL had no objection and the name is the only thing wrong.
    const bool of_other_name = result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED;
    const std::string why = of_other_name ? "it is made out to another name" : X509_verify_cert_error_string(result);
    return base::fail(fault_code::tls_failed, "the certificate of " + name + " is not trusted: " + why,
                      "Check the address, or name the authority that signed it with --ca-file");
}

std::unexpected<base::fault> timed_out(CURL* handle, const client_options& o, const std::string& name)
{
    curl_off_t connected = 0;
    curl_easy_getinfo(handle, CURLINFO_CONNECT_TIME_T, &connected);
    const auto limit = connected > 0 ? o.total_timeout : std::min(o.connect_timeout, o.total_timeout);
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

std::unexpected<base::fault> to_fault(CURL* handle, CURLcode code, const transfer& t, const client_options& o,
                                      const destination& to)
{
    const auto& name = to.name;
    const std::string look = "Check that the server is running and that its address is right";
    if (t.too_large) return base::fail(fault_code::protocol_error, "the answer of " + name + " is too large");
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return base::fail(fault_code::interrupted, "the exchange with " + name + " was interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(handle, o, name);
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
        return untrusted(handle, name);
    case CURLE_SSL_CACERT_BADFILE:
        return base::fail(fault_code::tls_failed, "cannot read the certificate authorities for " + name,
                          "Check the file that --ca-file names");
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

class curl_client final : public client {
public:
    explicit curl_client(client_options options) : options_{std::move(options)}
    {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc{};
    }
    ~curl_client() override { curl_global_cleanup(); }
    curl_client(const curl_client&) = delete;
    curl_client& operator=(const curl_client&) = delete;

    base::result<client_response> send(const client_request& r, std::stop_token stop) override
    {
        auto to = check(r, options_.allow_http);
        if (!to) return failed(to);
        auto options = options_;
        if (r.timeout) options.total_timeout = *r.timeout;
        transfer t{.most_body_bytes = options_.most_body_bytes, .stop = std::move(stop)};
        const curl_handle handle{curl_easy_init()};
        const auto headers = make_headers(r.headers);
        auto* h = handle.get();
        if (h == nullptr || !set(h, CURLOPT_URL, r.url.c_str()) || !set(h, CURLOPT_HTTPHEADER, headers.get()) ||
            !set_transport(h, options, *to) || !set_method(h, r) || !set_callbacks(h, t) ||
            !set_credentials(h, r.basic)) {
            return base::fail(fault_code::internal, "the request to " + to->name + " could not be prepared");
        }
        if (t.stop.stop_requested()) return to_fault(h, CURLE_ABORTED_BY_CALLBACK, t, options, *to);
        const auto code = curl_easy_perform(h);
        if (code != CURLE_OK) return to_fault(h, code, t, options, *to);
        long status = 0;
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
        t.answer.status = static_cast<int>(status);
        return std::move(t.answer);
    }

private:
    client_options options_;
};

} // namespace

std::optional<base::time_point> client_response::server_time() const
{
    const auto* date = find("Date");
    return date != nullptr ? parse_date(*date) : std::nullopt;
}

std::optional<base::time_point> parse_date(std::string_view text)
{
    constexpr std::chrono::seconds year_10000{253'402'300'800};
    const std::chrono::seconds seconds{curl_getdate(std::string{text}.c_str(), nullptr)};
    // Later ones would not fit into a time_point.
    if (seconds.count() < 0 || seconds >= year_10000) return std::nullopt;
    return base::time_point{seconds};
}

std::unique_ptr<client> make_client(client_options options)
{
    return std::make_unique<curl_client>(std::move(options));
}

} // namespace xentz::http
