#include "os/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace xentz::os {
namespace {

constexpr std::size_t log_files = 5; // the current one and four older ones

spdlog::level::level_enum to_spdlog(base::log_level level)
{
    switch (level) {
    case base::log_level::debug:
        return spdlog::level::debug;
    case base::log_level::info:
        return spdlog::level::info;
    case base::log_level::warning:
        return spdlog::level::warn;
    case base::log_level::error:
        return spdlog::level::err;
    }
    return spdlog::level::info;
}

// One line per message whatever it holds: a line break in a file name must not forge a log line.
std::string one_line(std::string text)
{
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text;
}

class spdlog_logger final : public base::logger {
public:
    spdlog_logger(std::shared_ptr<spdlog::logger> target, std::shared_ptr<const base::redactor> redactor,
                  bool journal_priorities)
        : target_(std::move(target)), redactor_(std::move(redactor)), journal_priorities_(journal_priorities)
    {
    }
    void write(base::log_level level, std::string_view message) override
    {
        const auto text = one_line(redactor_->clean(message));
        if (!journal_priorities_) {
            target_->log(to_spdlog(level), text);
            return;
        }
        // sd-daemon(3): <3> error, <4> warning, <6> info, <7> debug.
        constexpr std::string_view priorities = "7643";
        const std::string prefix{'<', priorities[static_cast<std::size_t>(level)], '>'};
        target_->log(to_spdlog(level), prefix + text);
    }

private:
    std::shared_ptr<spdlog::logger> target_;
    std::shared_ptr<const base::redactor> redactor_;
    bool journal_priorities_;
};

class tee_logger final : public base::logger {
public:
    tee_logger(std::unique_ptr<base::logger> first, std::unique_ptr<base::logger> second)
        : first_(std::move(first)), second_(std::move(second))
    {
    }
    void write(base::log_level level, std::string_view message) override
    {
        first_->write(level, message);
        second_->write(level, message);
    }

private:
    std::unique_ptr<base::logger> first_;
    std::unique_ptr<base::logger> second_;
};

} // namespace

std::unique_ptr<base::logger> make_stderr_logger(std::shared_ptr<const base::redactor> redactor, base::log_level least)
{
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    auto target = std::make_shared<spdlog::logger>("xentz", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    target->set_level(to_spdlog(least));
    target->set_formatter(std::make_unique<spdlog::pattern_formatter>(journal ? "%v" : "%Y-%m-%dT%H:%M:%SZ %l: %v",
                                                                      spdlog::pattern_time_type::utc));
    return std::make_unique<spdlog_logger>(std::move(target), std::move(redactor), journal);
}

std::unique_ptr<base::logger> make_file_logger(const std::filesystem::path& file,
                                               std::shared_ptr<const base::redactor> redactor, std::size_t most_bytes)
{
    spdlog::sink_ptr sink;
    try {
        spdlog::file_event_handlers events;
        events.after_open = [](const spdlog::filename_t&, std::FILE* opened) { ::fchmod(::fileno(opened), 0600); };
        sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), most_bytes, log_files - 1, false,
                                                                      events);
    } catch (const std::exception&) {
        sink = std::make_shared<spdlog::sinks::null_sink_mt>();
    }
    auto target = std::make_shared<spdlog::logger>("xentz", std::move(sink));
    target->set_level(spdlog::level::debug);
    target->flush_on(spdlog::level::debug);
    target->set_error_handler([](const std::string&) {}); // a full disk must not stop a backup
    target->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%SZ %l: %v", spdlog::pattern_time_type::utc));
    return std::make_unique<spdlog_logger>(std::move(target), std::move(redactor), false);
}

std::unique_ptr<base::logger> make_tee_logger(std::unique_ptr<base::logger> first, std::unique_ptr<base::logger> second)
{
    return std::make_unique<tee_logger>(std::move(first), std::move(second));
}

} // namespace xentz::os
