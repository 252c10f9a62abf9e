#include "worker/hosts_file.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace restgate::worker {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return result;
}

}  // namespace

HostsFile HostsFile::parse(std::string_view text) {
  HostsFile hosts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word)) continue;
    const auto address = platform::Address::parse(word, 0);
    if (!address) continue;
    while (words >> word) hosts.addresses_[lower(word)].push_back(*address);
  }
  return hosts;
}

HostsFile HostsFile::read(const std::string& path) {
  std::ifstream file(path);
  return parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<platform::Address> HostsFile::find(std::string_view name) const {
  const auto found = addresses_.find(lower(name));
  return found == addresses_.end() ? std::vector<platform::Address>() : found->second;
}

}  // namespace restgate::worker
