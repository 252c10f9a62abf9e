// classify_field and the parts of field lines that the parsers' tables do not reach.
#include "worker/http1/field_line.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace restgate::http1::test {
namespace {

const std::vector<std::pair<std::string, FieldId>> kNames = {
    {"accept", FieldId::Accept},
    {"connection", FieldId::Connection},
    {"content-length", FieldId::ContentLength},
    {"date", FieldId::Date},
    {"expect", FieldId::Expect},
    {"host", FieldId::Host},
    {"keep-alive", FieldId::KeepAlive},
    {"max-forwards", FieldId::MaxForwards},
    {"proxy-authenticate", FieldId::ProxyAuthenticate},
    {"proxy-authentication-info", FieldId::ProxyAuthenticationInfo},
    {"proxy-authorization", FieldId::ProxyAuthorization},
    {"proxy-connection", FieldId::ProxyConnection},
    {"sec-websocket-key", FieldId::SecWebSocketKey},
    {"te", FieldId::Te},
    {"traceparent", FieldId::Traceparent},
    {"tracestate", FieldId::Tracestate},
    {"trailer", FieldId::Trailer},
    {"transfer-encoding", FieldId::TransferEncoding},
    {"upgrade", FieldId::Upgrade},
    {"user-agent", FieldId::UserAgent},
    {"via", FieldId::Via},
    {"x-forwarded-for", FieldId::XForwardedFor},
    {"x-forwarded-host", FieldId::XForwardedHost},
    {"x-forwarded-proto", FieldId::XForwardedProto},
    {"x-request-id", FieldId::XRequestId},
};

TEST(ClassifyField, KnowsEveryIdInAnyCase) {
  std::vector<bool> seen(static_cast<size_t>(FieldId::XRequestId) + 1);
  for (const auto& [name, id] : kNames) {
    seen[static_cast<size_t>(id)] = true;
    std::string upper = name;
    std::string mixed = name;
    for (size_t i = 0; i < name.size(); ++i) {
      upper[i] = static_cast<char>(std::toupper(name[i]));
      if (i % 2 == 0) mixed[i] = upper[i];
    }
    EXPECT_EQ(classify_field(name), id) << name;
    EXPECT_EQ(classify_field(upper), id) << upper;
    EXPECT_EQ(classify_field(mixed), id) << mixed;
  }
  for (size_t id = 1; id < seen.size(); ++id) EXPECT_TRUE(seen[id]) << id;
}

// Every name with one byte changed, removed or added is another field: all 256 values at every position.
TEST(ClassifyField, KnowsNothingElse) {
  for (const auto& [name, id] : kNames) {
    for (size_t i = 0; i < name.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string other = name;
        other[i] = static_cast<char>(byte);
        if (!is_token(other) || equals_ignore_case(other, name)) continue;
        EXPECT_EQ(classify_field(other), FieldId::Other) << other;
      }
    }
    EXPECT_EQ(classify_field(name.substr(1)), FieldId::Other) << name;
    EXPECT_EQ(classify_field(name + "s"), FieldId::Other) << name;
    EXPECT_EQ(classify_field("x" + name), FieldId::Other) << name;
  }
}

TEST(ForEachElement, SplitsAndTrims) {
  const auto split = [](std::string_view list) {
    std::string text;
    for_each_element(list, [&](std::string_view element) { text.append("<").append(element).append(">"); });
    return text;
  };
  EXPECT_EQ(split(""), "");
  EXPECT_EQ(split(","), "");
  EXPECT_EQ(split(" \t, ,\t"), "");
  EXPECT_EQ(split("a"), "<a>");
  EXPECT_EQ(split(" a ,b\t,, c d ,"), "<a><b><c d>");
}

}  // namespace
}  // namespace restgate::http1::test
