// An os::files whose user is killed in the middle: from the n-th call on, those of open files included, each one throws
// `killed` and does nothing, as kill -9 would have it. What was done before stays done.
// Threads: as its disk; kill_at from one thread, while nothing is under way.
#pragma once

#include "os/files.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace xentz::fakes {

struct killed {};

class crashing_files final : public os::files {
public:
    explicit crashing_files(os::files& disk) : disk_(disk) {}

    void kill_at(std::uint64_t n)
    {
        calls_ = 0;
        last_ = n;
    }
    void spare() { kill_at(std::numeric_limits<std::uint64_t>::max()); }

    os::result<std::unique_ptr<os::file>> create(const os::path& p) override { return wrapped(stepped().create(p)); }
    os::result<std::unique_ptr<os::file>> open(const os::path& p) override { return wrapped(stepped().open(p)); }
    os::result<> rename(const os::path& from, const os::path& to) override { return stepped().rename(from, to); }
    os::result<> remove(const os::path& p) override { return stepped().remove(p); }
    os::result<> sync_directory(const os::path& p) override { return stepped().sync_directory(p); }
    os::result<> create_directory(const os::path& p) override { return stepped().create_directory(p); }
    os::result<os::file_info> info(const os::path& p) override { return stepped().info(p); }
    os::result<std::unique_ptr<os::directory_reader>> open_directory(const os::path& p) override
    {
        return stepped().open_directory(p);
    }

private:
    class handle final : public os::file {
    public:
        handle(crashing_files& fs, std::unique_ptr<os::file> inner) : fs_(fs), inner_(std::move(inner)) {}
        os::result<> write(std::span<const char> bytes) override
        {
            fs_.step();
            return inner_->write(bytes);
        }
        os::result<std::size_t> read(std::uint64_t offset, std::span<char> out) override
        {
            fs_.step();
            return inner_->read(offset, out);
        }
        os::result<> sync() override
        {
            fs_.step();
            return inner_->sync();
        }
        os::result<std::uint64_t> size() override
        {
            fs_.step();
            return inner_->size();
        }

    private:
        crashing_files& fs_;
        std::unique_ptr<os::file> inner_;
    };

    void step()
    {
        if (++calls_ >= last_) throw killed{};
    }
    os::files& stepped()
    {
        step();
        return disk_;
    }
    os::result<std::unique_ptr<os::file>> wrapped(os::result<std::unique_ptr<os::file>> f)
    {
        if (!f) return f;
        return std::make_unique<handle>(*this, std::move(*f));
    }

    os::files& disk_;
    std::atomic<std::uint64_t> calls_ = 0;
    std::uint64_t last_ = std::numeric_limits<std::uint64_t>::max();
};

} // namespace xentz::fakes
