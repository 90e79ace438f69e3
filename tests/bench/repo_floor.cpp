// The floor of `script/bench repo`: the least that a repository server can do. One blocking thread for each connection
// receives, hashes, writes, syncs, renames and syncs the folder, or hands a file to sendfile. It knows as much of
// restic's REST protocol as restic needs, one credential, one repository. It is a measuring instrument, not a server:
// no limit of time or size, no names looked at but for '/' and '..', no log.
//
// bench_repo_floor PORT FOLDER AUTHORIZATION [CERTIFICATE KEY]
#include "line.hpp"

#include <openssl/evp.h>

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace bench;
using hash_state = std::unique_ptr<EVP_MD_CTX, released<EVP_MD_CTX_free>>;

// Fits the second level of the processor's cache, so that what was received is hashed and written from there.
constexpr std::size_t piece_bytes = std::size_t{256} << 10U;

struct settings {
    std::string folder;
    std::string authorization;
};

class descriptor {
public:
    explicit descriptor(int fd) : fd_{fd} {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

struct request {
    std::string method, type, name;
    bool of_list = false;
    std::size_t length = 0;
    std::string range;
    bool expects_continue = false;
};

std::string folder_of(const request& r)
{
    if (r.type == "config") return ".";
    return r.type == "data" ? "data/" + r.name.substr(0, 2) : r.type;
}

std::string file_of(const request& r) { return r.type == "config" ? "config" : folder_of(r) + "/" + r.name; }

// "POST /bench/data/0123... HTTP/1.1", whatever stands for "bench"; false where the path is none that may be touched.
bool read_target(std::string_view head, request& r)
{
    const auto first = head.find(' ');
    auto path = head.substr(first + 1, head.find_first_of(" ?", first + 1) - first - 1);
    r.method = head.substr(0, first);
    const auto repository = path.find('/', 1);
    if (repository == std::string_view::npos || path.find("..") != std::string_view::npos) return false;
    path.remove_prefix(repository + 1);
    const auto slash = path.find('/');
    r.type = path.substr(0, slash);
    if (slash != std::string_view::npos) r.name = path.substr(slash + 1);
    r.of_list = slash != std::string_view::npos && r.name.empty();
    return r.name.find('/') == std::string::npos;
}

class connection {
public:
    connection(const settings& s, int socket) : settings_{s}, line_{socket}, reader_{line_, piece_bytes} {}

    void serve(SSL_CTX* tls)
    {
        if (tls != nullptr && !line_.handshake(tls, true)) return;
        while (serve_one()) {
        }
    }

private:
    bool serve_one()
    {
        const auto head = reader_.head();
        if (head.empty()) return false;
        if (header(head, "Authorization") != settings_.authorization) return answer("401 Unauthorized") && false;
        request r;
        if (!read_target(head, r)) return answer("400 Bad Request") && false;
        r.length = length_in(head).value_or(0);
        r.range = header(head, "Range").value_or("");
        if (header(head, "Expect") && !line_.write(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"})) return false;
        if (r.method == "POST") return r.type.empty() ? create() : receive(r);
        if (r.method == "DELETE") return answer(::unlink(file_of(r).c_str()) == 0 ? "200 OK" : "404 Not Found");
        return r.of_list ? list(r) : send(r);
    }

    bool answer(std::string_view status, std::string_view more = {}, std::string_view body = {})
    {
        std::string text{"HTTP/1.1 "};
        text.append(status).append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
        text.append(more).append("\r\n").append(body);
        return line_.write(text);
    }

    bool create()
    {
        for (const auto* name : {"data", "keys", "locks", "snapshots", "index"}) ::mkdir(name, 0700);
        for (int i = 0; i < 256; ++i) {
            std::array<char, 16> name{};
            std::snprintf(name.data(), name.size(), "data/%02x", i);
            ::mkdir(name.data(), 0700);
        }
        return answer("200 OK");
    }

    bool receive(const request& r)
    {
        static std::atomic<unsigned> next = 0;
        const auto temporary = folder_of(r) + "/." + std::to_string(next++);
        const descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        std::array<unsigned char, 32> hash{};
        bool good = static_cast<bool>(file) && write_hashed(r.length, file.get(), hash);
        if (!good) return answer("500 Internal Server Error") && false;
        std::string hex;
        for (const auto byte : hash) hex.append({"0123456789abcdef"[byte >> 4U], "0123456789abcdef"[byte & 15U]});
        if (r.type != "config" && hex != r.name) return answer("400 Bad Request") && false;
        good = ::fsync(file.get()) == 0 && ::rename(temporary.c_str(), file_of(r).c_str()) == 0;
        const descriptor folder{::open(folder_of(r).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        good = good && folder && ::fsync(folder.get()) == 0;
        return answer(good ? "200 OK" : "500 Internal Server Error");
    }

    bool write_hashed(std::size_t left, int file, std::array<unsigned char, 32>& hash)
    {
        if (!hash_) hash_.reset(EVP_MD_CTX_new());
        EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
        while (left > 0) {
            const auto piece = reader_.piece(left);
            if (piece.empty()) return false;
            EVP_DigestUpdate(hash_.get(), piece.data(), piece.size());
            if (::write(file, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) return false;
            left -= piece.size();
        }
        return EVP_DigestFinal_ex(hash_.get(), hash.data(), nullptr) == 1;
    }

    bool send(const request& r)
    {
        const descriptor file{::open(file_of(r).c_str(), O_RDONLY | O_CLOEXEC)};
        struct stat info{};
        if (!file || ::fstat(file.get(), &info) != 0) return answer("404 Not Found");
        const auto size = static_cast<std::size_t>(info.st_size);
        std::size_t first = 0;
        std::size_t last = size - 1;
        const bool part = std::sscanf(r.range.c_str(), "bytes=%zu-%zu", &first, &last) > 0;
        last = std::min(last, size - 1);
        const auto length = first < size ? last - first + 1 : 0;
        std::string head = part ? "HTTP/1.1 206 Partial Content\r\n" : "HTTP/1.1 200 OK\r\n";
        if (part)
            head += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                    std::to_string(size) + "\r\n";
        head += "Content-Length: " + std::to_string(length) + "\r\n\r\n";
        if (!line_.write(head)) return false;
        return r.method == "HEAD" || send_file(file.get(), static_cast<off_t>(first), length);
    }

    bool send_file(int file, off_t offset, std::size_t left)
    {
        while (left > 0) {
            ssize_t sent = 0;
            if (!line_.is_tls()) {
                sent = ::sendfile(line_.socket(), file, &offset, left);
                if (sent <= 0) return false;
            } else {
                sent = ::pread(file, copied_.data(), std::min(left, copied_.size()), offset);
                if (sent <= 0 || !line_.write(std::span{copied_}.first(static_cast<std::size_t>(sent)))) return false;
                offset += sent;
            }
            left -= static_cast<std::size_t>(sent);
        }
        return true;
    }

    bool list(const request& r)
    {
        std::string body{"["};
        if (r.type != "data") add_folder(r.type, body);
        for (int i = 0; r.type == "data" && i < 256; ++i) {
            std::array<char, 16> name{};
            std::snprintf(name.data(), name.size(), "data/%02x", i);
            add_folder(name.data(), body);
        }
        if (body.size() > 1) body.pop_back();
        return answer("200 OK", "Content-Type: application/vnd.x.restic.rest.v2\r\n", body + "]");
    }

    static void add_folder(const std::string& name, std::string& body)
    {
        const std::unique_ptr<DIR, released<::closedir>> folder{::opendir(name.c_str())};
        if (!folder) return;
        while (const auto* entry = ::readdir(folder.get())) {
            struct stat info{};
            if (entry->d_type != DT_REG || ::fstatat(::dirfd(folder.get()), entry->d_name, &info, 0) != 0) continue;
            body.append(R"({"name":")").append(entry->d_name).append(R"(","size":)");
            body.append(std::to_string(info.st_size)).append("},");
        }
    }

    const settings& settings_;
    line line_;
    reader reader_;
    hash_state hash_;
    std::vector<char> copied_ = std::vector<char>(std::size_t{64} << 10U);
};

int listening(const char* port)
{
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The interface of sockets is made of addresses of this kind.
    if (::bind(made, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 || ::listen(made, 256) != 0)
        give_up("cannot listen on port " + std::string{port});
    return made;
}

} // namespace

int main(int count, char** words)
{
    if (count != 4 && count != 6) give_up("usage: bench_repo_floor PORT FOLDER AUTHORIZATION [CERTIFICATE KEY]");
    const settings s{words[2], words[3]};
    std::signal(SIGPIPE, SIG_IGN);
    tls_context tls;
    if (count == 6) {
        tls = make_tls(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(tls.get(), words[4]) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls.get(), words[5], SSL_FILETYPE_PEM) != 1)
            give_up("the certificate or its key cannot be used");
    }
    if (::chdir(s.folder.c_str()) != 0) give_up("no folder " + s.folder);
    const int listener = listening(words[1]);
    for (;;) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        const int yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        std::thread{[&s, &tls, socket] { connection{s, socket}.serve(tls.get()); }}.detach();
    }
}
