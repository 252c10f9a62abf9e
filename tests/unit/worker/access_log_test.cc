#include "worker/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>

namespace restgate::worker {
namespace {

using config::AccessFormat;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Json = nlohmann::json;

AccessLog::Setup with_format(AccessFormat format, uint64_t generation = 1) {
  AccessLog::Setup setup;
  setup.format = format;
  setup.worker = 3;
  setup.generation = generation;
  return setup;
}

AccessRecord some_record() {
  AccessRecord record;
  record.method = "GET";
  record.path = "/a\"b";
  record.route = "r";
  record.service = "s";
  record.client = "192.0.2.1";
  record.status = 200;
  record.bytes = 12;
  record.duration_us = 1'000'234;
  return record;
}

/// Standard error is a pipe while this lives.
class AccessLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader = UniqueFd(ends[0]);
    saved = UniqueFd(dup(STDERR_FILENO));
    ASSERT_GE(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
  }
  void TearDown() override { dup2(saved.get(), STDERR_FILENO); }

  std::string read_some() const {
    std::array<char, 1 << 16> chunk{};
    const ssize_t n = read(reader.get(), chunk.data(), chunk.size());
    return n > 0 ? std::string(chunk.data(), static_cast<size_t>(n)) : std::string();
  }
  std::string written_as(AccessFormat format) const {
    AccessLog log(with_format(format, 7));
    log.write(record);
    log.flush();
    return read_some();
  }

  AccessRecord record = some_record();
  std::string process = std::to_string(getpid());
  UniqueFd reader;
  UniqueFd saved;
};

TEST_F(AccessLogTest, WritesJsonWithEveryField) {
  const std::string begin =
      "\"method\":\"GET\",\"path\":\"/a\\\"b\",\"route\":\"r\",\"service\":\"s\",\"status\":200,\"bytes\":12,"
      "\"duration\":1.000234,\"client\":\"192.0.2.1\"";
  const std::string end = ",\"pid\":" + process + ",\"worker\":3,\"generation\":7}\n";
  std::string text = written_as(AccessFormat::Json);
  EXPECT_THAT(text, HasSubstr(begin + ",\"bytes_in\":0" + end)) << "what is not known is left out";
  EXPECT_EQ(text.find("{\"time\":\"2"), 0U);

  record.reason = "client_closed";
  record.queue_us = 12;
  record.connect_us = 0;
  record.first_byte_us = 2'000'000;
  record.bytes_in = 345;
  record.retries = 1;
  record.backend = "[2001:db8::1]:80";
  record.backend_tls = "TLSv1.3";
  record.request_id = "id-1";
  record.trace_id = "0af7651916cd43dd8448eb211c80319c";
  record.referer = "never shown here";
  text = written_as(AccessFormat::Json);
  EXPECT_THAT(text, HasSubstr(begin +
                              ",\"reason\":\"client_closed\",\"queue\":0.000012,\"connect\":0.000000,\"first_byte\":2."
                              "000000,\"bytes_in\":345,\"retries\":1,\"backend\":\"[2001:db8::1]:80\",\"backend_tls\":"
                              "\"TLSv1.3\",\"request_id\":\"id-1\",\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"" +
                              end));
  EXPECT_TRUE(Json::parse(text, nullptr, false).is_object());
}

TEST_F(AccessLogTest, WritesText) {
  EXPECT_THAT(written_as(AccessFormat::Text),
              HasSubstr(" INFO  request method=GET path=\"/a\\\"b\" route=r service=s status=200 bytes=12 "
                        "duration=1.000234 client=192.0.2.1 bytes_in=0 pid=" +
                        process + " worker=3 generation=7\n"));
  record.reason = "backend_reset";
  record.queue_us = record.connect_us = record.first_byte_us = 1'500;
  record.retries = 1;
  record.backend = "192.0.2.2:80";
  record.backend_tls = "TLSv1.2";
  record.request_id = "a";
  record.trace_id = "b";
  EXPECT_THAT(
      written_as(AccessFormat::Text),
      HasSubstr(" reason=backend_reset queue=0.001500 connect=0.001500 first_byte=0.001500 bytes_in=0 retries=1 "
                "backend=192.0.2.2:80 backend_tls=TLSv1.2 request_id=a trace_id=b pid="));
}

TEST_F(AccessLogTest, WritesTheCombinedFormat) {
  record.body_bytes = 5;
  EXPECT_THAT(written_as(AccessFormat::Combined),
              MatchesRegex("192\\.0\\.2\\.1 - - \\[[0-3][0-9]/[A-Z][a-z][a-z]/20[0-9][0-9]:[0-9:]+ \\+0000\\] "
                           "\"GET /a\\\\x22b HTTP/1\\.1\" 200 5 \"-\" \"-\"\n"));
  record.minor_version = 0;
  record.path = "/\x01\xff\\";
  record.referer = "http://x/\"";
  record.user_agent = "curl/8 \n";
  EXPECT_THAT(written_as(AccessFormat::Combined),
              EndsWith("\"GET /\\x01\\xFF\\x5C HTTP/1.0\" 200 5 \"http://x/\\x22\" \"curl/8 \\x0A\"\n"));
  record.method = record.path = "";
  EXPECT_THAT(written_as(AccessFormat::Combined), HasSubstr("] \"-\" 200 5 ")) << "no head was understood";
}

TEST_F(AccessLogTest, SwitchedOffItWritesNothing) {
  AccessLog::Setup setup;
  setup.options.enabled = false;
  AccessLog log(std::move(setup));
  EXPECT_FALSE(log.wants(500, 1'000'000));
  log.write(record);
  EXPECT_FALSE(log.pending());
}

TEST_F(AccessLogTest, TheFilterChooses) {
  struct Request {
    uint16_t status;
    int64_t duration_us;
  };
  constexpr std::array<Request, 6> kRequests = {
      {{200, 10}, {500, 10}, {200, 50'000}, {200, 50'001}, {499, 10}, {404, 60'000}}};
  struct Case {
    uint16_t min_status;
    int64_t slower_than_ms;
    uint32_t sample;
    std::string chosen;  // of the requests above, twice over
  };
  const std::array<Case, 7> cases = {{{0, 0, 0, "yyyyyyyyyyyy"},
                                      {500, 0, 0, ".y.....y...."},
                                      {0, 50, 0, "...y.y...y.y"},
                                      {499, 50, 0, ".y.yyy.y.yyy"},
                                      {0, 0, 1, "yyyyyyyyyyyy"},
                                      {0, 0, 4, "...y...y...y"},
                                      {500, 50, 3, ".y.yyy.y.yyy"}}};
  for (const Case& c : cases) {
    AccessLog::Setup setup;
    setup.options.min_status = c.min_status;
    setup.options.slower_than = std::chrono::milliseconds(c.slower_than_ms);
    setup.options.sample = c.sample;
    AccessLog log(std::move(setup));
    std::string chosen;
    for (int round = 0; round < 2; ++round)
      for (const Request& request : kRequests) chosen += log.wants(request.status, request.duration_us) ? 'y' : '.';
    EXPECT_EQ(chosen, c.chosen) << c.min_status << ' ' << c.slower_than_ms << ' ' << c.sample;
  }
}

TEST_F(AccessLogTest, ALineFitsIntoOneWriteWhateverTheClientSends) {
  for (const char* bytes : {"\"", "\xff", "\xc2\x80", "\x01", "\xf0\x9f\x98\x80"}) {
    std::string hostile;
    for (int i = 0; i < 20'000; ++i) hostile += bytes;
    record.path = record.method = record.referer = record.user_agent = hostile;
    for (const AccessFormat format : {AccessFormat::Json, AccessFormat::Text, AccessFormat::Combined}) {
      const std::string text = written_as(format);
      EXPECT_LE(text.size(), static_cast<size_t>(PIPE_BUF));
      EXPECT_THAT(text, EndsWith("\n"));
      EXPECT_THAT(text, HasSubstr("..."));
      EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    }
  }
}

TEST_F(AccessLogTest, JsonIsValidWhateverTheBytes) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same bytes every time
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 500; ++round) {
    std::array<std::string, 5> values;
    for (std::string& value : values)
      for (int i = byte(random) % 40; i > 0; --i) value += static_cast<char>(byte(random));
    record.method = values[0];
    record.path = values[1];
    record.route = values[2];
    record.service = values[3];
    record.request_id = values[4];
    const std::string text = written_as(AccessFormat::Json);
    const Json json = Json::parse(text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << text;
    EXPECT_EQ(json.at("generation"), 7);
    EXPECT_EQ(std::count_if(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }), 1) << text;
  }
}

// A client's id may have what text gives a meaning to; ours is not looked at.
TEST_F(AccessLogTest, AnIdThatWasReceivedIsEscaped) {
  record.request_id = "a=b";
  EXPECT_THAT(written_as(AccessFormat::Text), HasSubstr(" request_id=\"a=b\""));
  record.request_id = "0199-ours";
  record.made_request_id = true;
  EXPECT_THAT(written_as(AccessFormat::Text), HasSubstr(" request_id=0199-ours "));
  EXPECT_THAT(written_as(AccessFormat::Json), HasSubstr(",\"request_id\":\"0199-ours\""));
  record.request_id = "";
  EXPECT_THAT(written_as(AccessFormat::Text), Not(HasSubstr("request_id")));
}

TEST_F(AccessLogTest, WritesWholeLinesAndKeepsWhatAFullPipeDoesNotTake) {
  ASSERT_GE(fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  AccessLog log(with_format(AccessFormat::Json));
  constexpr int kLines = 500;
  for (int i = 0; i < kLines; ++i) log.write(record);
  std::string all;
  do {
    log.flush();
    const std::string got = read_some();
    ASSERT_FALSE(got.empty());
    EXPECT_EQ(got.back(), '\n') << "a line was torn";
    all += got;
  } while (log.pending());
  all += read_some();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), kLines);
}

/// With a block, to see what is counted.
class AccessLogDrops : public AccessLogTest {
 protected:
  AccessLogDrops() : block(stats::Block::create({.routes = {}, .services = {}, .methods = {"GET"}}).value()) {}
  [[nodiscard]] uint64_t dropped() const { return block.snapshot()[stats::Counter::AccessLogDropped]; }
  AccessLog::Setup to_file(const std::string& path) const {
    AccessLog::Setup setup = with_format(AccessFormat::Text);
    setup.options.file = path;
    setup.file = platform::open_to_append(path).value();
    setup.stats = block.writer();
    return setup;
  }
  stats::Block block;
};

TEST_F(AccessLogDrops, AReaderThatNeverReadsCostsLinesAndNoTime) {
  AccessLog::Setup setup = with_format(AccessFormat::Text);
  setup.stats = block.writer();
  AccessLog log(std::move(setup));
  constexpr uint64_t kLines = 20'000;
  for (uint64_t i = 0; i < kLines; ++i) {
    log.write(record);
    if (i % 16 == 0) log.flush();  // returns, or this test never ends
  }
  EXPECT_GT(dropped(), 0U);
  std::string all;
  for (std::string got = read_some(); !got.empty() || log.pending(); got = read_some()) {
    all += got;
    log.flush();
  }
  EXPECT_EQ(static_cast<uint64_t>(std::count(all.begin(), all.end(), '\n')) + dropped(), kLines);
  log::start("test", LogLevel::Info, LogFormat::Text);
  log.tell_drops(1);
  const std::string told = read_some();
  EXPECT_THAT(told, HasSubstr("access log: lines were dropped"));
  EXPECT_THAT(told, HasSubstr("lines=" + std::to_string(dropped())));
  log.tell_drops(60'000);
  EXPECT_EQ(read_some(), "") << "nothing new";
}

TEST_F(AccessLogDrops, WhatWaitsAtTheEndIsCounted) {
  ASSERT_GE(fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  AccessLog::Setup setup = with_format(AccessFormat::Text);
  setup.stats = block.writer();
  AccessLog log(std::move(setup));
  constexpr uint64_t kLines = 200;
  for (uint64_t i = 0; i < kLines; ++i) log.write(record);
  EXPECT_EQ(dropped(), 0U);
  log.close();
  EXPECT_FALSE(log.pending());
  // That lines were dropped is told if the pipe has room for it.
  std::istringstream all(read_some());
  uint64_t written = 0;
  for (std::string line; std::getline(all, line);) written += line.find("lines were dropped") == std::string::npos;
  EXPECT_EQ(written + dropped(), kLines);
  EXPECT_GT(dropped(), 0U);
}

TEST_F(AccessLogDrops, AFullDiskCostsLinesAndNoMore) {
  AccessLog log(to_file("/dev/full"));
  for (int i = 0; i < 5; ++i) log.write(record);
  log.flush();
  EXPECT_FALSE(log.pending());
  EXPECT_EQ(dropped(), 5U);
  log::start("test", LogLevel::Info, LogFormat::Text);
  log.tell_drops(1);
  EXPECT_THAT(read_some(), HasSubstr("No space left on device"));
}

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "restgate-log-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Files grow no further than this while it lives, as if the disk were full.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &saved_);
    const rlimit limit{bytes, saved_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &saved_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  void (*before_)(int);
  rlimit saved_{};
};

TEST_F(AccessLogDrops, ALineThatTheDiskTookInPartIsEndedBeforeTheNext) {
  const TempDirectory directory;
  AccessLog log(to_file(directory.file("log")));
  {
    const FileLimit limit(100);
    log.write(record);
    log.write(record);
    log.flush();
    EXPECT_EQ(dropped(), 2U);
  }
  record.path = "/later";
  log.write(record);
  log.flush();
  const std::string text = content(directory.file("log"));
  EXPECT_THAT(text.substr(100), MatchesRegex("\n20.*path=/later .*\n"));
  EXPECT_EQ(dropped(), 2U);
}

TEST_F(AccessLogDrops, ItGoesOnInTheFileThatIsOpenedAnew) {
  const TempDirectory directory;
  const std::string path = directory.file("log");
  AccessLog log(to_file(path));
  log.write(record);
  std::filesystem::rename(path, path + ".1");
  log.reopen(platform::open_to_append(path).value());
  record.path = "/second";
  log.write(record);
  log.flush();
  EXPECT_THAT(content(path + ".1"), HasSubstr("path=\"/a\\\"b\""));
  EXPECT_THAT(content(path), HasSubstr("path=/second"));
  EXPECT_THAT(content(path), Not(HasSubstr("path=\"/a\\\"b\"")));
  EXPECT_EQ(read_some(), "") << "nothing to standard error";
}

TEST_F(AccessLogDrops, AFileThatCannotBeOpenedCostsLinesUntilItCan) {
  const TempDirectory directory;
  AccessLog::Setup setup = to_file(directory.file("log"));
  setup.file.reset();
  AccessLog log(std::move(setup));
  log.write(record);
  log.flush();
  EXPECT_EQ(dropped(), 1U);
  log.reopen(UniqueFd());
  log.reopen(platform::open_to_append(directory.file("log")).value());
  log.write(record);
  log.flush();
  EXPECT_THAT(content(directory.file("log")), HasSubstr("method=GET"));
  EXPECT_EQ(dropped(), 1U);
}

}  // namespace
}  // namespace restgate::worker
