// What is generated from the tables of keys is what stands in the tree. UPDATE_GENERATED=1 writes it anew.
#include "config/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "config/error_rows.h"
#include "config/keys.h"
#include "config/parser.h"

namespace restgate::config {
namespace {

/// A file that is generated between two lines of it.
struct Place {
  const char* file;
  std::string_view begin;
  std::string_view end;
  std::string (*generate)();
};

constexpr Place kReadme = {"README.md", "<!-- config-reference:begin -->\n", "<!-- config-reference:end -->",
                           reference_markdown};
constexpr Place kManual = {"packaging/man/restgate.yaml.5", ".\\\" config-reference:begin\n",
                           ".\\\" config-reference:end\n", reference_man};
constexpr const char* kHint = "run this test with UPDATE_GENERATED=1 after a change of config/keys.cc";

std::string path_of(const std::string& file) {
  return std::string(RESTGATE_SOURCE_DIR) + "/" + file;
}

std::string read_file(const std::string& file) {
  std::ifstream in(path_of(file), std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& file, const std::string& text) {
  std::ofstream(path_of(file), std::ios::binary) << text;
}

bool updating() {
  return std::getenv("UPDATE_GENERATED") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

void expect_up_to_date(const Place& place) {
  std::string text = read_file(place.file);
  const size_t begin = text.find(place.begin);
  const size_t end = text.find(place.end);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t start = begin + place.begin.size();
  if (updating()) write_file(place.file, text.replace(start, end - start, place.generate()));
  text = read_file(place.file);
  EXPECT_EQ(text.substr(start, text.find(place.end) - start), place.generate()) << kHint;
}

TEST(Reference, ReadmeHasTheTable) {
  expect_up_to_date(kReadme);
}

TEST(Reference, ManualPageHasTheTable) {
  expect_up_to_date(kManual);
}

TEST(Reference, ManualPageKnowsEveryKeyAndHasNoMarkdown) {
  const std::string page = reference_man();
  for (const KeyLevel& level : key_levels())
    for (const KeyInfo& key : level.keys)
      EXPECT_NE(page.find("\n.B " + std::string(key.name) + "\n"), std::string::npos) << key.name;
  EXPECT_EQ(page.find('`'), std::string::npos);
  EXPECT_EQ(page.find("**"), std::string::npos);
  EXPECT_NE(page.find("integer 0\\(en65535"), std::string::npos);
}

TEST(Reference, SchemaIsInTheTree) {
  if (updating()) write_file("config/restgate.schema.json", json_schema());
  EXPECT_EQ(read_file("config/restgate.schema.json"), json_schema()) << kHint;
}

TEST(Reference, SchemaIsJsonAndKnowsEveryKey) {
  const auto schema = nlohmann::json::parse(json_schema(), nullptr, false);
  ASSERT_FALSE(schema.is_discarded());
  for (const KeyLevel& level : key_levels()) {
    const nlohmann::json* object = &schema;
    if (level.path.starts_with("observed_services[]")) object = &(*object)["properties"]["observed_services"]["items"];
    if (level.path.ends_with(".tls")) object = &(*object)["properties"]["tls"];
    if (level.path.ends_with(".routes[]")) object = &(*object)["properties"]["routes"]["items"];
    if (level.path == "access_log") object = &(*object)["properties"]["access_log"]["anyOf"][1];
    EXPECT_EQ((*object)["additionalProperties"], false) << level.path;
    ASSERT_EQ((*object)["properties"].size(), level.keys.size()) << level.path;
    for (const KeyInfo& key : level.keys)
      EXPECT_EQ((*object)["properties"][std::string(key.name)]["description"], std::string(key.doc)) << key.name;
  }
}

TEST(Example, PackagesConfigurationLoads) {
  const LoadResult result = load(path_of("packaging/restgate.yaml"));
  ASSERT_TRUE(result.ok()) << to_string(result.error());
  EXPECT_EQ(result->admin_socket, "/run/restgate/admin.sock") << "the unit's RuntimeDirectory";
  EXPECT_TRUE(result->user.empty());
}

TEST(Example, LoadsAsItIs) {
  const LoadResult result = load(path_of("config/restgate.example.yaml"));
  ASSERT_TRUE(result.ok()) << to_string(result.error());
  EXPECT_GE(result->services.size(), 3U);
}

TEST(Example, LoadsWithEveryKey) {
  // What the reader has to fill in first is commented out, as `# key: value`.
  std::string text = read_file("config/restgate.example.yaml");
  for (const std::string key :
       {"ca_file:", "client_cert_file:", "client_key_file:", "admin_socket:", "user:", "group:"})
    text.replace(text.find("# " + key), 2 + key.size(), key);
  EXPECT_EQ(diagnose(text), "accepted");
  for (const KeyLevel& level : key_levels())
    for (const KeyInfo& key : level.keys)
      EXPECT_NE(text.find(std::string(key.name) + ":"), std::string::npos) << key.name;
}

}  // namespace
}  // namespace restgate::config
