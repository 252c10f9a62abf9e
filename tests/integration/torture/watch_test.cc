// The watch against an admin port that is made up.
#include "integration/torture/watch.h"

#include <gtest/gtest.h>

#include <atomic>

#include "integration/support/origin.h"

namespace restgate::itest::torture {
namespace {

/// What the watch says of /metrics that change from the first text to the second; readiness answers `ready`.
std::string complaints_about(const std::string& first, const std::string& second, int ready = 200) {
  std::atomic<size_t> scrapes{0};
  HandlerOrigin admin([&](const Message& request) {
    if (request.target() == "/readyz") return response(ready, "", "Connection: close\r\n");
    return response(200, ++scrapes == 1 ? first : second, "Connection: close\r\n");
  });
  Watch watch(admin.port());
  EXPECT_TRUE(eventually([&] { return scrapes >= 2; }));
  watch.stop();
  std::string all;
  for (const std::string& complaint : watch.complaints()) all += complaint + "\n";
  return all;
}

TEST(TortureWatch, IsContentWithCountersThatGrowAndGaugesThatMove) {
  EXPECT_EQ(complaints_about("a_total{x=\"1\"} 1\ng 5\n", "a_total{x=\"1\"} 2\na_total{x=\"2\"} 1\ng 4\n"), "");
}

TEST(TortureWatch, SeesACounterGoBack) {
  EXPECT_NE(complaints_about("a_count{x=\"1\"} 2\n", "a_count{x=\"1\"} 1\n").find("went back: a_count x=1"),
            std::string::npos);
}

TEST(TortureWatch, SeesASeriesVanish) {
  EXPECT_NE(complaints_about("a_total 2\nb_total 1\n", "b_total 1\n").find("vanished: a_total"), std::string::npos);
}

TEST(TortureWatch, SeesReadinessGo) {
  EXPECT_NE(complaints_about("", "", 503).find("/readyz answers"), std::string::npos);
}

}  // namespace
}  // namespace restgate::itest::torture
