// What can be wrong with a text before it is a YAML tree, in words for a person. Pure. Master.
#pragma once

#include <yaml.h>

#include "config/diagnostic.h"

namespace restgate::config {

/// The characters that no YAML file of ours may hold: a byte order mark, bytes that are not UTF-8, control characters,
/// line breaks that an editor does not count (U+0085, U+2028, U+2029). At most ten are reported.
/// False: something was reported.
[[nodiscard]] bool check_characters(DiagnosticList& diagnostics);

/// Adds the diagnostic for what stopped libyaml.
void report_yaml_error(const yaml_parser_t& parser, DiagnosticList& diagnostics);

[[nodiscard]] SourceMark to_source_mark(const yaml_mark_t& mark);

}  // namespace restgate::config
