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

bool is_bucket(std::string_view address) { return address.starts_with("s3:"); }

std::optional<std::string> variable(const std::string& name)
{
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>{value};
}

result<s3::address> bucket_of(const std::string& address)
{
    auto a = s3::parse_address(address, variable);
    if (!a) return fail(fault_code::usage, address + ": " + a.error().message, std::move(a.error().remedy));
    return a;
}

result<std::filesystem::path> folder_of(const std::string& address)
{
    constexpr std::string_view scheme = "file:";
    if (address.starts_with(scheme) && address.size() > scheme.size())
        return std::filesystem::absolute(address.substr(scheme.size())).lexically_normal();
    return fail(fault_code::usage, "\"" + address + "\" does not name a storage that this version knows",
                "Use file:DIR or s3://BUCKET/PREFIX");
}

result<std::unique_ptr<repo::s3_blob_store>> open_bucket(context& c, const std::string& address,
                                                         const std::string& storage_id)
{
    auto a = bucket_of(address);
    if (!a) return base::failed(a);
    auto keys = s3::make_credential_source(*a, {c.files, c.clock, *c.redactor, variable}, s3::make_metadata_client());
    auto client = std::make_unique<s3::client>(std::move(*a), std::move(keys), c.clock, c.random);
    return repo::s3_blob_store::open(std::move(client), storage_id, c.clock, {.spool_folder = c.data_path()});
}

} // namespace

std::string storage_address(const context& c)
{
    return c.storage.empty() ? "file:" + (c.data_path() / "storage").string() : c.storage;
}

result<> check_storage_address(const context&, const std::string& address)
{
    if (is_bucket(address)) {
        auto a = bucket_of(address);
        return a ? result<>{} : base::failed(a);
    }
    auto folder = folder_of(address);
    return folder ? result<>{} : base::failed(folder);
}

result<std::unique_ptr<repo::storage>> open_storage_at(context& c, const std::string& address,
                                                       const std::string& storage_id)
{
    if (is_bucket(address)) return open_bucket(c, address, storage_id);
    auto folder = folder_of(address);
    if (!folder) return base::failed(folder);
    return repo::disk_blob_store::open(c.files, std::move(*folder), storage_id);
}

result<> make_storage_at(context& c, const std::string& address, const std::string& storage_id)
{
    if (is_bucket(address)) {
        auto store = open_bucket(c, address, storage_id);
        return store ? (*store)->initialise() : base::failed(store);
    }
    auto folder = folder_of(address);
    return folder ? repo::initialise_storage(c.files, *folder, storage_id) : base::failed(folder);
}

result<> check_storage_option(const context& c)
{
    auto ok = check_storage_address(c, storage_address(c));
    return ok ? ok : fail(ok.error().code, "--storage: " + ok.error().message, std::move(ok.error().remedy));
}

result<std::unique_ptr<repo::storage>> open_storage(context& c, const std::string& storage_id)
{
    return open_storage_at(c, storage_address(c), storage_id);
}

result<> make_storage(context& c, const std::string& storage_id)
{
    return make_storage_at(c, storage_address(c), storage_id);
}

bool is_shared_address(std::string_view address) { return is_bucket(address); }

bool is_shared_storage(const context& c) { return is_shared_address(storage_address(c)); }

std::filesystem::path receiving_folder(const context& c)
{
    return is_shared_storage(c) ? c.data_path() : folder_of(storage_address(c)).value_or(c.data_path());
}

} // namespace xentz::apps
