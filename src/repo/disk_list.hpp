// The objects of one type in a repository's folder on a disk, folder after folder. Where there are many of them,
// another thread looks at the next folders meanwhile: asking for the size of each file is what a list takes its time
// for.
//
// Memory: the entries of a few folders of data/, whatever the repository holds. Threads and faults: as object_list; the
// `files` must outlive it, as must what `explain` uses.
#pragma once

#include "os/files.hpp"
#include "repo/blob_store.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace xentz::repo {

class disk_list final : public object_list {
public:
    // `explain` makes of a fault what is to be said of it; a folder that is not found has no objects then.
    using explanation = std::function<base::fault(base::fault)>;
    disk_list(os::files& fs, std::filesystem::path repository, object_type type, explanation explain);
    ~disk_list() override;
    disk_list(const disk_list&) = delete;
    disk_list& operator=(const disk_list&) = delete;

    base::result<std::optional<object_info>> next() override;

private:
    class folder;
    class others;

    base::result<std::unique_ptr<folder>> opened(std::size_t index) const;
    base::result<bool> advance();

    os::files& fs_;
    std::filesystem::path repository_;
    std::vector<std::string> folders_;
    bool sharded_;
    explanation explain_;
    std::unique_ptr<folder> own_; // read here and now
    std::size_t own_objects_ = 0;
    std::size_t next_ = 0;
    std::vector<object_info> ready_; // of a folder that was looked at before
    std::size_t at_ = 0;
    std::unique_ptr<others> others_;
};

} // namespace xentz::repo
