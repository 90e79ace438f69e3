#include "repo/rest_handler.hpp"

#include "repo/range.hpp"
#include "repo/rest_answers.hpp"
#include "repo/rest_bodies.hpp"

#include <exception>
#include <utility>

namespace xentz::repo {

using base::fault_code;

namespace {

constexpr std::string_view list_v1 = "application/vnd.x.restic.rest.v1";
constexpr std::string_view list_v2 = "application/vnd.x.restic.rest.v2";

constexpr std::size_t most_of_user = 64; // counts for the throttle; every real one is shorter

bool is_small(object_type t) { return t == object_type::config || t == object_type::keys || t == object_type::locks; }

list_version accepted_version(const http::request_head& head)
{
    const auto* accept = head.find("Accept");
    return accept != nullptr && accept->find(list_v2) != std::string::npos ? list_version::v2 : list_version::v1;
}

http::response of_object(int status, const object_reader& object, std::uint64_t length)
{
    http::response r;
    r.status = status;
    r.headers.push_back({"Content-Type", "application/octet-stream"});
    r.headers.push_back({"Accept-Ranges", "bytes"});
    r.headers.push_back({"Last-Modified", http::to_date(object.stored_at())});
    r.content_length = length;
    return r;
}

std::string content_range(const byte_range& range, std::uint64_t size)
{
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.length - 1) + "/" +
           std::to_string(size);
}

} // namespace

struct rest_handler::call {
    const http::request_head& head;
    const access& who;
    const resource& what;

    object_key key() const { return {who.repository_id, what.type, what.name}; }

    // For the log; only what was checked, so that nobody writes lines of his own into it.
    std::string label() const
    {
        auto text = "repository " + who.repository_id + ": " + head.method;
        if (what.kind == resource_kind::config) text += " config";
        if (what.kind == resource_kind::list) text += " " + std::string{name(what.type)} + "/";
        if (what.kind == resource_kind::object) text += " " + std::string{name(what.type)} + "/" + what.name;
        return head.request_id.empty() ? text : text + " (request " + head.request_id + ")";
    }
};

rest_handler::rest_handler(blob_store& store, ledger& l, base::logger& log, rest_options options)
    : store_(store), ledger_(l), log_(log), options_(options)
{
}

http::admission rest_handler::begin(const http::request_head& head)
{
    try {
        return admit(head);
    } catch (const std::exception& e) {
        log_.warn(std::string{"repository server: the ledger failed: "} + e.what());
        return answer(ledger_unavailable(), options_.retry_after);
    }
}

http::admission rest_handler::admit(const http::request_head& head)
{
    const auto at = parse_address(head.path);
    if (!at) return answer(unknown_path(), options_.retry_after);
    std::optional<http::response> no_entry;
    auto who = enter(head, *at, no_entry);
    if (!who) return std::move(*no_entry);
    const auto what = parse_resource(at->rest);
    const call c{head, *who, what};
    if (auto no = unavailable(c, at->where, *who)) return std::move(*no);
    if (auto no = forbidden(c)) return std::move(*no);
    return dispatch(c);
}

std::optional<access> rest_handler::enter(const http::request_head& head, const located& at,
                                          std::optional<http::response>& no)
{
    const auto where = at.where.tenant + "/" + at.where.device + "/" + at.where.user;
    const auto refused = [&](const std::string& why) {
        log_.warn("repository server: refused " + head.remote_address + " at " + where + ": " + why);
        no = answer(unauthorized(), options_.retry_after);
        return std::nullopt;
    };
    const auto credentials = http::basic_auth(head);
    if (!credentials) return refused("no credentials");
    const auto account = where + "\n" + credentials->user.substr(0, most_of_user);
    const login_throttle::attempt attempt{head.remote_address, account, credentials->password};
    if (options_.throttle != nullptr) {
        // Not in the log: who guesses must not fill it.
        if (const auto wait = options_.throttle->wait_for(attempt); wait.count() > 0) {
            no = answer(too_many_attempts(), wait);
            return std::nullopt;
        }
    }
    auto who = ledger_.open(at.where, credentials->user, credentials->password);
    if (who) {
        if (options_.throttle != nullptr) options_.throttle->passed(attempt);
        return who;
    }
    const auto wait = options_.throttle != nullptr ? options_.throttle->failed(attempt) : std::chrono::seconds{0};
    return refused("the credentials do not fit" +
                   (wait.count() > 0 ? "; its next attempt is looked at in " + std::to_string(wait.count()) + " s"
                                     : std::string{}));
}

// `who` is what `c` sees; brought up to date where the storage says that it is not.
std::optional<http::response> rest_handler::unavailable(const call& c, const address& where, access& who)
{
    if (const auto ready = store_.ready(); !ready)
        return refuse(c, storage_problem(ready.error()), base::sentence(ready.error()));
    if (!c.who.initialised) return std::nullopt;
    const auto config = store_.size({c.who.repository_id, object_type::config, {}});
    if (config) return std::nullopt;
    if (config.error().code != fault_code::not_found)
        return refuse(c, storage_problem(config.error()), base::sentence(config.error()));
    // Another server may have removed it since the ledger was asked.
    const auto credentials = http::basic_auth(c.head);
    ledger_.forget(who.repository_id);
    if (auto now = ledger_.open(where, credentials->user, credentials->password)) who = std::move(*now);
    if (!who.initialised) return std::nullopt;
    const auto missing = config_missing(c.who.repository_id);
    return refuse(c, missing, missing.detail);
}

std::optional<http::response> rest_handler::forbidden(const call& c)
{
    // What is no request of the protocol is not judged here.
    const bool of_object = c.what.kind == resource_kind::config || c.what.kind == resource_kind::object;
    if (!of_object && c.what.kind != resource_kind::repository) return std::nullopt;
    intent a{.type = c.what.type, .initialised = c.who.initialised};
    if (c.head.method == "POST")
        a.what = of_object ? operation::store : operation::create;
    else if (c.head.method == "DELETE")
        a.what = operation::remove;
    switch (judge(c.who.mode, c.who.shown, a)) {
    case verdict::allowed:
        return std::nullopt;
    case verdict::read_only:
        return refuse(c, read_only_credential());
    case verdict::append_only:
        break;
    }
    return refuse(c, append_only_repository());
}

http::admission rest_handler::dispatch(const call& c)
{
    switch (c.what.kind) {
    case resource_kind::repository:
        if (c.head.method == "POST") return create(c);
        return not_allowed(c, "POST");
    case resource_kind::list:
        if (c.head.method == "GET") return list(c);
        return not_allowed(c, "GET");
    case resource_kind::config:
    case resource_kind::object:
        return object_request(c);
    case resource_kind::bad_name:
        return refuse(c, invalid_name());
    case resource_kind::unknown:
        break;
    }
    return answer(unknown_path(), options_.retry_after);
}

http::admission rest_handler::object_request(const call& c)
{
    const auto& method = c.head.method;
    if (method == "GET") return get(c);
    if (method == "HEAD") return head_of_object(c);
    if (method == "POST") return receive(c);
    if (method == "DELETE") return remove(c);
    return not_allowed(c, "GET, HEAD, POST, DELETE");
}

http::response rest_handler::create(const call& c)
{
    if (http::query_value(c.head.query, "create") != "true")
        return refuse(c, invalid_request("A repository is created with ?create=true"));
    if (const auto ok = store_.create_repository(c.who.repository_id); !ok)
        return refuse(c, storage_problem(ok.error()), base::sentence(ok.error()));
    return {};
}

http::response rest_handler::list(const call& c)
{
    auto objects = store_.list(c.who.repository_id, c.what.type);
    if (!objects) return refuse(c, storage_problem(objects.error()), base::sentence(objects.error()));
    const auto version = accepted_version(c.head);
    http::response r;
    r.headers.push_back({"Content-Type", std::string{version == list_version::v2 ? list_v2 : list_v1}});
    r.body = list_source(std::move(*objects), version, log_, c.label());
    return r;
}

http::response rest_handler::head_of_object(const call& c)
{
    const auto reader = store_.open(c.key());
    if (!reader) return refuse(c, storage_problem(reader.error()), base::sentence(reader.error()));
    remember_config(c);
    return of_object(200, **reader, (*reader)->size());
}

http::response rest_handler::get(const call& c)
{
    auto reader = store_.open(c.key());
    if (!reader) return refuse(c, storage_problem(reader.error()), base::sentence(reader.error()));
    remember_config(c);
    const auto size = (*reader)->size();
    const auto* header = c.head.find("Range");
    const auto range = header != nullptr ? parse_range(*header, size) : byte_range{.length = size};
    if (range.kind == byte_range::how::unsatisfiable) {
        auto r = refuse(c, range_not_satisfiable(),
                        "the range " + *header + " lies outside of " + std::to_string(size) + " bytes");
        r.headers.push_back({"Content-Range", "bytes */" + std::to_string(size)});
        return r;
    }
    const bool part = range.kind == byte_range::how::part;
    auto r = of_object(part ? 206 : 200, **reader, range.length);
    if (part) r.headers.push_back({"Content-Range", content_range(range, size)});
    r.body = object_source(std::move(*reader), range, log_, c.label());
    return r;
}

http::response rest_handler::remove(const call& c)
{
    // The ledger first: between the two a crash leaves a config that the next look at it makes known again, and
    // never a repository that seems to have lost its config.
    if (c.what.type == object_type::config) ledger_.set_initialised(c.who.repository_id, false);
    if (const auto ok = store_.remove(c.key()); !ok)
        return refuse(c, storage_problem(ok.error()), base::sentence(ok.error()));
    return {};
}

http::admission rest_handler::receive(const call& c)
{
    if (!c.head.content_length || c.head.chunked) return refuse(c, length_required());
    const auto most = is_small(c.what.type) ? options_.most_small_bytes : options_.most_object_bytes;
    const auto length = *c.head.content_length;
    if (length > most) return refuse(c, too_large(most));
    auto in = store_.receive(c.key(), length);
    if (!in) return refuse(c, storage_problem(in.error()), base::sentence(in.error()));
    arrival a{.key = c.key(), .length = length, .retry_after = options_.retry_after, .label = c.label()};
    return http::upload{length, object_sink(std::move(*in), std::move(a), ledger_, log_)};
}

// A crash may have come between a config and its entry in the ledger.
void rest_handler::remember_config(const call& c)
{
    if (c.what.kind == resource_kind::config && !c.who.initialised) ledger_.set_initialised(c.who.repository_id, true);
}

http::response rest_handler::refuse(const call& c, const http::problem& p, std::string_view cause)
{
    // To ask for what is not there is how restic finds out, not a failure.
    if (p.status != 404 || c.head.method == "POST")
        log_.warn(c.label() + ": " + std::to_string(p.status) + " " + p.type + ": " +
                  (cause.empty() ? p.title : std::string{cause}));
    return answer(p, options_.retry_after);
}

http::response rest_handler::not_allowed(const call& c, std::string allow)
{
    auto r = refuse(c, method_not_allowed());
    r.headers.push_back({"Allow", std::move(allow)});
    return r;
}

} // namespace xentz::repo
