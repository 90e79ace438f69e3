#include "base/table.hpp"

#include <algorithm>

namespace xentz::base {
namespace {

std::size_t width_of(const std::string& text)
{
    return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

// Those of ASCII and the two-byte ones from U+0080 to U+009F, which some terminals obey as well.
std::string without_controls(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        const bool c1 = c == 0xC2U && next >= 0x80U && next < 0xA0U;
        out += c < 0x20U || c == 0x7FU || c1 ? '?' : text[i];
        if (c1) ++i;
    }
    return out;
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
    for (auto& cell : cells) cell = without_controls(cell);
    cells.resize(headings_.size());
    rows_.push_back(std::move(cells));
}

std::string table::text() const
{
    std::vector<std::size_t> widths;
    widths.reserve(headings_.size());
    for (const auto& heading : headings_) widths.push_back(width_of(heading));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    std::string out;
    append_row(out, headings_, widths);
    for (const auto& row : rows_) append_row(out, row, widths);
    return out;
}

} // namespace xentz::base
