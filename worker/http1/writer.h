// HeadWriter: renders heads and chunk framing into memory of the caller. Worker; no allocation.
//
// It writes what it is given: names and values come from parsed heads, the configuration or constants, none of which
// can hold a CR or LF.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace restgate::http1 {

class HeadWriter {
 public:
  /// [begin, end) stays the caller's and must outlive the writer.
  HeadWriter(char* begin, char* end) : begin_(begin), at_(begin), end_(end) {}

  /// What does not fit is left out altogether, and so is everything after it.
  void raw(std::string_view text) {
    if (static_cast<size_t>(end_ - at_) < text.size()) [[unlikely]] {
      overflow();
      return;
    }
    append(text);
  }
  /// The same for a text whose length the compiler knows: a store or two.
  template <size_t N>
  void raw(const char (&literal)[N]) {
    if (static_cast<size_t>(end_ - at_) < N - 1) [[unlikely]] {
      overflow();
      return;
    }
    append(literal);
  }
  void crlf() { raw("\r\n"); }
  /// "name: value CRLF" (RFC 9112 §5).
  void field(std::string_view name, std::string_view value) { field_line(name, name.size(), value); }
  /// The same for a name that the compiler knows.
  template <size_t N>
  void field(const char (&name)[N], std::string_view value) {
    field_line(name, N - 1, value);
  }
  template <size_t N>
  void field(const char (&name)[N], uint64_t value) {
    raw(name);
    raw(": ");
    number(value);
    crlf();
  }
  void number(uint64_t value) {
    if (kLittleEndian && value < 10'000 && end_ - at_ >= 4) [[likely]]
      append_short(static_cast<uint32_t>(value));
    else
      digits(value, 10);
  }
  void hex(uint64_t value) { digits(value, 16); }
  /// Microseconds as seconds with six digits behind the point.
  void seconds(uint64_t micros) {
    if (micros < 1'000'000) [[likely]]
      raw("0");
    else
      number(micros / 1'000'000);
    if (end_ - at_ < 7) [[unlikely]] {
      overflow();
      return;
    }
    const auto rest = static_cast<uint32_t>(micros % 1'000'000);
    *at_ = '.';
    two_digits(at_ + 1, rest / 10'000);
    two_digits(at_ + 3, rest / 100 % 100);
    two_digits(at_ + 5, rest % 100);
    at_ += 7;
  }

  /// method SP target SP HTTP/1.1 CRLF (RFC 9112 §3).
  void request_line(std::string_view method, std::string_view target) {
    raw(method);
    raw(" ");
    raw(target);
    raw(" HTTP/1.1\r\n");
  }
  /// HTTP/1.1 SP status SP [ reason ] CRLF (RFC 9112 §4).
  void status_line(uint16_t status, std::string_view reason) {
    raw("HTTP/1.1 ");
    number(status);
    raw(" ");
    raw(reason);
    crlf();
  }

  /// What comes before the data of a chunk of `size` > 0 bytes; a CRLF comes after it (RFC 9112 §7.1).
  void chunk_head(uint64_t size) {
    hex(size);
    crlf();
  }
  /// The end of a chunked body; `trailers` are complete field lines.
  void last_chunk(std::string_view trailers = {}) {
    raw("0\r\n");
    raw(trailers);
    crlf();
  }

  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] size_t size() const { return static_cast<size_t>(at_ - begin_); }
  /// What was written, complete unless overflowed().
  [[nodiscard]] std::string_view text() const { return {begin_, size()}; }

 private:
  /// `name`: a string_view or a literal, whose append() the compiler knows better.
  template <typename Name>
  void field_line(const Name& name, size_t name_size, std::string_view value) {
    if (static_cast<size_t>(end_ - at_) < name_size + value.size() + 4) [[unlikely]] {
      overflow();
      return;
    }
    append(name);
    append(": ");
    append(value);
    append("\r\n");
  }
  /// A head is made of many short texts: copied in place by a few moves that may overlap, without a call.
  void append(std::string_view text) {
    const char* from = text.data();
    const size_t size = text.size();
    if (size > 32)
      std::memcpy(at_, from, size);
    else if (size >= 16)
      copy_ends<Sixteen>(from, size);
    else if (size >= 8)
      copy_ends<uint64_t>(from, size);
    else if (size >= 4)
      copy_ends<uint32_t>(from, size);
    else
      for (size_t i = 0; i < size; ++i) at_[i] = from[i];
    at_ += size;
  }
  template <size_t N>
  [[gnu::always_inline]] void append(const char (&literal)[N]) {
    std::memcpy(at_, literal, N - 1);
    at_ += N - 1;
  }
  struct Sixteen {
    uint64_t low;
    uint64_t high;
  };
  /// By two moves of a T. REQUIRES: sizeof(T) <= size <= 2 * sizeof(T).
  template <typename T>
  void copy_ends(const char* from, size_t size) {
    T first;
    T last;
    std::memcpy(&first, from, sizeof(T));
    std::memcpy(&last, from + size - sizeof(T), sizeof(T));
    std::memcpy(at_, &first, sizeof(T));
    std::memcpy(at_ + size - sizeof(T), &last, sizeof(T));
  }
  [[gnu::noinline]] void digits(uint64_t value, int base) {
    std::array<char, 20> space;  // the longest uint64_t in decimal
    const char* const end = std::to_chars(space.data(), space.data() + space.size(), value, base).ptr;
    raw({space.data(), static_cast<size_t>(end - space.data())});
  }
  static constexpr bool kLittleEndian = std::endian::native == std::endian::little;
  /// REQUIRES: value < 10,000, room for four characters, kLittleEndian.
  void append_short(uint32_t value) {
    const uint32_t size = 1 + (value > 9 ? 1 : 0) + (value > 99 ? 1 : 0) + (value > 999 ? 1 : 0);
    uint16_t high = 0;
    uint16_t low = 0;
    std::memcpy(&high, &kTwoDigits[2 * (value / 100)], 2);
    std::memcpy(&low, &kTwoDigits[2 * (value % 100)], 2);
    const uint32_t four = (uint32_t{low} << 16U | high) >> 8U * (4 - size);  // the zeros in front are shifted out
    std::memcpy(at_, &four, 4);
    at_ += size;
  }
  static void two_digits(char* to, uint32_t value) { std::memcpy(to, &kTwoDigits[2 * value], 2); }
  static constexpr std::array<char, 200> kTwoDigits = [] {
    std::array<char, 200> all{};
    for (size_t i = 0; i < 100; ++i) {
      all[2 * i] = static_cast<char>('0' + i / 10);
      all[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return all;
  }();
  [[gnu::cold]] void overflow() {
    overflowed_ = true;
    end_ = at_;
  }

  char* begin_;
  char* at_;
  char* end_;
  bool overflowed_ = false;
};

}  // namespace restgate::http1
