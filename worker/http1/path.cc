#include "worker/http1/path.h"

#include <array>

#include "config/pattern.h"
#include "worker/http1/char_class.h"

namespace restgate::http1 {
namespace {

// What an unusually long path made these grow to is given back.
constexpr size_t kKeptSegments = 64;
constexpr size_t kKeptDecodedBytes = 1024;

/// Special: its segment is decoded and looked at closely: '%', and bytes above US-ASCII.
enum class PathByte : uint8_t { Plain, Slash, Special, Bad };

constexpr std::array<PathByte, 256> make_path_bytes() {
  std::array<PathByte, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool plain = is_class(static_cast<char>(c), kTargetChar) && c != '\\' && c != '?';
    table[c] = plain ? (c < 0x80 ? PathByte::Plain : PathByte::Special) : PathByte::Bad;
  }
  table['/'] = PathByte::Slash;
  table['%'] = PathByte::Special;
  return table;
}

constexpr std::array<PathByte, 256> kPathBytes = make_path_bytes();

PathByte path_byte(char c) {
  return kPathBytes[static_cast<uint8_t>(c)];
}

bool is_plain_dot_segment(std::string_view segment) {
  return !segment.empty() && segment[0] == '.' && (segment.size() == 1 || segment == "..");
}

}  // namespace

Path::Verdict Path::assign(std::string_view raw) {
  clear();
  const Verdict verdict = split(raw);
  if (verdict != Verdict::Ok) segments_.clear();
  return verdict;
}

void Path::clear() {
  segments_.clear();
  decoded_used_ = 0;
  if (segments_.capacity() > kKeptSegments) std::vector<std::string_view>().swap(segments_);
  if (decoded_.capacity() > kKeptDecodedBytes) std::string().swap(decoded_);
}

Path::Verdict Path::split(std::string_view raw) {
  if (raw.empty() || raw[0] != '/') return Verdict::BadCharacter;
  for (size_t begin = 1;;) {
    size_t end = begin;
    bool special = false;
    while (end < raw.size() && path_byte(raw[end]) != PathByte::Slash) {
      if (path_byte(raw[end]) == PathByte::Bad) return Verdict::BadCharacter;
      if (path_byte(raw[end]) == PathByte::Special) special = true;
      ++end;
      while (end < raw.size() && path_byte(raw[end]) == PathByte::Plain) ++end;
    }
    std::string_view segment = raw.substr(begin, end - begin);
    if (special) {
      if (decoded_.size() < raw.size()) decoded_.resize(raw.size());  // once, before the first view into it
      if (const Verdict verdict = decode(segment, segment); verdict != Verdict::Ok) return verdict;
    } else if (is_plain_dot_segment(segment)) {
      return Verdict::DotSegment;
    }
    if (segment.empty() && end < raw.size()) return Verdict::EmptySegment;
    segments_.push_back(segment);
    if (end == raw.size()) return Verdict::Ok;
    begin = end + 1;
  }
}

Path::Verdict Path::decode(std::string_view segment, std::string_view& decoded) {
  char* const first = decoded_.data() + decoded_used_;
  char* out = first;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      *out++ = segment[i];
      continue;
    }
    if (segment.size() - i < 3) return Verdict::BadEscape;
    const int high = hex_value(segment[i + 1]);
    const int low = hex_value(segment[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return Verdict::BadEscape;
    *out++ = static_cast<char>(high * 16 + low);
    i += 2;
  }
  decoded = {first, static_cast<size_t>(out - first)};
  decoded_used_ += decoded.size();
  return config::has_dot_segment(decoded) ? Verdict::DotSegment : Verdict::Ok;
}

}  // namespace restgate::http1
