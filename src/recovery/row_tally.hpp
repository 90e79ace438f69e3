// How many rows each table has, and a digest of them that does not depend on their order, in which the engines differ:
// the sum of the SHA-256 of each row's line, modulo 2^256. Two tables with the same digest hold the same rows; whether
// somebody altered them on purpose is for the MAC of the manifest.
//
// Threads: one at a time.
#pragma once

#include "recovery/manifest.hpp"
#include "store/all_rows.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace xentz::recovery {

class row_tally {
public:
    void clear() { tables_.clear(); }
    void begin_table(std::string_view name);
    void add(std::string_view row_text); // of row_line, to the table that was begun last
    std::vector<table_count> counts() const;

private:
    struct entry {
        table_count count;
        std::array<std::uint8_t, 32> sum{};
    };
    std::vector<entry> tables_;
};

// Compares what a database holds after the import with what the manifest of the export says: repository_damaged at the
// end where a row is missing, is one too many or is another one.
class rows_as_exported final : public store::row_receiver {
public:
    explicit rows_as_exported(std::vector<table_count> exported) : exported_(std::move(exported)) {}

    base::result<> begin() override;
    base::result<> begin_table(const store::table& t) override;
    base::result<> add(const store::row& r) override;
    base::result<> end() override;

private:
    std::vector<table_count> exported_;
    row_tally tally_;
};

} // namespace xentz::recovery
