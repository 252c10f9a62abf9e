#include "integration/support/metrics.h"

#include <algorithm>
#include <cstdlib>

#include "integration/support/deadline.h"

namespace restgate::itest {

namespace {

[[noreturn]] void refuse(std::string_view line) {
  throw Failure("not a line of the exposition format: " + std::string(line));
}

// Takes `name="value"` pairs up to '}' off the front.
Metrics::Labels take_labels(std::string_view& rest, std::string_view line) {
  Metrics::Labels labels;
  while (!rest.empty() && rest.front() != '}') {
    const size_t equals = rest.find("=\"");
    if (equals == std::string_view::npos) refuse(line);
    const std::string name(rest.substr(0, equals));
    rest.remove_prefix(equals + 2);
    std::string value;
    while (!rest.empty() && rest.front() != '"') {
      if (rest.front() == '\\') {
        rest.remove_prefix(1);
        if (rest.empty()) refuse(line);
        value += rest.front() == 'n' ? '\n' : rest.front();
      } else {
        value += rest.front();
      }
      rest.remove_prefix(1);
    }
    if (rest.empty()) refuse(line);
    rest.remove_prefix(1);
    if (!rest.empty() && rest.front() == ',') rest.remove_prefix(1);
    labels[name] = value;
  }
  if (rest.empty()) refuse(line);
  rest.remove_prefix(1);
  return labels;
}

Metrics::Sample parse_sample(std::string_view line) {
  Metrics::Sample sample;
  const size_t name_end = line.find_first_of("{ ");
  if (name_end == std::string_view::npos || name_end == 0) refuse(line);
  sample.name = line.substr(0, name_end);
  std::string_view rest = line.substr(name_end);
  if (rest.front() == '{') {
    rest.remove_prefix(1);
    sample.labels = take_labels(rest, line);
  }
  const std::string number(rest);
  char* end = nullptr;
  sample.value = std::strtod(number.c_str(), &end);
  if (end == number.c_str() || *end != '\0') refuse(line);
  return sample;
}

}  // namespace

Metrics::Metrics(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) refuse(text);
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!line.empty() && line.front() != '#') samples_.push_back(parse_sample(line));
  }
}

double Metrics::sum(std::string_view name, const Labels& labels) const {
  double total = 0;
  for (const Sample& sample : samples_)
    if (sample.name == name && std::includes(sample.labels.begin(), sample.labels.end(), labels.begin(), labels.end()))
      total += sample.value;
  return total;
}

bool Metrics::has(std::string_view name, const Labels& labels) const {
  return std::any_of(samples_.begin(), samples_.end(), [&](const Sample& sample) {
    return sample.name == name &&
           std::includes(sample.labels.begin(), sample.labels.end(), labels.begin(), labels.end());
  });
}

double Metrics::requests(const std::string& route, const std::string& method, int code) const {
  return sum("restgate_requests_total", {{"route", route}, {"method", method}, {"code", std::to_string(code)}});
}

std::string Metrics::show(std::string_view prefix) const {
  std::string text;
  for (const Sample& sample : samples_) {
    if (!sample.name.starts_with(prefix)) continue;
    text += sample.name + "{";
    for (const auto& [name, value] : sample.labels) text += name + "=\"" + value + "\" ";
    text += "} " + std::to_string(sample.value) + "\n";
  }
  return text;
}

}  // namespace restgate::itest
