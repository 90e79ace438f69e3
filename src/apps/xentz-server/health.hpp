// /healthz: the process answers. /readyz: the database and the storage do, too; 503 says which does not and why.
#pragma once

#include "base/log.hpp"
#include "http/handler.hpp"
#include "repo/blob_store.hpp"
#include "store/fleet_store.hpp"

namespace xentz::apps {

// All must outlive the router.
void add_health(http::router& router, store::fleet_store& store, repo::blob_store& blobs, base::logger& log);

} // namespace xentz::apps
