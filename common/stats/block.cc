#include "common/stats/block.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "common/stats/bounds.h"

namespace restgate::stats {
namespace {

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;
constexpr size_t kLengthBytes = sizeof(uint16_t);
constexpr uint64_t kMaxNamesBytes = uint64_t{1} << 30;

/// All lists of names of a block, in the order in which it has them.
std::array<const std::vector<std::string>*, 9> lists_of(const layout::Schema& schema, const BlockSpec& spec) {
  return {&schema.counters, &schema.gauges, &schema.service_counters, &schema.service_gauges, &schema.buckets,
          &schema.reasons,  &spec.routes,   &spec.services,           &spec.methods};
}

/// Room for the names of `spec` and of our own schema, or nothing when a limit is passed.
std::optional<layout::Counts> counts_of(const layout::Schema& schema, const BlockSpec& spec) {
  if (spec.routes.size() >= kMaxRoutes || spec.services.size() > kMaxServices || spec.methods.size() > kMaxMethods)
    return std::nullopt;
  const DurationBounds& bounds = spec.duration_bounds;
  if (bounds.empty() || bounds.size() > kMaxDurationBounds || !are_bounds(bounds) || bounds.back() > kMaxDurationBound)
    return std::nullopt;
  uint64_t names_bytes = 0;
  for (const auto* names : lists_of(schema, spec)) {
    for (const std::string& name : *names) {
      if (name.size() > kMaxNameBytes) return std::nullopt;
      names_bytes += kLengthBytes + name.size();
    }
  }
  if (names_bytes > kMaxNamesBytes) return std::nullopt;
  layout::Counts counts;
  counts.routes = static_cast<uint32_t>(spec.routes.size() + 1);
  counts.services = static_cast<uint32_t>(spec.services.size());
  counts.methods = static_cast<uint32_t>(spec.methods.size());
  counts.names_bytes = static_cast<uint32_t>(names_bytes);
  counts.buckets = static_cast<uint32_t>(bounds.size());
  return counts;
}

bool within_limits(const layout::Counts& counts) {
  return counts.routes >= 1 && counts.routes <= kMaxRoutes && counts.services <= kMaxServices &&
         counts.methods <= kMaxMethods && counts.names_bytes <= kMaxNamesBytes &&
         std::max({counts.counters, counts.gauges, counts.service_counters, counts.service_gauges, counts.buckets,
                   counts.reasons}) <= layout::kMaxSchemaNames;
}

void write_names(const layout::Schema& schema, const BlockSpec& spec, char* out) {
  for (const auto* names : lists_of(schema, spec)) {
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

/// All of them; false when they do not fit.
bool read_all_names(std::string_view bytes, const layout::Counts& counts, layout::Schema& schema, BlockSpec& spec) {
  return read_names(bytes, counts.counters, schema.counters) && read_names(bytes, counts.gauges, schema.gauges) &&
         read_names(bytes, counts.service_counters, schema.service_counters) &&
         read_names(bytes, counts.service_gauges, schema.service_gauges) &&
         read_names(bytes, counts.buckets, schema.buckets) && read_names(bytes, counts.reasons, schema.reasons) &&
         read_names(bytes, counts.routes - 1, spec.routes) && read_names(bytes, counts.services, spec.services) &&
         read_names(bytes, counts.methods, spec.methods) && bytes.empty();
}

/// Bounds as a block names them; nothing when they are none. What is too large for us is still a bound.
std::optional<DurationBounds> bounds_of(const std::vector<std::string>& names) {
  DurationBounds bounds;
  for (const std::string& name : names) {
    uint64_t micros = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), micros);
    if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
    bounds.push_back(micros);
  }
  if (bounds.size() > kMaxForeignBounds) return std::nullopt;
  return are_bounds(bounds) ? std::optional(std::move(bounds)) : std::nullopt;
}

}  // namespace

Result<Block> Block::create(const BlockSpec& spec) {
  const layout::Schema schema = layout::own_schema(spec.duration_bounds);
  const std::optional<layout::Counts> counts = counts_of(schema, spec);
  if (!counts) return Error{"too many or too long route, service or method names or bounds for a statistics block"};
  Block block;
  block.counts_ = *counts;
  block.offsets_ = layout::offsets_for(*counts);
  block.spec_ = spec;
  block.translation_ = Translation::of(schema);
  block.writable_ = true;
  Result<UniqueFd> fd = platform::create_memfd("restgate-statistics", block.size_bytes());
  if (!fd) return std::move(fd).error();
  block.fd_ = std::move(fd).value();
  Result<platform::Mapping> mapping =
      platform::Mapping::map(block.fd(), block.size_bytes(), platform::Mapping::Access::ReadWrite);
  if (!mapping) return std::move(mapping).error();
  block.mapping_ = std::move(mapping).value();

  write_names(schema, spec, block.section<char>(block.offsets_.names));
  layout::Header header;
  header.header_bytes = sizeof(layout::Header);
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
  if (header.version != layout::kVersion || header.header_bytes != sizeof(header))
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
  layout::Schema schema;
  if (!read_all_names(names, header.counts, schema, block.spec_))
    return Error{"a damaged statistics block: names that do not fit"};
  std::optional<DurationBounds> bounds = bounds_of(schema.buckets);
  if (!bounds) return Error{"a damaged statistics block: bounds that are none"};
  block.spec_.duration_bounds = *std::move(bounds);
  block.translation_ = Translation::of(schema);
  return block;
}

Writer Block::writer() const {
  Writer writer;
  if (mapping_.bytes().empty() || !writable_) return writer;
  writer.process_ = section<layout::ProcessSlot>(offsets_.process);
  writer.services_ = section<layout::Count>(offsets_.services);
  writer.routes_ = section<layout::Count>(offsets_.routes);
  writer.overflow_ = section<layout::OverflowSlot>(offsets_.overflow);
  writer.cells_ = section<layout::Cell>(offsets_.cells);
  writer.service_stride_ = layout::service_slot_bytes(counts_) / sizeof(layout::Count);
  writer.route_stride_ = layout::route_slot_bytes(counts_) / sizeof(layout::Count);
  writer.histogram_numbers_ = layout::histogram_numbers(counts_);
  writer.bucket_of_ = detail::BucketSearch(spec_.duration_bounds);
  writer.cell_mask_ = offsets_.cell_count - 1;
  writer.hash_shift_ = static_cast<uint32_t>(64 - std::countr_zero(offsets_.cell_count));
  writer.route_count_ = counts_.routes;
  writer.service_count_ = counts_.services;
  writer.method_count_ = counts_.methods;
  return writer;
}

}  // namespace restgate::stats
