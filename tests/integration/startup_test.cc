// The command line, and what is said when it cannot start (DESIGN §6): a clear sentence, exit 1, nothing bound.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "integration/support/gateway.h"
#include "integration/support/origin.h"

namespace restgate::itest {
namespace {

Finished run_with_config(const std::string& path, bool check = false) {
  std::vector<std::string> arguments = {"-config", path};
  if (check) arguments.insert(arguments.begin(), "-t");
  return run_gateway({.arguments = arguments, .environment = {}});
}

std::string good_yaml(uint16_t port = 0, uint16_t admin_port = 0) {
  ConfigText config = catch_all("http://127.0.0.1:9");
  return config.set("port", std::to_string(port)).set("admin_port", std::to_string(admin_port)).yaml();
}

TEST(Startup, TakenPortsAreNamed) {
  const Origin taken;
  TempDir directory;
  for (const bool admin : {false, true}) {
    const Finished run =
        run_with_config(directory.write("c.yaml", admin ? good_yaml(0, taken.port()) : good_yaml(taken.port())));
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_NE(run.err.find(std::to_string(taken.port())), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("in use"), std::string::npos) << run.err;
  }
}

TEST(Startup, MissingAndUnreadableFiles) {
  TempDir directory;
  const Finished missing = run_with_config(directory.path() + "/none.yaml");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find(directory.path() + "/none.yaml"), std::string::npos) << missing.err;
  EXPECT_NE(missing.err.find("no such file"), std::string::npos) << missing.err;
  const Finished is_directory = run_with_config(directory.path());
  EXPECT_EQ(is_directory.exit_code, 1);
  EXPECT_FALSE(is_directory.err.empty());
}

TEST(Startup, BadFileIsRefusedBeforeAnythingIsBound) {
  const Origin taken;
  TempDir directory;
  const std::string path = directory.write("bad.yaml", good_yaml(taken.port()) + "        colour: red\n");
  const Finished run = run_with_config(path);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find(path + ":"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("colour"), std::string::npos) << run.err;
  EXPECT_EQ(run.err.find("in use"), std::string::npos) << "it has tried to bind: " << run.err;
}

TEST(CheckConfig, SaysOkWithCountsAndBindsNothing) {
  const Origin taken;
  TempDir directory;
  ConfigText config = catch_all("http://127.0.0.1:9");
  config.route("second", "GET", "/2").service("other", "http://127.0.0.1:8").route("third", "GET", "/3");
  config.set("port", std::to_string(taken.port())).set("log_format", "text");
  const Finished run = run_with_config(directory.write("c.yaml", config.yaml()), true);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE((run.out + run.err).find("configuration ok: 2 services, 3 routes"), std::string::npos)
      << run.out << run.err;
}

struct Broken {
  std::string name;
  std::string yaml;
  std::string where;              ///< line:column
  std::vector<std::string> says;  ///< all of these
};

// A service with one route; `line` takes the place of the route's pattern line, at 10:9.
std::string with_pattern_line(const std::string& line) {
  return "port: 0\nadmin_port: 0\nlog_level: info\nlog_format: json\nobserved_services:\n  - name: s\n"
         "    service_url: http://127.0.0.1:9\n    routes:\n      - name: r\n        " +
         line + "\n        methods: GET\n";
}

class BrokenFile : public testing::TestWithParam<Broken> {};

TEST_P(BrokenFile, IsExplained) {
  TempDir directory;
  const std::string path = directory.write("broken.yaml", GetParam().yaml);
  for (const bool check : {true, false}) {
    const Finished run = run_with_config(path, check);
    EXPECT_EQ(run.exit_code, 1);
    const std::string text = run.out + run.err;
    EXPECT_NE(text.find(path + ":" + GetParam().where), std::string::npos) << text;
    for (const std::string& part : GetParam().says)
      EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    CheckConfig, BrokenFile,
    testing::Values(
        Broken{"unknown_key", with_pattern_line("patern: /a"), "10:9", {"patern", "did you mean", "pattern", "^"}},
        Broken{"duplicate_key", "port: 0\nport: 1\nobserved_services: []\n", "2:1", {"port"}},
        Broken{"wrong_type", "port: seven\nobserved_services: []\n", "1:7", {"port", "seven"}},
        Broken{"out_of_range", "port: 70000\nobserved_services: []\n", "1:7", {"port", "65535"}},
        Broken{"bad_duration", "idle_timeout: 5 parsecs\nobserved_services: []\n", "1:1", {"idle_timeout"}},
        Broken{"bad_regex", with_pattern_line("pattern: '/a/{x:[}'"), "10:", {"pattern"}},
        Broken{"unbalanced_brace", with_pattern_line("pattern: '/a/{x'"), "10:", {"pattern"}},
        Broken{"no_slash", with_pattern_line("pattern: a"), "10:", {"pattern", "/"}},
        Broken{"tab", "port: 0\n\tadmin_port: 0\n", "2:", {"tab"}},
        Broken{"missing_services", "port: 0\n", "", {"observed_services"}},
        Broken{"same_ports", "port: 8000\nadmin_port: 8000\nobserved_services: []\n", "2:", {"admin_port"}},
        Broken{"bad_url",
               "observed_services:\n  - name: s\n    service_url: ftp://x\n    routes:\n      - name: r\n"
               "        methods: GET\n        pattern: /\n",
               "3:",
               {"service_url", "http"}},
        Broken{
            "same_route_twice",
            with_pattern_line("pattern: /a/{x}") + "      - name: r2\n        methods: GET\n        pattern: /a/{y}\n",
            "14:",
            {"r", "10"}},
        Broken{"not_yaml", "port: [1\n", "", {"broken.yaml"}}),
    [](const testing::TestParamInfo<Broken>& row) { return row.param.name; });

TEST(CheckConfig, TellsAllErrorsAtOnce) {
  TempDir directory;
  const std::string path = directory.write(
      "c.yaml", "port: x\nadmin_port: y\nidle_timeout: z\n" + with_pattern_line("pattern: a").substr(23));
  const Finished run = run_with_config(path, true);
  EXPECT_EQ(run.exit_code, 1);
  for (const char* where : {":1:7", ":2:13", ":3:15"})
    EXPECT_NE(run.err.find(path + where), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("pattern"), std::string::npos) << run.err;
}

TEST(CommandLine, VersionAndHelp) {
  for (const char* flag : {"-version", "--version"}) {
    const Finished run = run_gateway({.arguments = {flag}, .environment = {}});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_TRUE(run.out.starts_with("restgate ")) << run.out;
  }
  for (const char* flag : {"-help", "--help"}) {
    const Finished run = run_gateway({.arguments = {flag}, .environment = {}});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_NE((run.out + run.err).find("-config"), std::string::npos);
  }
}

TEST(CommandLine, WrongUsageIsExplained) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-confg", "x"}, {"x.yaml"}, {"-config"}, {"-t=yes"}, {}}) {
    const Finished run = run_gateway({.arguments = arguments, .environment = {}});
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_FALSE(run.err.empty());
  }
}

TEST(CommandLine, EverySpellingOfTheConfigFlagAndTheEnvironment) {
  TempDir directory;
  const std::string path = directory.write("c.yaml", good_yaml());
  const std::string none = directory.path() + "/none.yaml";
  const std::vector<ProcessOptions> good = {
      {.arguments = {"-t", "-config", path}, .environment = {}},
      {.arguments = {"-t", "--config", path}, .environment = {}},
      {.arguments = {"-t", "-config=" + path}, .environment = {}},
      {.arguments = {"--config=" + path, "-t"}, .environment = {}},
      {.arguments = {"-t"}, .environment = {{"RESTGATE_CONFIG_PATH", path}}},
      {.arguments = {"-t"}, .environment = {{"RESTATE_CONFIG_PATH", path}}},
      {.arguments = {"-t"}, .environment = {{"RESTGATE_CONFIG_PATH", path}, {"RESTATE_CONFIG_PATH", none}}},
      {.arguments = {"-t", "-config", path}, .environment = {{"RESTGATE_CONFIG_PATH", none}}},
  };
  for (const ProcessOptions& options : good) {
    const Finished run = run_gateway(options);
    EXPECT_EQ(run.exit_code, 0) << testing::PrintToString(options.arguments) << run.err;
    const bool legacy = options.environment.contains("RESTATE_CONFIG_PATH") && options.environment.size() == 1;
    EXPECT_EQ(run.err.find("RESTATE_CONFIG_PATH") != std::string::npos, legacy) << run.err;
  }
}

TEST(CommandLine, TheEnvironmentStartsTheGatewayToo) {
  TempDir directory;
  const std::string path = directory.write("c.yaml", good_yaml());
  Process process(gateway_binary(), {.arguments = {}, .environment = {{"RESTATE_CONFIG_PATH", path}}});
  bool warned = false;
  process.await_err(
      [&](const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
          const Json record = Json::parse(line);
          if (record.at("msg").get<std::string>().find("RESTATE_CONFIG_PATH") != std::string::npos)
            warned = record.at("level") == "warn";
          if (record.at("msg") == "serving") return true;
        }
        return false;
      },
      "serving");
  EXPECT_TRUE(warned);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait_exit(), 0);
}

TEST(Startup, TheExampleConfigurationIsGood) {
  const Finished run = run_with_config(std::string(RESTGATE_SOURCE_DIR) + "/config/restgate.example.yaml", true);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE((run.out + run.err).find("configuration ok"), std::string::npos);
}

}  // namespace
}  // namespace restgate::itest
