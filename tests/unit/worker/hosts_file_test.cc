#include "worker/hosts_file.h"

#include <gtest/gtest.h>

namespace restgate::worker {
namespace {

std::vector<std::string> texts(const std::vector<platform::Address>& addresses) {
  std::vector<std::string> result;
  for (const auto& address : addresses) result.push_back(address.to_string());
  return result;
}

using Texts = std::vector<std::string>;

TEST(HostsFile, FindsNamesAndAliases) {
  const auto hosts = HostsFile::parse(
      "# a comment\n"
      "127.0.0.1 localhost\n"
      "\t10.0.0.1\tBackend.Test  alias # the rest\n"
      "2001:db8::1 backend.test\n"
      "fe80::1%lo  link.test\r\n"
      "not-an-address nobody.test\n"
      "10.0.0.9\n"
      "10.0.0.2 backend.test");
  EXPECT_EQ(texts(hosts.find("backend.TEST")), (Texts{"10.0.0.1:0", "[2001:db8::1]:0", "10.0.0.2:0"}));
  EXPECT_EQ(texts(hosts.find("alias")), (Texts{"10.0.0.1:0"}));
  EXPECT_EQ(texts(hosts.find("localhost")), (Texts{"127.0.0.1:0"}));
  EXPECT_EQ(texts(hosts.find("link.test")), (Texts{"[fe80::1]:0"}));
  for (const char* unknown : {"", "nobody.test", "the", "backend", "10.0.0.1"})
    EXPECT_TRUE(hosts.find(unknown).empty());
}

TEST(HostsFile, AFileThatIsNotThereIsEmpty) {
  EXPECT_TRUE(HostsFile::read("/nonexistent/hosts").find("localhost").empty());
}

}  // namespace
}  // namespace restgate::worker
