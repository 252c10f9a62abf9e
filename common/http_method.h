// The request methods that RESTGate knows by number. Any process.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace restgate {

/// Index of a method: the standard ones below, then those that the configuration's routes declare in addition
/// (Config::methods), kOtherMethod for all the rest. Bounds the metric label `method`.
using MethodId = uint8_t;

inline constexpr std::array<std::string_view, 9> kStandardMethods = {"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                                     "DELETE", "OPTIONS", "TRACE", "CONNECT"};
inline constexpr MethodId kMethodGet = 0;
inline constexpr MethodId kMethodHead = 1;
inline constexpr MethodId kMethodPost = 2;
inline constexpr MethodId kMethodPut = 3;
inline constexpr MethodId kMethodPatch = 4;
inline constexpr MethodId kMethodDelete = 5;
inline constexpr MethodId kMethodOptions = 6;
inline constexpr MethodId kMethodTrace = 7;
inline constexpr MethodId kMethodConnect = 8;
inline constexpr MethodId kMaxMethods = 63;  ///< a configuration may name at most this many, standard ones included
inline constexpr MethodId kOtherMethod = 63;

}  // namespace restgate
