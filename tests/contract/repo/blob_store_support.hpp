// What the tests of blob stores share: whole objects in and out, and lists as maps.
#pragma once

#include "crypto/hash.hpp"
#include "repo/blob_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace xentz::repo::suite {

using base::fault_code;

template <class T>
fault_code code(const base::result<T>& r)
{
    return r ? fault_code::internal : r.error().code;
}

inline object_key key_of(object_type type, std::string_view bytes)
{
    return {"repo_1", type, type == object_type::config ? "" : crypto::sha256_hex(bytes)};
}

inline base::result<> put(blob_store& s, const object_key& key, std::string_view bytes, std::size_t piece = 7000)
{
    auto in = s.receive(key, bytes.size());
    if (!in) return base::failed(in);
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, piece);
        if (auto ok = (*in)->write(std::span{part.data(), part.size()}); !ok) return ok;
        bytes.remove_prefix(part.size());
    }
    return (*in)->commit();
}

inline base::result<std::string> get(blob_store& s, const object_key& key)
{
    auto reader = s.open(key);
    if (!reader) return base::failed(reader);
    std::string out;
    std::array<char, 5000> piece{};
    for (;;) {
        auto n = (*reader)->read(out.size(), piece);
        if (!n) return base::failed(n);
        if (*n == 0) break;
        out.append(piece.data(), *n);
    }
    EXPECT_EQ((*reader)->size(), out.size());
    return out;
}

inline base::result<std::map<std::string, std::uint64_t>> listed(blob_store& s, object_type type,
                                                                 std::string_view id = "repo_1")
{
    auto list = s.list(id, type);
    if (!list) return base::failed(list);
    std::map<std::string, std::uint64_t> out;
    for (;;) {
        auto object = (*list)->next();
        if (!object) return base::failed(object);
        if (!*object) return out;
        EXPECT_TRUE(out.emplace((*object)->name, (*object)->size).second) << "listed twice";
    }
}

} // namespace xentz::repo::suite
