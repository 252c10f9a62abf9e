// What is generated from the tables of keys: the reference table of the README and the JSON schema. Development only.
#pragma once

#include <string>

namespace restgate::config {

/// Markdown: one table per level of keys; ends with a newline.
[[nodiscard]] std::string reference_markdown();

/// JSON Schema, draft 2020-12, of a configuration file; ends with a newline.
[[nodiscard]] std::string json_schema();

}  // namespace restgate::config
