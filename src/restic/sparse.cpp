#include "restic/sparse.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace xentz::restic {
namespace {

constexpr std::int64_t block = 4096;
constexpr std::int64_t shortest_hole = std::int64_t{64} * 1024;
constexpr std::int64_t smallest_file = std::int64_t{128} * 1024;
constexpr mode_t permission_bits = 07777;
constexpr auto capabilities = "security.capability";

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&&) = delete;
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

struct entry {
    int folder; // open
    const char* name;
    struct ::stat info;
};

struct close_folder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

file_instant changed_at(const struct ::stat& info)
{
    return file_instant{std::chrono::seconds{info.st_ctim.tv_sec} + std::chrono::nanoseconds{info.st_ctim.tv_nsec}};
}

// Below an open folder, which it closes. By descriptors, so that a folder which somebody swaps for a link meanwhile
// leads nowhere.
void walk(descriptor folder, dev_t device, const std::function<void(const entry&)>& each)
{
    const auto number = folder.get();
    const std::unique_ptr<DIR, close_folder> open{::fdopendir(number)};
    if (!open) return;
    folder.release();
    while (const auto* found = ::readdir(open.get())) {
        const std::string_view name{found->d_name};
        entry e{number, found->d_name, {}};
        if (name == "." || name == ".." || ::fstatat(number, found->d_name, &e.info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (e.info.st_dev != device) continue;
        each(e);
        if (!S_ISDIR(e.info.st_mode)) continue;
        descriptor below{::openat(number, found->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
        if (below) walk(std::move(below), device, each);
    }
}

void each_changed(const std::filesystem::path& root, file_instant since, const std::function<void(const entry&)>& each)
{
    descriptor folder{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct ::stat info{};
    if (!folder || ::fstat(folder.get(), &info) != 0) return;
    walk(std::move(folder), info.st_dev, [&](const entry& e) {
        if (changed_at(e.info) >= since) each(e);
    });
}

// For reading and writing, whatever the permissions of the file are, as long as it is ours.
descriptor open_for_change(const entry& e)
{
    const descriptor place{::openat(e.folder, e.name, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    struct ::stat now{};
    if (!place || ::fstat(place.get(), &now) != 0 || now.st_ino != e.info.st_ino) return descriptor{-1};
    const auto name = "/proc/self/fd/" + std::to_string(place.get());
    descriptor file{::open(name.c_str(), O_RDWR | O_CLOEXEC)};
    if (file || errno != EACCES) return file;
    if (::chmod(name.c_str(), (e.info.st_mode & permission_bits) | S_IRUSR | S_IWUSR) != 0) return file;
    descriptor opened{::open(name.c_str(), O_RDWR | O_CLOEXEC)};
    ::chmod(name.c_str(), e.info.st_mode & permission_bits);
    return opened;
}

// A change of content takes set-user-id bits and capabilities away from a file, and gives it new times.
class attributes_keeper {
public:
    attributes_keeper(int file, const struct ::stat& info) : file_(file), info_(info)
    {
        const auto size = ::fgetxattr(file, capabilities, kept_.data(), kept_.size());
        if (size > 0) kept_size_ = static_cast<std::size_t>(size);
    }
    attributes_keeper(const attributes_keeper&) = delete;
    attributes_keeper& operator=(const attributes_keeper&) = delete;
    ~attributes_keeper()
    {
        if (kept_size_ > 0 && ::fgetxattr(file_, capabilities, nullptr, 0) < 0)
            ::fsetxattr(file_, capabilities, kept_.data(), kept_size_, 0);
        struct ::stat now{};
        if (::fstat(file_, &now) == 0 && now.st_mode != info_.st_mode) ::fchmod(file_, info_.st_mode & permission_bits);
        const std::array<timespec, 2> times{info_.st_atim, info_.st_mtim};
        ::futimens(file_, times.data());
    }

private:
    int file_;
    struct ::stat info_;
    std::array<char, 64> kept_{}; // 24 bytes is the largest form there is
    std::size_t kept_size_ = 0;
};

bool is_zero(const char* bytes, std::size_t size)
{
    return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

// Gathers blocks of zeros into runs and punches those that are long enough.
class puncher {
public:
    explicit puncher(int file) : file_(file) {}

    // False, with errno, where no hole could be made.
    bool take(std::int64_t at, bool zero)
    {
        if (zero && begin_ < 0) begin_ = at;
        return zero || begin_ < 0 || punch(at);
    }

    bool punch(std::int64_t end)
    {
        const auto begin = std::exchange(begin_, -1);
        if (begin < 0 || end - begin < shortest_hole) return true;
        if (::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, end - begin) != 0) return false;
        freed_ += static_cast<std::uint64_t>(end - begin);
        return true;
    }

    std::uint64_t freed() const { return freed_; }

private:
    int file_;
    std::int64_t begin_ = -1;
    std::uint64_t freed_ = 0;
};

// Looks for zeros in a part of a file that has no holes. A run that is worth a hole holds 15 whole blocks, and so at
// least one of every fifteenth: only those are read, and all of it only where one of them is zero. What a restore has
// just written is read again to a fifteenth.
class zero_search {
public:
    zero_search(int file, std::vector<char>& buffer, puncher& p) : file_(file), buffer_(buffer), puncher_(p) {}

    // From and to multiples of the block, or the end of the file. False, with errno, where no hole could be made.
    bool part(std::int64_t from, std::int64_t to)
    {
        bool before = false, here = probe(from, to);
        for (auto at = from; at < to; at += window) {
            const auto next = at + window;
            const bool after = next < to && probe(next, to);
            if (!(before || here || after ? read(at, std::min(next, to)) : puncher_.take(at, false))) return false;
            before = std::exchange(here, after);
        }
        return puncher_.punch((to + block - 1) / block * block);
    }

private:
    static constexpr std::int64_t window = 15 * block;
    static_assert(window + block <= shortest_hole);

    std::int64_t get(std::int64_t at, std::int64_t size)
    {
        for (;;) {
            const auto got = ::pread(file_, buffer_.data(), static_cast<std::size_t>(size), at);
            if (got >= 0 || errno != EINTR) return got;
        }
    }

    // The last whole or partial block of the window that begins there.
    bool probe(std::int64_t at, std::int64_t to)
    {
        const auto place = std::min(at + window - block, (to - 1) / block * block);
        const auto got = get(place, std::min(block, to - place));
        return got > 0 && is_zero(buffer_.data(), static_cast<std::size_t>(got));
    }

    bool read(std::int64_t from, std::int64_t to)
    {
        const auto got = get(from, to - from);
        if (got != to - from) return puncher_.take(from, false); // it cannot be read, or somebody changes it
        for (std::int64_t i = 0; i < got; i += block) {
            const auto length = static_cast<std::size_t>(std::min(block, got - i));
            if (!puncher_.take(from + i, is_zero(buffer_.data() + i, length))) return false;
        }
        return true;
    }

    int file_;
    std::vector<char>& buffer_;
    puncher& puncher_;
};

// The bytes freed; nothing where the file system knows no holes, so that no other file need be tried.
std::optional<std::uint64_t> punch_file(const entry& e, std::vector<char>& buffer)
{
    const auto file = open_for_change(e);
    if (!file) return 0;
    const attributes_keeper keeper{file.get(), e.info};
    puncher p{file.get()};
    zero_search search{file.get(), buffer, p};
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM);
    std::int64_t end = 0;
    for (;;) {
        const auto begin = ::lseek(file.get(), end, SEEK_DATA);
        end = begin < 0 ? -1 : ::lseek(file.get(), begin, SEEK_HOLE);
        if (end < 0) return p.freed();
        if (search.part(begin / block * block, end)) continue;
        if (errno == EOPNOTSUPP || errno == ENOSYS) return std::nullopt;
        return p.freed();
    }
}

bool worth_a_look(const struct ::stat& info) { return S_ISREG(info.st_mode) && info.st_size >= smallest_file; }

} // namespace

tree_total count_changed(const std::filesystem::path& root, file_instant since)
{
    tree_total total;
    std::set<ino_t> counted;
    each_changed(root, since, [&](const entry& e) {
        ++total.entries;
        if (!S_ISREG(e.info.st_mode)) return;
        if (e.info.st_nlink > 1 && !counted.insert(e.info.st_ino).second) return;
        total.bytes += static_cast<std::uint64_t>(e.info.st_size);
    });
    return total;
}

std::uint64_t punch_holes(const std::filesystem::path& root, file_instant since)
{
    std::uint64_t freed = 0;
    bool possible = true;
    std::vector<char> buffer(std::size_t{1} << 16U);
    each_changed(root, since, [&](const entry& e) {
        if (!possible || !worth_a_look(e.info)) return;
        const auto of_file = punch_file(e, buffer);
        possible = of_file.has_value();
        freed += of_file.value_or(0);
    });
    return freed;
}

} // namespace xentz::restic
