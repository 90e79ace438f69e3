// An os::files in memory that can break: a call can be made to fail, and the power can go, after which `restart`
// takes away what was not synced. For tests of whatever must survive a crash.
//
// What a sync makes durable is what POSIX promises and no more: `file::sync` the bytes of a file, not its name;
// `sync_directory` the names in a folder, not the bytes behind them.
// Threads: like os::files. Destroy every open file before `restart`.
#pragma once

#include "os/files.hpp"
#include "os/system.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xentz::fakes {

using base::fault_code;
using std::filesystem::path;

// What a crash leaves of that which was never synced.
enum class survivors {
    nothing,   // no names, no bytes
    names,     // names, but not the bytes behind them: a file may be empty
    everything // as if the crash had come a little later
};

class memory_files final : public os::files {
public:
    memory_files() { root_->directory = true; }

    // ---- breaking it. Calls are counted from 1, those of open files included; reading counts too.

    // The n-th call from now fails with `code`; a write has then written half of its bytes.
    void fail_at(std::uint64_t n, fault_code code) { set(n, n, code); }
    // The n-th call from now and all later ones fail, until `restart`.
    void power_off_at(std::uint64_t n) { set(n, std::numeric_limits<std::uint64_t>::max(), fault_code::file_failed); }
    void heal()
    {
        set(0, 0, fault_code::file_failed);
        plan({});
    }
    // Each of these calls, counted from now, fails with its code, besides what the functions above say.
    void plan(std::map<std::uint64_t, fault_code> failing)
    {
        const std::lock_guard guard{mutex_};
        planned_ = std::move(failing);
        planned_from_ = calls_;
    }
    // From now on nothing can be put in the place of `p`.
    void write_protect(const path& p)
    {
        const std::lock_guard guard{mutex_};
        protected_.insert(p);
    }
    void restart(survivors s)
    {
        const std::lock_guard guard{mutex_};
        first_failing_ = last_failing_ = 0;
        planned_.clear();
        settle(*root_, s);
    }
    std::uint64_t calls() const
    {
        const std::lock_guard guard{mutex_};
        return calls_;
    }

    // ---- what a test wants to know or to prepare

    // The time of later changes, for `info`.
    void set_now(base::time_point now)
    {
        const std::lock_guard guard{mutex_};
        now_ = now;
    }
    // Every file with its bytes.
    std::map<std::string, std::string> tree() const
    {
        const std::lock_guard guard{mutex_};
        std::map<std::string, std::string> out;
        gather("", *root_, out);
        return out;
    }
    // A durable file, with the folders above it; replaces one of the same name.
    void put(const path& p, std::string bytes)
    {
        const std::lock_guard guard{mutex_};
        auto at = root_;
        for (const auto& part : p.parent_path().relative_path()) at = made(*at, part.string(), true);
        auto file = made(*at, p.filename().string(), false);
        file->bytes = file->synced = std::move(bytes);
        file->modified = now_;
    }
    // Whose it is and who may do what, for `info`.
    void set_rights(const path& p, std::uint32_t owner, unsigned mode)
    {
        const std::lock_guard guard{mutex_};
        auto at = find(p);
        at->owner = owner;
        at->mode = mode;
    }
    // Replaces `p` and everything below by what `other` stands for, as mounting another disk there does; an
    // absent name gives an empty folder.
    void mount(const path& p, const path& other)
    {
        const std::lock_guard guard{mutex_};
        auto source = find(other);
        if (!source) {
            source = std::make_shared<node>();
            source->directory = true;
        }
        auto parent = find(p.parent_path());
        parent->entries[p.filename().string()] = source;
        parent->synced_entries[p.filename().string()] = source;
    }

    // ---- os::files

    os::result<std::unique_ptr<os::file>> create(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("create", p); !ok) return base::failed(ok);
        auto parent = folder("create", p.parent_path());
        if (!parent) return base::failed(parent);
        auto& slot = (*parent)->entries[p.filename().string()];
        if (slot) return fault("create", p, fault_code::conflict);
        slot = std::make_shared<node>();
        slot->modified = now_;
        return std::make_unique<handle>(*this, slot, p, true);
    }

    os::result<std::unique_ptr<os::file>> open(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("open", p); !ok) return base::failed(ok);
        auto at = find(p);
        if (!at) return fault("open", p, fault_code::not_found);
        if (at->directory) return fault("open", p, fault_code::file_failed);
        return std::make_unique<handle>(*this, at, p, false);
    }

    os::result<> rename(const path& from, const path& to) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("rename to", to); !ok) return ok;
        if (protected_.contains(to)) return fault("rename to", to, fault_code::file_failed);
        auto source = find(from);
        if (!source) return fault("rename to", to, fault_code::not_found);
        auto parent = folder("rename to", to.parent_path());
        if (!parent) return base::failed(parent);
        auto& slot = (*parent)->entries[to.filename().string()];
        const bool fits = !slot || (slot->directory == source->directory && slot->entries.empty());
        if (!fits) return fault("rename to", to, fault_code::file_failed);
        if (slot == source) return {};
        slot = source;
        find(from.parent_path())->entries.erase(from.filename().string());
        return {};
    }

    os::result<> remove(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("remove", p); !ok) return ok;
        auto at = find(p);
        if (!at) return fault("remove", p, fault_code::not_found);
        if (!at->entries.empty()) return fault("remove", p, fault_code::file_failed);
        find(p.parent_path())->entries.erase(p.filename().string());
        return {};
    }

    os::result<> sync_directory(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("save the folder", p); !ok) return ok;
        auto at = folder("save the folder", p);
        if (!at) return base::failed(at);
        (*at)->synced_entries = (*at)->entries;
        return {};
    }

    os::result<> create_directory(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("create the folder", p); !ok) return ok;
        if (find(p)) return fault("create the folder", p, fault_code::conflict);
        auto parent = folder("create the folder", p.parent_path());
        if (!parent) return base::failed(parent);
        made(**parent, p.filename().string(), true, false);
        return {};
    }

    os::result<os::file_info> info(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("look at", p); !ok) return base::failed(ok);
        auto at = find(p);
        if (!at) return fault("look at", p, fault_code::not_found);
        return os::file_info{.kind = at->directory ? os::file_kind::directory : os::file_kind::regular,
                             .bytes = at->bytes.size(),
                             .modified = at->modified,
                             .changed = at->modified,
                             .mode = at->mode.value_or(at->directory ? 0700U : 0600U),
                             .owner = at->owner.value_or(os::user_id()),
                             .device = 1,
                             .inode = at->inode};
    }

    os::result<std::unique_ptr<os::directory_reader>> open_directory(const path& p) override
    {
        const std::lock_guard guard{mutex_};
        if (auto ok = step("list", p); !ok) return base::failed(ok);
        auto at = folder("list", p);
        if (!at) return base::failed(at);
        std::vector<os::directory_entry> entries;
        for (const auto& [name, child] : (*at)->entries)
            entries.push_back({name, child->directory ? os::file_kind::directory : os::file_kind::regular});
        return std::make_unique<walk>(*this, std::move(entries), p);
    }

private:
    struct node {
        std::uint64_t inode = next_inode++;
        bool directory = false;
        std::string bytes;
        std::string synced;
        std::map<std::string, std::shared_ptr<node>> entries;
        std::map<std::string, std::shared_ptr<node>> synced_entries;
        base::time_point modified;
        std::optional<std::uint32_t> owner;
        std::optional<unsigned> mode;

        static inline std::atomic<std::uint64_t> next_inode = 1;
    };

    class handle final : public os::file {
    public:
        handle(memory_files& fs, std::shared_ptr<node> n, path p, bool writes)
            : fs_(fs), node_(std::move(n)), path_(std::move(p)), writes_(writes)
        {
        }
        os::result<> write(std::span<const char> bytes) override
        {
            const std::lock_guard guard{fs_.mutex_};
            if (!writes_) return fault("write", path_, fault_code::file_failed);
            auto ok = fs_.step("write", path_);
            node_->bytes.append(bytes.data(), ok ? bytes.size() : bytes.size() / 2);
            node_->modified = fs_.now_;
            return ok;
        }
        os::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
        {
            const std::lock_guard guard{fs_.mutex_};
            if (writes_) return fault("read", path_, fault_code::file_failed);
            if (auto ok = fs_.step("read", path_); !ok) return base::failed(ok);
            if (offset >= node_->bytes.size()) return std::size_t{0};
            return node_->bytes.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
        }
        os::result<> sync() override
        {
            const std::lock_guard guard{fs_.mutex_};
            auto ok = fs_.step("save", path_);
            if (ok) node_->synced = node_->bytes;
            return ok;
        }
        os::result<std::uint64_t> size() override
        {
            const std::lock_guard guard{fs_.mutex_};
            if (auto ok = fs_.step("look at", path_); !ok) return base::failed(ok);
            return std::uint64_t{node_->bytes.size()};
        }

    private:
        memory_files& fs_;
        std::shared_ptr<node> node_;
        path path_;
        bool writes_;
    };

    class walk final : public os::directory_reader {
    public:
        walk(memory_files& fs, std::vector<os::directory_entry> entries, path p)
            : fs_(fs), entries_(std::move(entries)), path_(std::move(p))
        {
        }
        os::result<std::optional<os::directory_entry>> next() override
        {
            const std::lock_guard guard{fs_.mutex_};
            if (auto ok = fs_.step("list", path_); !ok) return base::failed(ok);
            if (at_ == entries_.size()) return std::nullopt;
            return entries_[at_++];
        }
        os::result<os::file_info> info(const std::string& name) override { return fs_.info(path_ / name); }

    private:
        memory_files& fs_;
        std::vector<os::directory_entry> entries_;
        std::size_t at_ = 0;
        path path_;
    };

    static std::unexpected<base::fault> fault(std::string_view verb, const path& p, fault_code code)
    {
        return base::fail(code, "cannot " + std::string{verb} + " " + p.string() + ": " + std::string{name(code)});
    }

    void set(std::uint64_t first, std::uint64_t last, fault_code code)
    {
        const std::lock_guard guard{mutex_};
        calls_ = 0;
        first_failing_ = first;
        last_failing_ = last;
        code_ = code;
    }

    os::result<> step(std::string_view verb, const path& p)
    {
        ++calls_;
        if (const auto at = planned_.find(calls_ - planned_from_); at != planned_.end())
            return fault(verb, p, at->second);
        if (first_failing_ == 0 || calls_ < first_failing_ || calls_ > last_failing_) return {};
        return fault(verb, p, code_);
    }

    std::shared_ptr<node> find(const path& p) const
    {
        auto at = root_;
        for (const auto& part : p.relative_path()) {
            const auto next = at->entries.find(part.string());
            if (next == at->entries.end()) return nullptr;
            at = next->second;
        }
        return at;
    }

    os::result<std::shared_ptr<node>> folder(std::string_view verb, const path& p) const
    {
        auto at = find(p);
        if (at && at->directory) return at;
        return fault(verb, p, fault_code::not_found);
    }

    std::shared_ptr<node> made(node& parent, const std::string& called, bool directory, bool durable = true)
    {
        auto& slot = parent.entries[called];
        if (!slot) slot = std::make_shared<node>();
        slot->directory = directory;
        slot->modified = now_;
        if (durable) parent.synced_entries[called] = slot;
        return slot;
    }

    static void settle(node& n, survivors s)
    {
        if (s != survivors::everything) n.bytes = n.synced;
        n.synced = n.bytes;
        if (s == survivors::nothing) n.entries = n.synced_entries;
        n.synced_entries = n.entries;
        for (auto& [name, child] : n.entries) settle(*child, s);
    }

    static void gather(const std::string& prefix, const node& n, std::map<std::string, std::string>& out)
    {
        for (const auto& [name, child] : n.entries) {
            if (child->directory)
                gather(prefix + "/" + name, *child, out);
            else
                out[prefix + "/" + name] = child->bytes;
        }
    }

    mutable std::mutex mutex_;
    std::shared_ptr<node> root_ = std::make_shared<node>();
    base::time_point now_;
    std::set<path> protected_;
    std::uint64_t calls_ = 0;
    std::uint64_t first_failing_ = 0;
    std::uint64_t last_failing_ = 0;
    fault_code code_ = fault_code::file_failed;
    std::map<std::uint64_t, fault_code> planned_;
    std::uint64_t planned_from_ = 0;
};

} // namespace xentz::fakes
