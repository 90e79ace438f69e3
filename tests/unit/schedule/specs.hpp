// What the tests of schedule/ are written with: timers of awkward machines.
#pragma once

#include "schedule/timers.hpp"

#include "support/golden.hpp"

#include <gtest/gtest.h>

#include <string>

namespace xentz::schedule::test {

using xentz::test::expect_golden;

inline domain::schedule every_job()
{
    domain::schedule s;
    s.daily_at = "02:00";
    s.retention_at = "Mon..Fri 03:30";
    s.check_at = "*-*-1,15 23:30";
    return s;
}

inline spec made(const domain::schedule& s, std::chrono::seconds jitter, std::chrono::seconds tick)
{
    auto out = spec_of(s, {"dev_1", "machine"});
    if (!out) {
        ADD_FAILURE() << out.error().message;
        return {};
    }
    out->jitter = jitter;
    out->tick = tick;
    return *out;
}

inline timer_set timers(const domain::schedule& s, const invocation& command, const std::string& instance = {},
                        std::chrono::seconds jitter = std::chrono::seconds{37 * 60 + 14})
{
    auto out = timers_of(made(s, jitter, std::chrono::seconds{17 * 60 + 5}), command, instance);
    if (!out) {
        ADD_FAILURE() << out.error().message;
        return {};
    }
    return *out;
}

inline invocation plain_command() { return {.program = "/usr/bin/xentz-agent"}; }

// Everything that one of the formats gives a meaning to.
inline invocation odd_command()
{
    return {.program = "/opt/my 100% \"b\\ck'up\" $HOME/xentz-agent",
            .config = "/srv/Über & <söhne>/%h $x 'c' \"q\"/config.json",
            .environment = {{"XENTZ_AGENT_HOME", "/home/a b/100%/$HOME/\"x\"/日本"}}};
}

} // namespace xentz::schedule::test
