// What is generated from the tables of keys: the reference table of the README, the JSON schema and the reference of
// the manual page restgate.yaml(5). Development only.
#pragma once

#include <string>

#include "config/keys.h"

namespace restgate::config {

/// Markdown: one table per level of keys; ends with a newline.
[[nodiscard]] std::string reference_markdown();

/// JSON Schema, draft 2020-12, of a configuration file; ends with a newline.
[[nodiscard]] std::string json_schema();

/// For man(7): one list per level of keys; ends with a newline.
[[nodiscard]] std::string reference_man();

/// The cells of the reference for one key, in Markdown: what its value is, and what it is when the key is left out.
[[nodiscard]] std::string type_text(const KeyInfo& key);
[[nodiscard]] std::string default_cell(const KeyInfo& key);

}  // namespace restgate::config
