// The reference for ChunkedDecoder: decodes a whole body by lines.
#pragma once

#include <string>
#include <vector>

#include "worker/http1/chunked.h"
#include "worker/http1/reference_parser.h"

namespace restgate::http1::reference {

struct ChunkedBody {
  enum class Verdict { More, Reject, Complete } verdict = Verdict::More;
  std::string data;
  std::string trailers;
  size_t consumed = 0;
};

inline std::string take_token(std::string& text) {
  size_t size = 0;
  while (size < text.size() && token(text.substr(size, 1))) ++size;
  require(size > 0);
  std::string result = text.substr(0, size);
  text.erase(0, size);
  return result;
}

inline void skip_space(std::string& text) {
  text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
}

inline void take_quoted(std::string& text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.erase(0, i + 1);
      return;
    }
    if (text[i] == '\\') ++i;
  }
  throw Refused{};
}

/// `text` is what follows the size, without CRLF.
inline void check_extensions(std::string text) {
  require(text.size() <= ChunkedDecoder::kMaxExtensionBytes);
  while (!text.empty()) {
    skip_space(text);
    require(!text.empty() && text[0] == ';');
    text.erase(0, 1);
    skip_space(text);
    take_token(text);
    std::string ahead = text;
    skip_space(ahead);
    if (ahead.empty() || ahead[0] != '=') continue;
    text = ahead.substr(1);
    skip_space(text);
    if (!text.empty() && text[0] == '"') {
      take_quoted(text);
    } else {
      take_token(text);
    }
  }
}

/// One line of `input` from `pos`, which moves behind it. False: it is not complete.
inline bool take_line(const std::string& input, size_t& pos, std::string& line) {
  const size_t lf = input.find('\n', pos);
  if (lf == std::string::npos) return false;
  require(lf > pos && input[lf - 1] == '\r');
  line = input.substr(pos, lf - 1 - pos);
  require(!has_control(line));
  pos = lf + 1;
  return true;
}

inline bool forwarded_trailer(const std::string& name) {
  static const std::set<std::string> never = {"age",
                                              "authorization",
                                              "cache-control",
                                              "content-encoding",
                                              "content-length",
                                              "content-range",
                                              "date",
                                              "content-type",
                                              "cookie",
                                              "expect",
                                              "expires",
                                              "forwarded",
                                              "host",
                                              "http2-settings",
                                              "if-match",
                                              "if-modified-since",
                                              "if-none-match",
                                              "if-range",
                                              "location",
                                              "if-unmodified-since",
                                              "max-forwards",
                                              "pragma",
                                              "range",
                                              "retry-after",
                                              "trailer",
                                              "set-cookie",
                                              "vary",
                                              "via",
                                              "warning",
                                              "www-authenticate"};
  return kHopByHop.count(name) == 0 && never.count(name) == 0 && name.rfind("x-forwarded-", 0) != 0;
}

/// The trailer section from `pos`.
inline bool take_trailers(const std::string& input, size_t pos, const Limits& limits, ChunkedBody& body) {
  const size_t start = pos;
  size_t fields = 0;
  std::string line;
  while (take_line(input, pos, line)) {
    require(pos - start <= limits.max_head_bytes);
    if (line.empty()) {
      body.consumed = pos;
      return true;
    }
    require(++fields <= limits.max_fields);
    const Header header = split_field(line);
    if (forwarded_trailer(lower(header.name))) body.trailers += header.name + ": " + header.value + "\r\n";
  }
  require(input.size() - start <= limits.max_head_bytes);
  return false;
}

/// True: complete. False: more is needed.
inline bool decode(const std::string& input, const Limits& limits, ChunkedBody& body) {
  size_t pos = 0;
  uint64_t excess = 0;
  std::string line;
  while (take_line(input, pos, line)) {
    const size_t digits = std::min(line.find_first_not_of(kHexDigits), line.size());
    uint64_t size = 0;
    require(digits <= 128 && number(line.substr(0, digits), 16, size));
    const std::string extensions = line.substr(digits);
    check_extensions(extensions);
    // The byte that follows the size is not counted, be it the first ';' or the CR; the CR after extensions is.
    excess += extensions.size();
    excess -= std::min(excess, size + 16);
    require(excess <= ChunkedDecoder::kMaxExtensionExcess);
    if (size == 0) return take_trailers(input, pos, limits, body);
    const std::string data = input.substr(pos, size);
    body.data += data;
    pos += data.size();
    const std::string end = input.substr(pos, 2);
    require(std::string("\r\n").compare(0, end.size(), end) == 0);
    if (data.size() < size || end.size() < 2) return false;
    pos += 2;
  }
  return false;
}

inline ChunkedBody decode_chunked(const std::string& input, const Limits& limits) {
  ChunkedBody body;
  try {
    if (decode(input, limits, body)) body.verdict = ChunkedBody::Verdict::Complete;
  } catch (const Refused&) {
    body.verdict = ChunkedBody::Verdict::Reject;
  }
  return body;
}

}  // namespace restgate::http1::reference
