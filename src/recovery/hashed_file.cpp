#include "recovery/hashed_file.hpp"

#include "base/hex.hpp"

#include <vector>

namespace xentz::recovery {
namespace {

using base::fail;
using base::fault_code;
using base::result;

constexpr std::size_t piece = std::size_t{256} << 10U;
constexpr std::size_t longest_line = std::size_t{16} << 20U;

} // namespace

result<hashed_writer> hashed_writer::create(os::files& fs, const std::filesystem::path& p)
{
    auto f = fs.create(p);
    if (!f) return base::failed(f);
    return hashed_writer{std::move(*f), p.filename().string()};
}

result<> hashed_writer::write(std::string_view bytes)
{
    held_ += bytes;
    return held_.size() < piece ? result<>{} : flush();
}

result<> hashed_writer::flush()
{
    if (auto ok = file_->write(held_); !ok) return ok;
    hash_.update(held_);
    record_.bytes += held_.size();
    held_.clear();
    return {};
}

result<file_record> hashed_writer::finish()
{
    if (auto ok = flush(); !ok) return base::failed(ok);
    if (auto ok = file_->sync(); !ok) return base::failed(ok);
    record_.sha256 = base::to_hex(hash_.finish());
    return record_;
}

result<file_record> hash_file(os::files& fs, const std::filesystem::path& p)
{
    const auto f = fs.open(p);
    if (!f) return std::unexpected(f.error());
    file_record out{.name = p.filename().string()};
    crypto::sha256 hash;
    std::vector<char> buffer(piece);
    for (;;) {
        const auto n = (*f)->read(out.bytes, buffer);
        if (!n) return std::unexpected(n.error());
        if (*n == 0) break;
        hash.update(std::span{buffer}.first(*n));
        out.bytes += *n;
    }
    out.sha256 = base::to_hex(hash.finish());
    return out;
}

result<line_reader> line_reader::open(os::files& fs, const std::filesystem::path& p)
{
    auto f = fs.open(p);
    if (!f) return base::failed(f);
    return line_reader{std::move(*f)};
}

result<std::optional<std::string_view>> line_reader::next()
{
    held_.erase(0, taken_);
    taken_ = 0;
    std::size_t searched = 0;
    for (;;) {
        const auto end = held_.find('\n', searched);
        if (end != std::string::npos) {
            taken_ = end + 1;
            return std::string_view{held_}.substr(0, end);
        }
        searched = held_.size();
        if (searched > longest_line)
            return fail(fault_code::invalid_value, "a line of the copy is longer than any row can be",
                        "Use another copy");
        if (at_end_) break;
        held_.resize(searched + piece);
        const auto n = file_->read(at_, std::span{held_}.subspan(searched));
        if (!n) return std::unexpected(n.error());
        held_.resize(searched + *n);
        at_ += *n;
        at_end_ = *n == 0;
    }
    if (held_.empty()) return std::optional<std::string_view>{};
    taken_ = held_.size();
    return std::string_view{held_};
}

} // namespace xentz::recovery
