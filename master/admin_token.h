// The token that clients of the admin port must have (admin_token_file). Master.
//
// Only its digest is kept: the workers, which face the network, are copies of the master.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace restgate::master {

using AdminTokenDigest = std::array<uint8_t, 32>;  ///< SHA-256

/// Reads the file: one token of 8 to 4096 visible ASCII characters (RFC 6750 §2.1 allows no others), white space around
/// it does not count. An Error is a sentence for the person who wrote it.
Result<AdminTokenDigest> read_admin_token(const std::string& file);

/// Whether the value of an Authorization field is `Bearer` and that token. Takes as long for a wrong one as for a right
/// one of the same length.
[[nodiscard]] bool authorizes(std::string_view authorization, const AdminTokenDigest& token);

}  // namespace restgate::master
