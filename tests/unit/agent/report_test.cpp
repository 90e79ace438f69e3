#include "agent/report.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

// What the server takes at most (docs/api.md).
constexpr std::size_t most_body = std::size_t{256} << 10U;

struct reporting : testing::Test {
    machine m;
    local_config local = m.enrolled_config();
    job_state state{.report_id = "rep_1"};

    wire::report_message report() { return report_of(m.env, local, state); }
};

TEST_F(reporting, a_run_without_anything_to_say_has_no_details) { EXPECT_FALSE(report().details); }

TEST_F(reporting, what_could_not_be_read_is_told_with_its_reason)
{
    state.unreadable = {{"/srv/secret", "permission denied"}};
    state.warnings = {"look at this"};
    state.unsupported = {"restic.read_concurrency"};
    local.include = {"/opt"};
    const auto d = report().details;
    ASSERT_TRUE(d);
    EXPECT_EQ(d->unreadable, state.unreadable);
    EXPECT_EQ(d->warnings, state.warnings);
    EXPECT_EQ(report().unsupported, state.unsupported);
    EXPECT_EQ(d->local_include, local.include);
    EXPECT_FALSE(d->local_exclude);
}

TEST_F(reporting, no_report_is_too_long_for_the_server)
{
    const std::string odd(4000, '\x01'); // six bytes each in JSON
    for (int i = 0; i < 100; ++i) state.unreadable.push_back({odd + std::to_string(i), odd});
    for (int i = 0; i < 1000; ++i) {
        state.warnings.push_back(odd);
        local.include.push_back("/" + odd);
        local.exclude.push_back(odd);
    }
    state.fault = domain::run_fault{"source-unreadable", std::string(100'000, '\x01'), "do", false};
    EXPECT_LT(wire::encode(report()).size(), most_body);
    state.warnings.clear();
    const auto r = report();
    EXPECT_LT(wire::encode(r).size(), most_body);
    ASSERT_TRUE(r.details);
    EXPECT_GE(r.details->unreadable->size(), 5U) << "as many as fit";
    EXPECT_FALSE(r.details->local_include);
}

} // namespace
} // namespace xentz::agent
