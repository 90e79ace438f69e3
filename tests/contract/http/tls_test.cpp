// TLS between the real client and the real server, with certificates made on the spot.
#include "contract/http/support.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace xentz::http::testing {
namespace {

class tls : public ::testing::Test {
protected:
    void SetUp() override
    {
        auto name = (std::filesystem::temp_directory_path() / "xentz-tls-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // A certificate of its own authority for `subject`, for example "IP:127.0.0.1".
    tls_files make_certificate(const std::string& name, const std::string& subject) const
    {
        tls_files files{folder_ / (name + ".crt"), folder_ / (name + ".key")};
        const auto command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" + name +
            " -addext subjectAltName=" + subject + " -keyout " + files.private_key.string() + " -out " +
            files.certificate_chain.string() + " 2>/dev/null";
        EXPECT_EQ(std::system(command.c_str()), 0); // NOLINT: the words of the command are the test's own
        return files;
    }

    static server_options with(const tls_files& files)
    {
        auto options = test_options();
        options.tls = files;
        return options;
    }

    static base::result<client_response> ask(const running_server& s, std::optional<std::filesystem::path> ca_file)
    {
        return make_client({.ca_file = std::move(ca_file)})->send(get(s.url("/")), {});
    }

    std::filesystem::path folder_;
};

admission tell(const request_head& head) { return text_response(head.tls ? "by tls" : "plain"); }

TEST_F(tls, carries_requests_to_a_client_that_knows_the_certificate)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    sink_record record;
    running_server s{[&](const request_head& head) -> admission {
                         if (head.path == "/refused") return text_response("no", 403);
                         if (head.path == "/produced") {
                             static source_record produced;
                             response r;
                             r.body = make_source(produced, 3000000);
                             return r;
                         }
                         if (head.method == "POST") return upload{64 << 20U, make_sink(record)};
                         return tell(head);
                     },
                     with(files)};
    const auto c = make_client({.ca_file = files.certificate_chain});
    EXPECT_EQ(exchange_with(*c, get(s.url("/"))).body, "by tls");
    EXPECT_EQ(exchange_with(*c, get(s.url("/produced"))).body, pattern_text(0, 3000000));
    const auto body = pattern_text(0, 10000000);
    EXPECT_EQ(exchange_with(*c, post(s.url("/"), body)).body, "stored 10000000");
    EXPECT_TRUE(record.correct);
    EXPECT_EQ(exchange_with(*c, post(s.url("/refused"), body)).status, 403);
}

TEST_F(tls, is_refused_by_a_client_that_does_not_know_the_certificate)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    const auto other = make_certificate("other", "IP:127.0.0.1");
    running_server s{tell, with(files)};
    for (const auto& ca_file : {std::optional<std::filesystem::path>{}, std::optional{other.certificate_chain}}) {
        const auto r = ask(s, ca_file);
        ASSERT_FALSE(r.has_value());
        EXPECT_EQ(r.error().code, base::fault_code::tls_failed);
        EXPECT_NE(r.error().message.find("127.0.0.1:" + std::to_string(s.port()) + " is not trusted"),
                  std::string::npos);
        EXPECT_NE(r.error().message.find("self-signed"), std::string::npos) << r.error().message;
        EXPECT_FALSE(r.error().remedy.empty());
    }
}

TEST_F(tls, is_refused_for_another_name)
{
    const auto files = make_certificate("server", "IP:127.0.0.2");
    running_server s{tell, with(files)};
    const auto r = ask(s, files.certificate_chain);
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().code, base::fault_code::tls_failed);
    EXPECT_NE(r.error().message.find("another name"), std::string::npos) << r.error().message;
}

TEST_F(tls, needs_authorities_that_can_be_read)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    running_server s{tell, with(files)};
    const auto r = ask(s, folder_ / "missing.crt");
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().code, base::fault_code::tls_failed);
    EXPECT_FALSE(r.error().remedy.empty());
}

TEST_F(tls, is_not_spoken_by_a_plain_server)
{
    running_server s{tell};
    const auto r = make_client({})->send(get("https://127.0.0.1:" + std::to_string(s.port())), {});
    ASSERT_FALSE(r.has_value());
    EXPECT_EQ(r.error().code, base::fault_code::tls_failed);
}

TEST_F(tls, refuses_versions_before_1_2)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    running_server s{tell, with(files)};
    const auto connect = [&](const std::string& version) {
        const auto command = "openssl s_client -connect 127.0.0.1:" + std::to_string(s.port()) + " " + version +
                             " -cipher ALL:@SECLEVEL=0 </dev/null >/dev/null 2>&1";
        return std::system(command.c_str()); // NOLINT: the words of the command are the test's own
    };
    EXPECT_EQ(connect("-tls1_2"), 0);
    EXPECT_EQ(connect("-tls1_3"), 0);
    EXPECT_NE(connect("-tls1_1"), 0);
    EXPECT_NE(connect("-tls1"), 0);
}

TEST_F(tls, survives_clients_that_do_not_speak_it)
{
    auto options = with(make_certificate("server", "IP:127.0.0.1"));
    options.header_timeout = 300ms;
    running_server s{tell, options};
    raw_connection plain{s.port()};
    ASSERT_TRUE(plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_EQ(plain.receive_until_closed().find("HTTP/"), std::string::npos);
    raw_connection silent{s.port()};
    EXPECT_TRUE(silent.closed_within(10s));
    EXPECT_EQ(ask(s, options.tls->certificate_chain)->body, "by tls");
}

TEST_F(tls, ends_with_the_server)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    running_server s{tell, with(files)};
    raw_connection in_handshake{s.port()};
    EXPECT_EQ(ask(s, files.certificate_chain)->body, "by tls");
    s.request_stop();
    EXPECT_TRUE(s.ended_within(10s));
    EXPECT_TRUE(in_handshake.closed_within(1s));
}

TEST_F(tls, takes_a_new_certificate_for_new_connections)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    const auto first = folder_ / "first.crt";
    std::filesystem::copy_file(files.certificate_chain, first);
    running_server s{tell, with(files)};
    EXPECT_EQ(ask(s, first)->body, "by tls");
    make_certificate("server", "IP:127.0.0.1");
    EXPECT_EQ(ask(s, files.certificate_chain)->body, "by tls");
    EXPECT_FALSE(ask(s, first)) << "nobody is served with the old one";
}

TEST_F(tls, goes_on_with_the_old_certificate_where_the_new_one_cannot_be_used)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    const auto first = folder_ / "first.crt";
    std::filesystem::copy_file(files.certificate_chain, first);
    running_server s{tell, with(files)};
    const auto other = make_certificate("other", "IP:127.0.0.1");
    std::filesystem::rename(other.certificate_chain, files.certificate_chain);
    EXPECT_EQ(ask(s, first)->body, "by tls") << "the new certificate without its key";
    EXPECT_TRUE(s.log().contains("the one before it goes on"));
    std::filesystem::rename(other.private_key, files.private_key);
    EXPECT_EQ(ask(s, files.certificate_chain)->body, "by tls");
    std::filesystem::remove(files.private_key);
    EXPECT_EQ(ask(s, files.certificate_chain)->body, "by tls");
}

TEST_F(tls, reads_the_certificate_again_when_told)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    running_server s{tell, with(files)};
    s.reload_certificate();
    EXPECT_TRUE(s.log().contains("read again from " + files.certificate_chain.string()));
    EXPECT_EQ(ask(s, files.certificate_chain)->body, "by tls");
}

TEST_F(tls, needs_files_that_can_be_used)
{
    const auto files = make_certificate("server", "IP:127.0.0.1");
    const auto other = make_certificate("other", "IP:127.0.0.1");
    std::ofstream{folder_ / "text"} << "no certificate";
    const auto encrypted = (folder_ / "encrypted.key").string();
    const auto command = "openssl ec -aes256 -passout pass:secret -in " + files.private_key.string() + " -out " +
                         encrypted + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0); // NOLINT: the words of the command are the test's own
    function_handler h{tell};
    memory_log log;
    for (const auto& [wrong, named] : std::vector<std::pair<tls_files, std::filesystem::path>>{
             {{folder_ / "missing", files.private_key}, folder_ / "missing"},
             {{folder_ / "text", files.private_key}, folder_ / "text"},
             {{files.certificate_chain, folder_ / "missing"}, folder_ / "missing"},
             {{files.certificate_chain, folder_ / "text"}, folder_ / "text"},
             {{files.certificate_chain, encrypted}, encrypted},
             {{files.certificate_chain, other.private_key}, other.private_key}}) {
        const auto s = make_server(with(wrong), h, log);
        ASSERT_FALSE(s.has_value()) << named;
        EXPECT_EQ(s.error().code, base::fault_code::config_invalid);
        EXPECT_NE(s.error().message.find(named.string()), std::string::npos) << s.error().message;
        EXPECT_FALSE(s.error().remedy.empty());
    }
}

} // namespace
} // namespace xentz::http::testing
