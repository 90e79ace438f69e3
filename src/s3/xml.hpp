// What an object store says in XML: pages of a list, and errors. Read by expat as it arrives, so that no document is
// ever whole in memory; document types, and with them entities of their own, are refused.
//
// Follows the Amazon S3 API Reference, "ListObjectsV2" and "Error Responses".
// Threads: values. Errors: protocol_error where the text is no such document.
#pragma once

#include "base/clock.hpp"
#include "base/fault.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xentz::s3 {

// Calls `text_of` with each element that holds no other, when it ends: "Error/Code" and its text.
class document_reader {
public:
    using element = std::function<void(std::string_view path, std::string_view text)>;
    using end_of_group = std::function<void(std::string_view path)>;
    // `group` is called at the end of each element that holds others.
    explicit document_reader(element text_of, end_of_group group = {});
    ~document_reader();
    document_reader(const document_reader&) = delete;
    document_reader& operator=(const document_reader&) = delete;

    base::result<> feed(std::span<const char> bytes);
    base::result<> finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

struct listed_object {
    std::string key;
    std::uint64_t bytes = 0;
};

struct page {
    std::vector<listed_object> objects;
    std::vector<std::string> folders; // up to the delimiter and with it, where one was asked for
    std::string next;                 // asks for the page behind this one; empty for the last
};

class page_reader {
public:
    page_reader();
    base::result<> feed(std::span<const char> bytes) { return reader_.feed(bytes); }
    base::result<page> finish();

private:
    void take(std::string_view path, std::string_view text);

    page page_;
    listed_object object_;
    bool is_list_ = false;
    bool truncated_ = false;
    bool sound_ = true;
    document_reader reader_;
};

struct error_document {
    std::string code;    // "NoSuchKey"; empty where the text is no such document
    std::string message; // may be empty
    std::string region;  // where the bucket really is, where the store says so
};
error_document parse_error(std::string_view text);

} // namespace xentz::s3
