#include "agent/control_plane.hpp"
#include "machine.hpp"

namespace xentz::agent {
namespace {

struct calling : testing::Test {
    fakes::fake_network network;
    std::unique_ptr<http::client> client = network.connect({});
    control_plane server{*client, "https://cp.example.com/control"};

    std::string header(std::string_view name) const
    {
        const auto* value = http::find_header(network.requests.back().headers, name);
        return value == nullptr ? "(absent)" : *value;
    }
    base::result<std::optional<fetched_config>> config(fakes::http_answer a,
                                                       const std::optional<std::string>& etag = std::nullopt)
    {
        network.answers = {std::move(a)};
        return server.config("xdk_1", etag, {});
    }
    base::result<> report(fakes::http_answer a)
    {
        network.answers = {std::move(a)};
        return server.report("xdk_1", "{}", "rep_1", {});
    }
    base::result<wire::install_response> install(fakes::http_answer a)
    {
        network.answers = {std::move(a)};
        wire::install_request r;
        r.metadata = {.hostname = "web1", .os = "linux", .arch = "amd64"};
        return server.install("xit_1", "try_1", r, {});
    }
};

const std::string config_text = wire::print_json(wire::encode_config(control_plane_model{}.config));

TEST_F(calling, install_sends_token_key_and_machine)
{
    const auto r = install(fakes::answer(
        200, R"({"tenant_id":"t","device_id":"d","device_api_key":"k","repo_path":"rest:r","password":"p"})"));
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->device_id, "d");
    EXPECT_EQ(r->password, "p");
    const auto& sent = network.requests.back();
    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.url, "https://cp.example.com/control/v1/install");
    EXPECT_EQ(header("Authorization"), "Bearer xit_1");
    EXPECT_EQ(header("Idempotency-Key"), "try_1");
    EXPECT_EQ(header("Content-Type"), "application/json");
    EXPECT_EQ(sent.body, R"({"metadata":{"hostname":"web1","os":"linux","arch":"amd64"}})");
}

TEST_F(calling, the_config_comes_with_its_tag_and_as_received)
{
    const auto r = config(fakes::answer(200, config_text, {{"etag", "\"v1\""}}));
    ASSERT_TRUE(r) << r.error().message;
    ASSERT_TRUE(*r);
    EXPECT_EQ((*r)->etag, "\"v1\"");
    EXPECT_EQ((*r)->body, config_text);
    EXPECT_EQ((*r)->config.include, std::vector<std::string>{"/srv"});
    EXPECT_EQ(network.requests.back().method, "GET");
    EXPECT_EQ(network.requests.back().url, "https://cp.example.com/control/v1/config");
    EXPECT_EQ(header("Authorization"), "Bearer xdk_1");
    EXPECT_EQ(header("If-None-Match"), "(absent)");
}

TEST_F(calling, the_config_has_not_changed)
{
    const auto r = config(fakes::answer(304), "\"v1\"");
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(*r);
    EXPECT_EQ(header("If-None-Match"), "\"v1\"");
}

TEST_F(calling, not_changed_is_no_answer_to_who_knows_nothing)
{
    EXPECT_EQ(code_of(config(fakes::answer(304))), "protocol-error");
}

TEST_F(calling, a_report_is_acknowledged_by_its_id_only)
{
    EXPECT_EQ(code_of(report(fakes::answer(200, R"({"report_id":"rep_1"})"))), "done");
    EXPECT_EQ(network.requests.back().url, "https://cp.example.com/control/v1/report");
    for (const auto* body : {"", "{}", "OK", R"({"report_id":"rep_2"})", R"({"report_id":null})", "<html></html>"})
        EXPECT_EQ(code_of(report(fakes::answer(200, body))), "protocol-error") << body;
    EXPECT_EQ(code_of(report(fakes::answer(304))), "protocol-error");
    EXPECT_EQ(code_of(report(fakes::answer(204))), "server-refused");
}

TEST_F(calling, an_answer_that_is_none_of_ours_is_told_so)
{
    for (const auto* body : {"<html>Please log in</html>", "{}", "[]", ""}) {
        EXPECT_EQ(code_of(config(fakes::answer(200, body))), "protocol-error") << body;
        EXPECT_EQ(code_of(install(fakes::answer(200, body))), "protocol-error") << body;
    }
    EXPECT_EQ(code_of(install(fakes::answer(304))), "protocol-error");
}

struct mapping {
    int status;
    const char* type;
    const char* fault;
};

void PrintTo(const mapping& m, std::ostream* out) { *out << m.status << " " << m.type; }

class refusals : public calling, public testing::WithParamInterface<mapping> {};

TEST_P(refusals, have_a_fault_of_their_own)
{
    const auto [status, type, fault] = GetParam();
    const auto a =
        *type == '\0' ? fakes::answer(status, "not a problem") : fakes::problem(status, type, "a title", "a detail");
    EXPECT_EQ(code_of(config(a)), fault);
    EXPECT_EQ(code_of(report(a)), fault);
    EXPECT_EQ(code_of(install(a)), fault);
}

INSTANTIATE_TEST_SUITE_P(
    agent, refusals,
    testing::Values(mapping{400, "invalid-request", "content-refused"}, mapping{400, "", "content-refused"},
                    mapping{413, "", "content-refused"}, mapping{415, "", "content-refused"},
                    mapping{422, "", "content-refused"}, mapping{401, "unauthorized", "server-refused"},
                    mapping{401, "", "server-refused"}, mapping{403, "", "server-refused"},
                    mapping{403, "wrong-device", "server-refused"}, mapping{404, "not-found", "server-refused"},
                    mapping{405, "", "server-refused"}, mapping{409, "already-enrolled", "server-refused"},
                    mapping{403, "device-revoked", "device-revoked"}, mapping{401, "device-revoked", "device-revoked"},
                    mapping{403, "urn:xentz:device-revoked", "device-revoked"},
                    mapping{403, "https://x.example/problems/device-revoked", "device-revoked"},
                    mapping{401, "token-unknown", "token-refused"}, mapping{401, "token-used", "token-refused"},
                    mapping{401, "token-expired", "token-refused"}, mapping{401, "token-revoked", "token-refused"},
                    mapping{500, "internal", "server-failed"}, mapping{502, "", "server-failed"},
                    mapping{503, "", "server-failed"}, mapping{429, "", "server-failed"},
                    mapping{301, "", "protocol-error"}, mapping{302, "", "protocol-error"},
                    mapping{307, "", "protocol-error"}, mapping{308, "", "protocol-error"}));

TEST_F(calling, faults_of_the_transport_come_through)
{
    for (const auto code : {fault_code::network_unreachable, fault_code::network_timeout, fault_code::tls_failed,
                            fault_code::insecure_transport, fault_code::interrupted})
        EXPECT_EQ(config(base::fail(code, "x", "y")).error().code, code);
}

TEST_F(calling, a_refusal_says_what_the_server_said)
{
    const auto r = config(fakes::problem(409, "conflict", "already there", "Look again."));
    EXPECT_EQ(r.error().message, "the server refused: already there (Look again.)");
    EXPECT_EQ(config(fakes::answer(404, "nope")).error().message, "the server refused: HTTP 404");
}

TEST_F(calling, a_long_explanation_is_cut_between_characters)
{
    std::string detail = "x";
    while (detail.size() < 400) detail += "ä";
    const auto message = config(fakes::problem(409, "conflict", "t", detail)).error().message;
    EXPECT_TRUE(base::is_utf8(message));
    EXPECT_LT(message.size(), 340U);
}

} // namespace
} // namespace xentz::agent
