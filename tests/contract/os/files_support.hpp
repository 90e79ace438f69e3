// What the tests of os::files share.
#pragma once

#include "os/files.hpp"

#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace xentz::os {

using base::fault_code;

inline std::span<const char> bytes(std::string_view text) { return {text.data(), text.size()}; }

template <class T>
fault_code code(const result<T>& r)
{
    return r ? fault_code::internal : r.error().code;
}

inline void write_file(files& fs, const path& p, std::string_view text)
{
    auto f = fs.create(p);
    ASSERT_TRUE(f) << f.error().message;
    ASSERT_TRUE((*f)->write(bytes(text)));
}

inline std::set<std::string> names(files& fs, const path& p)
{
    std::set<std::string> out;
    EXPECT_TRUE(fs.list(p, [&](const directory_entry& e) { return out.insert(e.name).second; }));
    return out;
}

} // namespace xentz::os
