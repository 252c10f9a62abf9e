// A YAML document as a tree whose every key and value knows its line and column. Pure. Master.
//
// The subset that a configuration needs: one document of scalars, lists and mappings. Anchors, aliases, merge keys,
// tags, keys that are not text and several documents are refused, each in words of its own. Bounded: kMaxDepth,
// kMaxNodes (the caller bounds the text).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"

namespace restgate::config {

struct YamlEntry;

struct YamlNode {
  enum class Kind : uint8_t { Scalar, List, Mapping, Refused };  // Refused: reported already, to be passed over
  enum class Style : uint8_t { Plain, Quoted, Block };           // of a scalar

  Kind kind = Kind::Scalar;
  Style style = Style::Plain;
  SourceMark mark;                 ///< of its first character
  std::string text;                ///< Scalar
  std::vector<YamlNode> items;     ///< List
  std::vector<YamlEntry> entries;  ///< Mapping, in file order; of a duplicate key the first counts

  /// The entry with that key, or null.
  [[nodiscard]] const YamlEntry* find(std::string_view key) const;
  /// Nothing after the colon, or a plain ~ or null.
  [[nodiscard]] bool is_null() const;
};

struct YamlEntry {
  std::string key;
  SourceMark key_mark;
  YamlNode value;
};

inline constexpr size_t kMaxYamlDepth = 32;
inline constexpr size_t kMaxYamlNodes = 2'000'000;

/// Builds the tree of the source of `diagnostics`, which gets all that is wrong. Nothing is returned when there is no
/// document or when it is broken where no sense can be made of what follows.
[[nodiscard]] std::optional<YamlNode> parse_yaml(DiagnosticList& diagnostics);

}  // namespace restgate::config
