#include "base/table.hpp"

#include <algorithm>

namespace xentz::base {
namespace {

std::size_t width_of(const std::string& text)
{
    return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

void append_row(std::string& out, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths)
{
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out += cells[i];
        if (i + 1 < cells.size()) out.append(widths[i] - width_of(cells[i]) + 2, ' ');
    }
    out += '\n';
}

} // namespace

table::table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

void table::add(std::vector<std::string> cells)
{
    for (auto& cell : cells) std::ranges::replace_if(cell, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
    cells.resize(headings_.size());
    rows_.push_back(std::move(cells));
}

std::string table::text() const
{
    std::vector<std::size_t> widths;
    for (const auto& heading : headings_) widths.push_back(width_of(heading));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    std::string out;
    append_row(out, headings_, widths);
    for (const auto& row : rows_) append_row(out, row, widths);
    return out;
}

} // namespace xentz::base
