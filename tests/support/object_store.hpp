// A real object store for tests: the bucket that XENTZ_TEST_S3 names (s3://ACCESS_KEY:SECRET_KEY@BUCKET?endpoint=...);
// without it, the test program starts a store when it first needs one
// (tests/support/object_store) and stops it at the end. A store that cannot be had is a failed test. Each test has a
// prefix of its own in the bucket.
#pragma once

#include "fakes/scratch_folder.hpp"
#include "os/system.hpp"
#include "s3/client.hpp"
#include "support/output.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace xentz::test {

class object_store_environment : public testing::Environment {
public:
    struct place {
        std::string address; // "s3://bucket?endpoint=..."
        s3::credentials keys;
    };

    const place& get()
    {
        if (!place_.address.empty()) return place_;
        std::string text;
        if (const char* given = std::getenv("XENTZ_TEST_S3"); given && *given) {
            text = given;
        } else {
            folder_ = std::make_unique<fakes::scratch_folder>();
            text = output_of(script("start") + " " + std::to_string(::getpid()));
        }
        const auto colon = text.find(':', 5);
        const auto at = text.find('@');
        if (!text.starts_with("s3://") || at == std::string::npos || colon > at)
            throw std::runtime_error("XENTZ_TEST_S3 is not s3://ACCESS_KEY:SECRET_KEY@BUCKET?endpoint=...");
        place_.keys.access_key = text.substr(5, colon - 5);
        place_.keys.secret_key = text.substr(colon + 1, at - colon - 1);
        place_.keys.origin = "the test";
        place_.address = "s3://" + text.substr(at + 1);
        return place_;
    }

    void TearDown() override
    {
        if (folder_) output_of(script("stop"));
        folder_.reset();
    }

private:
    std::string script(const std::string& verb) const
    {
        return std::string{"'"} + XENTZ_TESTS_DIR + "/support/object_store' " + verb + " '" + folder_->path().string() +
               "'";
    }

    std::unique_ptr<fakes::scratch_folder> folder_;
    place place_;
};

inline object_store_environment& object_store()
{
    static auto* const environment =
        static_cast<object_store_environment*>(testing::AddGlobalTestEnvironment(new object_store_environment));
    return *environment;
}

// GoogleTest takes environments before the first test runs only.
inline const auto& object_store_is_registered = object_store();

class fixed_credentials final : public s3::credential_source {
public:
    explicit fixed_credentials(s3::credentials keys) : keys_(std::move(keys)) {}
    base::result<s3::credentials> get() override { return keys_; }
    base::result<s3::credentials> renewed() override { return keys_; }

private:
    s3::credentials keys_;
};

// An empty prefix of the bucket, and clients for it.
class fresh_prefix {
public:
    fresh_prefix()
    {
        std::random_device random;
        name_ = "test-" + std::to_string(random()) + "-" + std::to_string(random());
    }

    s3::address address(const std::string& below = {}) const
    {
        auto text = object_store().get().address;
        text.insert(std::min(text.find('?'), text.size()), "/" + name_ + below);
        return s3::parse_address(text, [](const std::string&) { return std::nullopt; }).value();
    }
    std::unique_ptr<s3::client> client(s3::client_options options = {}) const
    {
        return std::make_unique<s3::client>(address(), std::make_unique<fixed_credentials>(object_store().get().keys),
                                            *clock_, *random_, std::move(options));
    }
    const base::clock& clock() const { return *clock_; }
    base::random_source& random() const { return *random_; }

private:
    std::string name_;
    std::unique_ptr<base::clock> clock_ = os::make_clock();
    std::unique_ptr<base::random_source> random_ = os::make_random();
};

} // namespace xentz::test
