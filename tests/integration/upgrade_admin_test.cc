// SIGUSR2 and who asks at the admin port meanwhile: a probe or a scrape notices nothing.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

constexpr std::string_view kProbe = "GET /healthz HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";

class UpgradeAdmin : public testing::Test {
 protected:
  void await(const std::string& message) {
    gateway_.await_log([&](const Json& record) { return record.value("msg", "") == message; }, message, &seen_);
  }
  [[nodiscard]] Stream connect() const { return Stream::connect(gateway_.admin_port()); }

  HandlerOrigin origin_{always("x")};
  Gateway gateway_{catch_all(origin_.url())};

 private:
  size_t seen_ = 0;
};

TEST_F(UpgradeAdmin, WaitsForTheRestOfARequest) {
  Stream client = connect();
  client.send(kProbe.substr(0, 20));
  EXPECT_EQ(gateway_.admin("/healthz").status(), 200);  // behind it: the first one has been accepted
  gateway_.signal(SIGUSR2);
  await("upgrade: waits for clients of the admin port");
  Stream late = connect();
  late.send(kProbe);
  client.send(kProbe.substr(20));
  EXPECT_EQ(client.read_response().status(), 200);
  EXPECT_EQ(late.read_response().status(), 200) << "by the new program";
  await("upgrade finished");
  gateway_.stop();
}

TEST_F(UpgradeAdmin, WaitsForAFirstRequestButNotForEver) {
  const Stream silent = connect();
  EXPECT_EQ(gateway_.admin("/healthz").status(), 200);
  gateway_.signal(SIGUSR2);
  await("upgrade: waits for clients of the admin port");
  await("upgrade finished");
  gateway_.stop();
}

TEST_F(UpgradeAdmin, DoesNotWaitForAConnectionThatIsKept) {
  Stream kept = connect();
  kept.send("GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n");
  EXPECT_EQ(kept.read_response().status(), 200);
  gateway_.signal(SIGUSR2);
  await("upgrade finished");
  for (const Json& record : gateway_.logs())
    EXPECT_NE(record.value("msg", ""), "upgrade: waits for clients of the admin port");
  kept.expect_end();
  EXPECT_EQ(gateway_.admin("/healthz").status(), 200);
  gateway_.stop();
}

}  // namespace
}  // namespace restgate::itest
