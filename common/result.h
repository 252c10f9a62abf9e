// Result<T>: a value or the reason why there is none.
//
// Used for every failure that can be expected to happen (bad input, a refused system call).
// What cannot happen is asserted instead. No exceptions cross a RESTGate interface.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace restgate {

/// Why an operation failed, in a sentence for a person, and the errno behind it (0: none).
struct Error {
  std::string message;
  int sys_errno = 0;
};

/// Builds an Error "what: strerror(errno_value)".
[[nodiscard]] Error system_error(std::string what, int errno_value);

template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const E& error() const& { return std::get<1>(state_); }
  E&& error() && { return std::get<1>(std::move(state_)); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, E> state_;
};

/// The Result of an operation that yields nothing but success.
struct Ok {};
using Status = Result<Ok>;

}  // namespace restgate
