#include "worker/http_date.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace restgate::worker {
namespace {

time_t parsed(const std::string& text) {
  tm parts{};
  const char* const end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return end != nullptr && *end == '\0' ? timegm(&parts) : 0;
}

// RFC 9110 §5.6.7
TEST(HttpDate, IsThePresentTime) {
  HttpDate date;
  const time_t before = time(nullptr);
  const std::string text(date.text(1000));
  EXPECT_EQ(text.size(), 29U);
  EXPECT_GE(parsed(text), before);
  EXPECT_LE(parsed(text), time(nullptr));
}

TEST(HttpDate, IsFormattedOnceASecond) {
  HttpDate date;
  const std::string first(date.text(1000));
  EXPECT_EQ(date.text(1000), first);
  const time_t formatted = parsed(first);
  // A second later on the loop's clock, whatever of the present second had passed.
  EXPECT_GE(parsed(std::string(date.text(2000))), formatted);
  EXPECT_LE(parsed(std::string(date.text(3000))), time(nullptr));
}

}  // namespace
}  // namespace restgate::worker
