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

constexpr std::string_view kBegin = "<!-- config-reference:begin -->\n";
constexpr std::string_view kEnd = "<!-- config-reference:end -->";
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

TEST(Reference, ReadmeHasTheTable) {
  std::string readme = read_file("README.md");
  const size_t begin = readme.find(kBegin);
  const size_t end = readme.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t start = begin + kBegin.size();
  if (updating()) write_file("README.md", readme.replace(start, end - start, reference_markdown()));
  readme = read_file("README.md");
  EXPECT_EQ(readme.substr(start, readme.find(kEnd) - start), reference_markdown()) << kHint;
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
