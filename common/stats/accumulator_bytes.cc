// Accumulator as bytes: little-endian 8-byte numbers, strings with their length before them, lists with their count.
//
//   magic · bounds[] · counters[name, value] · routes[name, requests[method, code, n], errors[reason, n], histogram]
//   · services[name, counters[name, value], histogram] · workers[index, counters[name, value]]
//
// A histogram is sum_us, one count per bound, the +Inf count. Version 1 had no workers.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "common/stats/accumulator.h"
#include "common/stats/bounds.h"

namespace restgate::stats {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "restgate totals 2\n";
constexpr std::string_view kMagicBefore = "restgate totals 1\n";
static_assert(kMagic.size() == kMagicBefore.size());
// As many as there can ever be worker processes.
constexpr uint64_t kMaxWorkers = 512;

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  void number(uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  template <typename Names, typename Values>
  void named(const Names& names, const Values& values) {
    number(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      text(names[i]);
      number(values[i]);
    }
  }
  void histogram(const Histogram& histogram, size_t size) {
    number(histogram.sum_us);
    for (const uint64_t bucket : histogram.buckets) number(bucket);
    for (size_t left = size - histogram.buckets.size(); left > 0; --left) number(0);
  }

 private:
  std::string& out_;
};

/// Reads what a ByteWriter wrote; once something does not fit, ok() is false and all that follows is zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  uint64_t number() {
    uint64_t value = 0;
    const std::string_view taken = take(sizeof(value));
    if (ok_) std::memcpy(&value, taken.data(), sizeof(value));
    return value;
  }
  std::string_view text() { return take(number()); }
  /// The count of a list, each of whose entries takes eight bytes at least: a false count cannot claim memory.
  uint64_t count() {
    const uint64_t value = number();
    if (value > bytes_.size() / sizeof(uint64_t)) fail();
    return ok_ ? value : 0;
  }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) fail();
    if (!ok_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  void fail() {
    ok_ = false;
    bytes_ = {};
  }

  /// Adds each value to the place of its name; unknown names are passed over.
  template <typename Names, typename Values>
  void named(const Names& names, Values& values) {
    for (uint64_t left = count(); left > 0 && ok_; --left) {
      const std::string_view name = text();
      const uint64_t value = number();
      const auto place = std::find(names.begin(), names.end(), name);
      if (place != names.end()) values[static_cast<size_t>(place - names.begin())] += value;
    }
  }

  /// What the histograms that follow have.
  DurationBounds bounds() {
    DurationBounds bounds;
    const uint64_t count_of_bounds = count();
    if (count_of_bounds > Accumulator::kMaxBounds) fail();
    for (uint64_t i = 0; i < count_of_bounds && ok_; ++i) bounds.push_back(number());
    if (!are_bounds(bounds)) fail();
    buckets_ = bounds.size() + 1;
    return bounds;
  }
  void histogram(Histogram& histogram) {
    histogram.sum_us = number();
    histogram.buckets.resize(buckets_);
    for (uint64_t& bucket : histogram.buckets) bucket = number();
  }

 private:
  std::string_view bytes_;
  size_t buckets_ = 0;
  bool ok_ = true;
};

RouteStats read_route(ByteReader& in) {
  RouteStats route;
  route.name = in.text();
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    RequestCount& entry = route.requests.emplace_back();
    entry.method = in.text();
    const uint64_t code = in.number();
    if (code > 999) in.fail();
    entry.code = static_cast<uint16_t>(code);
    entry.count = in.number();
  }
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    ErrorCount& entry = route.errors.emplace_back();
    entry.reason = in.text();
    entry.count = in.number();
  }
  in.histogram(route.duration);
  return route;
}

ServiceStats read_service(ByteReader& in) {
  ServiceStats service;
  service.name = in.text();
  in.named(kServiceCounterNames, service.counters);
  in.histogram(service.duration);
  return service;
}

WorkerStats read_worker(ByteReader& in) {
  WorkerStats worker;
  const uint64_t index = in.number();
  if (index >= kMaxWorkers) in.fail();
  worker.index = static_cast<uint32_t>(index);
  in.named(kCounterNames, worker.counters);
  return worker;
}

/// Sorted and without duplicates, as merging relies on.
bool in_order(const RouteStats& route) {
  const auto requests_out_of_order = [](const RequestCount& a, const RequestCount& b) {
    return std::tie(a.method, a.code) >= std::tie(b.method, b.code);
  };
  const auto errors_out_of_order = [](const ErrorCount& a, const ErrorCount& b) { return a.reason >= b.reason; };
  return std::adjacent_find(route.requests.begin(), route.requests.end(), requests_out_of_order) ==
             route.requests.end() &&
         std::adjacent_find(route.errors.begin(), route.errors.end(), errors_out_of_order) == route.errors.end();
}

}  // namespace

std::string Accumulator::serialize() const {
  std::string bytes(kMagic);
  ByteWriter out(bytes);
  const size_t buckets = totals_.duration_bounds.size() + 1;
  out.number(totals_.duration_bounds.size());
  for (const uint64_t bound : totals_.duration_bounds) out.number(bound);
  out.named(kCounterNames, totals_.counters);
  out.number(totals_.routes.size());
  for (const RouteStats& route : totals_.routes) {
    out.text(route.name);
    out.number(route.requests.size());
    for (const RequestCount& entry : route.requests) {
      out.text(entry.method);
      out.number(entry.code);
      out.number(entry.count);
    }
    out.number(route.errors.size());
    for (const ErrorCount& entry : route.errors) {
      out.text(entry.reason);
      out.number(entry.count);
    }
    out.histogram(route.duration, buckets);
  }
  out.number(totals_.services.size());
  for (const ServiceStats& service : totals_.services) {
    out.text(service.name);
    out.named(kServiceCounterNames, service.counters);
    out.histogram(service.duration, buckets);
  }
  out.number(totals_.workers.size());
  for (const WorkerStats& worker : totals_.workers) {
    out.number(worker.index);
    out.named(kCounterNames, worker.counters);
  }
  return bytes;
}

Result<Accumulator> Accumulator::deserialize(std::string_view bytes) {
  const bool has_workers = bytes.starts_with(kMagic);
  if (!has_workers && !bytes.starts_with(kMagicBefore))
    return Error{"not the statistics of a restgate that this one can read"};
  ByteReader in(bytes.substr(kMagic.size()));
  Snapshot read;
  read.duration_bounds = in.bounds();
  in.named(kCounterNames, read.counters);
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) {
    read.routes.push_back(read_route(in));
    if (!in_order(read.routes.back())) in.fail();
  }
  for (uint64_t left = in.count(); left > 0 && in.ok(); --left) read.services.push_back(read_service(in));
  if (has_workers)
    for (uint64_t left = in.count(); left > 0 && in.ok(); --left) read.workers.push_back(read_worker(in));
  if (!in.ok() || !in.at_end()) return Error{"damaged statistics"};

  Accumulator accumulator;
  read.configured_routes = static_cast<uint32_t>(read.routes.size());  // takes all of them, however many
  accumulator.add(read);
  accumulator.totals_.configured_routes = 0;
  return accumulator;
}

}  // namespace restgate::stats
