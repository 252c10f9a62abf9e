// parse() on any text: it never crashes; what it refuses it explains, in words that are safe to print; what it accepts
// keeps what config/model.h promises; and it says the same twice.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/http_method.h"
#include "config/parser.h"
#include "config/text.h"

namespace {

using restgate::config::Config;
using restgate::config::Diagnostic;
using restgate::config::LoadResult;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

bool is_printable(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto point = restgate::config::decode_utf8(text, at);
    if (!point.valid || restgate::config::is_control(point.value)) return false;
    at += point.length;
  }
  return true;
}

void check_refusal(const std::vector<Diagnostic>& diagnostics) {
  require(!diagnostics.empty(), "a refusal says why");
  const Diagnostic* previous = nullptr;
  for (const Diagnostic& diagnostic : diagnostics) {
    require(!diagnostic.message.empty(), "a diagnostic has a message");
    require(is_printable(diagnostic.message), "messages are printable");
    require(is_printable(diagnostic.path), "paths are printable");
    require(is_printable(diagnostic.source_line), "source lines are printable");
    const bool caret_fits = diagnostic.caret_column <= restgate::config::count_code_points(diagnostic.source_line);
    require(caret_fits, "the caret is at the line or just behind it");
    if (previous != nullptr && diagnostic.mark.line > 0)
      require(previous->mark.line <= diagnostic.mark.line, "diagnostics are in file order");
    previous = &diagnostic;
  }
}

void check_config(const Config& config) {
  require(!config.services.empty() && !config.routes.empty(), "there are services and routes");
  require(config.methods.size() >= restgate::kStandardMethods.size(), "the standard methods are numbered");
  require(config.methods.size() <= restgate::kMaxMethods, "the number of methods is bounded");
  for (const auto& service : config.services) {
    require(!service.name.empty() && !service.url.host.empty() && service.url.port != 0, "a service is complete");
    require(is_printable(service.url.authority + service.url.base_path + service.url.query), "a URL is printable");
    require(!service.url.base_path.ends_with('/'), "a base path has no slash at its end");
  }
  for (const auto& route : config.routes) {
    require(!route.name.empty() && !route.methods.empty() && !route.pattern.segments().empty(), "a route is complete");
    require(route.service < config.services.size(), "a route has a service");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadResult result = restgate::config::parse(text, "f");
  const LoadResult again = restgate::config::parse(text, "f");
  require(result.ok() == again.ok(), "the same verdict twice");
  if (result.ok()) {
    check_config(*result);
  } else {
    check_refusal(result.error());
    require(to_string(result.error()) == to_string(again.error()), "the same words twice");
  }
  return 0;
}
