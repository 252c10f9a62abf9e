// Metrics: one scrape of /metrics, taken apart. Test process.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace restgate::itest {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };

  Metrics() = default;
  /// Failure when a line is not in the text exposition format.
  explicit Metrics(std::string_view text);

  /// The sum of the samples of that name which have (at least) these labels; 0 when there is none.
  [[nodiscard]] double sum(std::string_view name, const Labels& labels = {}) const;
  [[nodiscard]] bool has(std::string_view name, const Labels& labels = {}) const;
  /// restgate_requests_total of one series.
  [[nodiscard]] double requests(const std::string& route, const std::string& method, int code) const;
  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  /// The lines of the samples whose name begins so, for messages.
  [[nodiscard]] std::string show(std::string_view prefix) const;

 private:
  std::vector<Sample> samples_;
};

}  // namespace restgate::itest
