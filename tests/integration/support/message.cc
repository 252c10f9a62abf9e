#include "integration/support/message.h"

#include <strings.h>

#include <cstdio>
#include <cstdlib>

#include "integration/support/deadline.h"

namespace restgate::itest {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_token(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string> Message::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields)
    if (same_token(key, name)) values.push_back(value);
  return values;
}

std::optional<std::string> Message::field(std::string_view name) const {
  const auto values = all(name);
  if (values.size() > 1) throw Failure("several fields " + std::string(name) + " in " + printable(raw_head));
  return values.empty() ? std::nullopt : std::optional(values.front());
}

bool Message::lists(std::string_view name, std::string_view token) const {
  for (const std::string& value : all(name)) {
    std::string_view rest = value;
    while (true) {
      const size_t comma = rest.find(',');
      if (same_token(trim(rest.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

std::string Message::method() const {
  return start_line.substr(0, start_line.find(' '));
}

std::string Message::target() const {
  const size_t first = start_line.find(' ');
  const size_t last = start_line.rfind(' ');
  if (first == std::string::npos || last == first) throw Failure("no target in " + printable(start_line));
  return start_line.substr(first + 1, last - first - 1);
}

int Message::status() const {
  const size_t space = start_line.find(' ');
  if (space == std::string::npos) throw Failure("no status in " + printable(start_line));
  return std::atoi(start_line.c_str() + space + 1);
}

std::string Message::version() const {
  return start_line.substr(0, start_line.find(' '));
}

Message parse_head(std::string raw_head) {
  Message message;
  message.raw_head = std::move(raw_head);
  std::string_view rest = message.raw_head;
  bool first = true;
  while (!rest.empty()) {
    const size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    if (first) {
      message.start_line = line;
      first = false;
      continue;
    }
    if (line.empty()) break;
    const size_t colon = line.find(':');
    const std::string_view value = colon == std::string_view::npos ? "" : trim(line.substr(colon + 1));
    message.fields.emplace_back(std::string(line.substr(0, colon)), std::string(value));
  }
  return message;
}

std::string response(int status, std::string_view body, std::string_view field_lines) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  text += field_lines;
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return text;
}

std::string chunk(std::string_view data) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", data.size());
  return size + std::string(data) + "\r\n";
}

std::string pattern_bytes(size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return bytes;
}

std::string printable(std::string_view bytes, size_t limit) {
  std::string text;
  for (const char c : bytes.substr(0, limit)) {
    if (c >= ' ' && c < 0x7f) {
      text += c;
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n\n";
    } else {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned char>(c));
      text += escape;
    }
  }
  if (bytes.size() > limit) text += "… (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

}  // namespace restgate::itest
