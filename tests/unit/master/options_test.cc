#include "master/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace restgate::master {
namespace {

using Mode = Options::Mode;
using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Result<Options, UsageError> parse(const std::vector<const char*>& args, const Variables& variables = {}) {
  return parse_options(args, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  });
}

struct GoodCase {
  std::vector<const char*> args;
  Variables variables;
  Mode mode;
  std::string path;
};

TEST(Options, Accepts) {
  const Variables both = {{"RESTGATE_CONFIG_PATH", "new.yaml"}, {"RESTATE_CONFIG_PATH", "old.yaml"}};
  const std::vector<GoodCase> cases = {
      {{"-config", "a.yaml"}, {}, Mode::Run, "a.yaml"},
      {{"--config", "a.yaml"}, {}, Mode::Run, "a.yaml"},
      {{"-config=a.yaml"}, {}, Mode::Run, "a.yaml"},
      {{"--config=a.yaml"}, {}, Mode::Run, "a.yaml"},
      {{"-config=a=b.yaml"}, {}, Mode::Run, "a=b.yaml"},
      {{"-config", "a.yaml", "-config", "b.yaml"}, {}, Mode::Run, "b.yaml"},
      {{"-config", "a.yaml"}, both, Mode::Run, "a.yaml"},
      {{}, both, Mode::Run, "new.yaml"},
      {{}, {{"RESTATE_CONFIG_PATH", "old.yaml"}}, Mode::Run, "old.yaml"},
      {{}, {{"RESTGATE_CONFIG_PATH", ""}, {"RESTATE_CONFIG_PATH", "old.yaml"}}, Mode::Run, "old.yaml"},
      {{"-t", "-config", "a.yaml"}, {}, Mode::CheckConfig, "a.yaml"},
      {{"-config", "a.yaml", "--t"}, {}, Mode::CheckConfig, "a.yaml"},
      {{"-t"}, both, Mode::CheckConfig, "new.yaml"},
      {{"-version"}, {}, Mode::Version, ""},
      {{"--version"}, both, Mode::Version, ""},
      {{"-v"}, {}, Mode::Version, ""},
      {{"-help"}, {}, Mode::Help, ""},
      {{"--help"}, {}, Mode::Help, ""},
      {{"-h"}, {}, Mode::Help, ""},
      {{"-version", "-help"}, {}, Mode::Help, ""},
      {{"demo"}, {}, Mode::Demo, ""},
      {{"demo", "-port", "1"}, {}, Mode::Demo, ""},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto result = parse(cases[i].args, cases[i].variables);
    ASSERT_TRUE(result.ok()) << "case " << i << ": " << result.error().message;
    EXPECT_EQ(result.value().mode, cases[i].mode) << "case " << i;
    EXPECT_EQ(result.value().config_path, cases[i].path) << "case " << i;
  }
}

TEST(Options, Reload) {
  const Variables variables = {{"RESTGATE_CONFIG_PATH", "env.yaml"}};
  struct Case {
    std::vector<const char*> args;
    std::string path;
    bool by_flag;
    std::string socket;
  };
  const std::vector<Case> cases = {
      {{"reload"}, "env.yaml", false, ""},
      {{"reload", "-config", "a.yaml"}, "a.yaml", true, ""},
      {{"reload", "-config=a.yaml", "--socket", "/s"}, "a.yaml", true, "/s"},
      {{"reload", "-socket=/s"}, "", false, "/s"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto result = parse(cases[i].args, variables);
    ASSERT_TRUE(result.ok()) << "case " << i << ": " << result.error().message;
    EXPECT_EQ(result->mode, Mode::Reload) << "case " << i;
    EXPECT_EQ(result->config_path, cases[i].path) << "case " << i;
    EXPECT_EQ(result->config_by_flag, cases[i].by_flag) << "case " << i;
    EXPECT_EQ(result->socket, cases[i].socket) << "case " << i;
  }
  EXPECT_EQ(parse({"reload", "-help"}).value().mode, Mode::Help);
}

TEST(Options, WarnsOfTheLegacyVariableOnlyWhereItIsUsed) {
  EXPECT_EQ(parse({}, {{"RESTATE_CONFIG_PATH", "old.yaml"}}).value().warnings.size(), 1U);
  EXPECT_EQ(parse({}, {{"RESTGATE_CONFIG_PATH", "n"}, {"RESTATE_CONFIG_PATH", "o"}}).value().warnings.size(), 0U);
  EXPECT_EQ(parse({"-config", "c"}, {{"RESTATE_CONFIG_PATH", "o"}}).value().warnings.size(), 0U);
  EXPECT_EQ(parse({"-version"}, {{"RESTATE_CONFIG_PATH", "o"}}).value().warnings.size(), 0U);
}

struct BadCase {
  std::vector<const char*> args;
  const char* message;
};

TEST(Options, RefusesWithASentence) {
  const std::vector<BadCase> cases = {
      {{}, "-config PATH, or set RESTGATE_CONFIG_PATH"},
      {{"-t"}, "no configuration is given"},
      {{"-config"}, "-config needs the path of a file"},
      {{"-config="}, "-config needs the path of a file"},
      {{"-config", ""}, "-config needs the path of a file"},
      {{"-config", "-t"}, "-config needs the path of a file"},
      {{"-confg", "a"}, "unknown flag -confg (did you mean -config?)"},
      {{"--conf=a"}, "unknown flag --conf (did you mean -config?)"},
      {{"-verison"}, "unknown flag -verison (did you mean -version?)"},
      {{"-hlep"}, "unknown flag -hlep (did you mean -help?)"},
      {{"-wibble"}, "unknown flag -wibble; see restgate -help"},
      {{"-help", "-wibble"}, "unknown flag -wibble"},
      {{"-version=1"}, "-version takes no value"},
      {{"a.yaml"}, "a configuration is given with -config a.yaml"},
      {{"-config", "a.yaml", "demo"}, "unexpected argument 'demo'"},
      {{"dmo"}, "did you mean 'demo'"},
      {{"relod"}, "did you mean 'reload'"},
      {{"-config", "a.yaml", "reload"}, "unexpected argument 'reload'"},
      {{"reload"}, "which gateway? Use -socket PATH"},
      {{"reload", "a.yaml"}, "a configuration is given with -config a.yaml"},
      {{"reload", "-t", "-config", "a.yaml"}, "not together with reload"},
      {{"reload", "-socket"}, "-socket needs the path of a socket"},
      {{"-socket", "/s", "-config", "a.yaml"}, "-socket belongs to restgate reload"},
      {{"start"}, "unexpected argument 'start'; see restgate -help"},
      {{"-"}, "unexpected argument '-'"},
      {{""}, "unexpected argument ''"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto result = parse(cases[i].args);
    ASSERT_FALSE(result.ok()) << "case " << i;
    EXPECT_THAT(result.error().message, HasSubstr(cases[i].message)) << "case " << i;
  }
}

TEST(Options, LeavesTheDemoItsArguments) {
  EXPECT_EQ(parse({"demo", "-port", "8080"}).value().demo_from, 1U);
}

TEST(Options, UsageNamesEveryWay) {
  for (const char* word :
       {"-config", "-t", "demo", "-version", "-help", "RESTGATE_CONFIG_PATH", "HUP", "TERM", "reload", "-socket"})
    EXPECT_THAT(std::string(usage()), HasSubstr(word));
}

}  // namespace
}  // namespace restgate::master
