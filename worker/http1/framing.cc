#include "worker/http1/framing.h"

#include <algorithm>
#include <array>
#include <limits>

#include "worker/http1/char_class.h"
#include "worker/http1/field_line.h"

namespace restgate::http1 {
namespace {

constexpr uint64_t kMaxLength = std::numeric_limits<int64_t>::max();

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// An order of names that tells them apart but for their case.
bool name_before(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return to_lower(x) < to_lower(y); });
}

enum class Option : uint8_t { Close, KeepAlive, Upgrade, Nominated };

Option classify_option(std::string_view option) {
  if (equals_ignore_case(option, "close")) return Option::Close;
  if (equals_ignore_case(option, "keep-alive")) return Option::KeepAlive;
  if (equals_ignore_case(option, "upgrade")) return Option::Upgrade;
  return Option::Nominated;
}

bool is_protected(const Field& field) {
  constexpr std::string_view kForwarded = "x-forwarded-";
  switch (field.id) {
    case FieldId::Host:
    case FieldId::ContentLength:
    case FieldId::TransferEncoding:
      return true;
    default:
      return equals_ignore_case(field.name.substr(0, kForwarded.size()), kForwarded);
  }
}

}  // namespace

bool parse_content_length(std::string_view value, uint64_t& length) {
  if (value.empty()) return false;
  uint64_t total = 0;
  for (const char c : value) {
    if (!is_digit(c)) return false;
    if (total > kMaxLength / 10) return false;
    total = total * 10 + static_cast<uint64_t>(c - '0');
  }
  if (total > kMaxLength) return false;
  length = total;
  return true;
}

TransferCoding parse_transfer_encoding(std::string_view value) {
  if (equals_ignore_case(value, "chunked")) return TransferCoding::Chunked;
  bool well_formed = true;
  bool chunked = false;  // the last coding seen so far is it
  unsigned codings = 0;
  for_each_element(value, [&](std::string_view coding) {
    ++codings;
    const std::string_view name = trim_ows(coding.substr(0, coding.find(';')));
    well_formed = well_formed && !chunked && is_token(name);
    chunked = equals_ignore_case(coding, "chunked");
    if (!chunked && equals_ignore_case(name, "chunked")) well_formed = false;
  });
  return well_formed && chunked && codings > 1 ? TransferCoding::Unsupported : TransferCoding::Invalid;
}

FramingFields::Verdict FramingFields::add_content_length(std::string_view value) {
  if (has_length_ || !parse_content_length(value, length_)) return Verdict::BadContentLength;
  has_length_ = true;
  return coding_ == TransferCoding::None ? Verdict::Ok : Verdict::Both;
}

FramingFields::Verdict FramingFields::add_transfer_encoding(std::string_view value, uint8_t minor_version) {
  if (coding_ != TransferCoding::None || minor_version == 0) return Verdict::BadTransferEncoding;
  coding_ = parse_transfer_encoding(value);
  if (has_length_) return Verdict::Both;
  switch (coding_) {
    case TransferCoding::Chunked:
      return Verdict::Ok;
    case TransferCoding::Unsupported:
      return Verdict::UnsupportedCoding;
    case TransferCoding::None:
    case TransferCoding::Invalid:
      break;
  }
  return Verdict::BadTransferEncoding;
}

bool ConnectionOptions::add(std::string_view value) {
  for_each_element(value, [this](std::string_view option) {
    switch (classify_option(option)) {
      case Option::Close:
        close_ = true;
        break;
      case Option::KeepAlive:
        keep_alive_ = true;
        break;
      case Option::Upgrade:
        upgrade_ = true;
        break;
      case Option::Nominated:
        ++nominated_;
        break;
    }
  });
  return nominated_ <= kMaxNominated;
}

void ConnectionOptions::mark_nominated(std::vector<Field>& fields) const {
  if (nominated_ == 0) return;
  std::array<std::string_view, kMaxNominated> names;
  auto last = names.begin();
  for (const Field& connection : fields) {
    if (connection.id != FieldId::Connection) continue;
    for_each_element(connection.value, [&last](std::string_view option) {
      if (classify_option(option) == Option::Nominated) *last++ = option;
    });
  }
  std::sort(names.begin(), last, name_before);
  for (Field& field : fields) {
    if (!field.hop_by_hop && !is_protected(field) && std::binary_search(names.begin(), last, field.name, name_before))
      field.hop_by_hop = true;
  }
}

bool is_protocol_list(std::string_view value) {
  bool any = false;
  bool valid = true;
  for_each_element(value, [&](std::string_view protocol) {
    any = true;
    const size_t slash = protocol.find('/');
    valid = valid && is_token(protocol.substr(0, slash)) &&
            (slash == std::string_view::npos || is_token(protocol.substr(slash + 1)));
  });
  return any && valid;
}

uint32_t parse_keep_alive_timeout(std::string_view value) {
  constexpr std::string_view kName = "timeout";
  uint64_t timeout = 0;
  for_each_element(value, [&](std::string_view parameter) {
    const size_t equal = parameter.find('=');
    if (equal == std::string_view::npos || !equals_ignore_case(trim_ows(parameter.substr(0, equal)), kName)) return;
    if (!parse_content_length(trim_ows(parameter.substr(equal + 1)), timeout)) timeout = 0;
  });
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(timeout < kMax ? timeout : kMax);
}

}  // namespace restgate::http1
