#include "worker/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "worker/tls_support.h"

namespace restgate::worker {
namespace {

using test::Certificate;
using test::TlsServer;
using test::TlsServerContext;
using testing::HasSubstr;
using testing::StartsWith;
using Kind = IoResult::Kind;

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_DFL);  // a write to nobody must not raise it
    ca_.write_certificate(dir_.file("ca.pem"));
    service_.name = "s";
    service_.url.scheme = config::Scheme::Https;
    service_.url.host = "example.test";
    service_.tls.ca_file = dir_.file("ca.pem");
  }

  std::unique_ptr<TlsContext> context() {
    auto made = TlsContext::create(service_);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return made.ok() ? std::move(made).value() : nullptr;
  }

  /// A client of `context` connected to a server; not shaken hands yet.
  void connect(TlsContext& context, const TlsServerContext& server) {
    int fds[2] = {-1, -1};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    auto tls = context.new_client(fds[0]);
    session_ = tls.get();
    client_ = Transport(UniqueFd(fds[0]), std::move(tls));
    server_.emplace(server, UniqueFd(fds[1]));
  }

  /// Both sides in turns, until the client is done.
  IoResult shake_hands() {
    IoResult result;
    for (int i = 0; i < 20; ++i) {
      result = client_.handshake();
      const bool served = server_->handshake();
      if (result.kind == Kind::Failed || (result.kind == Kind::Ok && served)) break;
    }
    return result;
  }

  /// The whole way: a context of service_, a connection, the handshake.
  IoResult meet(const TlsServerContext& server) {
    client_.close();
    context_ = context();
    connect(*context_, server);
    return shake_hands();
  }

  std::string read_all() {
    std::string all;
    char buffer[10'000];
    for (;;) {
      last_ = client_.read(buffer, sizeof buffer);
      if (last_.kind != Kind::Ok) return all;
      all.append(buffer, last_.bytes);
    }
  }

  IoResult write(std::string_view bytes) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return client_.write({&piece, 1});
  }

  test::TempDir dir_;
  Certificate ca_{{}};
  Certificate leaf_{{.names = "DNS:example.test,IP:127.0.0.1"}, &ca_};
  TlsServerContext server_context_{leaf_};
  config::Service service_;
  std::unique_ptr<TlsContext> context_;  // outlives the client
  Transport client_;
  TlsClient* session_ = nullptr;
  std::optional<TlsServer> server_;
  IoResult last_;
};

TEST_F(Tls, ShakesHandsAndCarriesData) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_TRUE(client_.is_tls());
  EXPECT_EQ(session_->version(), "TLSv1.3");
  EXPECT_EQ(server_->server_name(), "example.test");
  EXPECT_EQ(server_->alpn(), "http/1.1");
  EXPECT_EQ(write("ping").bytes, 4U);
  EXPECT_EQ(server_->read(), "ping");
  EXPECT_EQ(server_->write("pong"), 4U);
  EXPECT_EQ(read_all(), "pong");
  EXPECT_EQ(last_.kind, Kind::WouldBlock);
}

TEST_F(Tls, SpeaksTls12) {
  server_context_.only(TLS1_2_VERSION);
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(session_->version(), "TLSv1.2");
}

TEST_F(Tls, RefusesOlderVersions) {
  server_context_.only(TLS1_1_VERSION);
  EXPECT_EQ(meet(server_context_).kind, Kind::Failed);
  EXPECT_NE(client_.failure(), "");
}

TEST_F(Tls, RefusesAnotherHostsCertificate) {
  service_.url.host = "other.test";
  EXPECT_EQ(meet(server_context_).kind, Kind::Failed);
  EXPECT_THAT(std::string(client_.failure()), StartsWith("host name mismatch"));
}

TEST_F(Tls, RefusesAnExpiredCertificate) {
  const Certificate expired({.names = "DNS:example.test", .valid_from_s = -7'200, .valid_until_s = -3'600}, &ca_);
  EXPECT_EQ(meet(TlsServerContext(expired)).kind, Kind::Failed);
  EXPECT_EQ(client_.failure(), "certificate has expired");
}

TEST_F(Tls, RefusesACertificateOfTheFuture) {
  const Certificate early({.names = "DNS:example.test", .valid_from_s = 3'600, .valid_until_s = 7'200}, &ca_);
  EXPECT_EQ(meet(TlsServerContext(early)).kind, Kind::Failed);
  EXPECT_EQ(client_.failure(), "certificate refused: certificate is not yet valid");
}

TEST_F(Tls, RefusesUnknownIssuers) {
  const Certificate other_ca({});
  const Certificate signed_by_other({.names = "DNS:example.test"}, &other_ca);
  EXPECT_EQ(meet(TlsServerContext(signed_by_other)).kind, Kind::Failed);
  EXPECT_THAT(std::string(client_.failure()), StartsWith("unknown issuer"));

  const Certificate self_signed({.names = "DNS:example.test"});
  EXPECT_EQ(meet(TlsServerContext(self_signed)).kind, Kind::Failed);
  EXPECT_EQ(client_.failure(), "unknown issuer: the certificate is self-signed");
}

TEST_F(Tls, UsesTheSystemsCasByDefault) {
  service_.tls.ca_file.clear();
  EXPECT_EQ(meet(server_context_).kind, Kind::Failed);
  EXPECT_THAT(std::string(client_.failure()), StartsWith("unknown issuer"));
}

TEST_F(Tls, VerifyCanBeSwitchedOff) {
  service_.url.host = "other.test";
  service_.tls.verify = false;
  EXPECT_EQ(meet(TlsServerContext(Certificate({.names = "DNS:example.test"}))).kind, Kind::Ok);
}

TEST_F(Tls, AnAddressIsCheckedAsOneAndNotSentAsAName) {
  service_.url.host = "127.0.0.1";
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(server_->server_name(), "");
  service_.url.host = "127.0.0.2";
  EXPECT_EQ(meet(server_context_).kind, Kind::Failed);
  EXPECT_THAT(std::string(client_.failure()), StartsWith("host name mismatch"));
}

TEST_F(Tls, TheServerNameCanDifferFromTheHost) {
  service_.url.host = "127.0.0.2";
  service_.tls.server_name = "example.test";
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(server_->server_name(), "example.test");
}

TEST_F(Tls, AFinalDotIsNoPartOfTheName) {
  service_.url.host = "example.test.";
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(server_->server_name(), "example.test");
}

TEST_F(Tls, ShowsItsCertificate) {
  const Certificate client({.names = "DNS:gateway.test"}, &ca_);
  server_context_.require_client_certificate(ca_);
  client.write_certificate(dir_.file("client.pem"));
  client.write_key(dir_.file("client.key"));
  service_.tls.client_cert_file = dir_.file("client.pem");
  service_.tls.client_key_file = dir_.file("client.key");
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(server_->write("welcome"), 7U);
  EXPECT_EQ(read_all(), "welcome");
}

TEST_F(Tls, AMissingCertificateIsExplained) {
  server_context_.require_client_certificate(ca_);
  (void)meet(server_context_);  // in TLS 1.3 the client's side is done before the server has looked
  (void)read_all();
  EXPECT_EQ(last_.kind, Kind::Failed);
  EXPECT_THAT(std::string(client_.failure()), HasSubstr("certificate required"));
}

TEST_F(Tls, ResumesItsLatestSession) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServerContext server(leaf_);
    server.only(version);
    client_.close();
    context_ = context();
    for (int i = 0; i < 3; ++i) {
      connect(*context_, server);
      ASSERT_EQ(shake_hands().kind, Kind::Ok);
      EXPECT_EQ(session_->resumed(), i > 0) << version;
      EXPECT_EQ(server_->write("x"), 1U);
      EXPECT_EQ(read_all(), "x");  // with the tickets of TLS 1.3
      client_.close();
    }
  }
}

TEST_F(Tls, AnOrderlyEndIsTold) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  server_->write("bye");
  server_->send_close_notify();
  server_->close();
  EXPECT_EQ(read_all(), "bye");
  EXPECT_EQ(last_.kind, Kind::Eof);
  EXPECT_EQ(read_all(), "");
  EXPECT_EQ(last_.kind, Kind::Eof);  // and stays so
}

TEST_F(Tls, ATruncationIsAFailure) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  server_->write("by");
  server_->close();
  EXPECT_EQ(read_all(), "by");
  EXPECT_EQ(last_.kind, Kind::Failed);
  EXPECT_EQ(last_.sys_errno, ECONNRESET);
  EXPECT_EQ(client_.failure(), "connection ended without close_notify");
}

TEST_F(Tls, AnEndBehindDataIsNotForgotten) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  (void)read_all();
  EXPECT_FALSE(client_.has_buffered_input());
  server_->write("data");
  server_->send_close_notify();
  char buffer[100];
  const IoResult result = client_.read(buffer, sizeof buffer);
  EXPECT_EQ(result.bytes, 4U);
  EXPECT_TRUE(client_.has_buffered_input());  // the end: no event will tell it
  EXPECT_EQ(client_.read(buffer, sizeof buffer).kind, Kind::Eof);
  EXPECT_FALSE(client_.has_buffered_input());
}

TEST_F(Tls, WhatDoesNotFitWaitsInside) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  (void)read_all();
  server_->write("0123456789");
  char buffer[4];
  EXPECT_EQ(client_.read(buffer, sizeof buffer).bytes, 4U);
  EXPECT_TRUE(client_.has_buffered_input());
  EXPECT_EQ(client_.read(buffer, sizeof buffer).bytes, 4U);
  EXPECT_EQ(client_.read(buffer, sizeof buffer).bytes, 2U);
  EXPECT_FALSE(client_.has_buffered_input());
}

TEST_F(Tls, OneReadTakesSeveralRecords) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  for (int i = 0; i < 10; ++i) server_->write("0123456789");
  char buffer[1000];
  EXPECT_EQ(client_.read(buffer, sizeof buffer).bytes, 100U);
}

TEST_F(Tls, HalfCloses) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  EXPECT_EQ(write("last").bytes, 4U);
  EXPECT_TRUE(client_.shutdown_send());
  EXPECT_EQ(server_->read(), "last");
  EXPECT_TRUE(server_->got_close_notify());
  EXPECT_EQ(server_->write("answer"), 6U);
  EXPECT_EQ(read_all(), "answer");
}

TEST_F(Tls, CloseSaysGoodbye) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  client_.close();
  EXPECT_EQ(server_->read(), "");
  EXPECT_TRUE(server_->got_close_notify());
}

TEST_F(Tls, AVanishedPeerIsAFailureNotASignal) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  server_->close();
  const IoResult result = write("x");
  EXPECT_EQ(result.kind, Kind::Failed);
  EXPECT_EQ(result.sys_errno, EPIPE);
  EXPECT_FALSE(client_.failure().empty());
}

TEST_F(Tls, AnEndInTheHandshakeIsExplained) {
  context_ = context();
  connect(*context_, server_context_);
  EXPECT_EQ(client_.handshake().kind, Kind::WouldBlock);
  server_->close();
  const IoResult result = client_.handshake();
  EXPECT_EQ(result.kind, Kind::Failed);
  EXPECT_EQ(result.sys_errno, ECONNRESET);
  EXPECT_THAT(std::string(client_.failure()), HasSubstr("in the TLS handshake"));
}

TEST_F(Tls, SomethingElseThanTlsIsAFailure) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  const UniqueFd peer(fds[1]);
  context_ = context();
  client_ = Transport(UniqueFd(fds[0]), context_->new_client(fds[0]));
  EXPECT_EQ(client_.handshake().kind, Kind::WouldBlock);
  ASSERT_EQ(::send(peer.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0), 28);
  EXPECT_EQ(client_.handshake().kind, Kind::Failed);
  EXPECT_FALSE(client_.failure().empty());
}

// A body of pieces of all sizes through a socket that is full most of the time; what is left is divided anew each time.
TEST_F(Tls, SurvivesPartialWritesInAnyDivision) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): repeatable on purpose
  std::string sent(3'000'000, '\0');
  for (char& c : sent) c = static_cast<char>(random());
  std::string received;
  size_t at = 0;
  int blocked = 0;
  while (at < sent.size()) {
    std::vector<iovec> pieces;
    for (size_t next = at; next < sent.size() && pieces.size() < 20;) {
      static constexpr size_t kSizes[] = {0, 1, 10, 300, 5'000, 16'383, 16'384, 16'385, 70'000};
      const size_t size = std::min(kSizes[random() % std::size(kSizes)], sent.size() - next);
      pieces.push_back({sent.data() + next, size});
      next += size;
    }
    const IoResult result = client_.write(pieces);
    ASSERT_NE(result.kind, Kind::Failed) << client_.failure();
    at += result.bytes;
    size_t offered = 0;
    for (const iovec& piece : pieces) offered += piece.iov_len;
    if (result.bytes < offered) {
      ++blocked;
      received += server_->read();
    }
  }
  received += server_->read();
  EXPECT_TRUE(received == sent);
  EXPECT_GT(blocked, 3);
}

TEST_F(Tls, CopesWithAKeyUpdate) {
  ASSERT_EQ(meet(server_context_).kind, Kind::Ok);
  std::string all;
  for (int i = 0; i < 10; ++i) {
    server_->ask_for_new_keys();
    server_->write("x");
    EXPECT_EQ(read_all(), "x");
    EXPECT_EQ(write("abc").kind, Kind::Ok);
    all += server_->read();
  }
  EXPECT_EQ(all.size(), 30U);
}

struct BadFile {
  const char* name;
  const char* message;
  void (*arrange)(config::Service&, const test::TempDir&, const Certificate&);
};

class TlsBadFile : public Tls, public testing::WithParamInterface<BadFile> {};

TEST_P(TlsBadFile, IsNamed) {
  GetParam().arrange(service_, dir_, leaf_);
  const auto made = TlsContext::create(service_);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(made.error().message, HasSubstr(dir_.file("")));
}

INSTANTIATE_TEST_SUITE_P(Files, TlsBadFile,
                         testing::Values(BadFile{"missing_ca", "No such file",
                                                 [](auto& service, auto& dir, auto&) {
                                                   service.tls.ca_file = dir.file("none.pem");
                                                 }},
                                         BadFile{"missing_certificate", "cannot load the client certificate '",
                                                 [](auto& service, auto& dir, auto&) {
                                                   service.tls.client_cert_file = dir.file("none.pem");
                                                 }},
                                         BadFile{"missing_key", "cannot load the client certificate's key '",
                                                 [](auto& service, auto& dir, auto& leaf) {
                                                   leaf.write_certificate(dir.file("c.pem"));
                                                   service.tls.client_cert_file = dir.file("c.pem");
                                                   service.tls.client_key_file = dir.file("none.key");
                                                 }},
                                         BadFile{"key_of_another", "key",
                                                 [](auto& service, auto& dir, auto& leaf) {
                                                   leaf.write_certificate(dir.file("c.pem"));
                                                   Certificate({}).write_key(dir.file("c.key"));
                                                   service.tls.client_cert_file = dir.file("c.pem");
                                                   service.tls.client_key_file = dir.file("c.key");
                                                 }},
                                         BadFile{"encrypted_key", "key",
                                                 [](auto& service, auto& dir, auto& leaf) {
                                                   leaf.write_certificate(dir.file("c.pem"));
                                                   leaf.write_key(dir.file("c.key"), "pass");
                                                   service.tls.client_cert_file = dir.file("c.pem");
                                                   service.tls.client_key_file = dir.file("c.key");
                                                 }}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace restgate::worker
