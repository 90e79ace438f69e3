#include "s3/transfer.hpp"

#include "crypto/hash.hpp"

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

namespace xentz::s3 {
namespace {

constexpr std::size_t most_held_bytes = std::size_t{256} << 10U;
constexpr std::size_t most_header_bytes = std::size_t{64} << 10U;
constexpr std::size_t most_idle_lines = 32;
constexpr long buffer_bytes = 128L * 1024;
constexpr int longest_nap_ms = 1000;
constexpr auto sha256_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

template <class T>
bool set(CURL* handle, CURLoption option, T value)
{
    return curl_easy_setopt(handle, option, value) == CURLE_OK;
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n";
    const auto start = text.find_first_not_of(blank);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blank) - start + 1);
}

http::destination destination_of(const address& a)
{
    auto parts = http::parse_url(a.endpoint);
    return parts ? http::destination_of(*parts) : http::destination{.name = a.endpoint, .host = {}};
}

void close(const lines::line& l)
{
    curl_easy_cleanup(l.easy);
    curl_multi_cleanup(l.multi);
}

} // namespace

payload payload_of(std::string_view bytes)
{
    return {.bytes = bytes.size(),
            .sha256 = crypto::sha256_hex(bytes),
            .read = [bytes](std::uint64_t offset, std::span<char> out) -> base::result<std::size_t> {
                return bytes.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
            }};
}

lines::lines()
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc{};
}

lines::~lines()
{
    for (const auto& l : idle_) close(l);
    curl_global_cleanup();
}

lines::line lines::take()
{
    {
        const std::lock_guard guard{mutex_};
        if (!idle_.empty()) {
            const auto l = idle_.back();
            idle_.pop_back();
            return l;
        }
    }
    const line l{curl_multi_init(), curl_easy_init()};
    if (l.multi == nullptr || l.easy == nullptr) throw std::bad_alloc{};
    return l;
}

void lines::give_back(line l)
{
    curl_easy_reset(l.easy);
    {
        const std::lock_guard guard{mutex_};
        if (idle_.size() < most_idle_lines) return idle_.push_back(l);
    }
    close(l);
}

transfer::transfer(lines& from, const address& a, const time_limits& limits, const request& r, const credentials& keys)
    : from_(from), line_(from.take()), address_(a), limits_(limits), request_(r),
      prepared_(prepare(keys) && curl_multi_add_handle(line_.multi, line_.easy) == CURLM_OK)
{
}

transfer::~transfer()
{
    // Closes the connection where the answer was not read to its end.
    curl_multi_remove_handle(line_.multi, line_.easy);
    from_.give_back(line_);
    curl_slist_free_all(sent_headers_);
}

void transfer::add_header(const std::string& line)
{
    auto* longer = curl_slist_append(sent_headers_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    sent_headers_ = longer;
}

bool transfer::prepare(const credentials& keys)
{
    auto* h = line_.easy;
    add_header("x-amz-content-sha256: " + (request_.body == nullptr ? sha256_of_nothing : request_.body->sha256));
    if (!keys.session_token.empty()) add_header("x-amz-security-token: " + keys.session_token);
    for (const auto& header : request_.headers) add_header(header.name + ": " + header.value);
    const auto scope = "aws:amz:" + address_.region + ":s3";
    const auto is_local = http::is_literal_loopback(destination_of(address_).host);
    bool done = set(h, CURLOPT_URL, request_.url.c_str()) && set(h, CURLOPT_PATH_AS_IS, 1L) &&
                set(h, CURLOPT_AWS_SIGV4, scope.c_str()) && set(h, CURLOPT_USERNAME, keys.access_key.c_str()) &&
                set(h, CURLOPT_PASSWORD, keys.secret_key.c_str()) && set(h, CURLOPT_HTTPHEADER, sent_headers_) &&
                set(h, CURLOPT_NOSIGNAL, 1L) && set(h, CURLOPT_PROTOCOLS_STR, "http,https") &&
                set(h, CURLOPT_FOLLOWLOCATION, 0L) &&
                set(h, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1)) &&
                set(h, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
                set(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && set(h, CURLOPT_USERAGENT, "xentz") &&
                set(h, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count())) &&
                set(h, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
                set(h, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits_.silence.count())) &&
                set(h, CURLOPT_BUFFERSIZE, buffer_bytes) && set(h, CURLOPT_UPLOAD_BUFFERSIZE, buffer_bytes) &&
                set(h, CURLOPT_HEADERFUNCTION, &take_header) && set(h, CURLOPT_HEADERDATA, this) &&
                set(h, CURLOPT_WRITEFUNCTION, &take_body) && set(h, CURLOPT_WRITEDATA, this);
    // A proxy of the environment cannot reach this machine's own loopback address.
    if (is_local) done = done && set(h, CURLOPT_PROXY, "");
    if (address_.ca_file)
        done = done && set(h, CURLOPT_CAINFO, address_.ca_file->c_str()) &&
               set(h, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    if (!request_.range.empty()) done = done && set(h, CURLOPT_RANGE, request_.range.c_str());
    return done && prepare_body();
}

bool transfer::prepare_body()
{
    auto* h = line_.easy;
    if (request_.method == "GET") return set(h, CURLOPT_HTTPGET, 1L);
    if (request_.method == "HEAD") return set(h, CURLOPT_NOBODY, 1L);
    if (request_.method != "PUT") return set(h, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    const auto bytes = request_.body == nullptr ? 0 : request_.body->bytes;
    return set(h, CURLOPT_UPLOAD, 1L) && set(h, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes)) &&
           set(h, CURLOPT_READFUNCTION, &give_body) && set(h, CURLOPT_READDATA, this) &&
           set(h, CURLOPT_SEEKFUNCTION, &seek_body) && set(h, CURLOPT_SEEKDATA, this);
}

std::size_t transfer::take_header(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& t = *static_cast<transfer*>(user);
    const auto bytes = size * count;
    t.moved_ = true;
    t.header_bytes_ += bytes;
    if (t.header_bytes_ > most_header_bytes) return 0;
    const std::string_view line{data, bytes};
    if (line.starts_with("HTTP/")) {
        // The final answer after interim ones such as 100 Continue.
        t.headers_.clear();
        return bytes;
    }
    if (trimmed(line).empty()) {
        long status = 0;
        curl_easy_getinfo(t.line_.easy, CURLINFO_RESPONSE_CODE, &status);
        t.status_ = static_cast<int>(status);
        t.head_complete_ = status >= 200;
        return bytes;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
        t.headers_.push_back(
            {std::string{trimmed(line.substr(0, colon))}, std::string{trimmed(line.substr(colon + 1))}});
    return bytes;
}

std::size_t transfer::take_body(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& t = *static_cast<transfer*>(user);
    if (t.held_.size() >= most_held_bytes) {
        t.paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    t.moved_ = true;
    t.held_.append(data, size * count);
    return size * count;
}

std::size_t transfer::give_body(char* out, std::size_t size, std::size_t count, void* user)
{
    auto& t = *static_cast<transfer*>(user);
    if (t.request_.body == nullptr) return 0;
    const auto left = t.request_.body->bytes - t.sent_;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, left));
    if (wanted == 0) return 0;
    auto n = t.request_.body->read(t.sent_, std::span{out, wanted});
    if (n && *n == 0) n = base::fail(base::fault_code::file_failed, "the bytes to send have become fewer");
    if (!n) {
        t.unreadable_ = std::move(n.error());
        return CURL_READFUNC_ABORT;
    }
    t.sent_ += *n;
    return *n;
}

int transfer::seek_body(void* user, curl_off_t offset, int origin)
{
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<transfer*>(user)->sent_ = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
}

void transfer::advance()
{
    moved_ = false;
    int running = 0;
    if (curl_multi_perform(line_.multi, &running) != CURLM_OK) {
        done_ = true;
        outcome_ = CURLE_FAILED_INIT;
        return;
    }
    int left = 0;
    while (const auto* message = curl_multi_info_read(line_.multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        done_ = true;
        outcome_ = message->data.result;
    }
    if (!done_ && !moved_ && !paused_) curl_multi_poll(line_.multi, nullptr, 0, longest_nap_ms, nullptr);
}

std::unexpected<base::fault> transfer::failure()
{
    if (unreadable_) return std::unexpected(*unreadable_);
    return http::transport_fault(line_.easy, outcome_,
                                 {.connect = limits_.connect, .answer = limits_.silence, .trust_option = "ca-file="},
                                 destination_of(address_));
}

base::result<> transfer::begin()
{
    if (!prepared_) return base::fail(base::fault_code::internal, "a request to the object store cannot be prepared");
    while (!head_complete_ && !done_) advance();
    // What broke off behind the head is told when it is read, after what came before.
    if (head_complete_) return {};
    if (outcome_ == CURLE_OK) outcome_ = CURLE_WEIRD_SERVER_REPLY;
    return failure();
}

base::result<std::size_t> transfer::read(std::span<char> out)
{
    for (;;) {
        if (at_ < held_.size()) {
            const auto n = held_.copy(out.data(), out.size(), at_);
            at_ += n;
            if (at_ == held_.size()) {
                held_.clear();
                at_ = 0;
            }
            return n;
        }
        if (done_ && outcome_ != CURLE_OK) return failure();
        if (done_) return std::size_t{0};
        if (std::exchange(paused_, false)) {
            // What libcurl held back comes while this is called.
            if (curl_easy_pause(line_.easy, CURLPAUSE_CONT) == CURLE_OK) continue;
        }
        advance();
    }
}

base::result<std::string> transfer::read_all(std::size_t most)
{
    std::string out;
    std::vector<char> piece(std::size_t{16} << 10U);
    for (;;) {
        auto n = read(piece);
        if (!n) return base::failed(n);
        if (*n == 0) return out;
        if (out.size() + *n > most)
            return base::fail(base::fault_code::protocol_error, "an answer of the object store is too large");
        out.append(piece.data(), *n);
    }
}

} // namespace xentz::s3
