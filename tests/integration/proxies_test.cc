// Proxies before the gateway: whom it believes (trusted_proxies), and the PROXY protocol on the way in.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

constexpr std::string_view kForwarded =
    "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n"
    "X-Forwarded-Port: 443\r\n";

TEST(TrustedProxies, ABelievedOnesWordIsKeptAndNamesTheClient) {
  Played played({.settings = {{"trusted_proxies", "[127.0.0.0/8]"}}});
  const auto passed = played.pass(request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(passed.request.field("X-Forwarded-For"), "6.6.6.6, 203.0.113.9, 127.0.0.1");
  EXPECT_EQ(passed.request.field("X-Forwarded-Proto"), "https");
  EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "shop.example");
  EXPECT_EQ(passed.request.field("X-Forwarded-Port"), "443");
  EXPECT_EQ(played.gateway.await_access().at("client"), "203.0.113.9");
  // One that says nothing gets our own, and is the client.
  const auto silent = played.pass_on_same(request_head("GET", "/"), response(200, "ok"));
  EXPECT_EQ(silent.request.field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(silent.request.field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(silent.request.field("X-Forwarded-Host"), "client.test");
  EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
  played.gateway.stop();
}

TEST(TrustedProxies, TheClientIsNamedInRefusalsToo) {
  Played played({.settings = {{"trusted_proxies", "[127.0.0.1, 203.0.113.0/24]"}}});
  Stream client = played.gateway.connect();
  EXPECT_EQ(client.exchange(request_head("DELETE", "/", kForwarded)).status(), 405);
  EXPECT_EQ(played.gateway.await_access().at("client"), "6.6.6.6");
  played.gateway.stop();
}

TEST(TrustedProxies, AnotherOnesWordIsReplaced) {
  for (const char* list : {"[10.0.0.0/8, \"::1\"]", "[\"::/0\"]", "[]"}) {
    Played played({.settings = {{"trusted_proxies", list}}});
    const auto passed = played.pass(request_head("GET", "/", kForwarded), response(200, "ok"));
    EXPECT_EQ(passed.request.field("X-Forwarded-For"), "127.0.0.1");
    EXPECT_EQ(passed.request.field("X-Forwarded-Proto"), "http");
    EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "client.test");
    EXPECT_FALSE(passed.request.has("X-Forwarded-Port"));
    EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
    played.gateway.stop();
  }
}

TEST(TrustedProxies, UnsetAddsToEverybodys) {
  Played played;
  const auto passed = played.pass(request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(passed.request.field("X-Forwarded-For"), "6.6.6.6, 203.0.113.9, 127.0.0.1");
  EXPECT_EQ(passed.request.field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "client.test");
  EXPECT_EQ(passed.request.field("X-Forwarded-Port"), "443");
  EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
  played.gateway.stop();
}

TEST(TrustedProxies, AReloadCountsForOldConnections) {
  Played played;
  played.pass(request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
  played.gateway.reload(catch_all(played.origin.url()).set("trusted_proxies", "[127.0.0.0/8]"));
  played.backend.close();
  played.pass_on_same(request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(played.gateway.await_access().at("client"), "203.0.113.9");
  played.gateway.stop();
}

std::string version_2(std::string_view payload, char command = 1, char family = 0x11) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += static_cast<char>(0x20 | command);
  header += family;
  header += static_cast<char>(payload.size() >> 8);
  header += static_cast<char>(payload.size() & 0xFF);
  return header.append(payload);
}

const std::string kVersion1 = "PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\r\n";
const std::string kVersion2 = version_2(std::string("\xC0\x00\x02\x07\xC0\x00\x02\x01\x12\x34\x00\x50", 12));

PlayedOptions proxied(ConfigText::Settings more = {}) {
  more.emplace_back("proxy_protocol", "true");
  return {.settings = std::move(more)};
}

ConfigText proxied_catch_all(const Played& played) {
  return catch_all(played.origin.url()).set("proxy_protocol", "true");
}

TEST(ProxyProtocol, TellsTheClientOnceForTheConnection) {
  const std::string tlvs = "\x01" + std::string("\x00\x02h2\x04\x00\x00", 7);
  const std::pair<std::string, std::string> headers[] = {
      {kVersion1, "192.0.2.7"},
      {kVersion2, "192.0.2.7"},
      {version_2(kVersion2.substr(16) + tlvs), "192.0.2.7"},
      {"PROXY TCP6 2001:DB8::7 ::1 4660 80\r\n", "2001:db8::7"},
      {"PROXY TCP6 ::ffff:192.0.2.7 ::1 4660 80\r\n", "192.0.2.7"},
  };
  Played played(proxied());
  for (const auto& [header, client] : headers) {
    const auto passed = played.pass(header + request_head("GET", "/"), response(200, "ok"));
    EXPECT_EQ(passed.request.field("X-Forwarded-For"), client);
    EXPECT_EQ(played.gateway.await_access().at("client"), client);
    played.pass_on_same(request_head("GET", "/"), response(200, "ok"));
    EXPECT_EQ(played.gateway.await_access().at("client"), client);
  }
  played.gateway.expect_errors("unmatched", "bad_proxy_header", 0);
  played.gateway.stop();
}

// As long as it may be, and longer than the buffer of a page that its first part is kept in.
TEST(ProxyProtocol, MayBeLongerThanAPage) {
  constexpr size_t kLongest = 4096;
  const std::string addresses = kVersion2.substr(16);
  const std::string tlv(kLongest - 16 - addresses.size() - 3, 'n');
  const auto length = static_cast<uint16_t>(tlv.size());
  const std::string header =
      version_2(addresses + '\x04' + static_cast<char>(length >> 8) + static_cast<char>(length & 0xFF) + tlv);
  ASSERT_EQ(header.size(), kLongest);
  Played played(proxied());
  for (const size_t first : {2'000, 4'032, 4'033, 4'095}) {
    played.client = played.gateway.connect();
    played.client.send(header.substr(0, first));
    played.gateway.await_metrics(
        [&](const Metrics& m) { return m.sum("restgate_client_connections_accepted_total") > 0; }, "the connection");
    played.client.send(header.substr(first) + request_head("GET", "/long"));
    played.await_backend();
    EXPECT_EQ(played.backend.read_request().field("X-Forwarded-For"), "192.0.2.7");
    played.backend.send(response(200, "ok"));
    EXPECT_EQ(played.client.read_response().body, "ok");
  }
  played.gateway.expect_errors("unmatched", "bad_proxy_header", 0);
  played.gateway.stop();
}

TEST(ProxyProtocol, WhatComesBehindItInOneSegmentIsKept) {
  Played played(proxied());
  played.client = played.gateway.connect();
  played.client.send(kVersion2 + request_head("POST", "/1", "Content-Length: 4\r\n") + "body" +
                     request_head("GET", "/2"));
  for (const char* target : {"/1", "/2"}) {
    played.await_backend();
    const Message request = played.backend.read_request();
    EXPECT_EQ(request.target(), target);
    EXPECT_EQ(request.field("X-Forwarded-For"), "192.0.2.7");
    played.backend.send(response(200, target));
    EXPECT_EQ(played.client.read_response().body, target);
  }
  played.gateway.stop();
}

TEST(ProxyProtocol, MayComeByteByByteAndOutlivesReloads) {
  for (const std::string& header : {kVersion1, kVersion2}) {
    Played played(proxied());
    played.client = played.gateway.connect();
    const std::string all = header + request_head("GET", "/");
    for (size_t i = 0; i < all.size(); ++i) {
      if (i == 5 || i == header.size() || i == header.size() + 3) played.gateway.reload(proxied_catch_all(played));
      played.client.send(all.substr(i, 1));
    }
    played.await_backend();
    EXPECT_EQ(played.backend.read_request().field("X-Forwarded-For"), "192.0.2.7");
    played.backend.send(response(200, "ok"));
    EXPECT_EQ(played.client.read_response().status(), 200);
    EXPECT_EQ(played.gateway.await_access().at("client"), "192.0.2.7");
    played.gateway.stop();
  }
}

TEST(ProxyProtocol, AFreshConnectionThatAnotherWorkerGetsStillNeedsIt) {
  HandlerOrigin origin(always("ok"));
  Gateway gateway(catch_all(origin.url()).set("proxy_protocol", "true").set("workers", "2"));
  const auto handed_over = [&] { return gateway.metrics().sum("restgate_client_connections_handed_over_total"); };
  std::vector<Stream> clients;
  // The kernel spreads connections by chance; workers even out what is clearly uneven.
  while (clients.size() < 1000 && handed_over() < 3) clients.push_back(gateway.connect());
  ASSERT_GE(handed_over(), 3);
  for (Stream& client : clients) {
    client.send(kVersion1 + request_head("GET", "/"));
    EXPECT_EQ(client.read_response().status(), 200);
    EXPECT_EQ(gateway.await_access().at("client"), "192.0.2.7");
  }
  gateway.stop();
}

TEST(ProxyProtocol, SwitchingItOnDoesNotConcernWhoIsThere) {
  Played played;
  played.pass(request_head("GET", "/"), response(200, "ok"));
  Stream old = std::move(played.client);
  played.gateway.reload(proxied_catch_all(played));
  played.backend.close();
  const auto fresh = played.pass(kVersion1 + request_head("GET", "/"), response(200, "ok"));
  EXPECT_EQ(fresh.request.field("X-Forwarded-For"), "192.0.2.7");
  played.client = std::move(old);
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/"), response(200, "ok")).request.field("X-Forwarded-For"),
            "127.0.0.1");
  played.gateway.stop();
}

TEST(ProxyProtocol, TheConnectionsOwnAddressCountsWhereTheHeaderHasNone) {
  Played played(proxied());
  for (const std::string& header :
       {std::string("PROXY UNKNOWN\r\n"), version_2("", 0, 0), version_2("", 1, 0), version_2("anything", 0, 0x77)}) {
    const auto passed = played.pass(header + request_head("GET", "/"), response(200, "ok"));
    EXPECT_EQ(passed.request.field("X-Forwarded-For"), "127.0.0.1");
    EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
  }
  played.gateway.stop();
}

TEST(ProxyProtocol, ItsAddressIsWhatTrustIsAbout) {
  Played played(proxied({{"trusted_proxies", "[192.0.2.0/24]"}}));
  const auto trusted = played.pass(kVersion2 + request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(trusted.request.field("X-Forwarded-For"), "6.6.6.6, 203.0.113.9, 192.0.2.7");
  EXPECT_EQ(played.gateway.await_access().at("client"), "203.0.113.9");
  const auto untrusted = played.pass("PROXY UNKNOWN\r\n" + request_head("GET", "/", kForwarded), response(200, "ok"));
  EXPECT_EQ(untrusted.request.field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(played.gateway.await_access().at("client"), "127.0.0.1");
  played.gateway.stop();
}

/// How often a record of that level says that a connection was refused, and with which words of the header.
size_t refusals(const Gateway& gateway, const std::string& level, const std::string& header) {
  const std::vector<Json> records = gateway.logs();
  return static_cast<size_t>(std::count_if(records.begin(), records.end(), [&](const Json& record) {
    return record.at("level") == level && record.value("header", "") == header;
  }));
}

TEST(ProxyProtocol, WithoutAGoodHeaderTheConnectionIsClosed) {
  Played played(proxied({{"log_level", "debug"}}));
  const std::string bad[] = {request_head("GET", "/"),
                             "PROXY TCP4 1.2.3.4\r\n" + request_head("GET", "/"),
                             "x",
                             "\r\n" + kVersion1,
                             kVersion1 + kVersion1,  // the second is no request
                             "PROXY " + std::string(200, ' '),
                             version_2(std::string(5000, 'x'))};
  for (const std::string& begin : bad) {
    Stream client = played.gateway.connect();
    client.send(begin);
    const std::string answer = client.read_until_gone();
    EXPECT_EQ(answer.substr(0, 12), begin == kVersion1 + kVersion1 ? "HTTP/1.1 400" : "") << printable(begin);
  }
  Stream cut = played.gateway.connect();
  cut.send("PROXY TCP4 192.0.2.7");
  cut.finish_sending();
  EXPECT_EQ(cut.read_until_gone(), "");
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.expect_errors("unmatched", "bad_proxy_header", 7);
  EXPECT_EQ(played.gateway.metrics().sum("restgate_requests_total"), 1) << "of no request";
  played.gateway.stop();
  EXPECT_EQ(refusals(played.gateway, "warn", "malformed"), 1U) << "one warning; nobody fills the log";
  EXPECT_EQ(refusals(played.gateway, "debug", "malformed"), 5U);
  EXPECT_EQ(refusals(played.gateway, "debug", "incomplete"), 1U);
}

TEST(ProxyProtocol, WhoOnlyLooksWhetherThePortIsOpenIsNoError) {
  Played played(proxied());
  for (int i = 0; i < 3; ++i) {
    Stream look = played.gateway.connect();
    look.finish_sending();
    look.expect_end();
  }
  played.pass(kVersion1 + request_head("GET", "/"), response(200, "ok"));
  played.gateway.expect_requests("all", "GET", 200, 1);
  EXPECT_EQ(played.gateway.metrics().sum("restgate_errors_total"), 0);
  played.gateway.stop();
}

TEST(ProxyProtocol, TheHeaderIsWaitedForAsLongAsAHead) {
  Played played(proxied({{"read_header_timeout", "200ms"}}));
  Stream begun = played.gateway.connect();
  Stream silent = played.gateway.connect();
  begun.send("PROXY ");
  EXPECT_EQ(begun.read_until_gone(), "");
  EXPECT_EQ(silent.read_until_gone(), "");
  played.gateway.expect_errors("unmatched", "bad_proxy_header", 2);
  // With it, a connection is like any other: one that brings no request ends without a word.
  Stream idle = played.gateway.connect();
  idle.send(kVersion1);
  EXPECT_EQ(idle.read_until_gone(), "");
  played.gateway.expect_errors("unmatched", "bad_proxy_header", 2);
  played.gateway.stop();
  EXPECT_EQ(refusals(played.gateway, "warn", "too late"), 1U);
}

TEST(ProxyProtocol, AConnectionThatWaitsForItsRequestHoldsNoBuffer) {
  Played played(proxied());
  const pid_t worker = played.gateway.workers().at(0);
  played.pass(kVersion1 + request_head("GET", "/"), response(200, "ok"));
  const size_t before = anonymous_memory(worker);
  constexpr size_t kConnections = 400;
  std::vector<Stream> idle;
  for (size_t i = 0; i < kConnections; ++i) {
    idle.push_back(played.gateway.connect());
    idle.back().send(kVersion2);
  }
  played.pass(kVersion1 + request_head("GET", "/"), response(200, "ok"));
  EXPECT_LT(anonymous_memory(worker), before + kConnections * 4096);
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
