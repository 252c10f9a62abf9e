#include "config/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace restgate::config {
namespace {

// Bounds a regex's program and its cache of states (bytes): past it RE2 refuses the program, or matches without a
// cache.
constexpr int64_t kRegexMaxMemory = 1 << 20;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// A byte as a message shows it.
std::string shown(char c) {
  if (!is_control(c) && static_cast<unsigned char>(c) < 0x80) return {'\'', c, '\''};
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return hex;
}

bool is_everything(std::string_view regex) {
  return regex == ".*" || regex == ".+";
}

std::shared_ptr<const re2::RE2> compile(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kRegexMaxMemory);
  // '.' is a character of UTF-8 and no line feed; but who writes ".*" means any bytes.
  return std::make_shared<const re2::RE2>(is_everything(text) ? "\\C*" : text, options);
}

// One run over one pattern's text. Every function that returns bool: false means that error_ is set.
class Parser {
 public:
  Parser(std::string_view text, RegexCache& regexes) : text_(text), regexes_(regexes) {}

  bool parse();
  std::vector<Segment> take_segments() { return std::move(segments_); }
  PatternError take_error() { return std::move(error_); }

 private:
  bool fail(size_t offset, std::string message) {
    error_ = PatternError{std::move(message), offset};
    return false;
  }
  [[nodiscard]] char at(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

  bool parse_literal();
  bool check_literal_byte(size_t offset);
  bool decode_escape(size_t offset, std::string& out);
  bool parse_parameter();
  bool parse_name(Segment& segment);
  bool parse_regex(Segment& segment);
  bool find_closing_brace(size_t begin, size_t& close);
  bool compile_regex(size_t offset, Segment& segment);

  std::string_view text_;
  RegexCache& regexes_;
  size_t pos_ = 0;
  std::vector<Segment> segments_;
  PatternError error_;
};

bool Parser::parse() {
  if (text_.empty()) return fail(0, "the pattern is empty; the shortest one is \"/\"");
  if (text_.front() != '/') return fail(0, "a pattern must begin with '/'");
  if (text_.size() > kMaxPatternBytes) {
    return fail(kMaxPatternBytes, "the pattern is longer than " + std::to_string(kMaxPatternBytes) + " bytes");
  }
  do {
    const size_t begin = ++pos_;  // past the '/'
    if (!segments_.empty() && segments_.back().kind == Segment::Kind::Rest) {
      return fail(begin - 1,
                  "nothing may follow {" + segments_.back().text + "...}: it takes the whole rest of the path");
    }
    if (!(at(pos_) == '{' ? parse_parameter() : parse_literal())) return false;
  } while (pos_ < text_.size());
  return true;
}

bool Parser::parse_literal() {
  const size_t begin = pos_;
  Segment segment;
  for (; pos_ < text_.size() && text_[pos_] != '/'; ++pos_) {
    if (text_[pos_] != '%') {
      if (!check_literal_byte(pos_)) return false;
      segment.text += text_[pos_];
    } else {
      if (!decode_escape(pos_, segment.text)) return false;
      pos_ += 2;
    }
  }
  if (segment.text.empty() && pos_ < text_.size()) {
    return fail(pos_, "empty segment \"//\": only the last segment may be empty, as requests with others are refused");
  }
  if (has_dot_segment(segment.text)) {
    const std::string written(text_.substr(begin, pos_ - begin));
    return fail(begin, "dot segment \"" + written + "\": requests with one are refused, so this could never match");
  }
  segments_.push_back(std::move(segment));
  return true;
}

bool Parser::check_literal_byte(size_t offset) {
  const char c = text_[offset];
  if (c == '{') {
    return fail(offset,
                "a parameter must be a whole segment, from one '/' to the next; for a '{' in the path write %7B");
  }
  if (c == '}') return fail(offset, "'}' without a '{' before it; for a '}' in the path write %7D");
  if (c == '?') return fail(offset, "a pattern has no query: only the path decides; for a '?' in the path write %3F");
  if (c == '#')
    return fail(offset, "a pattern has no fragment: clients do not send it; for a '#' in the path write %23");
  if (c == '\\')
    return fail(offset,
                "'\\' in the path is refused in requests, so this could never match; for an encoded one write %5C");
  if (c == ' ') return fail(offset, "white space in a pattern; for a space in the path write %20");
  if (c == '\t' || c == '\n' || c == '\r') return fail(offset, "white space in a pattern");
  if (is_control(c)) return fail(offset, "control character " + shown(c) + " in a pattern");
  return true;
}

bool Parser::decode_escape(size_t offset, std::string& out) {
  const int high = hex_value(at(offset + 1));
  const int low = hex_value(at(offset + 2));
  if (high < 0 || low < 0) {
    return fail(offset, "bad escape: '%' needs two hexadecimal digits after it; for a '%' in the path write %25");
  }
  const int byte = high * 16 + low;
  if (byte == 0) return fail(offset, "%00 is refused in requests, so this could never match");
  out += static_cast<char>(byte);
  return true;
}

bool Parser::parse_parameter() {
  const size_t open = pos_++;
  Segment segment;
  if (!parse_name(segment)) return false;
  if (at(pos_) == '}') {
    segment.kind = Segment::Kind::Parameter;
  } else if (text_.substr(pos_).starts_with("...}")) {
    segment.kind = Segment::Kind::Rest;
    pos_ += 3;
  } else if (at(pos_) == ':') {
    segment.kind = Segment::Kind::Regex;
    if (!parse_regex(segment)) return false;
  } else if (pos_ >= text_.size() || text_[pos_] == '/') {
    return fail(open, "unbalanced brace: this '{' is never closed");
  } else {
    return fail(pos_, shown(text_[pos_]) + " in a parameter's name: letters, digits, '_' and '-' only");
  }
  ++pos_;  // past the '}'
  if (pos_ < text_.size() && text_[pos_] != '/') {
    return fail(pos_, text_[pos_] == '}' ? "unbalanced brace: '}' without a '{' before it"
                                         : "a parameter must be a whole segment: after '}' comes '/' or the end");
  }
  segments_.push_back(std::move(segment));
  return true;
}

bool Parser::parse_name(Segment& segment) {
  const size_t begin = pos_;
  while (pos_ < text_.size() && is_name_byte(text_[pos_])) ++pos_;
  segment.text = text_.substr(begin, pos_ - begin);
  if (segment.text.empty()) {
    const char next = at(pos_);
    if (next == '}' || next == ':' || next == '.') return fail(begin, "the parameter has no name: write {name}");
    return true;  // the caller says what stands there instead
  }
  if (!is_letter(segment.text.front())) {
    return fail(begin, "parameter name '" + segment.text + "': the first character must be a letter or '_'");
  }
  for (const Segment& other : segments_) {
    if (other.kind != Segment::Kind::Literal && other.text == segment.text) {
      return fail(begin, "the parameter '" + segment.text + "' occurs twice in the pattern");
    }
  }
  return true;
}

bool Parser::parse_regex(Segment& segment) {
  const size_t begin = pos_ + 1;
  size_t close = 0;
  if (!find_closing_brace(begin, close)) return false;
  segment.regex_text = text_.substr(begin, close - begin);
  pos_ = close;
  if (segment.regex_text.empty()) {
    return fail(begin, "the regex of '" + segment.text + "' is empty; for any segment write {" + segment.text + "}");
  }
  return compile_regex(begin, segment);
}

// Braces in the regex count ([0-9]{3}) unless escaped or in a character class.
bool Parser::find_closing_brace(size_t begin, size_t& close) {
  size_t depth = 1;
  for (size_t i = begin; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '\\') {
      ++i;
    } else if (c == '[') {
      const size_t open = i;
      i += at(i + 1) == '^' ? 2 : 1;
      if (at(i) == ']') ++i;  // first in its class: an ordinary character
      for (; i < text_.size() && text_[i] != ']'; ++i) {
        if (text_[i] == '\\') ++i;
        if (text_.substr(i).starts_with("[:")) i = std::min(text_.find(":]", i), text_.size() - 2) + 1;
      }
      if (i >= text_.size()) return fail(open, "bad regex: this '[' is never closed");
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      close = i;
      return true;
    }
  }
  return fail(text_.rfind('{', begin - 1), "unbalanced brace: this '{' is never closed");
}

bool Parser::compile_regex(size_t offset, Segment& segment) {
  if (segment.regex_text.size() > kMaxRegexBytes) {
    return fail(offset,
                "the regex of '" + segment.text + "' is longer than " + std::to_string(kMaxRegexBytes) + " bytes");
  }
  const auto control = std::find_if(segment.regex_text.begin(), segment.regex_text.end(), is_control);
  if (control != segment.regex_text.end()) {
    return fail(offset + static_cast<size_t>(control - segment.regex_text.begin()), "control character in a regex");
  }
  segment.regex = regexes_.get(segment.regex_text);
  if (segment.regex->ok()) {
    if (segment.regex->ProgramSize() <= kMaxRegexProgram) return true;
    return fail(offset, "the regex of '" + segment.text + "' is too large: it compiles to " +
                            std::to_string(segment.regex->ProgramSize()) + " instructions, of at most " +
                            std::to_string(kMaxRegexProgram));
  }
  const size_t in_regex = segment.regex_text.find(segment.regex->error_arg());
  const size_t at = offset + (in_regex == std::string::npos ? 0 : in_regex);
  return fail(at, "bad regex of '" + segment.text + "': " + segment.regex->error());
}

}  // namespace

bool Segment::same_requests(const Segment& other) const {
  if (kind != other.kind) return false;
  switch (kind) {
    case Kind::Literal:
      return text == other.text;
    case Kind::Regex:
      return regex_text == other.regex_text;
    case Kind::Parameter:
    case Kind::Rest:
      return true;
  }
  return false;
}

bool Segment::matches(std::string_view decoded) const {
  switch (kind) {
    case Kind::Literal:
      return text == decoded;
    case Kind::Regex:
      return regex_matches(*regex, decoded);
    case Kind::Parameter:
    case Kind::Rest:
      return !decoded.empty();
  }
  return false;
}

bool Segment::matches_everything() const {
  return kind == Kind::Regex && is_everything(regex_text);
}

std::shared_ptr<const re2::RE2> RegexCache::get(const std::string& text) {
  std::shared_ptr<const re2::RE2>& regex = compiled_[text];
  if (!regex) regex = compile(text);
  return regex;
}

Result<Pattern, PatternError> Pattern::parse(std::string_view text) {
  RegexCache regexes;
  return parse(text, regexes);
}

Result<Pattern, PatternError> Pattern::parse(std::string_view text, RegexCache& regexes) {
  Parser parser(text, regexes);
  if (!parser.parse()) return parser.take_error();
  Pattern pattern;
  pattern.text_ = text;
  pattern.segments_ = parser.take_segments();
  return pattern;
}

bool regex_matches(const re2::RE2& regex, std::string_view decoded) {
  if (decoded.empty() || static_cast<int64_t>(decoded.size()) * regex.ProgramSize() > kMaxRegexWork) return false;
  return regex.Match(decoded, 0, decoded.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

namespace {

/// The character at `pos`, which moves behind it; a byte that is no part of one stands for itself. ASCII also in its
/// overlong forms (RFC 3629 §10): %C0%AE is a '.' to a careless decoder, and to nobody else anything at all.
char take_char(std::string_view text, size_t& pos) {
  const auto byte = [text](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t first = byte(pos);
  const size_t size = first == 0xC0 || first == 0xC1 ? 2 : (first == 0xE0 ? 3 : (first == 0xF0 ? 4 : 1));
  if (size > 1 && text.size() - pos >= size) {
    unsigned value = first & 1U;
    bool whole = true;
    for (size_t i = 1; i < size; ++i) {
      whole = whole && (byte(pos + i) & 0xC0U) == 0x80;
      value = value << 6U | (byte(pos + i) & 0x3FU);
    }
    if (whole && value < 0x80) {
      pos += size;
      return static_cast<char>(value);
    }
  }
  return text[pos++];
}

}  // namespace

bool has_dot_segment(std::string_view decoded) {
  size_t dots = 0;
  bool others = false;
  const auto is_one = [&] { return !others && (dots == 1 || dots == 2); };
  for (size_t pos = 0; pos < decoded.size();) {
    const char c = take_char(decoded, pos);
    if (c == '/' || c == '\\') {
      if (is_one()) return true;
      dots = 0;
      others = false;
    } else if (c == '.') {
      ++dots;
    } else {
      others = true;
    }
  }
  return is_one();
}

}  // namespace restgate::config
