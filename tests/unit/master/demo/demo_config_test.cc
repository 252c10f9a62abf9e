#include "master/demo/demo_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace restgate::demo {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(DemoConfig, NamesThePorts) {
  const std::string text = demo_config({.gateway = 7100, .admin = 9100, .origin = 34567});
  EXPECT_THAT(text, AllOf(HasSubstr("port: 7100\n"), HasSubstr("admin_port: 9100\n"),
                          HasSubstr("service_url: http://127.0.0.1:34567\n"), Not(HasSubstr("%"))));
}

TEST(DemoGreeting, NamesTheUrls) {
  const std::string text = demo_greeting({.gateway = 7100, .admin = 9100, .origin = 34567});
  EXPECT_THAT(text, AllOf(HasSubstr("curl -N http://127.0.0.1:7100/events"), HasSubstr("http://127.0.0.1:9100/metrics"),
                          Not(HasSubstr("34567")), Not(HasSubstr("%"))));
}

}  // namespace
}  // namespace restgate::demo
