#include "common/platform/cpus.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace restgate::platform {
namespace {

using Files = std::map<std::string, std::string>;

std::optional<double> quota_with(const Files& files) {
  return cgroup_cpu_quota([&files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  });
}

constexpr char kV2Mount[] = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kV1Mount[] =
    "25 20 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "26 20 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n";

struct QuotaCase {
  const char* name;
  Files files;
  std::optional<double> quota;
};

class Quota : public testing::TestWithParam<QuotaCase> {};

TEST_P(Quota, IsFound) {
  EXPECT_EQ(quota_with(GetParam().files), GetParam().quota);
}

INSTANTIATE_TEST_SUITE_P(
    Cgroups, Quota,
    testing::Values(
        QuotaCase{"nothing", {}, std::nullopt},
        QuotaCase{"v2_none",
                  {{"/proc/self/cgroup", "0::/a\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}},
                  std::nullopt},
        QuotaCase{"v2_own",
                  {{"/proc/self/cgroup", "0::/a\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/a/cpu.max", "150000 100000\n"}},
                  1.5},
        QuotaCase{"v2_a_parent_is_smaller",
                  {{"/proc/self/cgroup", "0::/a/b/c\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n"},
                   {"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                   {"/sys/fs/cgroup/a/cpu.max", "200000 100000\n"}},
                  2.0},
        QuotaCase{"v2_in_a_namespace",
                  {{"/proc/self/cgroup", "0::/\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}},
                  0.5},
        QuotaCase{"v2_outside_of_the_namespace",
                  {{"/proc/self/cgroup", "0::/../x\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/cpu.max", "300000 100000\n"}},
                  3.0},
        QuotaCase{"v2_garbage",
                  {{"/proc/self/cgroup", "0::/a\n"},
                   {"/proc/self/mountinfo", kV2Mount},
                   {"/sys/fs/cgroup/a/cpu.max", "lots\n"}},
                  std::nullopt},
        QuotaCase{"v1_own",
                  {{"/proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/k/p\n0::/\n"},
                   {"/proc/self/mountinfo", kV1Mount},
                   {"/sys/fs/cgroup/cpu,cpuacct/k/p/cpu.cfs_quota_us", "250000\n"},
                   {"/sys/fs/cgroup/cpu,cpuacct/k/p/cpu.cfs_period_us", "100000\n"}},
                  2.5},
        QuotaCase{"v1_none",
                  {{"/proc/self/cgroup", "4:cpu,cpuacct:/\n"},
                   {"/proc/self/mountinfo", kV1Mount},
                   {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                   {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}},
                  std::nullopt},
        // A container without a cgroup namespace: /proc names the host's path, the mount shows that group as its root.
        QuotaCase{
            "v1_mount_of_a_part",
            {{"/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc/inner\n"},
             {"/proc/self/mountinfo", "26 20 0:23 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"}},
            2.0},
        QuotaCase{
            "v1_mount_of_another_part",
            {{"/proc/self/cgroup", "4:cpu,cpuacct:/docker/abcdef\n"},
             {"/proc/self/mountinfo", "26 20 0:23 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"}},
            2.0},
        QuotaCase{"mountinfo_garbage",
                  {{"/proc/self/cgroup", "0::/\n"}, {"/proc/self/mountinfo", "\n- - -\n30 23 0:26 / /sys rw -\n"}},
                  std::nullopt}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Cpus, AreTheSmallerOfAffinityAndQuota) {
  EXPECT_EQ(cpus_within(8, std::nullopt), 8U);
  EXPECT_EQ(cpus_within(8, 2.0), 2U);
  EXPECT_EQ(cpus_within(8, 2.1), 3U);
  EXPECT_EQ(cpus_within(8, 0.05), 1U);
  EXPECT_EQ(cpus_within(2, 16.0), 2U);
  EXPECT_EQ(cpus_within(0, std::nullopt), 1U);
}

TEST(Cpus, AreAtLeastOneHere) {
  EXPECT_GE(available_cpus(), 1U);
}

}  // namespace
}  // namespace restgate::platform
