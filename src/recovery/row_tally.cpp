#include "recovery/row_tally.hpp"

#include "base/hex.hpp"
#include "crypto/hash.hpp"
#include "recovery/row_text.hpp"

#include <algorithm>

namespace xentz::recovery {

using base::fail;
using base::fault_code;
using base::result;

void row_tally::begin_table(std::string_view name)
{
    tables_.push_back({.count = {.table = std::string{name}, .rows = 0, .digest = {}}});
}

void row_tally::add(std::string_view row_text)
{
    auto& [count, sum] = tables_.back();
    ++count.rows;
    const auto more = crypto::sha256_of(row_text);
    unsigned carry = 0;
    for (auto i = sum.size(); i-- > 0; carry >>= 8U) {
        carry += unsigned{sum.at(i)} + more.at(i);
        sum.at(i) = static_cast<std::uint8_t>(carry);
    }
}

std::vector<table_count> row_tally::counts() const
{
    std::vector<table_count> out;
    for (const auto& [count, sum] : tables_) {
        out.push_back(count);
        out.back().digest = base::to_hex(sum);
    }
    return out;
}

result<> rows_as_exported::begin()
{
    tally_.clear();
    return {};
}

result<> rows_as_exported::begin_table(const store::table& t)
{
    tally_.begin_table(t.name);
    return {};
}

result<> rows_as_exported::add(const store::row& r)
{
    const auto text = row_line(r);
    if (!text) return std::unexpected(text.error());
    tally_.add(*text);
    return {};
}

result<> rows_as_exported::end()
{
    const auto found = tally_.counts();
    for (const auto& t : found) {
        const auto at = std::ranges::find(exported_, t.table, &table_count::table);
        if (at != exported_.end() && *at == t) continue;
        const auto there = at == exported_.end() ? 0 : at->rows;
        return fail(fault_code::repository_damaged,
                    "the rows of the table " + t.table + " did not arrive as they were exported (" +
                        std::to_string(t.rows) + " of " + std::to_string(there) + ")",
                    "Nothing was imported; export once more, and report this where it happens again");
    }
    if (found.size() == exported_.size()) return {};
    return fail(fault_code::repository_damaged, "the export has tables that this program does not know",
                "Use the same version for the export and the import");
}

} // namespace xentz::recovery
