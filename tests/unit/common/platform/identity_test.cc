#include "common/platform/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>

namespace restgate::platform {
namespace {

using testing::HasSubstr;

constexpr uid_t kNobody = 4'000'000'001;  // no system has it

/// The exit code of a child that runs `body`.
int in_child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// A field of /proc/self/status.
std::string status_field(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

TEST(Identity, FindsUsersByNameAndNumber) {
  const auto by_name = find_user("root");
  ASSERT_TRUE(by_name.ok()) << by_name.error().message;
  EXPECT_EQ(by_name->uid, 0U);
  EXPECT_EQ(by_name->gid, 0U);
  const auto by_number = find_user("0");
  ASSERT_TRUE(by_number.ok());
  EXPECT_EQ(by_number->name, "root");
  EXPECT_FALSE(by_number->needs_group);
  const auto nobodys = find_user(std::to_string(kNobody));
  ASSERT_TRUE(nobodys.ok());
  EXPECT_EQ(nobodys->uid, kNobody);
  EXPECT_TRUE(nobodys->needs_group);
}

TEST(Identity, SaysWhatThereIsNot) {
  EXPECT_THAT(find_user("no-such-user").error().message, HasSubstr("no such user"));
  EXPECT_THAT(find_user("").error().message, HasSubstr("no such user"));
  EXPECT_THAT(find_user("-1").error().message, HasSubstr("no such user"));
  EXPECT_THAT(find_user("4294967295").error().message, HasSubstr("no user number"));
  EXPECT_THAT(find_user("99999999999999999999").error().message, HasSubstr("no user number"));
  EXPECT_THAT(find_group("no-such-group").error().message, HasSubstr("no such group"));
  EXPECT_THAT(find_group("4294967295").error().message, HasSubstr("no group number"));
  EXPECT_EQ(find_group("root").value(), 0U);
  EXPECT_EQ(find_group("7").value(), 7U);
}

TEST(Identity, TheGroupIsAmongTheGroups) {
  EXPECT_THAT(identity_of(find_user("root").value(), 4711).groups, testing::Contains(4711U));
  EXPECT_EQ(identity_of({kNobody, 0, "", true}, 4711), (Identity{kNobody, 4711, {4711}}));
}

TEST(Identity, ItsOwnIsAlwaysAllowed) {
  EXPECT_TRUE(check_may_become(current_identity()).ok());
  EXPECT_EQ(in_child([] { return become(current_identity()).ok() && geteuid() == current_identity().uid ? 0 : 1; }), 0);
}

class ChangeOfUser : public testing::Test {
 protected:
  void SetUp() override {
    if (!check_may_become(other_).ok()) GTEST_SKIP() << "needs root";
  }
  const Identity other_{kNobody, kNobody + 1, {kNobody + 1, kNobody + 2}};
};

TEST_F(ChangeOfUser, IsCompleteAndForEver) {
  const int step = in_child([this] {
    if (!become(other_).ok()) return 1;
    if (current_identity() != other_ || getuid() != other_.uid || getgid() != other_.gid) return 2;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return 3;
    for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
      if (status_field(set) != "0000000000000000") return 4;
    return prctl(PR_GET_DUMPABLE) == 1 ? 0 : 5;
  });
  EXPECT_EQ(step, 0);
}

TEST_F(ChangeOfUser, WhoHasChangedMayNotChangeAgain) {
  const int step = in_child([this] {
    if (!become(other_).ok()) return 1;
    if (!check_may_become(other_).ok()) return 2;
    const Status refused = check_may_become({kNobody + 5, kNobody + 5, {}});
    if (refused.ok() || refused.error().message.find("CAP_SETUID, CAP_SETGID, CAP_KILL") == std::string::npos) return 3;
    if (become({kNobody + 5, kNobody + 5, {kNobody + 5}}).ok()) return 4;
    return current_identity() == other_ ? 0 : 5;
  });
  EXPECT_EQ(step, 0);
}

TEST(NewPrivileges, AreForbidden) {
  EXPECT_EQ(in_child([] {
              if (!forbid_new_privileges().ok()) return 1;
              return status_field("NoNewPrivs") == "1" ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace restgate::platform
