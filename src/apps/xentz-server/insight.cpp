#include "insight.hpp"

#include "os/log.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace xentz::apps {
namespace {

using base::result;

result<std::string> read_token(context& c, const std::string& file)
{
    constexpr std::size_t least = 16;
    constexpr std::uint64_t most_bytes = 4096;
    if (file.empty()) return std::string{};
    auto text = os::read_all(c.files, std::filesystem::absolute(file), most_bytes);
    if (!text) return base::failed(text);
    while (text->ends_with('\n') || text->ends_with('\r') || text->ends_with(' ')) text->pop_back();
    if (text->size() >= least) return text;
    return base::fail(base::fault_code::config_invalid,
                      "the token in " + file + " has fewer than " + std::to_string(least) + " characters",
                      "Make one with `openssl rand -hex 32`");
}

std::unique_ptr<base::logger> open_access_log(context& c, const std::string& file)
{
    constexpr std::size_t most_bytes = std::size_t{64} << 20U;
    if (file.empty()) return nullptr;
    if (file == "-") return os::make_stderr_logger(c.redactor, base::log_level::info);
    return os::make_file_logger(std::filesystem::absolute(file), c.redactor, most_bytes);
}

} // namespace

void add_insight_options(CLI::App& command, insight_options& o)
{
    command
        .add_option("--access-log", o.access_log, "file for a line about each request (rotated); - is the server's log")
        ->envname("XENTZ_ACCESS_LOG");
    command
        .add_option("--metrics-token-file", o.metrics_token_file,
                    "file with a token that opens /metrics to other machines")
        ->envname("XENTZ_METRICS_TOKEN_FILE");
}

result<std::unique_ptr<insight>> insight::make(context& c, const insight_options& o, http::router& router,
                                               http::handler& served, metrics_parts parts)
{
    auto token = read_token(c, o.metrics_token_file);
    if (!token) return base::failed(token);
    parts.token = std::move(*token);
    return std::unique_ptr<insight>{new insight{c, router, served, std::move(parts), open_access_log(c, o.access_log)}};
}

insight::insight(context& c, http::router& router, http::handler& served, metrics_parts parts,
                 std::unique_ptr<base::logger> access_log)
    : metrics_{std::move(parts)}, access_log_{std::move(access_log)},
      handler_{served, c.clock, c.random, [this](const http::finished_request& r) {
                   metrics_.observe(r);
                   if (access_log_) access_log_->info(http::to_log_line(r));
               }}
{
    metrics_.serve(router);
}

} // namespace xentz::apps
