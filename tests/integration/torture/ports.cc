#include "integration/torture/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/unique_fd.h"
#include "integration/support/deadline.h"

namespace restgate::itest::torture {

namespace {

constexpr uint16_t kFirst = 20000;
constexpr uint16_t kCount = 12000;

bool is_free(uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

std::vector<uint16_t> free_ports(size_t count) {
  std::vector<uint16_t> ports;
  // Tests that run at the same time begin at different places.
  const auto start = static_cast<unsigned>(::getpid()) * 97U;
  for (unsigned i = 0; i < kCount && ports.size() < count; ++i) {
    const auto port = static_cast<uint16_t>(kFirst + (start + i) % kCount);
    if (is_free(port)) ports.push_back(port);
  }
  if (ports.size() < count) throw Failure("no free ports");
  return ports;
}

}  // namespace restgate::itest::torture
