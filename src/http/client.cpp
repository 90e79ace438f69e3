#include "http/client.hpp"
#include "http/transport_fault.hpp"

#include <curl/curl.h>

#include <new>

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
    if (o.direct || is_literal_loopback(to.host)) done = done && set(handle, CURLOPT_PROXY, "");
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

std::unexpected<base::fault> to_fault(CURL* handle, CURLcode code, const transfer& t, const client_options& o,
                                      const destination& to)
{
    if (t.too_large) return base::fail(fault_code::protocol_error, "the answer of " + to.name + " is too large");
    return transport_fault(handle, code, {.connect = o.connect_timeout, .answer = o.total_timeout}, to);
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
