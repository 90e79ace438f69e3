// Tables for terminals: columns as wide as their widest cell, two blanks between them, no lines. Widths count
// UTF-8 characters, not bytes. Control characters in cells become '?': a file name must not move the cursor.
#pragma once

#include <string>
#include <vector>

namespace xentz::base {

class table {
public:
    explicit table(std::vector<std::string> headings);
    // As many cells as there are headings.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    std::string text() const; // with a final line break

private:
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace xentz::base
