#include "common/stats/block.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
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
  Result<UniqueFd> fd = platform::create_memfd("restgate-statistics", block.size_bytes());
  if (!fd) return std::move(fd).error();
  block.fd_ = std::move(fd).value();
  Result<platform::Mapping> mapping =
      platform::Mapping::map(block.fd(), block.size_bytes(), platform::Mapping::Access::ReadWrite);
  if (!mapping) return std::move(mapping).error();
  block.mapping_ = std::move(mapping).value();

  write_names(spec, block.section<char>(block.offsets_.names));
  layout::Header header;
  header.header_bytes = sizeof(layout::Header);
  header.fingerprint = layout::schema_fingerprint();
  header.counts = block.counts_;
  header.offsets = block.offsets_;
  std::memcpy(block.section<void>(0), &header, sizeof(header));
  return block;
}

Result<Block> Block::attach(UniqueFd fd) {
  const Result<size_t> size = platform::file_size(fd.get());
  if (!size) return size.error();
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSizeSeals) != kSizeSeals)
    return Error{"not a statistics block: no file in memory of a sealed size"};
  layout::Header header;
  if (*size < sizeof(header) || ::pread(fd.get(), &header, sizeof(header), 0) != sizeof(header))
    return Error{"not a statistics block: too short"};
  if (header.magic != layout::kMagic) return Error{"not a statistics block: wrong magic number"};
  if (header.version != layout::kVersion || header.header_bytes != sizeof(header) ||
      header.fingerprint != layout::schema_fingerprint())
    return Error{"a statistics block of another version"};
  if (!within_limits(header.counts)) return Error{"a damaged statistics block: impossible counts"};

  Block block;
  block.counts_ = header.counts;
  block.offsets_ = layout::offsets_for(header.counts);
  if (header.offsets != block.offsets_ || *size != block.size_bytes())
    return Error{"a damaged statistics block: sizes that contradict each other"};
  block.fd_ = std::move(fd);
  Result<platform::Mapping> mapping =
      platform::Mapping::map(block.fd(), block.size_bytes(), platform::Mapping::Access::ReadOnly);
  if (!mapping) return std::move(mapping).error();
  block.mapping_ = std::move(mapping).value();
  // Copied before it is looked at: the writer may be alive.
  const std::string names(block.section<const char>(block.offsets_.names), header.counts.names_bytes);
  std::string_view rest = names;
  if (!read_names(rest, header.counts.routes - 1, block.spec_.routes) ||
      !read_names(rest, header.counts.services, block.spec_.services) ||
      !read_names(rest, header.counts.methods, block.spec_.methods) || !rest.empty())
    return Error{"a damaged statistics block: names that do not fit"};
  return block;
}

Writer Block::writer() const {
  Writer writer;
  if (mapping_.bytes().empty() || !writable_) return writer;
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

}  // namespace restgate::stats
