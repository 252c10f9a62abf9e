#include "master/demo/demo_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace restgate::demo {
namespace {

using testing::HasSubstr;

Result<DemoOptions, DemoUsageError> parse(const std::vector<const char*>& args) {
  return parse_demo_options(args);
}

TEST(DemoOptions, HaveTheContractsPortsAsDefaults) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->mode, DemoOptions::Mode::Run);
  EXPECT_EQ(options->port, 7000);
  EXPECT_EQ(options->admin_port, 9000);
}

TEST(DemoOptions, TakePortsInEverySpelling) {
  const std::vector<std::vector<const char*>> spellings = {
      {"-port", "80", "-admin-port", "81"}, {"--port", "80", "--admin-port", "81"}, {"-port=80", "--admin-port=81"}};
  for (const auto& args : spellings) {
    const auto options = parse(args);
    ASSERT_TRUE(options) << args[0];
    EXPECT_EQ(options->port, 80);
    EXPECT_EQ(options->admin_port, 81);
  }
}

TEST(DemoOptions, TakeTwoEphemeralPorts) {
  const auto options = parse({"-port", "0", "-admin-port", "0"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->port, 0);
  EXPECT_EQ(options->admin_port, 0);
}

TEST(DemoOptions, KnowTheOtherModes) {
  EXPECT_EQ(parse({"-help"})->mode, DemoOptions::Mode::Help);
  EXPECT_EQ(parse({"-port", "1", "--help"})->mode, DemoOptions::Mode::Help);
  const auto printing = parse({"-print-config", "-port", "1234"});
  EXPECT_EQ(printing->mode, DemoOptions::Mode::PrintConfig);
  EXPECT_EQ(printing->port, 1234);
}

TEST(DemoOptions, SayWhatIsWrong) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"-port"}, "-port takes a port number"},
      {{"-port", "seven"}, "not 'seven'"},
      {{"-port", "65536"}, "not '65536'"},
      {{"-port", "-1"}, "not '-1'"},
      {{"-port", "80x"}, "not '80x'"},
      {{"-admin-port="}, "-admin-port takes a port number"},
      {{"-prot", "80"}, "unknown argument '-prot'"},
      {{"7000"}, "unknown argument '7000'"},
      {{"-port", "9000"}, "must differ"},
  };
  for (const auto& [args, message] : cases) {
    const auto options = parse(args);
    ASSERT_FALSE(options) << message;
    EXPECT_THAT(options.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace restgate::demo
