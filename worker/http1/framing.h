// What the fields of a head say about where its body ends and about its connection: the rules that requests and
// responses share (RFC 9112 §6, §9). Worker; no allocation.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "worker/http1/head.h"

namespace restgate::http1 {

/// Parses Content-Length: decimal digits only, below 2^63 (RFC 9110 §8.6). False: anything else, also a list of equal
/// numbers (a recipient may refuse it, RFC 9112 §6.3 rule 5).
[[nodiscard]] bool parse_content_length(std::string_view value, uint64_t& length);

enum class TransferCoding : uint8_t {
  None,
  Chunked,      ///< "chunked" in any case and nothing else
  Unsupported,  ///< other codings, then chunked: well formed, but not implemented here
  Invalid,      ///< chunked is not the last, or comes twice, or has parameters; or not a list of codings
};
[[nodiscard]] TransferCoding parse_transfer_encoding(std::string_view value);

/// Gathers the framing fields of one head, line by line. A second line of either, and both together, are refused
/// (RFC 9112 §6.1, §6.3): what a peer may read differently is not passed on.
class FramingFields {
 public:
  enum class Verdict : uint8_t { Ok, BadContentLength, BadTransferEncoding, UnsupportedCoding, Both };
  Verdict add_content_length(std::string_view value);
  /// `minor_version`: HTTP/1.0 knows no Transfer-Encoding (RFC 9112 §6.1).
  Verdict add_transfer_encoding(std::string_view value, uint8_t minor_version);

  [[nodiscard]] bool has_content_length() const { return has_length_; }
  [[nodiscard]] uint64_t content_length() const { return length_; }
  [[nodiscard]] bool chunked() const { return coding_ == TransferCoding::Chunked; }

 private:
  uint64_t length_ = 0;
  bool has_length_ = false;
  TransferCoding coding_ = TransferCoding::None;
};

[[nodiscard]] constexpr std::string_view describe(FramingFields::Verdict verdict) {
  switch (verdict) {
    case FramingFields::Verdict::Ok:
      break;
    case FramingFields::Verdict::BadContentLength:
      return "invalid or repeated Content-Length";
    case FramingFields::Verdict::BadTransferEncoding:
      return "invalid or repeated Transfer-Encoding";
    case FramingFields::Verdict::UnsupportedCoding:
      return "unsupported transfer coding";
    case FramingFields::Verdict::Both:
      return "Content-Length and Transfer-Encoding together";
  }
  return "";
}

/// Gathers the options of all Connection fields of one head (RFC 9110 §7.6.1). What is no token is ignored.
class ConnectionOptions {
 public:
  /// A head that names more fields than this is refused: it asks for work, not for anything that a peer needs.
  static constexpr uint32_t kMaxNominated = 256;

  /// False: too many options; mark_nominated() must not be called then.
  bool add(std::string_view value);
  [[nodiscard]] bool close() const { return close_; }
  [[nodiscard]] bool upgrade() const { return upgrade_; }
  /// Whether the sender allows another message on this connection (RFC 9112 §9.3).
  [[nodiscard]] bool persistent(uint8_t minor_version) const { return !close_ && (minor_version >= 1 || keep_alive_); }
  /// Marks the fields that the Connection fields among `fields` name as hop-by-hop; never Host, Content-Length,
  /// Transfer-Encoding and X-Forwarded-*: nobody may have those taken away.
  void mark_nominated(std::vector<Field>& fields) const;

 private:
  bool close_ = false;
  bool keep_alive_ = false;
  bool upgrade_ = false;
  uint32_t nominated_ = 0;
};

/// Whether `value` is a list of at least one protocol: token [ "/" token ] (RFC 9110 §7.8).
[[nodiscard]] bool is_protocol_list(std::string_view value);

/// N of "timeout=N" in a Keep-Alive field; 0 if it says nothing that can be understood.
[[nodiscard]] uint32_t parse_keep_alive_timeout(std::string_view value);

}  // namespace restgate::http1
