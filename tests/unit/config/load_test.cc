// Files: what load() says of those that are not there, not readable or not files, and that it leaves nothing behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "common/unique_fd.h"
#include "config/error_rows.h"
#include "config/parser.h"

namespace restgate::config {
namespace {

using testing::HasSubstr;

/// A directory of its own for each test.
class Load : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/restgate_load_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::string said_of(const std::string& path) {
    const LoadResult result = load(path);
    return result ? "accepted" : to_string(result.error());
  }

  std::string directory_;
};

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST_F(Load, ReadsAFileAndKeepsNoDescriptor) {
  const std::string good = write("good.yaml", with_services(""));
  const std::string bad = write("bad.yaml", "port: x\n");
  const size_t before = open_descriptors();
  EXPECT_EQ(said_of(good), "accepted");
  EXPECT_THAT(said_of(bad), HasSubstr(bad + ":1:7: port: expected a whole number"));
  EXPECT_THAT(said_of(directory_), HasSubstr("this is a directory"));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Load, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(said_of(directory_ + "/none.yaml"), directory_ + "/none.yaml: there is no such file");
  EXPECT_EQ(said_of(directory_), directory_ + ": this is a directory, not a file");
  EXPECT_EQ(said_of(""), ": there is no such file");
  const std::string file = write("file", "");
  EXPECT_EQ(said_of(file), file + ": the file is empty");
  EXPECT_EQ(said_of(file + "/x"), file + "/x: cannot open the file: Not a directory");
}

TEST_F(Load, SaysThatPermissionIsMissing) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string path = write("secret.yaml", "port: 1\n");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  EXPECT_EQ(said_of(path), path + ": permission denied: this user may not read the file");
}

TEST_F(Load, RefusesAFileThatIsTooLarge) {
  const std::string path = write("large.yaml", "");
  std::filesystem::resize_file(path, kMaxFileBytes + 1);
  EXPECT_EQ(said_of(path), path + ": the file is larger than 16 MiB");
  EXPECT_EQ(said_of("/dev/zero"), "/dev/zero: the file is larger than 16 MiB");
}

TEST_F(Load, ReadsAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const std::string text = with_services("");
  ASSERT_EQ(::write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  write_end.reset();
  EXPECT_EQ(said_of("/dev/fd/" + std::to_string(read_end.get())), "accepted");
}

TEST_F(Load, IsNotHeldUpByAPipeWithoutAWriter) {
  const std::string path = directory_ + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(said_of(path), path + ": the file is empty");
}

TEST_F(Load, LooksForTheFilesThatTlsNames) {
  const std::string ca = write("ca.pem", "x");
  const auto config = [this](const std::string& file) {
    return write("gate.yaml", with_routes("    service_url: https://a\n    tls: {ca_file: '" + file + "'}"));
  };
  EXPECT_EQ(said_of(config(ca)), "accepted");
  EXPECT_THAT(said_of(config(directory_ + "/no.pem")),
              HasSubstr(":4:20: observed_services[0].tls.ca_file: cannot read '" + directory_.substr(0, 20)));
}

}  // namespace
}  // namespace restgate::config
