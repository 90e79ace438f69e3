// The load client of `script/bench repo`: as many connections as asked for, a blocking thread for each, and as little
// work as possible, so that what is measured is the server. What is sent is made and hashed before the clock starts;
// what is downloaded is dropped in the kernel where the connection is plain, unless --verify asks for its hash.
// An answer that is not what it must be ends the run with 1. Prints one line of JSON.
//
// bench_repo_load upload|download|head|list --url URL --authorization TEXT --names FILE [--connections N]
//     [--objects N] [--bytes N] [--requests N] [--ca FILE] [--verify]
//   upload    sends so many objects of so many bytes, and writes their names into the file
//   download  gets every object that the file names, once
//   head      asks for the objects that the file names in turn, --requests times in all
//   list      lists the data objects so many times; there must be as many as the file names
#include "line.hpp"

#include <openssl/evp.h>

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <sys/uio.h>
#include <thread>
#include <utility>

namespace {

using namespace bench;
using hash_state = std::unique_ptr<EVP_MD_CTX, released<EVP_MD_CTX_free>>;

constexpr std::size_t own_bytes = 64; // at the front of each object, so that no two are the same
constexpr std::size_t shared_bytes = std::size_t{4} << 20U;
constexpr std::size_t joined_bytes = std::size_t{16} << 10U;
constexpr std::size_t buffer_bytes = std::size_t{256} << 10U;

struct object {
    std::string name;
    std::size_t size = 0;
    std::array<char, own_bytes> own{};
};

struct asked {
    std::string mode, host, path, authorization, names, ca;
    std::uint16_t port = 0;
    std::size_t connections = 1, objects = 0, bytes = 0, requests = 1;
    bool verify = false;
};

class hasher {
public:
    hasher() : state_{EVP_MD_CTX_new()} { EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr); }
    void add(std::span<const char> bytes) { EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()); }
    std::string hex()
    {
        std::array<unsigned char, 32> hash{};
        EVP_DigestFinal_ex(state_.get(), hash.data(), nullptr);
        std::string out;
        for (const auto byte : hash) out.append({"0123456789abcdef"[byte >> 4U], "0123456789abcdef"[byte & 15U]});
        return out;
    }

private:
    hash_state state_;
};

// An object is its own bytes, then the shared ones again and again. `give` gets the pieces in their order.
template <class Give>
bool in_pieces(const object& o, std::span<const char> shared, Give give)
{
    const auto own = std::span{o.own}.first(std::min(own_bytes, o.size));
    if (!give(own)) return false;
    for (auto left = o.size - own.size(); left > 0;) {
        const auto piece = shared.first(std::min(left, shared.size()));
        if (!give(piece)) return false;
        left -= piece.size();
    }
    return true;
}

std::vector<char> random_bytes(std::size_t count)
{
    std::vector<char> out(count);
    std::ifstream{"/dev/urandom", std::ios::binary}.read(out.data(), static_cast<std::streamsize>(count));
    return out;
}

std::vector<object> make_objects(const asked& a, std::span<const char> shared)
{
    std::vector<object> out(a.objects);
    const auto own = random_bytes(own_bytes * a.objects);
    std::ofstream names{a.names};
    for (std::size_t i = 0; i < out.size(); ++i) {
        auto& o = out[i];
        o.size = a.bytes;
        std::memcpy(o.own.data(), own.data() + i * own_bytes, own_bytes);
        hasher hash;
        in_pieces(o, shared, [&](std::span<const char> piece) {
            hash.add(piece);
            return true;
        });
        o.name = hash.hex();
        names << o.name << ' ' << o.size << '\n';
    }
    return out;
}

std::vector<object> read_objects(const asked& a)
{
    std::vector<object> out;
    std::ifstream names{a.names};
    for (object o; names >> o.name >> o.size;) out.push_back(o);
    return out;
}

class client {
public:
    client(const asked& a, SSL_CTX* tls, std::span<const char> shared)
        : asked_{a}, shared_{shared}, line_{connected(a)}, reader_{line_, buffer_bytes}
    {
        if (tls != nullptr && !line_.handshake(tls, false)) give_up("the TLS handshake failed");
    }

    bool upload(const object& o)
    {
        auto head = request("POST", "data/" + o.name);
        head += "Content-Length: " + std::to_string(o.size) + "\r\n\r\n";
        // Head and beginning go out together, as from a client with a buffer: a small object is one segment, one
        // record.
        auto joined = std::min(o.size, joined_bytes);
        const bool sent = in_pieces(o, shared_, [&](std::span<const char> piece) {
            const auto part = piece.first(std::min(piece.size(), joined));
            head.append(part.data(), part.size());
            joined -= part.size();
            if (joined > 0) return true;
            if (!head.empty() && !line_.write(std::exchange(head, {}))) return false;
            return line_.write(piece.subspan(part.size()));
        });
        return sent && answer("200") == 0;
    }

    bool download(const object& o)
    {
        if (!line_.write(request("GET", "data/" + o.name) + "\r\n")) return false;
        if (answer("200") != o.size) return false;
        if (!asked_.verify && !line_.is_tls()) return drop(o.size);
        hasher hash;
        for (auto left = o.size; left > 0;) {
            const auto piece = reader_.some(left);
            if (piece.empty()) return false;
            if (asked_.verify) hash.add(piece);
            left -= piece.size();
        }
        return !asked_.verify || hash.hex() == o.name;
    }

    bool head(const object& o)
    {
        return line_.write(request("HEAD", "data/" + o.name) + "\r\n") && answer("200") == o.size;
    }

    // The number of bytes of the list; 0 where it does not have so many entries.
    std::size_t list(std::size_t expected)
    {
        const std::string accept = "Accept: application/vnd.x.restic.rest.v2\r\n\r\n";
        if (!line_.write(request("GET", "data/") + accept)) return 0;
        const auto length = answer("200");
        std::size_t total = 0;
        std::size_t entries = 0;
        const auto take = [&](std::size_t left) {
            for (total += left; left > 0;) {
                const auto piece = reader_.some(left);
                if (piece.empty()) return false;
                entries += static_cast<std::size_t>(std::ranges::count(piece, '{'));
                left -= piece.size();
            }
            return true;
        };
        const bool whole = chunked_ ? each_chunk(take) : length && take(*length);
        return whole && entries == expected ? total : 0;
    }

private:
    static int connected(const asked& a)
    {
        const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(a.port);
        // The interface of sockets is made of addresses of this kind.
        if (::inet_pton(AF_INET, a.host.c_str(), &where.sin_addr) != 1 ||
            ::connect(made, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
            give_up("cannot connect to " + a.host);
        const int yes = 1;
        ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        return made;
    }

    std::string request(std::string_view method, std::string_view rest) const
    {
        std::string out{method};
        out.append(" ").append(asked_.path).append(rest).append(" HTTP/1.1\r\nHost: ").append(asked_.host);
        return out.append("\r\nAuthorization: ").append(asked_.authorization).append("\r\n");
    }

    // The length of the body that follows, or 0 where it is chunked; nothing where the status is another one.
    std::optional<std::size_t> answer(std::string_view status)
    {
        const auto head = reader_.head();
        if (head.size() < 12 || head.substr(9, 3) != status) {
            std::fprintf(stderr, "%s\n", std::string{head}.c_str());
            return std::nullopt;
        }
        chunked_ = header(head, "Transfer-Encoding") == "chunked";
        return chunked_ ? std::optional<std::size_t>{0} : length_in(head).value_or(0);
    }

    bool drop(std::size_t left)
    {
        if (reader_.waiting() > 0) left -= reader_.some(left).size();
        while (left > 0) {
            const auto got = ::recv(line_.socket(), nullptr, std::min(left, std::size_t{1} << 20U), MSG_TRUNC);
            if (got <= 0) return false;
            left -= static_cast<std::size_t>(got);
        }
        return true;
    }

    template <class Take>
    bool each_chunk(Take take)
    {
        for (;;) {
            const auto size = chunk_line();
            if (!size || (*size > 0 && !take(*size)) || chunk_line() != 0) return false;
            if (*size == 0) return true;
        }
    }

    // "1f4" before a chunk; the empty line after it counts as 0.
    std::optional<std::size_t> chunk_line()
    {
        std::string text;
        while (!text.ends_with("\r\n")) {
            const auto next = reader_.some(1);
            if (next.empty()) return std::nullopt;
            text += next.front();
        }
        return text.size() == 2 ? 0 : std::strtoull(text.c_str(), nullptr, 16);
    }

    const asked& asked_;
    std::span<const char> shared_;
    line line_;
    reader reader_;
    bool chunked_ = false;
};

struct outcome {
    double seconds = 0;
    std::atomic<std::size_t> bytes = 0, requests = 0, failures = 0;
};

std::size_t one(client& c, const asked& a, const std::vector<object>& objects, std::size_t index)
{
    const auto& o = objects[index % objects.size()];
    if (a.mode == "upload") return c.upload(o) ? o.size : 0;
    if (a.mode == "download") return c.download(o) ? o.size : 0;
    if (a.mode == "head") return c.head(o) ? 1 : 0;
    return c.list(objects.size());
}

void run(const asked& a, const std::vector<object>& objects, std::span<const char> shared, outcome& out)
{
    tls_context tls;
    if (!a.ca.empty()) {
        tls = make_tls(TLS_client_method());
        SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
        if (SSL_CTX_load_verify_locations(tls.get(), a.ca.c_str(), nullptr) != 1) give_up("cannot read " + a.ca);
    }
    const bool each_once = a.mode == "upload" || a.mode == "download";
    const auto total = each_once ? objects.size() : a.requests;
    std::atomic<std::size_t> next = 0;
    const auto start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < std::min(a.connections, total); ++t)
            threads.emplace_back([&] {
                client c{a, tls.get(), shared};
                for (auto i = next++; i < total && out.failures == 0; i = next++) {
                    const auto bytes = one(c, a, objects, i);
                    ++(bytes > 0 ? out.requests : out.failures);
                    out.bytes += bytes;
                }
            });
    }
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

asked read_words(std::span<char*> words)
{
    asked a;
    if (words.size() < 2) give_up("usage: see the top of repo_load.cpp");
    a.mode = words[1];
    for (std::size_t i = 2; i < words.size(); ++i) {
        const std::string_view option{words[i]};
        if (option == "--verify") {
            a.verify = true;
            continue;
        }
        if (++i == words.size()) give_up("a value is missing");
        const std::string value{words[i]};
        if (option == "--url") {
            std::array<char, 64> host{};
            std::array<char, 512> path{};
            if (std::sscanf(value.c_str(), "%*[a-z]://%63[0-9.]:%hu%511s", host.data(), &a.port, path.data()) != 3)
                give_up(value + " is no address");
            a.host = host.data();
            a.path = path.data();
        } else if (option == "--authorization" || option == "--names" || option == "--ca") {
            (option == "--ca" ? a.ca : option == "--names" ? a.names : a.authorization) = value;
        } else {
            const auto number = std::stoull(value);
            if (option == "--connections") a.connections = number;
            if (option == "--objects") a.objects = number;
            if (option == "--bytes") a.bytes = number;
            if (option == "--requests") a.requests = number;
        }
    }
    return a;
}

} // namespace

int main(int count, char** words)
{
    const auto a = read_words({words, static_cast<std::size_t>(count)});
    const auto shared = random_bytes(a.mode == "upload" ? shared_bytes : 0);
    const auto objects = a.mode == "upload" ? make_objects(a, shared) : read_objects(a);
    if (objects.empty()) give_up("there are no objects");
    outcome out;
    run(a, objects, shared, out);
    std::printf(R"({"seconds": %.6f, "bytes": %zu, "requests": %zu, "failures": %zu})"
                "\n",
                out.seconds, out.bytes.load(), out.requests.load(), out.failures.load());
    return out.failures == 0 ? 0 : 1;
}
