#include "config/methods.h"

#include <algorithm>
#include <string>

#include "common/http_method.h"

namespace restgate::config {
namespace {

constexpr size_t kLongestMethod = 32;

bool is_token_char(char c) {  // RFC 9110 §5.6.2
  return is_ascii_alpha(c) || is_ascii_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<TextError> check_method(std::string_view method) {
  if (method.empty()) return TextError{"a method is missing", 0};
  if (method == "*") return TextError{"'*' is not supported: name the methods, as in 'GET,POST'", 0};
  for (size_t i = 0; i < method.size(); ++i)
    if (!is_token_char(method[i])) return TextError{quoted(method) + " is not a method name", i};
  if (method.size() > kLongestMethod) return TextError{"a method name is longer than 32 characters", 0};
  if (to_lower(method) == "connect") return TextError{"CONNECT is not supported: RESTGate is not a forward proxy", 0};
  for (const std::string_view standard : kStandardMethods)
    if (method != standard && to_lower(method) == to_lower(standard))
      return TextError{"methods are case-sensitive; did you mean '" + std::string(standard) + "'?", 0};
  return std::nullopt;
}

Result<std::vector<std::string_view>, TextError> split_methods(std::string_view text) {
  std::vector<std::string_view> methods;
  size_t start = 0;
  size_t end = 0;
  do {
    end = std::min(text.find(',', start), text.size());
    const std::string_view method = trim(text.substr(start, end - start));
    const auto offset = method.empty() ? start : static_cast<size_t>(method.data() - text.data());
    if (auto error = check_method(method)) return TextError{std::move(error->message), error->offset + offset};
    if (std::find(methods.begin(), methods.end(), method) != methods.end())
      return TextError{std::string(method) + " is named twice", offset};
    methods.push_back(method);
    start = end + 1;
  } while (end < text.size());
  return methods;
}

}  // namespace restgate::config
