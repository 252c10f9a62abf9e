#include "worker/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string>

namespace restgate::worker {
namespace {

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

  AccessRecord record = {.method = "GET",
                         .path = "/a\"b",
                         .route = "r",
                         .service = "s",
                         .client = "192.0.2.1",
                         .reason = "",
                         .status = 200,
                         .bytes = 12,
                         .duration_us = 1'000'234};
  UniqueFd reader;
  UniqueFd saved;
};

TEST_F(AccessLogTest, WritesJsonWithEveryField) {
  AccessLog log(true, LogFormat::Json, {}, 7);
  log.write(record);
  record.reason = "client_closed";
  log.write(record);
  log.flush();
  const std::string text = read_some();
  const std::string tail =
      "\"method\":\"GET\",\"path\":\"/a\\\"b\",\"route\":\"r\",\"service\":\"s\",\"status\":200,\"bytes\":12,"
      "\"duration\":1.000234,\"client\":\"192.0.2.1\"";
  const std::string process = ",\"pid\":" + std::to_string(getpid()) + ",\"generation\":7}\n";
  EXPECT_NE(text.find(tail + process), std::string::npos) << text;
  EXPECT_NE(text.find(tail + ",\"reason\":\"client_closed\"" + process), std::string::npos) << text;
  EXPECT_EQ(text.find("{\"time\":\"2"), 0U);
}

TEST_F(AccessLogTest, WritesText) {
  AccessLog log(true, LogFormat::Text, {}, 1);
  log.write(record);
  log.flush();
  const std::string text = read_some();
  EXPECT_NE(text.find(" INFO  request method=GET path=\"/a\\\"b\" route=r service=s status=200 bytes=12 "
                      "duration=1.000234 client=192.0.2.1 pid="),
            std::string::npos)
      << text;
}

TEST_F(AccessLogTest, SwitchedOffItWritesNothing) {
  AccessLog log(false, LogFormat::Text, {}, 1);
  log.write(record);
  EXPECT_FALSE(log.pending());
}

TEST_F(AccessLogTest, ALineFitsIntoOneWriteWhateverTheClientSends) {
  const std::string long_path = "/" + std::string(60'000, '"');
  const std::string long_method(60'000, 'M');
  record.path = long_path;
  record.method = long_method;
  for (const LogFormat format : {LogFormat::Json, LogFormat::Text}) {
    AccessLog log(true, format, {}, 1);
    log.write(record);
    log.flush();
    const std::string text = read_some();
    EXPECT_LE(text.size(), static_cast<size_t>(PIPE_BUF));
    EXPECT_EQ(text.back(), '\n');
    EXPECT_NE(text.find("...\""), std::string::npos);
  }
}

TEST_F(AccessLogTest, WritesWholeLinesAndKeepsWhatAFullPipeDoesNotTake) {
  ASSERT_GE(fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  AccessLog log(true, LogFormat::Json, {}, 1);
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

}  // namespace
}  // namespace restgate::worker
