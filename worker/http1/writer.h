// HeadWriter: renders heads and chunk framing into memory of the caller. Worker; no allocation.
//
// It writes what it is given: names and values come from parsed heads, the configuration or constants, none of which
// can hold a CR or LF.
#pragma once

#include <array>
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
  void field(std::string_view name, std::string_view value) {
    if (static_cast<size_t>(end_ - at_) < name.size() + value.size() + 4) [[unlikely]] {
      overflow();
      return;
    }
    append(name);
    append(": ");
    append(value);
    append("\r\n");
  }
  void field(std::string_view name, uint64_t value) { digits(name, ": ", value, 10, "\r\n"); }
  void number(uint64_t value) { digits({}, {}, value, 10, {}); }
  void hex(uint64_t value) { digits({}, {}, value, 16, {}); }

  /// method SP target SP HTTP/1.1 CRLF (RFC 9112 §3).
  void request_line(std::string_view method, std::string_view target) {
    raw(method);
    raw(" ");
    raw(target);
    raw(" HTTP/1.1\r\n");
  }
  /// HTTP/1.1 SP status SP [ reason ] CRLF (RFC 9112 §4).
  void status_line(uint16_t status, std::string_view reason) {
    digits("HTTP/1.1", " ", status, 10, " ");
    raw(reason);
    crlf();
  }

  /// What comes before the data of a chunk of `size` > 0 bytes; a CRLF comes after it (RFC 9112 §7.1).
  void chunk_head(uint64_t size) { digits({}, {}, size, 16, "\r\n"); }
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
  void append(const char (&literal)[N]) {
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
  void digits(std::string_view before, std::string_view between, uint64_t value, int base, std::string_view after) {
    std::array<char, 20> space;  // the longest uint64_t in decimal
    const char* const end = std::to_chars(space.data(), space.data() + space.size(), value, base).ptr;
    raw(before);
    raw(between);
    raw({space.data(), static_cast<size_t>(end - space.data())});
    raw(after);
  }
  void overflow() {
    overflowed_ = true;
    end_ = at_;
  }

  char* begin_;
  char* at_;
  char* end_;
  bool overflowed_ = false;
};

}  // namespace restgate::http1
