#include "domain/report.hpp"

namespace xentz::domain {

std::string_view name(job j)
{
    switch (j) {
    case job::backup:
        return "backup";
    case job::retention:
        return "retention";
    case job::check:
        return "check";
    case job::restore:
        return "restore";
    }
    return "backup";
}

std::string_view name(run_status s)
{
    switch (s) {
    case run_status::success:
        return "success";
    case run_status::partial:
        return "partial";
    case run_status::failure:
        return "failure";
    }
    return "failure";
}

std::optional<job> parse_job(std::string_view text)
{
    for (const auto j : {job::backup, job::retention, job::check, job::restore})
        if (name(j) == text) return j;
    return std::nullopt;
}

run_fault to_run_fault(const base::fault& f)
{
    return {.code = std::string{base::name(f.code)},
            .message = f.message,
            .remedy = f.remedy,
            .retry = base::may_retry(f.code)};
}

} // namespace xentz::domain
