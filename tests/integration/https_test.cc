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
  TlsBackend(Origin& origin, const test::TlsServerContext& context) : server_(context, origin.accept().take_fd()) {}
  TlsBackend(Origin& origin, const Certificate& certificate)
      : TlsBackend(origin, test::TlsServerContext(certificate)) {}

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
  EXPECT_EQ(gateway.await_access_of("/secret").at("backend_tls"), "TLSv1.3");
  EXPECT_EQ(gateway.await_access_of("/again").at("backend_tls"), "TLSv1.3");
  gateway.stop();
}

struct Refusal {
  std::string name;
  std::string names;  ///< of the certificate
  std::string says;   ///< the log
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
  const Json record = gateway.await_log(
      [](const Json& r) { return r.at("level") == "warn" && r.dump().find("TLS") != std::string::npos; },
      "explanation");
  EXPECT_EQ(record.at("service"), "backend");
  EXPECT_NE(record.at("error").get<std::string>().find(row.says), std::string::npos) << record;
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    Https, HttpsRefuses,
    testing::Values(Refusal{.name = "WrongName", .names = "DNS:other.test", .says = "host name mismatch"},
                    Refusal{
                        .name = "UnknownIssuer", .names = "DNS:localhost", .says = "unknown issuer", .trusted = false},
                    Refusal{.name = "Expired",
                            .names = "DNS:localhost",
                            .says = "certificate has expired",
                            .valid_from_s = -7200,
                            .valid_until_s = -3600},
                    Refusal{.name = "NotYetValid",
                            .names = "DNS:localhost",
                            .says = "not yet valid",
                            .valid_from_s = 3600,
                            .valid_until_s = 7200}),
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

// What is in the files is looked at before anything depends on it: at the start, by -t and at a reload.
TEST(Https, FilesThatCannotBeUsedAreNoConfiguration) {
  Https https;
  const Certificate certificate({.names = "DNS:client.test"}, &https.ca);
  const std::string certificate_file = https.directory.path() + "/client.pem";
  const std::string wrong_key_file = https.directory.path() + "/key.pem";
  certificate.write_certificate(certificate_file);
  https.ca.write_key(wrong_key_file);
  const std::string garbage = https.directory.write("garbage.pem", "no certificate");
  const std::vector<std::string> bad = {"{ca_file: " + garbage + "}", "{client_cert_file: " + certificate_file +
                                                                          ", client_key_file: " + wrong_key_file + "}"};

  Gateway gateway(https.config(""));
  for (const std::string& tls : bad) {
    SCOPED_TRACE(tls);
    const std::string yaml = https.config(tls).yaml();
    const std::string file = https.directory.write("bad.yaml", yaml);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"-config", file}, {"-t", "-config", file}}) {
      const Finished run = run_gateway({.arguments = arguments, .environment = {}});
      EXPECT_EQ(run.exit_code, 1);
      EXPECT_NE((run.out + run.err).find("observed_services[0].tls: "), std::string::npos) << run.out << run.err;
    }
    gateway.refused_reload(yaml);
  }
  // The old configuration serves on.
  Stream client = gateway.connect();
  client.send(request_head("GET", "/"));
  TlsBackend backend(https.origin, Certificate({.names = "DNS:localhost"}, &https.ca));
  ASSERT_TRUE(backend.handshake());
  backend.read_head();
  backend.write(response(200, "still here"));
  EXPECT_EQ(client.read_response().body, "still here");
  gateway.stop();
}

// Mutual TLS, and the resumption of a session by the next connection.
TEST(Https, ClientCertificateIsShownAndSessionsAreResumed) {
  Https https;
  const Certificate client_certificate({.names = "DNS:client.test"}, &https.ca);
  const std::string cert_file = https.directory.path() + "/client.pem";
  const std::string key_file = https.directory.path() + "/key.pem";
  const std::string ca_file = https.directory.path() + "/ca.pem";
  client_certificate.write_certificate(cert_file);
  client_certificate.write_key(key_file);
  test::TlsServerContext context(Certificate({.names = "DNS:localhost"}, &https.ca));
  context.require_client_certificate(https.ca);
  Gateway gateway(https.config("{ca_file: " + ca_file + ", client_cert_file: " + cert_file +
                               ", client_key_file: " + key_file + "}"));
  for (const bool resumed : {false, true}) {
    Stream client = gateway.connect();
    client.send(request_head("GET", "/"));
    TlsBackend backend(https.origin, context);
    ASSERT_TRUE(backend.handshake());
    EXPECT_EQ(backend.server().resumed(), resumed);
    EXPECT_TRUE(backend.server().saw_certificate());
    backend.read_head();
    backend.write(response(200, "hello", "Connection: close\r\n"));
    EXPECT_EQ(client.read_response().body, "hello");
  }
  gateway.stop();
}

// The gateway's buffers are all that a client that does not read may cost; records in flight included.
TEST(Https, ClientThatDoesNotReadCostsNoMemory) {
  Https https;
  Gateway gateway(https.config(""));
  test::TlsServerContext context(Certificate({.names = "DNS:localhost"}, &https.ca));
  const pid_t worker = gateway.workers().at(0);
  const auto open = [&](Stream& client) {
    client.send(request_head("GET", "/"));
    TlsBackend backend(https.origin, context);
    EXPECT_TRUE(backend.handshake());
    backend.read_head();
    return backend;
  };
  {
    Stream client = gateway.connect();
    TlsBackend first = open(client);
    first.write(response(200, pattern_bytes(200'000), "Connection: close\r\n"));
    EXPECT_EQ(client.read_response().status(), 200);
  }
  const size_t before = anonymous_memory(worker);
  Stream client = gateway.connect(64 * 1024);
  TlsBackend backend = open(client);
  constexpr size_t kOffered = size_t{200} << 20;
  backend.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kOffered) + "\r\n\r\n");
  const std::string block = pattern_bytes(size_t{1} << 20);
  size_t sent = 0;
  const auto sends_more = [&] {
    const size_t n = backend.server().write(std::string_view(block).substr(sent % block.size()));
    sent += n;
    return n > 0;
  };
  while (sent < kOffered && eventually(sends_more, Deadline(std::chrono::milliseconds(700)))) {
  }
  EXPECT_LT(sent, size_t{64} << 20);
  EXPECT_LT(anonymous_memory(worker), before + memory_bound());
  EXPECT_EQ(client.read_head().status(), 200);
  EXPECT_TRUE(client.read_exactly(block.size()) == block);
  client.reset();
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
