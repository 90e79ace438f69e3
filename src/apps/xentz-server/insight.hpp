// What an operator sees of a serving process: the access log and the metrics. Stands in front of the router.
//
// Threads: as http::handler. Everything handed in must outlive it.
#pragma once

#include "context.hpp"
#include "http/observed_handler.hpp"
#include "metrics.hpp"

#include <memory>
#include <string>

namespace xentz::apps {

struct insight_options {
    std::string access_log;         // a file, "-" for the server's own log, empty for none
    std::string metrics_token_file; // empty: /metrics is for the own machine
};

void add_insight_options(CLI::App& command, insight_options& o); // which must outlive the command

class insight {
public:
    // Adds GET /metrics to the router, and observes what `served`, which leads to it, answers. `parts.token` is read
    // here. config_invalid where that token is too short.
    static base::result<std::unique_ptr<insight>> make(context& c, const insight_options& o, http::router& router,
                                                       http::handler& served, metrics_parts parts);

    http::handler& handler() { return handler_; }

private:
    insight(context& c, http::router& router, http::handler& served, metrics_parts parts,
            std::unique_ptr<base::logger> access_log);

    metrics metrics_;
    std::unique_ptr<base::logger> access_log_; // empty where there is to be none
    http::observed_handler handler_;
};

} // namespace xentz::apps
