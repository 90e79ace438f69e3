#include "http/handler.hpp"

#include <algorithm>

namespace xentz::http {
namespace {

response not_found(const request_head& head)
{
    return to_response({404, "not-found", "nothing here", "there is nothing at " + head.path});
}

void add_once(std::vector<std::string>& list, const std::string& entry)
{
    if (std::ranges::find(list, entry) == list.end()) list.push_back(entry);
}

response method_not_allowed(const request_head& head, const std::vector<std::string>& allowed)
{
    std::string list;
    for (const auto& method : allowed) list += (list.empty() ? "" : ", ") + method;
    auto r = to_response({405, "method-not-allowed", "method not allowed",
                          head.path + " does not take " + head.method + ", only " + list});
    r.headers.push_back({"Allow", list});
    return r;
}

} // namespace

router::router(std::string prefix) : prefix_{std::move(prefix)}
{
    while (prefix_.ends_with('/')) prefix_.pop_back();
}

void router::add(std::string method, std::string path, std::function<admission(const request_head&)> begin)
{
    routes_.push_back({std::move(method), std::move(path), std::move(begin)});
}

void router::mount(std::string path, handler& h) { mounts_.push_back({std::move(path), &h}); }

admission router::begin(const request_head& head)
{
    if (!head.path.starts_with(prefix_)) return not_found(head);
    auto inner = head;
    inner.path.erase(0, prefix_.size());
    if (inner.path.empty() && !prefix_.empty()) inner.path = "/";
    if (!inner.path.starts_with('/')) return not_found(head);

    const route* of_get = nullptr;
    std::vector<std::string> allowed;
    for (const auto& r : routes_) {
        if (r.path != inner.path) continue;
        if (r.method == inner.method) return r.begin(inner);
        add_once(allowed, r.method);
        if (r.method == "GET") {
            add_once(allowed, "HEAD");
            of_get = &r;
        }
    }
    if (of_get != nullptr && inner.method == "HEAD") return of_get->begin(inner);
    if (!allowed.empty()) return method_not_allowed(head, allowed);

    const mounted* best = nullptr;
    for (const auto& m : mounts_) {
        if (inner.path.starts_with(m.path) && (best == nullptr || m.path.size() > best->path.size())) best = &m;
    }
    if (best == nullptr) return not_found(head);
    inner.path.erase(0, best->path.size() - 1);
    return best->target->begin(inner);
}

} // namespace xentz::http
