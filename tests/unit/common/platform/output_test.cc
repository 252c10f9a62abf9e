#include "common/platform/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "common/unique_fd.h"

namespace restgate::platform {
namespace {

TEST(IsPipe, TellsANamedPipeFromAllElse) {
  std::string directory = testing::TempDir() + "restgate-pipe-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/pipe";
  EXPECT_FALSE(is_pipe(path)) << "nothing is there";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(is_pipe(path));
  EXPECT_FALSE(is_pipe(directory));
  unlink(path.c_str());
  rmdir(directory.c_str());
}

TEST(OpenToAppend, AppendsAndMakesTheFile) {
  std::string directory = testing::TempDir() + "restgate-append-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/log";
  for (const char* text : {"one\n", "two\n"}) {
    auto file = open_to_append(path);
    ASSERT_TRUE(file) << file.error().message;
    SharedOutput output(file->get());
    EXPECT_TRUE(output.is_file());
    EXPECT_EQ(output.write(text), 4);
  }
  char bytes[16] = {};
  const UniqueFd back(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read(back.get(), bytes, sizeof bytes), 8);
  EXPECT_STREQ(bytes, "one\ntwo\n");
  EXPECT_NE(open_to_append(directory).error().message.find("Is a directory"), std::string::npos);
  ASSERT_EQ(mkfifo((directory + "/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(open_to_append(directory + "/pipe")) << "nobody reads: it would wait for somebody";
  for (const char* name : {"/log", "/pipe"}) unlink((directory + name).c_str());
  rmdir(directory.c_str());
}

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Ends blocking_pipe() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(pipe(fds), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends blocking_sockets() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// Writes lines until it is refused; returns how many went.
int fill(SharedOutput& output) {
  const std::string line(200, 'x');
  int lines = 0;
  while (output.write(line) == static_cast<ssize_t>(line.size()) && lines < 1'000'000) ++lines;
  return lines;
}

void refuses_instead_of_waiting(Ends ends) {
  SharedOutput output(ends.writer.get());
  EXPECT_GT(fill(output), 0);
  EXPECT_EQ(output.write(std::string(200, 'y')), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_FALSE(output.wait(0));
  EXPECT_EQ(fcntl(ends.writer.get(), F_GETFL) & O_NONBLOCK, 0) << "the mode is everybody's";

  std::string read_back(1 << 20, '\0');
  const ssize_t n = read(ends.reader.get(), read_back.data(), read_back.size());
  EXPECT_GT(n, 0);
  EXPECT_TRUE(output.wait(0));
  EXPECT_EQ(output.write("again"), 5);
}

TEST(SharedOutput, APipeRefusesInsteadOfWaiting) {
  refuses_instead_of_waiting(blocking_pipe());
}

TEST(SharedOutput, ASocketRefusesInsteadOfWaiting) {
  refuses_instead_of_waiting(blocking_sockets());
}

TEST(SharedOutput, AClosedPipeOrSocketIsAnError) {
  signal(SIGPIPE, SIG_IGN);
  Ends pipe_ends = blocking_pipe();
  Ends socket_ends = blocking_sockets();
  for (Ends* ends : {&pipe_ends, &socket_ends}) {
    ends->reader.reset();
    SharedOutput output(ends->writer.get());
    EXPECT_EQ(output.write("x"), -1);
    EXPECT_EQ(errno, EPIPE);
  }
}

TEST(SharedOutput, AFileTakesEverything) {
  const UniqueFd file(memfd_create("test", MFD_CLOEXEC));
  SharedOutput output(file.get());
  EXPECT_EQ(output.write(std::string(100'000, 'x')), 100'000);
  EXPECT_EQ(output.write("y"), 1);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_END), 100'001);
}

TEST(SharedOutput, ADeviceWorks) {
  const UniqueFd device(open("/dev/null", O_WRONLY | O_CLOEXEC));
  SharedOutput output(device.get());
  EXPECT_EQ(output.write("x"), 1);
  EXPECT_EQ(output.write("y"), 1);
}

TEST(SharedOutput, NoDescriptorIsAnError) {
  SharedOutput output(-1);
  EXPECT_EQ(output.write("x"), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace restgate::platform
