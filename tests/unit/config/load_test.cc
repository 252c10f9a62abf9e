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

TEST_F(Load, FindsUserAndGroup) {
  const auto identity = [this](const std::string& keys) {
    const LoadResult result = load(write("gate.yaml", with_services(keys)));
    EXPECT_TRUE(result.ok()) << to_string(result.error());
    return result.ok() ? result->identity : std::nullopt;
  };
  using platform::Identity;
  EXPECT_EQ(identity(""), std::nullopt);
  EXPECT_EQ(identity("user: root")->uid, 0U);
  EXPECT_EQ(identity("user: 0")->gid, 0U);
  EXPECT_EQ(identity("user: 4000000001\ngroup: 4000000002"), (Identity{4000000001U, 4000000002U, {4000000002U}}));
  const auto other_group = identity("user: 'root'\ngroup: \"12345\"");
  EXPECT_EQ(other_group->gid, 12345U);
  EXPECT_THAT(other_group->groups, testing::Contains(12345U));
}

TEST_F(Load, SaysWhichUserOrGroupThereIsNot) {
  const auto said = [this](const std::string& keys) { return said_of(write("gate.yaml", with_services(keys))); };
  EXPECT_THAT(said("user: no such user\ngroup: root"),
              HasSubstr("gate.yaml:1:7: user: 'no such user': this system has no such user"));
  EXPECT_THAT(said("user: root\ngroup: no-such-group"),
              HasSubstr("gate.yaml:2:8: group: 'no-such-group': this system has no such group"));
  EXPECT_THAT(said("user: 4000000001"),
              HasSubstr(":1:7: user: this system knows no user 4000000001: name its group with the key 'group'"));
  EXPECT_THAT(said("user: 4294967295"), HasSubstr(":1:7: user: '4294967295': 4294967295 is no user number"));
}

TEST_F(Load, AsksWhatALaterStageThinks) {
  const std::string path = write("gate.yaml", with_services("user: root"));
  LoadChecks checks;
  checks.identity = [](const platform::Identity& identity) {
    return identity.uid == 0 ? std::optional<std::string>("not as root") : std::nullopt;
  };
  const LoadResult refused = load(path, checks);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(to_string(refused.error()), HasSubstr("gate.yaml:1:7: user: not as root"));

  const std::string tokens = write("gate.yaml", with_services("admin_token_file: /run/token"));
  checks = {};
  checks.admin_token = [](const std::string& file, std::array<uint8_t, 32>& digest) -> std::optional<std::string> {
    digest.fill(7);
    return file == "/run/token" ? std::nullopt : std::optional<std::string>("another file");
  };
  const LoadResult token = load(tokens, checks);
  ASSERT_TRUE(token.ok());
  ASSERT_TRUE(token->admin_token);
  EXPECT_EQ(token->admin_token->front(), 7);
  checks.admin_token = [](const std::string&, std::array<uint8_t, 32>&) { return std::optional<std::string>("empty"); };
  const LoadResult no_token = load(tokens, checks);
  ASSERT_FALSE(no_token.ok());
  EXPECT_THAT(to_string(no_token.error()), HasSubstr("gate.yaml:1:19: admin_token_file: '/run/token': empty"));

  std::string asked;
  checks = {};
  checks.tls = [&](const Service& service, size_t index) {
    asked += service.name + std::to_string(index);
    return service.tls.verify ? std::optional<std::string>("a bad pair") : std::nullopt;
  };
  const LoadResult tls = load(write("gate.yaml", R"(observed_services:
  - {name: a, service_url: "http://a", routes: [{name: a, methods: GET, pattern: /a}]}
  - {name: b, service_url: "https://b", routes: [{name: b, methods: GET, pattern: /b}]}
  - {name: c, service_url: "https://c", routes: [{name: c, methods: GET, pattern: /c}], tls: {server_name: x}}
  - {name: d, service_url: "https://d", routes: [{name: d, methods: GET, pattern: /d}], tls: {verify: false}}
  - {name: e, service_url: "https://e", routes: [{name: e, methods: GET, pattern: /e}], tls: {ca_file: /no/such/file}}
)"),
                              checks);
  ASSERT_FALSE(tls.ok());
  EXPECT_EQ(asked, "b1c2d3") << "not what is no TLS, and not what cannot be read at all";
  const std::string said = to_string(tls.error());
  EXPECT_THAT(said, HasSubstr("gate.yaml:3:28: observed_services[1].service_url: a bad pair"));
  EXPECT_THAT(said, HasSubstr("gate.yaml:4:89: observed_services[2].tls: a bad pair"));
  EXPECT_THAT(said, HasSubstr("observed_services[4].tls.ca_file: cannot read '/no/such/file'"));
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
