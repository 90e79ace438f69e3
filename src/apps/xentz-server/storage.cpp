#include "storage.hpp"

#include "repo/disk_blob_store.hpp"
#include "repo/s3_blob_store.hpp"
#include "repo/storage_identity.hpp"
#include "s3/client.hpp"
#include "s3/credentials.hpp"

#include <cstdlib>

namespace xentz::apps {
namespace {

using base::fail;
using base::fault_code;
using base::result;

bool is_bucket(const context& c) { return c.storage.starts_with("s3:"); }

std::optional<std::string> variable(const std::string& name)
{
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>{value};
}

result<s3::address> bucket_of(const context& c)
{
    auto a = s3::parse_address(c.storage, variable);
    if (!a) return fail(fault_code::usage, "--storage: " + a.error().message, std::move(a.error().remedy));
    return a;
}

result<std::filesystem::path> folder_of(const context& c)
{
    if (c.storage.empty()) return c.data_path() / "storage";
    if (c.storage.starts_with("file:") && c.storage.size() > 5)
        return std::filesystem::absolute(c.storage.substr(5)).lexically_normal();
    return fail(fault_code::usage, "--storage does not name a storage that this version knows",
                "Use file:DIR or s3://BUCKET/PREFIX");
}

result<std::unique_ptr<repo::s3_blob_store>> open_bucket(context& c, const std::string& storage_id)
{
    auto a = bucket_of(c);
    if (!a) return base::failed(a);
    auto keys = s3::make_credential_source(*a, {c.files, c.clock, *c.redactor, variable}, s3::make_metadata_client());
    auto client = std::make_unique<s3::client>(std::move(*a), std::move(keys), c.clock, c.random);
    return repo::s3_blob_store::open(std::move(client), storage_id, c.clock, {.spool_folder = c.data_path()});
}

} // namespace

result<> check_storage_option(const context& c)
{
    if (is_bucket(c)) {
        auto a = bucket_of(c);
        return a ? result<>{} : base::failed(a);
    }
    auto folder = folder_of(c);
    return folder ? result<>{} : base::failed(folder);
}

result<std::unique_ptr<repo::storage>> open_storage(context& c, const std::string& storage_id)
{
    if (is_bucket(c)) return open_bucket(c, storage_id);
    auto folder = folder_of(c);
    if (!folder) return base::failed(folder);
    return repo::disk_blob_store::open(c.files, std::move(*folder), storage_id);
}

result<> make_storage(context& c, const std::string& storage_id)
{
    if (is_bucket(c)) {
        auto store = open_bucket(c, storage_id);
        return store ? (*store)->initialise() : base::failed(store);
    }
    auto folder = folder_of(c);
    return folder ? repo::initialise_storage(c.files, *folder, storage_id) : base::failed(folder);
}

std::filesystem::path receiving_folder(const context& c)
{
    return is_bucket(c) ? c.data_path() : folder_of(c).value_or(c.data_path());
}

} // namespace xentz::apps
