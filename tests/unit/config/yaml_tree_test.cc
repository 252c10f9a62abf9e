#include "config/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace restgate::config {
namespace {

struct Tree {
  std::optional<YamlNode> root;
  std::string errors;
};

Tree read(std::string_view text) {
  SourceText source(text);
  DiagnosticList list("f", source);
  Tree tree;
  tree.root = parse_yaml(list);
  tree.errors = to_string(list.take());
  return tree;
}

std::string place(SourceMark mark) {
  return std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

TEST(YamlTree, KnowsThePlaceOfKeysAndValues) {
  const Tree tree = read("# note\na: 1\nlist:\n  - x\n  - {k: 'v'}\ntext: |\n  two\n  lines\n");
  EXPECT_EQ(tree.errors, "");
  const YamlNode& root = *tree.root;
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(place(root.mark), "2:1");
  EXPECT_EQ(place(root.find("a")->key_mark), "2:1");
  EXPECT_EQ(place(root.find("a")->value.mark), "2:4");
  const YamlNode& list = root.find("list")->value;
  EXPECT_EQ(list.kind, YamlNode::Kind::List);
  EXPECT_EQ(place(list.items[0].mark), "4:5");
  const YamlEntry* inner = list.items[1].find("k");
  EXPECT_EQ(place(inner->key_mark), "5:6");
  EXPECT_EQ(place(inner->value.mark), "5:9");
  EXPECT_EQ(inner->value.text, "v");
  EXPECT_EQ(root.find("text")->value.text, "two\nlines\n");
  EXPECT_EQ(root.find("none"), nullptr);
}

TEST(YamlTree, TellsStylesApart) {
  const Tree tree = read("{a: x, b: 'x', c: \"x\"}\n");
  EXPECT_EQ(tree.root->find("a")->value.style, YamlNode::Style::Plain);
  EXPECT_EQ(tree.root->find("b")->value.style, YamlNode::Style::Quoted);
  EXPECT_EQ(tree.root->find("c")->value.style, YamlNode::Style::Quoted);
  EXPECT_EQ(read("a: >\n  x\n").root->find("a")->value.style, YamlNode::Style::Block);
}

TEST(YamlTree, NullIsNotAnEmptyText) {
  const Tree tree = read("a:\nb: ~\nc: null\nd: ''\ne: \"~\"\nf: nil\n");
  for (const char* null : {"a", "b", "c"}) EXPECT_TRUE(tree.root->find(null)->value.is_null()) << null;
  for (const char* text : {"d", "e", "f"}) EXPECT_FALSE(tree.root->find(text)->value.is_null()) << text;
}

TEST(YamlTree, TakesDirectivesAndMarkersOfOneDocument) {
  EXPECT_EQ(read("%YAML 1.2\n---\na: 1\n...\n").errors, "");
  EXPECT_EQ(read("---\na: 1\n").errors, "");
  EXPECT_EQ(read("{\"a\": [1, true, null]}").errors, "");  // JSON is YAML
}

TEST(YamlTree, ReadsOnAfterWhatItRefuses) {
  const Tree tree = read("a: &x 1\nb: *x\nc: !t 2\nc: 3\nd: 4\n");
  ASSERT_TRUE(tree.root.has_value());
  EXPECT_EQ(tree.root->find("a")->value.text, "1");
  EXPECT_EQ(tree.root->find("b")->value.kind, YamlNode::Kind::Refused);
  EXPECT_EQ(tree.root->find("c")->value.text, "2");
  EXPECT_EQ(tree.root->find("d")->value.text, "4");
  EXPECT_EQ(std::count(tree.errors.begin(), tree.errors.end(), '^'), 4);
}

TEST(YamlTree, BoundsDepth) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(read(nested(kMaxYamlDepth + 1)).errors, "");
  EXPECT_NE(read(nested(kMaxYamlDepth + 2)).errors.find("nested more than 32 deep"), std::string::npos);
  EXPECT_NE(read(std::string(1'000'000, '[')).errors.find("nested more than 32 deep"), std::string::npos);
}

TEST(YamlTree, BoundsNodes) {
  std::string text = "[";
  for (size_t i = 0; i < kMaxYamlNodes; ++i) text += "1,";
  EXPECT_NE(read(text + "]").errors.find("more than 2000000 values"), std::string::npos);
}

TEST(YamlTree, ReportsAtMostTenBadCharacters) {
  const Tree tree = read("a: " + std::string(50, '\x01'));
  EXPECT_FALSE(tree.root.has_value());
  EXPECT_EQ(std::count(tree.errors.begin(), tree.errors.end(), '^'), 10);
}

TEST(YamlTree, ManyDuplicatesAreFoundFast) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(read(text).errors, "");
  EXPECT_NE(read(text + "k0: 2\n").errors.find("f:100001:1: k0: this key is already given at line 1, column 1"),
            std::string::npos);
}

}  // namespace
}  // namespace restgate::config
