// Whatever an object store sends as XML, in whatever pieces (the first byte): a page that is taken for whole is the
// same however it arrived, has a key for each object, and is never longer than it may be.
#include "require.hpp"
#include "s3/xml.hpp"

#include <cstdint>
#include <string>

namespace xentz::s3 {
namespace {

using fuzz::require;

base::result<page> read(std::string_view text, std::size_t piece)
{
    page_reader reader;
    while (!text.empty()) {
        const auto part = text.substr(0, piece);
        if (auto ok = reader.feed(part); !ok) return base::failed(ok);
        text.remove_prefix(part.size());
    }
    return reader.finish();
}

void check(std::string_view text, std::size_t piece)
{
    const auto whole = read(text, text.size() + 1);
    const auto parts = read(text, piece);
    require(whole.has_value() == parts.has_value());
    if (whole) {
        require(whole->objects.size() == parts->objects.size() && whole->objects.size() <= 2000);
        for (std::size_t i = 0; i < whole->objects.size(); ++i)
            require(!whole->objects[i].key.empty() && whole->objects[i].key == parts->objects[i].key);
        require(whole->next == parts->next && whole->folders == parts->folders);
    }
    const auto e = parse_error(text);
    require(e.code.size() <= text.size());
}

} // namespace
} // namespace xentz::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    xentz::s3::check(text, 1U + data[0] % 32U);
    return 0;
}
