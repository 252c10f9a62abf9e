// Identity: as whom a process runs. Looked up by the master when a configuration is loaded; taken on by its workers.
//
// What is looked up is numbers alone: a worker asks no user database after fork.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/result.h"

namespace restgate::platform {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones, `gid` among them
  bool operator==(const Identity&) const = default;
};

/// A user by name or number; the Error is a sentence. Groups are the user's own unless `group` is given.
/// A number need not be in the user database, but then it has no group of its own: `needs_group`.
struct UserEntry {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;          ///< "": the number is nobody's
  bool needs_group = false;  ///< the number is nobody's: it has no group of its own
};
[[nodiscard]] Result<UserEntry> find_user(const std::string& name_or_number);
/// A group by name or number.
[[nodiscard]] Result<gid_t> find_group(const std::string& name_or_number);
/// The user in this group (its own, or another), with the further groups that the group database gives it.
[[nodiscard]] Identity identity_of(const UserEntry& user, gid_t gid);

/// As whom this process runs.
[[nodiscard]] Identity current_identity();
/// Whether this process can have children run as `identity`, and signal them. The Error is a sentence.
[[nodiscard]] Status check_may_become(const Identity& identity);

/// Irrevocably becomes `identity`, without any capability, and makes sure of it. Does nothing when it is that already.
/// The parent-death signal is cleared by it; cores are still written.
[[nodiscard]] Status become(const Identity& identity);
/// Irrevocably gives up all capabilities. For a process that is not root's: it has them for what its master does.
[[nodiscard]] Status drop_capabilities();
/// No program that this process ever executes gets more privileges (set-user-ID bits, file capabilities).
[[nodiscard]] Status forbid_new_privileges();

}  // namespace restgate::platform
