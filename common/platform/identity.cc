#include "common/platform/identity.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>

namespace restgate::platform {
namespace {

constexpr size_t kMostRoom = size_t{1} << 20U;  // for one entry of a user or group database

/// A number that can be a user or a group: the highest one means "unchanged" to the kernel.
std::optional<uint32_t> number_of(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number == std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return number;
}

bool all_digits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Calls `look`, one of the reentrant functions of the databases, with more and more room. 0: an entry, or none.
template <typename Look>
int with_room(std::vector<char>& room, Look look) {
  for (room.resize(1024);; room.resize(room.size() * 2)) {
    const int error = look(room.data(), room.size());
    if (error == EINTR) continue;
    if (error != ERANGE || room.size() >= kMostRoom) return error;
  }
}

/// Some say "none" by an error.
bool means_none(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/// The entry of a user; nothing: there is none.
template <typename Look>
Result<std::optional<UserEntry>> user_entry(Look look) {
  std::vector<char> room;
  passwd entry{};
  passwd* found = nullptr;
  const int error = with_room(room, [&](char* at, size_t size) { return look(&entry, at, size, &found); });
  if (found != nullptr) return std::optional(UserEntry{found->pw_uid, found->pw_gid, found->pw_name, false});
  if (means_none(error)) return std::optional<UserEntry>();
  return system_error("the user database cannot be read", error);
}

bool has_capability(unsigned which) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return geteuid() == 0;
  return (sets[CAP_TO_INDEX(which)].effective & CAP_TO_MASK(which)) != 0;
}

std::vector<gid_t> sorted(std::vector<gid_t> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

/// Real, effective and saved ids and the groups are those of `identity`, and there is no way back.
bool is_now(const Identity& identity, bool was_privileged) {
  uid_t user[3];
  gid_t group[3];
  if (getresuid(&user[0], &user[1], &user[2]) != 0 || getresgid(&group[0], &group[1], &group[2]) != 0) return false;
  for (const uid_t id : user)
    if (id != identity.uid) return false;
  for (const gid_t id : group)
    if (id != identity.gid) return false;
  if (sorted(current_identity().groups) != sorted(identity.groups)) return false;
  return identity.uid == 0 || !was_privileged || setresuid(0, 0, 0) != 0;
}

}  // namespace

Result<UserEntry> find_user(const std::string& name_or_number) {
  if (all_digits(name_or_number)) {
    const auto number = number_of(name_or_number);
    if (!number) return Error{name_or_number + " is no user number: they go up to 4294967294", EINVAL};
    auto entry = user_entry(
        [&](passwd* to, char* at, size_t size, passwd** found) { return getpwuid_r(*number, to, at, size, found); });
    if (!entry) return std::move(entry).error();
    return *entry ? **std::move(entry) : UserEntry{*number, 0, "", true};
  }
  auto entry = user_entry([&](passwd* to, char* at, size_t size, passwd** found) {
    return getpwnam_r(name_or_number.c_str(), to, at, size, found);
  });
  if (!entry) return std::move(entry).error();
  if (!*entry) return Error{"this system has no such user", ENOENT};
  return **std::move(entry);
}

Result<gid_t> find_group(const std::string& name_or_number) {
  if (all_digits(name_or_number)) {
    if (const auto number = number_of(name_or_number)) return gid_t{*number};
    return Error{name_or_number + " is no group number: they go up to 4294967294", EINVAL};
  }
  std::vector<char> room;
  group entry{};
  group* found = nullptr;
  const int error = with_room(
      room, [&](char* at, size_t size) { return getgrnam_r(name_or_number.c_str(), &entry, at, size, &found); });
  if (found != nullptr) return found->gr_gid;
  if (means_none(error)) return Error{"this system has no such group", ENOENT};
  return system_error("the group database cannot be read", error);
}

Identity identity_of(const UserEntry& user, gid_t gid) {
  Identity identity{user.uid, gid, {gid}};
  if (user.name.empty()) return identity;
  int count = 64;
  for (;;) {
    identity.groups.resize(static_cast<size_t>(count));
    const int room = count;
    if (getgrouplist(user.name.c_str(), gid, identity.groups.data(), &count) >= 0) break;
    if (count <= room) count = room * 2;
  }
  identity.groups.resize(static_cast<size_t>(count));
  identity.groups = sorted(std::move(identity.groups));
  return identity;
}

Identity current_identity() {
  Identity identity{geteuid(), getegid(), {}};
  const int count = getgroups(0, nullptr);
  if (count > 0) {
    identity.groups.resize(static_cast<size_t>(count));
    const int got = getgroups(count, identity.groups.data());
    identity.groups.resize(static_cast<size_t>(std::max(got, 0)));
  }
  identity.groups = sorted(std::move(identity.groups));
  return identity;
}

Status check_may_become(const Identity& identity) {
  const Identity now = current_identity();
  struct Need {
    unsigned capability;
    const char* name;
    bool needed;
  };
  // The kernel lets a process signal its own user's processes alone, if it has not the capability.
  const Need needs[] = {
      {CAP_SETUID, "CAP_SETUID", identity.uid != now.uid},
      {CAP_SETGID, "CAP_SETGID", identity.gid != now.gid || sorted(identity.groups) != now.groups},
      {CAP_KILL, "CAP_KILL", identity.uid != now.uid},
  };
  if (now.uid != 0 && identity.uid == now.uid && identity.gid == now.gid) return Ok{};  // its groups are its own
  std::string missing;
  for (const Need& need : needs)
    if (need.needed && !has_capability(need.capability))
      missing += (missing.empty() ? "" : ", ") + std::string(need.name);
  if (missing.empty()) return Ok{};
  return Error{
      "this process runs as user " + std::to_string(now.uid) +
          " and cannot have its workers run as another one: start it as root, or leave the key out (missing: " +
          missing + ")",
      EPERM};
}

Status drop_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{};
  const bool known = syscall(SYS_capget, &header, held.data()) == 0;
  const auto holds = [](const __user_cap_data_struct& set) {
    return (set.effective | set.permitted | set.inheritable) != 0;
  };
  if (known && std::none_of(held.begin(), held.end(), holds)) return Ok{};  // whatever a filter says of capset()
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (syscall(SYS_capset, &header, none.data()) != 0) return system_error("cannot give up capabilities", errno);
  return Ok{};
}

Status become(const Identity& identity) {
  const Identity before = current_identity();
  if (before.uid != 0 && identity.uid == before.uid && identity.gid == before.gid) return Ok{};
  const bool groups_differ = sorted(identity.groups) != before.groups;
  if (groups_differ && setgroups(identity.groups.size(), identity.groups.data()) != 0)
    return system_error("cannot set the groups", errno);
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return system_error("cannot change the group", errno);
  if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return system_error("cannot change the user", errno);
  // A change away from user 0 empties the sets of capabilities; one from another user does not.
  if (Status dropped = drop_capabilities(); !dropped) return dropped;
  if (!is_now(identity, before.uid == 0)) return Error{"the change of user has not come into effect", 0};
  // A change of user makes the process one whose cores are not written.
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) return system_error("cannot allow cores", errno);
  return Ok{};
}

Status forbid_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return Ok{};
  return system_error("cannot forbid new privileges", errno);
}

}  // namespace restgate::platform
