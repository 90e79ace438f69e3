#include "repo/disk_list.hpp"

#include "base/hex.hpp"
#include "repo/disk_layout.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace xentz::repo {

using base::failed;
using base::fault_code;
using base::result;
using std::filesystem::path;

namespace {

// A folder with fewer is no reason to start a thread.
constexpr std::size_t many = 32;
// So many folders are looked at before they are asked for, and so many objects of each; a larger one is left to be read
// when its turn has come.
constexpr std::size_t most_folders = 4;
constexpr std::size_t most_objects = 16'384;

} // namespace

// One folder, one entry after the other.
class disk_list::folder {
public:
    folder(std::unique_ptr<os::directory_reader> reader, std::string shard)
        : reader_(std::move(reader)), shard_(std::move(shard))
    {
    }

    result<std::optional<object_info>> next()
    {
        for (;;) {
            auto entry = reader_->next();
            if (!entry) return failed(entry);
            if (!*entry) return std::nullopt;
            if (!is_object(**entry)) continue;
            auto info = reader_->info((*entry)->name);
            if (info) return object_info{std::move((*entry)->name), info->bytes};
            if (info.error().code != fault_code::not_found) return failed(info); // else removed meanwhile
        }
    }

private:
    bool is_object(const os::directory_entry& e) const
    {
        return e.kind == os::file_kind::regular && base::is_sha256_hex(e.name) && e.name.starts_with(shard_);
    }

    std::unique_ptr<os::directory_reader> reader_;
    std::string shard_; // with which its names begin; empty: with anything
};

// The folders that are still to come, and the thread that looks at some of them.
class disk_list::others {
public:
    struct content {
        std::size_t folder = 0;
        result<std::vector<object_info>> objects;
        bool too_many = false; // to be read anew
        std::exception_ptr thrown;
    };

    others(const disk_list& list, std::size_t first) : list_(list), next_(first), thread_([this] { run(); }) {}
    ~others()
    {
        {
            const std::lock_guard guard{mutex_};
            ended_ = true;
        }
        changed_.notify_all();
    }
    others(const others&) = delete;
    others& operator=(const others&) = delete;

    // What was looked at, or a folder that nobody has begun with; neither at the end.
    std::pair<std::optional<content>, std::optional<std::size_t>> take()
    {
        std::unique_lock lock{mutex_};
        if (ready_.empty() && next_ < list_.folders_.size()) return {std::nullopt, next_++};
        changed_.wait(lock, [this] { return !ready_.empty() || !is_busy_; });
        if (ready_.empty()) return {};
        auto out = std::move(ready_.front());
        ready_.pop_front();
        changed_.notify_all();
        return {std::move(out), std::nullopt};
    }

private:
    void run()
    {
        std::unique_lock lock{mutex_};
        for (;;) {
            changed_.wait(lock, [this] { return ended_ || ready_.size() < most_folders; });
            if (ended_ || next_ == list_.folders_.size()) return;
            const auto folder = next_++;
            is_busy_ = true;
            lock.unlock();
            auto found = look_at(folder);
            lock.lock();
            is_busy_ = false;
            ready_.push_back(std::move(found));
            changed_.notify_all();
        }
    }

    content look_at(std::size_t index) const
    {
        content out{.folder = index, .objects = {}, .too_many = false, .thrown = {}};
        try {
            auto opened = list_.opened(index);
            if (!opened) out.objects = failed(opened);
            while (out.objects && *opened) {
                auto object = (*opened)->next();
                if (!object) out.objects = failed(object);
                if (!object || !*object) break;
                out.too_many = out.objects->size() == most_objects;
                if (out.too_many) break;
                out.objects->push_back(std::move(**object));
            }
        } catch (...) {
            out.thrown = std::current_exception();
        }
        return out;
    }

    const disk_list& list_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t next_;
    std::deque<content> ready_;
    bool is_busy_ = false;
    bool ended_ = false;
    std::jthread thread_; // last: ends before what it uses
};

disk_list::disk_list(os::files& fs, path repository, object_type type, explanation explain)
    : fs_(fs), repository_(std::move(repository)), folders_(disk_layout::folders(type)),
      sharded_(type == object_type::data), explain_(std::move(explain))
{
}

disk_list::~disk_list() = default;

result<std::optional<object_info>> disk_list::next()
{
    for (;;) {
        if (at_ < ready_.size()) return std::move(ready_[at_++]);
        if (own_) {
            auto object = own_->next();
            if (object && !*object) own_.reset();
            if (!own_) continue;
            ++own_objects_;
            return object;
        }
        auto more = advance();
        if (!more) return failed(more);
        if (!*more) return std::nullopt;
    }
}

// Nothing where it is not there: a missing folder has no objects, unless it is the whole storage that is missing.
result<std::unique_ptr<disk_list::folder>> disk_list::opened(std::size_t index) const
{
    const auto where = repository_ / folders_[index];
    auto reader = fs_.open_directory(where);
    if (reader) return std::make_unique<folder>(std::move(*reader), sharded_ ? where.filename().string() : "");
    auto why = explain_(std::move(reader.error()));
    if (why.code == fault_code::not_found) return nullptr;
    return std::unexpected(std::move(why));
}

// To the next folder, in whichever order they come; false at the end.
result<bool> disk_list::advance()
{
    if (!others_ && own_objects_ >= many) others_ = std::make_unique<others>(*this, next_);
    auto index = std::optional<std::size_t>{next_};
    if (others_) {
        auto [looked_at, unbegun] = others_->take();
        if (looked_at && looked_at->thrown) std::rethrow_exception(looked_at->thrown);
        if (looked_at && !looked_at->objects) return failed(looked_at->objects);
        if (looked_at && !looked_at->too_many) {
            ready_ = std::move(*looked_at->objects);
            at_ = 0;
            return true;
        }
        index = looked_at ? looked_at->folder : unbegun;
    }
    if (!index || *index == folders_.size()) return false;
    if (!others_) ++next_;
    auto found = opened(*index);
    if (!found) return failed(found);
    own_ = std::move(*found);
    return true;
}

} // namespace xentz::repo
