#include "common/log_format.h"

#include <array>
#include <charconv>
#include <cstring>

namespace restgate {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

/// Whether one of eight bytes, all below 0x80, is below `limit` / equals `value`. (The borrow of a hit can only make
/// bytes above it look like hits too; "any" stays right.)
constexpr uint64_t any_below(uint64_t bytes, uint64_t limit) {
  return (bytes - kOnes * limit) & ~bytes & kHighs;
}
constexpr uint64_t any_equal(uint64_t bytes, uint64_t value) {
  return any_below(bytes ^ (kOnes * value), 1);
}

/// What passes as it is: printable ASCII, without what the form in question gives a meaning to.
struct JsonClean {
  static constexpr bool clean(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }
  static constexpr bool clean8(uint64_t bytes) {
    return ((bytes & kHighs) | any_below(bytes, 0x20) | any_equal(bytes, '"') | any_equal(bytes, '\\') |
            any_equal(bytes, 0x7F)) == 0;
  }
};
struct BareClean {
  static constexpr bool clean(unsigned char c) { return JsonClean::clean(c) && c != ' ' && c != '='; }
  static constexpr bool clean8(uint64_t bytes) {
    return JsonClean::clean8(bytes) && (any_equal(bytes, ' ') | any_equal(bytes, '=')) == 0;
  }
};

template <typename Rule>
constexpr std::array<uint8_t, 256> kCleanBytes = [] {
  std::array<uint8_t, 256> clean{};
  for (size_t c = 0; c < clean.size(); ++c) clean[c] = Rule::clean(static_cast<unsigned char>(c)) ? 1 : 0;
  return clean;
}();

/// Whether all of it is clean. For short texts, of which a record has many.
template <typename Rule>
bool all_clean(std::string_view text) {
  const auto clean = [](char c) { return kCleanBytes<Rule>[static_cast<unsigned char>(c)]; };
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 4; p += 4)
    if ((clean(p[0]) & clean(p[1]) & clean(p[2]) & clean(p[3])) == 0) return false;
  for (; p != end; ++p)
    if (clean(*p) == 0) return false;
  return true;
}

/// The length of the clean beginning.
template <typename Rule>
size_t clean_prefix(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    if (!Rule::clean8(bytes)) break;
  }
  while (at < text.size() && Rule::clean(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

struct Character {
  uint32_t code = 0;
  size_t length = 0;  // 0: not UTF-8
};

/// The first character of `text` (not empty), strictly: no overlong forms, no surrogates (Unicode 15, table 3-7).
Character decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return {};
  uint32_t code = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  static constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

/// Characters that a terminal or viewer does not print but obeys: controls, line breaks, changes of direction.
constexpr bool is_unprintable(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

constexpr char kHex[] = "0123456789abcdef";

void append_u_escape(std::string& to, uint32_t code) {  // all unprintable ones are below 0x10000
  const char escape[6] = {'\\',           'u', kHex[code >> 12 & 15], kHex[code >> 8 & 15], kHex[code >> 4 & 15],
                          kHex[code & 15]};
  to.append(escape, sizeof escape);
}

void append_x_escapes(std::string& to, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape[4] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    to.append(escape, sizeof escape);
  }
}

/// The letter of a two-character escape that text and JSON have in common; 0: there is none.
constexpr char short_escape(uint32_t code) {
  switch (code) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\\':
      return '\\';
    case '"':
      return '"';
    default:
      return 0;
  }
}

/// Walks over what is not clean: `escape` gets each character that cannot pass as it is, or the byte that is not UTF-8.
template <typename Escape>
void append_escaped(std::string& to, std::string_view text, Escape escape) {
  while (!text.empty()) {
    const size_t clean = clean_prefix<JsonClean>(text);
    to.append(text.substr(0, clean));
    text.remove_prefix(clean);
    if (text.empty()) return;
    const Character character = decode_utf8(text);
    const std::string_view bytes = text.substr(0, character.length == 0 ? 1 : character.length);
    text.remove_prefix(bytes.size());
    if (const char letter = short_escape(character.code); character.length == 1 && letter != 0) {
      to += '\\';
      to += letter;
    } else if (character.length == 0 || is_unprintable(character.code)) {
      escape(character, bytes);
    } else {
      to.append(bytes);
    }
  }
}

void append_text_escaped(std::string& to, std::string_view text) {
  append_escaped(to, text, [&](const Character&, std::string_view bytes) { append_x_escapes(to, bytes); });
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  size_t at = clean_prefix<BareClean>(text);
  while (at < text.size()) {
    const Character character = decode_utf8(text.substr(at));
    if (character.length < 2 || is_unprintable(character.code)) return true;
    at += character.length;
    at += clean_prefix<BareClean>(text.substr(at));
  }
  return false;
}

void append_digits(char* to, int digits, uint64_t value) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

struct Date {
  int64_t year = 0;
  unsigned month = 0;
  unsigned day = 0;
};

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the leap day is the last
/// of its year, in eras of 400 years (146,097 days).
constexpr Date date_of_day(int64_t days) {
  days += 719'468;  // from 0000-03-01
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto march_month = static_cast<unsigned>((5 * day_of_year + 2) / 153);
  const auto day = static_cast<unsigned>(day_of_year) - (153 * march_month + 2) / 5 + 1;
  const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

bool is_plain_json(std::string_view value) {
  return all_clean<JsonClean>(value);
}

bool is_plain_text(std::string_view value) {
  return !value.empty() && all_clean<BareClean>(value);
}

void append_json_string(std::string& to, std::string_view value) {
  to += '"';
  if (const size_t clean = clean_prefix<JsonClean>(value); clean == value.size()) [[likely]] {
    to.append(value);
  } else {
    append_escaped(to, value, [&](const Character& character, std::string_view) {
      append_u_escape(to, character.length == 0 ? 0xFFFD : character.code);
    });
  }
  to += '"';
}

void append_text_value(std::string& to, std::string_view value) {
  if (!needs_quotes(value)) [[likely]] {
    to.append(value);
    return;
  }
  to += '"';
  append_text_escaped(to, value);
  to += '"';
}

void append_text_message(std::string& to, std::string_view message) {
  append_text_escaped(to, message);
}

void append_rfc3339(std::string& to, int64_t realtime_us) {
  constexpr int64_t kDayUs = 86'400'000'000;
  int64_t days = realtime_us / kDayUs;
  int64_t rest = realtime_us % kDayUs;
  if (rest < 0) {
    rest += kDayUs;
    --days;
  }
  const Date date = date_of_day(days);
  const auto us = static_cast<uint64_t>(rest);
  char text[] = "0000-00-00T00:00:00.000000Z";
  append_digits(text, 4, static_cast<uint64_t>(date.year));
  append_digits(text + 5, 2, date.month);
  append_digits(text + 8, 2, date.day);
  append_digits(text + 11, 2, us / 3'600'000'000);
  append_digits(text + 14, 2, us / 60'000'000 % 60);
  append_digits(text + 17, 2, us / 1'000'000 % 60);
  append_digits(text + 20, 6, us % 1'000'000);
  to.append(text, sizeof text - 1);
}

namespace log {
namespace {

template <typename Number>
void append_number(std::string& to, Number value) {
  std::array<char, 24> digits;
  to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

/// Whether JSON takes a bare value as it is: not the infinities, and not what is no number.
bool json_takes_bare(std::string_view text) {
  if (text == "true" || text == "false") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

/// "INFO ": padded, so that the sentences stand below each other.
void append_padded_level(std::string& to, std::string_view level) {
  for (const char c : level) to += static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
  for (size_t i = level.size(); i < 5; ++i) to += ' ';
}

void append_text(std::string& to, const Record& record) {
  append_rfc3339(to, record.realtime_us);
  to += ' ';
  append_padded_level(to, record.level);
  to += ' ';
  append_text_message(to, record.msg);
  for (const Field& field : record.fields) {
    to += ' ';
    to += field.key;
    to += '=';
    append_text_value(to, field.text);
  }
  if (record.dropped != 0) {
    to += " dropped_records=";
    append_number(to, record.dropped);
  }
  to += " pid=";
  append_number(to, record.pid);
  if (record.whose) {
    to += " worker=";
    append_number(to, record.whose->worker);
    to += " generation=";
    append_number(to, record.whose->generation);
  }
  to += '\n';
}

void append_json(std::string& to, const Record& record) {
  to += "{\"time\":\"";
  append_rfc3339(to, record.realtime_us);
  to += "\",\"level\":\"";
  to += record.level;
  to += "\",\"msg\":";
  append_json_string(to, record.msg);
  for (const Field& field : record.fields) {
    to += ',';
    append_json_string(to, field.key);
    to += ':';
    if (field.bare && json_takes_bare(field.text))
      to += field.text;
    else
      append_json_string(to, field.text);
  }
  if (record.dropped != 0) {
    to += ",\"dropped_records\":";
    append_number(to, record.dropped);
  }
  to += ",\"pid\":";
  append_number(to, record.pid);
  if (record.whose) {
    to += ",\"worker\":";
    append_number(to, record.whose->worker);
    to += ",\"generation\":";
    append_number(to, record.whose->generation);
  }
  to += "}\n";
}

}  // namespace

void append_record(std::string& to, LogFormat format, const Record& record) {
  switch (format) {
    case LogFormat::Text:
      return append_text(to, record);
    case LogFormat::Json:
      return append_json(to, record);
  }
}

}  // namespace log
}  // namespace restgate
