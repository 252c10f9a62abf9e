// The access record of each request (DESIGN §6, issue of hostile values: nobody forges a line).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

TEST(AccessLog, AllFieldsOfAnOrdinaryRequest) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  played.pass(request_head("POST", "/orders/7?secret=1", "Content-Length: 2\r\n") + "ab", response(201, "created"));
  const Json record = played.gateway.await_access();
  EXPECT_TRUE(std::regex_match(record.at("time").get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))")))
      << record;
  EXPECT_EQ(record.at("level"), "info");
  EXPECT_TRUE(record.at("msg").is_string());
  EXPECT_EQ(record.at("method"), "POST");
  EXPECT_EQ(record.at("path"), "/orders/7") << "a query may hold secrets";
  EXPECT_EQ(record.at("route"), "all");
  EXPECT_EQ(record.at("service"), "backend");
  EXPECT_EQ(record.at("status"), 201);
  EXPECT_GE(record.at("bytes").get<int>(), 7);
  EXPECT_GE(record.at("duration").get<double>(), 0);
  EXPECT_LT(record.at("duration").get<double>(), 60);
  EXPECT_TRUE(record.at("client").get<std::string>().starts_with("127.0.0.1")) << record;
  EXPECT_EQ(record.at("pid").get<pid_t>(), worker);
  played.gateway.expect_requests("all", "POST", 201, 1);
  played.gateway.stop();
}

TEST(AccessLog, OneRecordEachInOrder) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  Stream client = gateway.connect();
  for (int i = 0; i < 20; ++i) client.exchange(request_head("GET", "/" + std::to_string(i)));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.await_access().at("path"), "/" + std::to_string(i));
  gateway.stop();
  size_t records = 0;
  for (const Json& record : gateway.logs()) records += is_access(record) ? 1 : 0;
  EXPECT_EQ(records, 20U);
}

TEST(AccessLog, RefusedAndUnmatchedRequestsHaveOneToo) {
  Played played;
  ConfigText config;
  config.service("s", played.origin.url()).route("a", "GET", "/a");
  Gateway gateway(config);
  EXPECT_EQ(gateway.get("/none").status(), 404);
  const Json unmatched = gateway.await_access();
  EXPECT_EQ(unmatched.at("status"), 404);
  EXPECT_TRUE(unmatched.at("route").is_string());
  EXPECT_EQ(unmatched.at("reason"), "route_not_found");
  Stream client = gateway.connect();
  client.send("GARBAGE\r\n\r\n");
  client.read_response();
  const Json refused = gateway.await_access();
  EXPECT_EQ(refused.at("status"), 400);
  EXPECT_EQ(refused.at("reason"), "bad_request");
  gateway.stop();
}

TEST(AccessLog, HostilePathsAreEscaped) {
  Played played;
  const std::vector<std::string> targets = {"/a\"b",
                                            "/a%0d%0a{\"level\":\"error\"}",
                                            "/\xff\xfe\x80",
                                            "/\xc3\xa9",
                                            "/a\xe2\x80\xa8"
                                            "b",
                                            "/'<script>",
                                            "/%22%5c%00x",
                                            "/\xed\xa0\x80",
                                            "/{}[],:"};
  size_t answered = 0;
  for (const std::string& target : targets) {
    SCOPED_TRACE(printable(target));
    Stream client = played.gateway.connect();
    client.send(request_head("GET", target, "Connection: close\r\nUser-Agent: \"}\\\x80\r\n"));
    if (eventually([&] { return !client.quiet() || played.origin.contacted(); }) && played.origin.contacted()) {
      Stream backend = played.origin.accept();
      EXPECT_EQ(backend.read_request().target(), target);
      backend.send(response(200, "", "Connection: close\r\n"));
    }
    const int status = client.read_response().status();
    EXPECT_TRUE(status == 200 || status == 400) << status;
    ++answered;
    // Valid JSON (await_access parses it), one line each, with the fields of its own request.
    EXPECT_EQ(played.gateway.await_access().at("status"), status);
  }
  played.gateway.stop();
  size_t records = 0;
  for (const Json& record : played.gateway.logs()) records += is_access(record) ? 1 : 0;
  EXPECT_EQ(records, answered);
}

TEST(AccessLog, LinesOfSeveralWorkersNeverMix) {
  HandlerOrigin origin(always("x"));
  ConfigText config = catch_all(origin.url());
  // A pipe of one page is often full: what does not fit must wait as a whole line.
  Gateway gateway(config.set("workers", "4"), 4096);
  const std::string target = "/" + std::string(300, 'p');
  std::vector<Stream> clients;
  for (int i = 0; i < 16; ++i) clients.push_back(gateway.connect());
  constexpr int kRounds = 10;
  constexpr int kPipelined = 10;
  std::string requests;
  for (int i = 0; i < kPipelined; ++i) requests += request_head("GET", target);
  for (int round = 0; round < kRounds; ++round) {
    for (Stream& client : clients) client.send(requests);
    for (Stream& client : clients)
      for (int i = 0; i < kPipelined; ++i) EXPECT_EQ(client.read_response().status(), 200);
  }
  clients.clear();
  const double total = 16.0 * kRounds * kPipelined;
  gateway.expect_requests("all", "GET", 200, total);
  // Before it stops: what a worker has not got rid of by its end is dropped, too.
  size_t seen = 0;
  double records = 0;
  const auto dropped = [&] { return gateway.metrics().sum("restgate_access_log_dropped_total"); };
  while (records + dropped() < total) {
    const Json record = gateway.await_log(is_access, "another access record, or a dropped one", &seen);
    ++records;
    EXPECT_EQ(record.at("path"), target);
  }
  EXPECT_EQ(records + dropped(), total);
  gateway.stop();
}

TEST(AccessLog, AVeryLongPathIsStillOneValidRecord) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  const std::string target = "/" + std::string(30'000, 'a');
  EXPECT_EQ(gateway.get(target).status(), 200);
  const Json record = gateway.await_access();
  EXPECT_TRUE(target.starts_with(record.at("path").get<std::string>().substr(0, 500)));
  EXPECT_EQ(record.at("status"), 200);
  gateway.stop();
}

TEST(AccessLog, TextFormatKeepsALineALine) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  // The ports of a text log cannot be learnt from JSON: the record "serving" has them as port=N.
  const std::string path = directory.write("restgate.yaml", catch_all(origin.url()).set("log_format", "text").yaml());
  Process process(gateway_binary(), {.arguments = {"-config", path}, .environment = {}});
  std::smatch match;
  std::string line;
  process.await_err(
      [&](const std::vector<std::string>& lines) {
        for (const std::string& each : lines) {
          line = each;
          if (each.find("serving") != std::string::npos &&
              std::regex_search(line, match, std::regex(R"((?:^| )port=(\d+))")))
            return true;
        }
        return false;
      },
      "serving with port=N");
  Stream client = Stream::connect(static_cast<uint16_t>(std::stoi(match[1])));
  client.exchange(request_head("GET", "/evil%20path%0Astatus=500/=/"));
  process.await_err(
      [&](const std::vector<std::string>& lines) {
        line = lines.back();
        return line.find("method=GET") != std::string::npos;
      },
      "access line");
  EXPECT_NE(line.find("status=200"), std::string::npos) << line;
  EXPECT_NE(line.find("route=all"), std::string::npos) << line;
  for (const char c : line) EXPECT_FALSE(static_cast<unsigned char>(c) < ' ') << printable(line);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait_exit(), 0);
}

TEST(AccessLog, SwitchedOff) {
  HandlerOrigin origin(always("x"));
  ConfigText config = catch_all(origin.url());
  Gateway gateway(config.set("access_log", "false"));
  EXPECT_EQ(gateway.get("/").status(), 200);
  gateway.stop();
  for (const Json& record : gateway.logs()) EXPECT_FALSE(is_access(record)) << record;
}

// An address to which the kernel refuses to connect, at once, is named all the same.
TEST(AccessLog, NamesTheAddressThatFailedAtOnce) {
  Gateway gateway(catch_all("http://255.255.255.255:80"));
  EXPECT_EQ(gateway.get("/").status(), 502);
  const Json access = gateway.await_access();
  EXPECT_EQ(access.at("reason"), "backend_connect_failed");
  EXPECT_EQ(access.at("backend"), "255.255.255.255:80");
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
