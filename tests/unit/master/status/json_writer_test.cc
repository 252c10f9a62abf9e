#include "master/status/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace restgate::master {
namespace {

TEST(JsonWriter, NestsAndSeparates) {
  JsonWriter json;
  json.begin_object().field("a", 1).key("list").begin_array().value("x").value(true).null();
  json.begin_object().end_object().begin_array().end_array().end_array();
  json.field("b", std::optional<int>()).field("c", uint64_t{18446744073709551615U}).field("d", -5).end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"list":["x",true,null,{},[]],"b":null,"c":18446744073709551615,"d":-5})");
}

TEST(JsonWriter, WhateverATextHoldsIsValid) {
  std::string hostile;
  for (int byte = 0; byte < 256; ++byte) hostile += static_cast<char>(byte);
  JsonWriter json;
  json.begin_object().field(hostile, hostile).end_object();
  EXPECT_TRUE(nlohmann::json::accept(json.take()));
}

TEST(JsonWriter, WhateverANumberIsIsValid) {
  for (const double number : {0.0, -0.0, 1e-9, 0.1, 123456.789, 1e300, std::numeric_limits<double>::denorm_min()}) {
    JsonWriter json;
    json.value(number);
    const auto read = nlohmann::json::parse(json.take());
    EXPECT_NEAR(read.get<double>(), number, std::abs(number) * 1e-5);
  }
  for (const double none : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    JsonWriter json;
    json.value(none);
    EXPECT_EQ(json.take(), "null");
  }
}

}  // namespace
}  // namespace restgate::master
