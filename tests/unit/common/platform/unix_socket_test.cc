#include "common/platform/unix_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace restgate::platform {
namespace {

using testing::HasSubstr;

class UnixSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/restgate_socket_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/s";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::string path_;
};

TEST_F(UnixSocket, IsForItsOwnerAlone) {
  const mode_t before = umask(0);
  const auto listener = listen_unix(path_);
  umask(before);
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  struct stat info {};
  ASSERT_EQ(lstat(path_.c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(UnixSocket, Connects) {
  const auto listener = listen_unix(path_);
  ASSERT_TRUE(listener.ok());
  const auto client = connect_unix(path_);
  ASSERT_TRUE(client.ok()) << client.error().message;
  const UniqueFd server(accept(listener->get(), nullptr, nullptr));
  ASSERT_TRUE(server);
  EXPECT_EQ(send(client->get(), "x", 1, 0), 1);
  char byte = 0;
  EXPECT_EQ(recv(server.get(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(UnixSocket, ADeadOneIsReplacedALiveOneNever) {
  auto first = listen_unix(path_);
  ASSERT_TRUE(first.ok());
  const auto first_id = file_id(path_);
  const auto refused = listen_unix(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr(path_ + " is in use by another process"));
  EXPECT_EQ(file_id(path_), first_id);
  first->reset();
  const auto second = listen_unix(path_);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_TRUE(connect_unix(path_).ok());
}

TEST_F(UnixSocket, ALiveOneWithAFullQueueIsAliveAllTheSame) {
  const auto first = listen_unix(path_);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(listen(first->get(), 0), 0);
  const auto waiting = connect_unix(path_);
  ASSERT_TRUE(waiting.ok());
  EXPECT_THAT(listen_unix(path_).error().message, HasSubstr("is in use"));
}

TEST_F(UnixSocket, WhatIsNoSocketStays) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(listen_unix(path_).error().message, HasSubstr(path_ + " is there already, and is no socket"));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(directory_ + "/elsewhere", path_);
  EXPECT_THAT(listen_unix(path_).error().message, HasSubstr("is no socket"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(UnixSocket, SaysWhatIsWrongWithThePath) {
  EXPECT_THAT(listen_unix(directory_ + "/none/s").error().message, HasSubstr("No such file or directory"));
  EXPECT_THAT(listen_unix("/" + std::string(107, 'x')).error().message, HasSubstr("no path for a unix socket"));
  EXPECT_THAT(listen_unix("").error().message, HasSubstr("no path for a unix socket"));
  EXPECT_THAT(connect_unix(path_).error().message, HasSubstr(path_ + ": No such file or directory"));
  EXPECT_EQ(file_id(path_), std::nullopt);
}

}  // namespace
}  // namespace restgate::platform
