// https services: verified by issuer, name and date; a cut is told from an end (RFC 9110 §4.3.4, RFC 8446 §6.1).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "integration/support/played.h"
#include "unit/worker/tls_support.h"

namespace restgate::itest {
namespace {

using test::Certificate;

// A backend that speaks TLS on the next connection of the gateway.
class TlsBackend {
 public:
  TlsBackend(Origin& origin, const Certificate& certificate)
      : context_(certificate), server_(context_, origin.accept().take_fd()) {}

  bool handshake() {
    return eventually([this] { return server_.handshake(); });
  }
  std::string read_head() {
    std::string bytes;
    const bool whole = eventually([&] { return (bytes += server_.read()).ends_with("\r\n\r\n"); });
    if (!whole) throw Failure("no request over TLS: " + printable(bytes));
    return bytes;
  }
  void write(std::string_view bytes) {
    const bool all = eventually([&] {
      bytes.remove_prefix(server_.write(bytes));
      return bytes.empty();
    });
    if (!all) throw Failure("the gateway does not take the response");
  }
  test::TlsServer& server() { return server_; }

 private:
  test::TlsServerContext context_;
  test::TlsServer server_;
};

// A gateway to https://localhost with these lines for `tls`.
struct Https {
  Origin origin;
  TempDir directory;
  Certificate ca{{}};

  ConfigText config(const std::string& more) {
    const std::string ca_file = directory.path() + "/ca.pem";
    ca.write_certificate(ca_file);
    const std::string tls = more.empty() ? "{ca_file: " + ca_file + "}" : more;
    ConfigText text;
    text.service("backend", "https://localhost:" + std::to_string(origin.port()), {{"tls", tls}});
    return text.route("all", "GET,POST", "/{path...}");
  }
};

TEST(Https, VerifiedBackendIsSpokenTo) {
  Https https;
  const Certificate certificate({.names = "DNS:localhost"}, &https.ca);
  Gateway gateway(https.config(""));
  Stream client = gateway.connect();
  client.send(request_head("GET", "/secret"));
  TlsBackend backend(https.origin, certificate);
  ASSERT_TRUE(backend.handshake());
  EXPECT_EQ(backend.server().server_name(), "localhost");
  EXPECT_EQ(backend.server().alpn(), "http/1.1");
  const Message request = parse_head(backend.read_head());
  EXPECT_EQ(request.target(), "/secret");
  EXPECT_EQ(request.field("Host"), "localhost:" + std::to_string(https.origin.port()));
  backend.write(response(200, "over TLS"));
  EXPECT_EQ(client.read_response().body, "over TLS");
  // Kept and used again.
  client.send(request_head("GET", "/again"));
  EXPECT_EQ(parse_head(backend.read_head()).target(), "/again");
  const std::string large = pattern_bytes(200'000);
  backend.write(response(200, large));
  EXPECT_TRUE(client.read_response().body == large);
  EXPECT_FALSE(https.origin.contacted());
  gateway.expect_requests("all", "GET", 200, 2);
  gateway.stop();
}

struct Refusal {
  std::string name;
  std::string names;  ///< of the certificate
  bool trusted = true;
  long valid_from_s = -3600;
  long valid_until_s = 3600;
};

class HttpsRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(HttpsRefuses, Gives502AndSaysWhyInTheLog) {
  Https https;
  const Refusal& row = GetParam();
  const Certificate stranger({});
  const Certificate certificate(
      {.names = row.names, .valid_from_s = row.valid_from_s, .valid_until_s = row.valid_until_s},
      row.trusted ? &https.ca : &stranger);
  Gateway gateway(https.config(""));
  Stream client = gateway.connect();
  client.send(request_head("GET", "/"));
  TlsBackend backend(https.origin, certificate);
  EXPECT_TRUE(eventually([&] {
    (void)backend.server().handshake();
    return !client.quiet();
  }));
  EXPECT_EQ(client.read_response().status(), 502);
  gateway.expect_errors("all", "backend_tls_failed", 1);
  gateway.await_log([](const Json& r) { return r.at("level") == "warn" && r.dump().find("TLS") != std::string::npos; },
                    "explanation");
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    Https, HttpsRefuses,
    testing::Values(Refusal{"WrongName", "DNS:other.test"},
                    Refusal{.name = "UnknownIssuer", .names = "DNS:localhost", .trusted = false},
                    Refusal{.name = "Expired", .names = "DNS:localhost", .valid_from_s = -7200, .valid_until_s = -3600},
                    Refusal{
                        .name = "NotYetValid", .names = "DNS:localhost", .valid_from_s = 3600, .valid_until_s = 7200}),
    [](const testing::TestParamInfo<Refusal>& row) { return row.param.name; });

TEST(Https, VerifyFalseTakesAnythingAndWarns) {
  Https https;
  const Certificate certificate({.names = "DNS:other.test"});
  Gateway gateway(https.config("{verify: false}"));
  Stream client = gateway.connect();
  client.send(request_head("GET", "/"));
  TlsBackend backend(https.origin, certificate);
  ASSERT_TRUE(backend.handshake());
  backend.read_head();
  backend.write(response(200, "unverified"));
  EXPECT_EQ(client.read_response().body, "unverified");
  gateway.await_log(
      [](const Json& r) { return r.at("level") == "warn" && r.dump().find("NOT verified") != std::string::npos; },
      "loud warning");
  gateway.stop();
}

TEST(Https, BackendThatSpeaksNoTlsGives502) {
  Https https;
  Gateway gateway(https.config(""));
  Stream client = gateway.connect();
  client.send(request_head("GET", "/"));
  Stream backend = https.origin.accept();
  backend.send(response(200, "in the clear"));
  EXPECT_EQ(client.read_response().status(), 502);
  gateway.expect_errors("all", "backend_tls_failed", 1);
  gateway.stop();
}

TEST(Https, ACutConnectionIsNoEndOfABody) {
  Https https;
  const Certificate certificate({.names = "DNS:localhost"}, &https.ca);
  Gateway gateway(https.config(""));
  for (const bool orderly : {true, false}) {
    SCOPED_TRACE(orderly);
    Stream client = gateway.connect();
    client.send(request_head("GET", "/"));
    TlsBackend backend(https.origin, certificate);
    ASSERT_TRUE(backend.handshake());
    backend.read_head();
    backend.write("HTTP/1.1 200 OK\r\n\r\nuntil close");
    EXPECT_TRUE(client.read_head().chunked());
    client.read_until("until close");
    if (orderly) backend.server().send_close_notify();
    backend.server().close();
    if (orderly) {
      client.read_until("\r\n0\r\n\r\n");
    } else {
      EXPECT_EQ(client.read_until_gone().find("\r\n0\r\n"), std::string::npos);
    }
  }
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
