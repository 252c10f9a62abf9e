// Message: an HTTP/1.x message as a test sees it: every byte kept, parsed loosely. Test process.
//
// Independent of the gateway's own codec on purpose: a shared mistake would go unseen.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restgate::itest {

struct Message {
  std::string raw_head;                                     ///< start line, fields and the empty line, exactly
  std::string start_line;                                   ///< without CRLF
  std::vector<std::pair<std::string, std::string>> fields;  ///< in order; value without white space around it
  std::string body;                                         ///< decoded
  std::string raw_body;                                     ///< with the chunked framing if there was any
  std::vector<std::pair<std::string, std::string>> trailers;

  /// The value of the only field of that name (any case); nothing when there is none. Several are a Failure.
  [[nodiscard]] std::optional<std::string> field(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !all(name).empty(); }
  /// Whether the comma list of all fields of that name holds `token` (any case).
  [[nodiscard]] bool lists(std::string_view name, std::string_view token) const;
  [[nodiscard]] bool chunked() const { return lists("Transfer-Encoding", "chunked"); }

  // Requests: "METHOD target HTTP/1.1".
  [[nodiscard]] std::string method() const;
  [[nodiscard]] std::string target() const;
  // Responses: "HTTP/1.1 200 OK".
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string version() const;
};

/// Takes a head apart (it ends with the empty line).
Message parse_head(std::string raw_head);

bool same_token(std::string_view a, std::string_view b);

/// "HTTP/1.1 <status> X", Content-Length and the given field lines (each with CRLF), and the body.
std::string response(int status, std::string_view body, std::string_view field_lines = "");

/// One chunk of the chunked coding; the last one when `data` is empty (with the end of the trailer section).
std::string chunk(std::string_view data);

/// `size` bytes that differ from offset to offset, the same for the same seed.
std::string pattern_bytes(size_t size, unsigned seed = 1);

/// The bytes with everything unprintable escaped, cut when long: for messages of failures.
std::string printable(std::string_view bytes, size_t limit = 2000);

}  // namespace restgate::itest
