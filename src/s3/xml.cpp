#include "s3/xml.hpp"

#include <expat.h>

#include <charconv>
#include <new>
#include <utility>

namespace xentz::s3 {
namespace {

constexpr std::size_t most_text_bytes = 8192;
constexpr std::size_t most_depth = 16;
constexpr std::size_t most_entries = 2000; // twice as many as are asked for

struct free_parser {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

std::unexpected<base::fault> no_document()
{
    return base::fail(base::fault_code::protocol_error, "the object store's answer is no XML that could be understood",
                      "Check that the endpoint speaks the S3 protocol");
}

} // namespace

struct document_reader::state {
    std::unique_ptr<XML_ParserStruct, free_parser> parser;
    element text_of;
    end_of_group group;
    std::string path;
    std::string text;
    std::size_t depth = 0;
    bool is_leaf = false;

    void refuse() const { XML_StopParser(parser.get(), XML_FALSE); }

    static void begin(void* user, const XML_Char* name, const XML_Char**)
    {
        auto& s = *static_cast<state*>(user);
        if (++s.depth > most_depth) return s.refuse();
        if (!s.path.empty()) s.path += '/';
        s.path += name;
        s.text.clear();
        s.is_leaf = true;
    }
    static void end(void* user, const XML_Char*)
    {
        auto& s = *static_cast<state*>(user);
        if (s.is_leaf)
            s.text_of(s.path, s.text);
        else if (s.group)
            s.group(s.path);
        s.is_leaf = false;
        --s.depth;
        const auto slash = s.path.rfind('/');
        s.path.resize(slash == std::string::npos ? 0 : slash);
    }
    static void characters(void* user, const XML_Char* bytes, int count)
    {
        auto& s = *static_cast<state*>(user);
        if (s.text.size() + static_cast<std::size_t>(count) > most_text_bytes) return s.refuse();
        if (s.is_leaf) s.text.append(bytes, static_cast<std::size_t>(count));
    }
    static void document_type(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int)
    {
        static_cast<state*>(user)->refuse();
    }
};

document_reader::document_reader(element text_of, end_of_group group) : state_(std::make_unique<state>())
{
    state_->parser.reset(XML_ParserCreate("UTF-8"));
    if (!state_->parser) throw std::bad_alloc{};
    state_->text_of = std::move(text_of);
    state_->group = std::move(group);
    auto* parser = state_->parser.get();
    XML_SetUserData(parser, state_.get());
    XML_SetElementHandler(parser, state::begin, state::end);
    XML_SetCharacterDataHandler(parser, state::characters);
    XML_SetStartDoctypeDeclHandler(parser, state::document_type);
}

document_reader::~document_reader() = default;

base::result<> document_reader::feed(std::span<const char> bytes)
{
    if (XML_Parse(state_->parser.get(), bytes.data(), static_cast<int>(bytes.size()), XML_FALSE) != XML_STATUS_OK)
        return no_document();
    return {};
}

base::result<> document_reader::finish()
{
    if (XML_Parse(state_->parser.get(), nullptr, 0, XML_TRUE) != XML_STATUS_OK) return no_document();
    return {};
}

page_reader::page_reader()
    : reader_([this](std::string_view path, std::string_view text) { take(path, text); },
              [this](std::string_view path) {
                  if (path == "ListBucketResult") is_list_ = true;
                  if (path != "ListBucketResult/Contents") return;
                  sound_ = sound_ && !object_.key.empty() && page_.objects.size() < most_entries;
                  if (sound_) page_.objects.push_back(std::exchange(object_, {}));
              })
{
}

void page_reader::take(std::string_view path, std::string_view text)
{
    constexpr std::string_view root = "ListBucketResult/";
    if (!path.starts_with(root)) return;
    path.remove_prefix(root.size());
    if (path == "Contents/Key") {
        object_.key = text;
    } else if (path == "Contents/Size") {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), object_.bytes);
        sound_ = sound_ && error == std::errc{} && end == text.data() + text.size();
    } else if (path == "CommonPrefixes/Prefix") {
        sound_ = sound_ && page_.folders.size() < most_entries;
        if (sound_) page_.folders.emplace_back(text);
    } else if (path == "IsTruncated") {
        truncated_ = text == "true";
    } else if (path == "NextContinuationToken") {
        page_.next = text;
    }
}

base::result<page> page_reader::finish()
{
    if (auto ok = reader_.finish(); !ok) return base::failed(ok);
    // A list that breaks off must never pass for a short one.
    if (!is_list_ || !sound_ || truncated_ != !page_.next.empty()) return no_document();
    return std::move(page_);
}

error_document parse_error(std::string_view text)
{
    error_document out;
    document_reader reader{[&](std::string_view path, std::string_view found) {
        if (path == "Error/Code") out.code = found;
        if (path == "Error/Message") out.message = found;
        if (path == "Error/Region") out.region = found;
    }};
    if (!reader.feed(text) || !reader.finish()) return {};
    return out;
}

} // namespace xentz::s3
