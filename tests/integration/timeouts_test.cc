// The timeouts of the contract (DESIGN §6). Each is set short; what must not time out has none.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

TEST(Timeouts, HalfARequestHeadGets408) {
  Played played({.settings = {{"read_header_timeout", "150ms"}}});
  Stream client = played.gateway.connect();
  client.send("GET / HTTP/1.1\r\nHost: cli");
  const Message answer = client.read_response();
  EXPECT_EQ(answer.status(), 408);
  EXPECT_TRUE(answer.lists("Connection", "close"));
  client.expect_end();
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.expect_errors("unmatched", "request_head_timeout", 1);
  played.gateway.stop();
}

TEST(Timeouts, SlowlorisIsNotHelpedByDribbling) {
  Played played({.settings = {{"read_header_timeout", "200ms"}}});
  Stream client = played.gateway.connect();
  client.send("GET / HTTP/1.1\r\nHost: client.test\r\n");
  // A line now and then: the limit is on the whole head. The pace is the attack, not a synchronisation.
  const Deadline deadline;
  const auto answered = [&] { return !client.quiet(); };
  while (!eventually(answered, Deadline(std::chrono::milliseconds(20))) && !deadline.passed())
    client.send_some("X: y\r\n");
  EXPECT_EQ(client.read_response().status(), 408);
  played.gateway.stop();
}

TEST(Timeouts, NewConnectionWithoutARequestIsClosed) {
  Played played({.settings = {{"read_header_timeout", "150ms"}}});
  Stream client = played.gateway.connect();
  const std::string said = client.read_until_gone();
  EXPECT_TRUE(said.empty() || said.starts_with("HTTP/1.1 408 ")) << printable(said);
  played.gateway.stop();
}

TEST(Timeouts, IdleConnectionIsClosedQuietly) {
  Played played({.settings = {{"idle_timeout", "150ms"}}});
  EXPECT_EQ(played.pass(request_head("GET", "/"), response(200, "ok")).response.body, "ok");
  played.client.expect_end();
  played.gateway.expect_requests("all", "GET", 200, 1);
  EXPECT_EQ(played.gateway.metrics().sum("restgate_requests_total"), 1) << "an idle end is no request";
  played.gateway.stop();
}

TEST(Timeouts, ResponseHeadThatDoesNotComeGives504) {
  Played played({.settings = {{"response_header_timeout", "150ms"}}});
  played.forward(request_head("GET", "/"));
  EXPECT_EQ(played.client.read_response().status(), 504);
  played.backend.read_until_gone();
  played.gateway.expect_requests("all", "GET", 504, 1);
  played.gateway.expect_errors("all", "backend_header_timeout", 1);
  played.gateway.stop();
}

TEST(Timeouts, ResponseHeaderTimeoutCountsFromTheEndOfTheRequest) {
  Played played({.settings = {{"response_header_timeout", "150ms"}, {"idle_timeout", "300ms"}}});
  played.pass(request_head("GET", "/"), response(200, ""));
  Stream clock = std::move(played.client);  // its idle end shows that twice the time has passed
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 2\r\n") + "a");
  played.await_backend();
  played.backend.read_head();
  clock.expect_end();
  played.client.send("b");
  played.backend.expect("ab");
  played.backend.send(response(200, "ok"));
  EXPECT_EQ(played.client.read_response().body, "ok");
  played.gateway.stop();
}

TEST(Timeouts, ABodyMayTakeLongerThanTheHeadMay) {
  Played played({.settings = {{"response_header_timeout", "150ms"}, {"read_header_timeout", "300ms"}}});
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(played.client.read_head().status(), 200);
  Stream clock = played.gateway.connect();
  clock.read_until_gone();  // 300 ms later
  played.backend.send("b");
  played.client.expect("ab");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(Timeouts, RouteOverridesTheGlobalOne) {
  Origin origin;
  ConfigText config;
  config.set("response_header_timeout", "60s");
  config.service("s", origin.url())
      .route("patient", "GET", "/patient")
      .route("hasty", "GET", "/hasty", {{"response_header_timeout", "150ms"}});
  Gateway gateway(config);
  Stream patient = gateway.connect();
  patient.send(request_head("GET", "/patient"));
  Stream patient_backend = origin.accept();
  patient_backend.read_request();
  Stream hasty = gateway.connect();
  hasty.send(request_head("GET", "/hasty"));
  EXPECT_EQ(hasty.read_response().status(), 504);
  EXPECT_TRUE(patient.quiet());
  patient_backend.send(response(200, "worth it"));
  EXPECT_EQ(patient.read_response().body, "worth it");
  gateway.expect_requests("hasty", "GET", 504, 1);
  gateway.expect_requests("patient", "GET", 200, 1);
  gateway.stop();
}

TEST(Timeouts, StalledUploadEndsWithReadTimeout) {
  Played played({.settings = {{"read_timeout", "200ms"}}});
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 10\r\n") + "half");
  played.await_backend();
  EXPECT_EQ(played.client.read_response().status(), 408);
  played.client.expect_end();
  played.backend.read_until_gone();
  played.gateway.expect_errors("all", "request_body_timeout", 1);
  played.gateway.stop();
}

TEST(Timeouts, ReadTimeoutDoesNotLimitTheResponse) {
  Played played({.settings = {{"read_timeout", "150ms"}, {"read_header_timeout", "300ms"}}});
  played.forward(request_head("POST", "/", "Content-Length: 1\r\n") + "x");
  Stream clock = played.gateway.connect();
  clock.read_until_gone();
  played.backend.send(response(200, "late"));
  EXPECT_EQ(played.client.read_response().body, "late");
  played.gateway.stop();
}

TEST(Timeouts, ResponseThatTakesTooLongIsCut) {
  Played played({.settings = {{"write_timeout", "200ms"}}});
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(played.client.read_head().status(), 200);
  EXPECT_EQ(played.client.read_until_gone(), "half");
  played.backend.read_until_gone();
  played.gateway.expect_errors("all", "response_timeout", 1);
  played.gateway.stop();
}

TEST(Timeouts, ConnectRefusedGives502) {
  Played played;
  played.origin.close();
  const Message answer = played.gateway.get("/");
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(answer.body.find("127.0.0.1"), std::string::npos) << "no internal detail for clients";
  played.gateway.expect_requests("all", "GET", 502, 1);
  played.gateway.expect_errors("all", "backend_connect_refused", 1);
  played.gateway.stop();
}

TEST(Timeouts, ConnectThatHangsGives504) {
  const FullListener full;
  ConfigText config = catch_all(full.url());
  Gateway gateway(config.set("connect_timeout", "200ms"));
  EXPECT_EQ(gateway.get("/").status(), 504);
  gateway.expect_errors("all", "backend_connect_timeout", 1);
  gateway.stop();
}

TEST(Timeouts, AnAddressThatRefusesIsNoReasonNotToTryTheNext) {
  // localhost may be ::1 first, where nobody listens.
  HandlerOrigin origin(always("found"));
  Gateway gateway(catch_all("http://localhost:" + std::to_string(origin.port())));
  Stream client = gateway.connect();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.exchange(request_head("GET", "/")).body, "found");
  EXPECT_EQ(origin.requests().at(0).field("Host"), "localhost:" + std::to_string(origin.port()));
  gateway.expect_requests("all", "GET", 200, 4);
  gateway.stop();
}

TEST(Timeouts, UnresolvableNameGives502AndIsNoReasonNotToStart) {
  ConfigText config = catch_all("http://no-such-host.invalid:8080");
  Gateway gateway(config);
  EXPECT_EQ(gateway.get("/").status(), 502);
  gateway.expect_requests("all", "GET", 502, 1);
  gateway.expect_errors("all", "backend_unresolved", 1);
  const Json record =
      gateway.await_log([](const Json& r) { return r.dump().find("cannot resolve") != std::string::npos; }, "warning");
  EXPECT_EQ(record.at("level"), "warn");
  EXPECT_EQ(record.at("host"), "no-such-host.invalid");
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_backend_resolve_failures_total") >= 1; },
                        "a failed lookup");
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
