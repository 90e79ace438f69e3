#include "repo/rest_answers.hpp"

#include "base/size_text.hpp"

namespace xentz::repo {

using base::fault_code;
using http::problem;

problem unauthorized()
{
    return {401, "unauthorized", "The credentials do not open this repository",
            "Use the address, user and secret that the control plane handed out for this device"};
}

problem too_many_attempts()
{
    return {
        429, "too-many-attempts", "Wrong credentials were sent too often",
        "Wait as long as Retry-After says, and use the credentials that the control plane handed out for this device"};
}

problem invalid_request(std::string detail)
{
    return {400, "invalid-request", "The request cannot be understood", std::move(detail)};
}

problem invalid_name()
{
    return {400, "invalid-name", "No object has such a name", "A name is 64 lower-case hex digits"};
}

problem read_only_credential()
{
    return {403, "read-only", "This credential only reads", "Use the credential of the device to change anything"};
}

problem append_only_repository()
{
    return {403, "append-only", "The repository is append-only",
            "An administrator can give the right to prune and to change keys for a limited time"};
}

problem method_not_allowed()
{
    return {405, "method-not-allowed", "This cannot be done here", "The header Allow names what can"};
}

problem unknown_path()
{
    return {404, "not-found", "There is nothing here",
            "Below a repository's address there are config, data, keys, locks, snapshots and index"};
}

problem length_required()
{
    return {411, "length-required", "The length of the object is missing", "Send Content-Length, not a chunked body"};
}

problem too_large(std::uint64_t most_bytes)
{
    return {413, "too-large", "The object is too large",
            "At most " + base::to_size(most_bytes) + " are accepted for one of this type"};
}

problem cut_short() { return {400, "hash-mismatch", "The object did not arrive whole", "Send it again"}; }

problem range_not_satisfiable()
{
    return {416, "range-not-satisfiable", "The object does not reach that far", "Content-Range tells its size"};
}

problem config_missing(std::string_view repository_id)
{
    return {503, "repository-unavailable", "The repository's config is missing",
            "The repository " + std::string{repository_id} +
                " was initialised and now its config is missing from the storage. Do not initialise it again: the "
                "administrator of the server has to restore the file or the whole storage"};
}

problem ledger_unavailable()
{
    return {503, "database-unavailable", "The server cannot reach its database", "Try again later"};
}

problem storage_problem(const base::fault& f)
{
    switch (f.code) {
    case fault_code::not_found:
        return {404, "not-found", "There is no such object", "It was never stored, or it was removed"};
    case fault_code::invalid_value:
        return {400, "hash-mismatch", "The bytes do not have the hash that their name claims",
                "Send the object again; where that does not help, check the memory of the sending machine"};
    case fault_code::conflict:
        return {403, "config-exists", "The repository has another config already",
                "Use the repository as it is, or another address"};
    case fault_code::disk_full:
        return {507, "storage-full", "The disk of the repository server is full",
                "The administrator of the server has to make room"};
    case fault_code::repository_full:
        return {507, "quota-exceeded", f.message, f.remedy};
    case fault_code::repository_unavailable:
        return {503, "storage-unavailable", "The storage of the repository server is not there",
                "The server's log tells its administrator what is in the way; no object was lost by this request"};
    default:
        return {500, "storage-failed", "The storage of the repository server failed",
                "The server's log tells the cause"};
    }
}

http::response answer(const problem& p, std::chrono::seconds retry_after)
{
    auto r = http::to_response(p);
    if (p.status == 401) r.headers.push_back({"WWW-Authenticate", "Basic realm=\"xentz\""});
    if (p.status == 503 || p.status == 429) r.headers.push_back({"Retry-After", std::to_string(retry_after.count())});
    return r;
}

} // namespace xentz::repo
