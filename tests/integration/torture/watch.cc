#include "integration/torture/watch.h"

#include <chrono>

#include "integration/support/deadline.h"
#include "integration/support/stream.h"

namespace restgate::itest::torture {

namespace {

constexpr std::chrono::milliseconds kInterval{25};

bool is_counter(const std::string& name) {
  for (const char* ending : {"_total", "_count", "_sum", "_bucket"})
    if (name.ends_with(ending)) return true;
  return false;
}

std::string series_of(const Metrics::Sample& sample) {
  std::string text = sample.name;
  for (const auto& [label, value] : sample.labels) text += " " + label + "=" + value;
  return text;
}

}  // namespace

void Watch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watch::run() {
  while (!stopping_) {
    try {
      look();
    } catch (const Failure& failure) {
      complaints_.push_back(std::string("the admin port: ") + failure.what());
    }
    std::this_thread::sleep_for(kInterval);
  }
}

void Watch::look() {
  ++looks_;
  compare(Metrics(ask("/metrics")));
  (void)ask("/readyz");
}

std::string Watch::ask(const std::string& target) const {
  Stream client = Stream::connect(admin_port_);
  const Message answer = client.exchange("GET " + target + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
  if (answer.status() != 200) throw Failure(target + " answers " + answer.start_line);
  return answer.body;
}

void Watch::compare(const Metrics& metrics) {
  std::map<std::string, double> now;
  for (const Metrics::Sample& sample : metrics.samples())
    if (is_counter(sample.name)) now[series_of(sample)] = sample.value;
  for (const auto& [series, before] : counters_) {
    const auto found = now.find(series);
    if (found == now.end())
      complaints_.push_back("vanished: " + series);
    else if (found->second < before)
      complaints_.push_back("went back: " + series + " from " + std::to_string(before) + " to " +
                            std::to_string(found->second));
  }
  counters_ = std::move(now);
}

}  // namespace restgate::itest::torture
