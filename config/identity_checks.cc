// The checks of ConfigReader that ask this system about users and groups.
#include <string>
#include <string_view>
#include <utility>

#include "common/platform/identity.h"
#include "config/config_reader.h"
#include "config/text.h"

namespace restgate::config {

void ConfigReader::find_identity(const YamlNode& root) {
  const auto report = [&](std::string_view key, std::string message) {
    const YamlEntry* entry = root.find(key);
    diagnostics_.add(entry != nullptr ? entry->value.mark : root.mark, std::string(key), std::move(message));
  };
  if (root.find("user") == nullptr && root.find("group") != nullptr)
    return report("group", "says nothing without the key 'user'");
  if (checks_ == nullptr || config_.user.empty()) return;  // not given, or reported already

  const auto user = platform::find_user(config_.user);
  auto group = Result<gid_t>(user ? user->gid : gid_t{0});
  if (!config_.group.empty()) group = platform::find_group(config_.group);
  if (!user) report("user", quoted(config_.user) + ": " + user.error().message);
  if (!group) report("group", quoted(config_.group) + ": " + group.error().message);
  if (!user || !group) return;
  if (user->needs_group && root.find("group") == nullptr)
    return report("user", "this system knows no user " + config_.user + ": name its group with the key 'group'");
  config_.identity = platform::identity_of(*user, *group);
  if (!checks_->identity) return;
  if (auto wrong = checks_->identity(*config_.identity)) report("user", *std::move(wrong));
}

}  // namespace restgate::config
