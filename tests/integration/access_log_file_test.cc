// The access log in a file: rotation without losing a line, filters, formats, and what each record tells.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "integration/support/load.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

using ::testing::MatchesRegex;

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Waits for so many records in the file.
std::vector<Json> await_records(const std::string& path, size_t count) {
  std::vector<std::string> lines;
  EXPECT_TRUE(eventually([&] { return (lines = lines_of(path)).size() >= count; })) << lines.size() << " in " << path;
  std::vector<Json> records;
  for (const std::string& line : lines) records.push_back(Json::parse(line));
  return records;
}

struct Logged {
  explicit Logged(const std::string& more = "", const std::string& workers = "1")
      : origin([this](const Message& request) { return response(request.target() == "/bad" ? 503 : 200, body); }),
        gateway(config(more, workers)) {}

  [[nodiscard]] ConfigText config(const std::string& more, const std::string& workers) const {
    ConfigText text = catch_all(origin.url());
    text.set("workers", workers).set("access_log", "{file: " + path + more + "}");
    return text;
  }
  void rotate(int number) const {
    std::filesystem::rename(path, path + "." + std::to_string(number));
    gateway.signal(SIGUSR1);
    EXPECT_TRUE(eventually([this] { return std::filesystem::exists(path); })) << "no new file";
  }

  std::string body = "hello";
  TempDir directory;
  std::string path = directory.path() + "/access.log";
  HandlerOrigin origin;
  Gateway gateway;
};

TEST(AccessLogFile, HasTheRecordsAndStandardErrorHasNone) {
  Logged logged;
  EXPECT_EQ(logged.gateway.get("/a").status(), 200);
  const Json record = await_records(logged.path, 1).at(0);
  EXPECT_EQ(record.at("path"), "/a");
  EXPECT_EQ(record.at("backend"), "127.0.0.1:" + std::to_string(logged.origin.port()));
  EXPECT_EQ(record.at("worker"), 0);
  EXPECT_EQ(record.at("generation"), 1);
  EXPECT_EQ(record.at("pid").get<pid_t>(), logged.gateway.workers().at(0));
  EXPECT_GT(record.at("bytes_in").get<int>(), 20);
  EXPECT_FALSE(record.contains("retries"));
  EXPECT_FALSE(record.contains("backend_tls"));
  double parts = 0;
  for (const char* part : {"queue", "connect", "first_byte"}) {
    EXPECT_GE(record.at(part).get<double>(), 0) << part;
    parts += record.at(part).get<double>();
  }
  EXPECT_LE(parts, record.at("duration").get<double>() + 1e-6);
  struct stat info {};
  ASSERT_EQ(stat(logged.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777 & ~0640, 0U) << "not everybody's to read";
  logged.gateway.stop();
  for (const Json& line : logged.gateway.logs()) EXPECT_FALSE(is_access(line)) << line;
}

TEST(AccessLogFile, RotationLosesNoLineThroughReloadsAndCrashes) {
  Logged logged("", "2");
  Load load({.port = logged.gateway.port(),
             .request = request_head("GET", "/x"),
             .expected_body = logged.body,
             .clients = 4,
             .fresh_connections = false});
  int rotations = 0;
  for (int round = 0; round < 3; ++round) {
    load.await_more(100);
    logged.rotate(++rotations);
    load.await_more(100);
    logged.gateway.reload(logged.config("", round == 0 ? "3" : "2"));
    logged.rotate(++rotations);
  }
  load.await_more(100);
  load.stop();
  EXPECT_EQ(load.failures(), "");
  const auto total = static_cast<double>(load.answered());
  logged.gateway.expect_requests("all", "GET", 200, total);
  logged.gateway.stop();
  size_t records = lines_of(logged.path).size();
  std::set<uint64_t> generations;
  for (int i = 1; i <= rotations; ++i) {
    for (const std::string& line : lines_of(logged.path + "." + std::to_string(i))) {
      generations.insert(Json::parse(line).at("generation").get<uint64_t>());
      ++records;
    }
  }
  EXPECT_EQ(static_cast<double>(records), total);
  EXPECT_GE(generations.size(), 3U);
}

TEST(AccessLogFile, AGenerationThatDrainsGoesOnInTheNewFile) {
  TempDir directory;
  const std::string path = directory.path() + "/access.log";
  Played played({.settings = {{"access_log", "{file: " + path + "}"}}});
  played.forward(request_head("GET", "/slow"));
  ConfigText next;
  next.service("backend", played.origin.url()).route("other", "GET", "/other");
  played.gateway.reload(next);  // which has no such file
  std::filesystem::rename(path, path + ".1");
  played.gateway.signal(SIGUSR1);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path); }));
  played.gateway.await_log([](const Json& r) { return r.value("msg", "") == "access log: opened anew"; },
                           "the rotation");
  played.backend.send(response(200, "old but done"));
  EXPECT_EQ(played.client.read_response().body, "old but done");
  EXPECT_EQ(await_records(path, 1).at(0).at("path"), "/slow");
  played.gateway.stop();
  EXPECT_TRUE(lines_of(path + ".1").empty());
}

TEST(AccessLogFile, AfterAnUpgradeTheWorkersOfTheProgramBeforeGoOnInTheNewFile) {
  TempDir directory;
  const std::string path = directory.path() + "/access.log";
  Played played({.settings = {{"access_log", "{file: " + path + "}"}}});
  played.forward(request_head("GET", "/slow"));
  played.gateway.signal(SIGUSR2);
  played.gateway.await_log([](const Json& r) { return r.value("msg", "") == "upgrade finished"; }, "the upgrade");
  std::filesystem::rename(path, path + ".1");
  played.gateway.signal(SIGUSR1);
  played.gateway.await_log([](const Json& r) { return r.value("msg", "") == "access log: opened anew"; },
                           "the rotation");
  EXPECT_TRUE(lines_of(path).empty());
  played.backend.send(response(200, "old but done"));
  EXPECT_EQ(played.client.read_response().body, "old but done");
  const Json record = await_records(path, 1).at(0);
  EXPECT_EQ(record.at("path"), "/slow");
  EXPECT_EQ(record.at("generation"), 1);
  played.gateway.stop();
}

TEST(AccessLogFile, AnUpgradeGoesOnWithoutAFileThatCannotBeOpenedAnyMore) {
  Logged logged;
  EXPECT_EQ(logged.gateway.get("/before").status(), 200);
  (void)await_records(logged.path, 1);
  const std::string aside = logged.directory.path() + ".aside";
  std::filesystem::rename(logged.directory.path(), aside);
  logged.gateway.signal(SIGUSR2);
  logged.gateway.await_log(
      [](const Json& r) {
        return r.value("msg", "").starts_with("reload refused") || r.value("msg", "") == "upgrade finished" ||
               r.value("msg", "").starts_with("upgrade failed");
      },
      "what comes of the upgrade");
  EXPECT_EQ(logged.gateway.get("/after").status(), 200) << "a log is no reason to stop serving";
  std::filesystem::rename(aside, logged.directory.path());
  logged.gateway.reload(logged.config("", "1"));
  EXPECT_EQ(logged.gateway.get("/again").status(), 200);
  EXPECT_TRUE(eventually([&] {
    const std::vector<std::string> lines = lines_of(logged.path);
    return !lines.empty() && Json::parse(lines.back()).at("path") == "/again";
  }));
  logged.gateway.stop();
}

TEST(AccessLogFile, WhoReadsANamedPipeSeesNoEndBeforeTheFirstLine) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  const std::string path = directory.path() + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader);
  Gateway gateway(catch_all(origin.url()).set("workers", "1").set("access_log", "{file: " + path + "}"));
  EXPECT_EQ(gateway.get("/piped").status(), 200);
  std::string read;
  EXPECT_TRUE(eventually([&] {
    char bytes[4096];
    const ssize_t n = ::read(reader.get(), bytes, sizeof bytes);
    if (n > 0) read.append(bytes, static_cast<size_t>(n));
    return read.find("/piped") != std::string::npos;
  })) << read;
  gateway.stop();
}

TEST(AccessLogFile, WorkersWithoutPrivilegesWriteWhatTheMasterOpens) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  HandlerOrigin origin(always("x"));
  TempDir directory;
  ASSERT_EQ(chmod(directory.path().c_str(), 0700), 0);
  const std::string path = directory.path() + "/access.log";
  ConfigText config = catch_all(origin.url());
  Gateway gateway(
      config.set("access_log", "{file: " + path + "}").set("user", "4000000001").set("group", "4000000001"));
  EXPECT_EQ(gateway.get("/before").status(), 200);
  EXPECT_EQ(await_records(path, 1).at(0).at("path"), "/before");
  std::filesystem::rename(path, path + ".1");
  gateway.signal(SIGUSR1);
  gateway.await_log([](const Json& r) { return r.value("msg", "") == "access log: opened anew"; }, "the rotation");
  EXPECT_EQ(gateway.get("/after").status(), 200);
  EXPECT_EQ(await_records(path, 1).at(0).at("path"), "/after");
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 1 && gateway.workers().at(0) != victim; }));
  EXPECT_EQ(gateway.get("/again").status(), 200);
  EXPECT_EQ(await_records(path, 2).at(1).at("path"), "/again") << "of the worker that came after";
  gateway.stop();
}

TEST(AccessLogFile, TheFilterKeepsWhatIsWrongOrSampled) {
  Logged logged(", min_status: 500, sample: 10");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(logged.gateway.get("/good").status(), 200);
  EXPECT_EQ(logged.gateway.get("/bad").status(), 503);
  logged.gateway.expect_requests("all", "GET", 200, 20);
  const std::vector<Json> records = await_records(logged.path, 3);
  logged.gateway.stop();
  EXPECT_EQ(lines_of(logged.path).size(), 3U);
  EXPECT_EQ(records.at(2).at("path"), "/bad");
}

TEST(AccessLogFile, CombinedIsThatOfOtherServers) {
  Logged logged(", format: combined");
  Stream client = logged.gateway.connect();
  EXPECT_EQ(client.exchange(request_head("GET", "/a%20b", "Referer: http://x/\r\nUser-Agent: \"q\"\r\n")).status(),
            200);
  ASSERT_TRUE(eventually([&] { return !lines_of(logged.path).empty(); }));
  EXPECT_THAT(lines_of(logged.path).at(0),
              MatchesRegex("127\\.0\\.0\\.1 - - \\[.* \\+0000\\] \"GET /a%20b HTTP/1\\.1\" 200 5 \"http://x/\" "
                           "\"\\\\x22q\\\\x22\""));
  logged.gateway.stop();
}

TEST(AccessLogFile, AFullDiskStopsNobody) {
  HandlerOrigin origin(always("x"));
  ConfigText config = catch_all(origin.url());
  Gateway gateway(config.set("access_log", "{file: /dev/full}"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gateway.get("/").status(), 200);
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_access_log_dropped_total") == 3; }, "3 dropped");
  const Json told = gateway.await_log(
      [](const Json& r) { return r.value("msg", "") == "access log: lines were dropped"; }, "that lines were dropped");
  EXPECT_EQ(told.at("level"), "warn");
  EXPECT_EQ(told.at("to"), "/dev/full");
  EXPECT_EQ(told.at("reason"), "No space left on device");
  gateway.stop();
}

TEST(AccessLogFile, OneThatCannotBeOpenedIsARefusedConfiguration) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  Gateway gateway(catch_all(origin.url()));
  ConfigText config = catch_all(origin.url());
  config.set("access_log", "{file: " + directory.path() + "/none/access.log}");
  std::string said;
  for (const Json& record : gateway.refused_reload(config.yaml())) said += record.dump() + "\n";
  EXPECT_NE(said.find("access_log.file"), std::string::npos) << said;
  EXPECT_NE(said.find("No such file or directory"), std::string::npos) << said;
  EXPECT_EQ(gateway.get("/").status(), 200);
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
