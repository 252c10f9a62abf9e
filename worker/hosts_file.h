// HostsFile: the addresses of a hosts(5) file. Worker.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/platform/address.h"

namespace restgate::worker {

class HostsFile {
 public:
  HostsFile() = default;
  /// What cannot be understood is passed over, as the C library does.
  static HostsFile parse(std::string_view text);
  /// A file that cannot be read is empty.
  static HostsFile read(const std::string& path);

  /// The addresses of a name in any case, in file order, with port 0. Empty: the file does not name it.
  [[nodiscard]] std::vector<platform::Address> find(std::string_view name) const;

 private:
  std::unordered_map<std::string, std::vector<platform::Address>> addresses_;  // by lower-case name
};

}  // namespace restgate::worker
