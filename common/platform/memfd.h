// Anonymous shared memory: a memfd of fixed size and its mapping. Any process.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// A zeroed memory file of `bytes` that can neither shrink nor grow; close-on-exec. `name` is seen in /proc only.
Result<UniqueFd> create_memfd(const char* name, size_t bytes);

/// A memory file with this content, which nobody can change any more; close-on-exec.
Result<UniqueFd> create_sealed_memfd(const char* name, std::string_view content);
/// Its content. Fails for a file that somebody could still change.
Result<std::string> read_sealed_memfd(int fd);

/// The size of a file in bytes.
Result<size_t> file_size(int fd);

/// A mapping of a memory file, shared with whoever else maps it; unmapped when destroyed.
class Mapping {
 public:
  enum class Access : unsigned char { ReadOnly, ReadWrite };
  Mapping() = default;
  static Result<Mapping> map(int fd, size_t bytes, Access access);
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  /// Keeps it out of processes forked from now on. Best effort: elsewhere it would only be memory that nobody uses.
  void hide_from_children() const;

 private:
  explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

}  // namespace restgate::platform
