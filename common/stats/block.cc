#include "common/stats/block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace restgate::stats {
namespace {

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;
constexpr size_t kLengthBytes = sizeof(uint16_t);
constexpr uint64_t kMaxNamesBytes = uint64_t{1} << 30;

/// Room for the names of `spec`, or nothing when one of its limits is passed.
std::optional<layout::Counts> counts_of(const BlockSpec& spec) {
  if (spec.routes.size() >= kMaxRoutes || spec.services.size() > kMaxServices || spec.methods.size() > kMaxMethods)
    return std::nullopt;
  uint64_t names_bytes = 0;
  for (const auto* names : {&spec.routes, &spec.services, &spec.methods}) {
    for (const std::string& name : *names) {
      if (name.size() > kMaxNameBytes) return std::nullopt;
      names_bytes += kLengthBytes + name.size();
    }
  }
  if (names_bytes > kMaxNamesBytes) return std::nullopt;
  return layout::Counts{.routes = static_cast<uint32_t>(spec.routes.size() + 1),
                        .services = static_cast<uint32_t>(spec.services.size()),
                        .methods = static_cast<uint32_t>(spec.methods.size()),
                        .names_bytes = static_cast<uint32_t>(names_bytes)};
}

bool within_limits(const layout::Counts& counts) {
  return counts.routes >= 1 && counts.routes <= kMaxRoutes && counts.services <= kMaxServices &&
         counts.methods <= kMaxMethods && counts.names_bytes <= kMaxNamesBytes;
}

void write_names(const BlockSpec& spec, char* out) {
  for (const auto* names : {&spec.routes, &spec.services, &spec.methods}) {
    for (const std::string& name : *names) {
      const auto length = static_cast<uint16_t>(name.size());
      std::memcpy(out, &length, kLengthBytes);
      std::memcpy(out + kLengthBytes, name.data(), name.size());
      out += kLengthBytes + name.size();
    }
  }
}

/// Takes `count` names off the front of `bytes`; false when they do not fit.
bool read_names(std::string_view& bytes, uint32_t count, std::vector<std::string>& names) {
  names.reserve(std::min<size_t>(count, bytes.size() / kLengthBytes));
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t length = 0;
    if (bytes.size() < kLengthBytes) return false;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    bytes.remove_prefix(kLengthBytes);
    if (length > kMaxNameBytes || length > bytes.size()) return false;
    names.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace

Result<Block> Block::create(const BlockSpec& spec) {
  const std::optional<layout::Counts> counts = counts_of(spec);
  if (!counts) return Error{"too many or too long route, service or method names for a statistics block"};
  Block block;
  block.counts_ = *counts;
  block.offsets_ = layout::offsets_for(*counts);
  block.spec_ = spec;
  block.writable_ = true;
  block.fd_.reset(::memfd_create("restgate-statistics", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!block.fd_) return system_error("cannot create a statistics block", errno);
  if (::ftruncate(block.fd(), static_cast<off_t>(block.size_bytes())) != 0)
    return system_error("cannot size a statistics block", errno);
  if (::fcntl(block.fd(), F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) != 0)
    return system_error("cannot seal a statistics block", errno);
  if (Status mapped = block.map(PROT_READ | PROT_WRITE); !mapped) return std::move(mapped).error();

  write_names(spec, block.section<char>(block.offsets_.names));
  layout::Header header;
  header.header_bytes = sizeof(layout::Header);
  header.fingerprint = layout::schema_fingerprint();
  header.counts = block.counts_;
  header.offsets = block.offsets_;
  std::memcpy(block.base_, &header, sizeof(header));
  return block;
}

Result<Block> Block::attach(UniqueFd fd) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error("cannot look at a statistics block", errno);
  const auto size = static_cast<uint64_t>(info.st_size);
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (!S_ISREG(info.st_mode) || info.st_size < 0 || seals < 0 || (seals & kSizeSeals) != kSizeSeals)
    return Error{"not a statistics block: no file in memory of a sealed size"};
  layout::Header header;
  if (size < sizeof(header) || ::pread(fd.get(), &header, sizeof(header), 0) != sizeof(header))
    return Error{"not a statistics block: too short"};
  if (header.magic != layout::kMagic) return Error{"not a statistics block: wrong magic number"};
  if (header.version != layout::kVersion || header.header_bytes != sizeof(header) ||
      header.fingerprint != layout::schema_fingerprint())
    return Error{"a statistics block of another version"};
  if (!within_limits(header.counts)) return Error{"a damaged statistics block: impossible counts"};

  Block block;
  block.counts_ = header.counts;
  block.offsets_ = layout::offsets_for(header.counts);
  if (header.offsets != block.offsets_ || size != block.size_bytes())
    return Error{"a damaged statistics block: sizes that contradict each other"};
  block.fd_ = std::move(fd);
  if (Status mapped = block.map(PROT_READ); !mapped) return std::move(mapped).error();
  // Copied before it is looked at: the writer may be alive.
  const std::string names(block.section<const char>(block.offsets_.names), header.counts.names_bytes);
  std::string_view rest = names;
  if (!read_names(rest, header.counts.routes - 1, block.spec_.routes) ||
      !read_names(rest, header.counts.services, block.spec_.services) ||
      !read_names(rest, header.counts.methods, block.spec_.methods) || !rest.empty())
    return Error{"a damaged statistics block: names that do not fit"};
  return block;
}

Block& Block::operator=(Block&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  fd_ = std::move(other.fd_);
  base_ = std::exchange(other.base_, nullptr);
  writable_ = other.writable_;
  counts_ = other.counts_;
  offsets_ = other.offsets_;
  spec_ = std::move(other.spec_);
  return *this;
}

Status Block::map(int protection) {
  void* base = ::mmap(nullptr, size_bytes(), protection, MAP_SHARED, fd(), 0);
  if (base == MAP_FAILED) return system_error("cannot map a statistics block", errno);
  base_ = base;
  return Ok{};
}

void Block::unmap() {
  if (base_ != nullptr) ::munmap(base_, size_bytes());
  base_ = nullptr;
}

Writer Block::writer() const {
  Writer writer;
  if (base_ == nullptr || !writable_) return writer;
  writer.process_ = section<layout::ProcessSlot>(offsets_.process);
  writer.services_ = section<layout::ServiceSlot>(offsets_.services);
  writer.routes_ = section<layout::RouteSlot>(offsets_.routes);
  writer.overflow_ = section<layout::OverflowSlot>(offsets_.overflow);
  writer.cells_ = section<layout::Cell>(offsets_.cells);
  writer.cell_mask_ = offsets_.cell_count - 1;
  writer.hash_shift_ = static_cast<uint32_t>(64 - std::countr_zero(offsets_.cell_count));
  writer.route_count_ = counts_.routes;
  writer.service_count_ = counts_.services;
  writer.method_count_ = counts_.methods;
  return writer;
}

void Block::hide_from_later_children() const {
  // Best effort: a kernel that cannot do it leaves the mapping where nobody uses it.
  if (base_ != nullptr) ::madvise(base_, size_bytes(), MADV_DONTFORK);
}

}  // namespace restgate::stats
