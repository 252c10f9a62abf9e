#include "common/platform/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace restgate::platform {

Result<UniqueFd> create_memfd(const char* name, size_t bytes) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make shared memory", errno);
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return system_error("cannot size shared memory", errno);
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return system_error("cannot seal shared memory", errno);
  return fd;
}

Result<UniqueFd> create_sealed_memfd(const char* name, std::string_view content) {
  auto fd = create_memfd(name, content.size());
  if (!fd) return fd;
  for (size_t at = 0; at < content.size();) {
    const ssize_t written = pwrite(fd->get(), content.data() + at, content.size() - at, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("cannot write to shared memory", errno);
    at += static_cast<size_t>(written);
  }
  if (fcntl(fd->get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return system_error("cannot seal shared memory", errno);
  return fd;
}

Result<std::string> read_sealed_memfd(int fd) {
  constexpr int kUnchanging = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kUnchanging) != kUnchanging) return Error{"this is no sealed file in memory", EINVAL};
  const auto size = file_size(fd);
  if (!size) return size.error();
  std::string content(*size, '\0');
  for (size_t at = 0; at < content.size();) {
    const ssize_t got = pread(fd, content.data() + at, content.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("cannot read shared memory", errno);
    at += static_cast<size_t>(got);
  }
  return content;
}

Result<size_t> file_size(int fd) {
  struct stat st {};
  if (fstat(fd, &st) != 0) return system_error("cannot read a file's size", errno);
  return static_cast<size_t>(st.st_size);
}

Result<Mapping> Mapping::map(int fd, size_t bytes, Access access) {
  const int protection = access == Access::ReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* at = mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return system_error("cannot map shared memory", errno);
  return Mapping(std::span<std::byte>(static_cast<std::byte*>(at), bytes));
}

Mapping::~Mapping() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

void Mapping::hide_from_children() const {
  if (!bytes_.empty()) madvise(bytes_.data(), bytes_.size(), MADV_DONTFORK);
}

}  // namespace restgate::platform
