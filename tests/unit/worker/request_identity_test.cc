#include "worker/request_identity.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "worker/http1/parser.h"

namespace restgate::worker {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class RequestIdentityTest : public ::testing::Test {
 protected:
  void take(const std::string& fields) {
    text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    ASSERT_EQ(parser.parse(text.data(), text.data() + text.size()), http1::ParseStatus::Done) << text;
    identity.reset();
    identity.take(parser.head(), config, ids, 0);
    parser.reset();
  }
  [[nodiscard]] bool is_new(std::string_view id) const {
    return id.size() == IdSource::kUuidSize && id[14] == '7' && text.find(id) == std::string::npos;
  }

  config::Config config;
  IdSource ids;
  RequestIdentity identity;
  std::string text;
  http1::RequestParser parser{http1::Limits{}};
};

TEST(RequestId, IsOfHarmlessCharacters) {
  EXPECT_TRUE(is_request_id("a"));
  EXPECT_TRUE(is_request_id("Az09._~+/=:@-"));
  EXPECT_TRUE(is_request_id(std::string(128, 'x')));
  EXPECT_FALSE(is_request_id(""));
  EXPECT_FALSE(is_request_id(std::string(129, 'x')));
  constexpr std::string_view kGood = "._~+/=:@-";
  for (int c = 0; c < 256; ++c) {
    const char character = static_cast<char>(c);
    const bool good = (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
                      (character >= 'a' && character <= 'z') || kGood.find(character) != std::string_view::npos;
    EXPECT_EQ(is_request_id(std::string("a") + character), good) << c;
  }
}

TEST_F(RequestIdentityTest, AGoodRequestIdIsKept) {
  take("x-request-ID: client-1\r\n");
  EXPECT_EQ(identity.request_id(), "client-1");
}

TEST_F(RequestIdentityTest, AnotherIsReplaced) {
  for (const char* fields :
       {"", "X-Request-Id: \r\n", "X-Request-Id: a b\r\n", "X-Request-Id: \"x\"\r\n", "X-Request-Id: a,b\r\n",
        "X-Request-Id: \xff\r\n", "X-Request-Id: a\r\nX-Request-Id: b\r\n",
        "X-Request-Id: mine\r\nConnection: X-Request-Id\r\n"}) {
    take(fields);
    EXPECT_TRUE(is_new(identity.request_id())) << fields << " gave " << identity.request_id();
  }
  take("X-Request-Id: " + std::string(129, 'x') + "\r\n");
  EXPECT_TRUE(is_new(identity.request_id()));
}

TEST_F(RequestIdentityTest, WithoutAHeadOneIsMade) {
  EXPECT_FALSE(identity.known());
  EXPECT_EQ(identity.request_id(), "");
  identity.make(config, ids, 0);
  EXPECT_TRUE(identity.known());
  EXPECT_TRUE(is_new(identity.request_id()));
  EXPECT_FALSE(identity.pass_trace());
}

TEST_F(RequestIdentityTest, SwitchedOffThereIsNone) {
  config.request_id = false;
  take("X-Request-Id: client-1\r\n");
  EXPECT_EQ(identity.request_id(), "");
  identity.make(config, ids, 0);
  EXPECT_EQ(identity.request_id(), "");
}

TEST(TraceParentSyntax, IsThatOfTheStandard) {
  struct Case {
    const char* value;
    const char* flags;  // null: it is none
  };
  const std::array<Case, 20> cases = {{
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01"},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", "fe"},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", "01"},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe-what-comes", "00"},
      {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0b", "01"},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", nullptr},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more", nullptr},
      {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nullptr},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", nullptr},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", nullptr},
      {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", nullptr},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", nullptr},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", nullptr},
      {"0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nullptr},
      {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nullptr},
      {"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", nullptr},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01", nullptr},
      {"00-0af7651916cd43dd8448eb211c8031-9cb7ad6b7169203331-01", nullptr},
      {"", nullptr},
      {"00", nullptr},
  }};
  for (const Case& c : cases) {
    const auto parsed = parse_traceparent(c.value);
    EXPECT_EQ(parsed.has_value(), c.flags != nullptr) << c.value;
    if (!parsed || c.flags == nullptr) continue;
    EXPECT_EQ(parsed->trace_id, kTrace);
    EXPECT_EQ(parsed->flags, c.flags) << c.value;
  }
}

TEST_F(RequestIdentityTest, AValidTraceIsPassedOnAsItIs) {
  take("traceparent: " + std::string(kParent) + "\r\ntracestate: a=1\r\n");
  EXPECT_TRUE(identity.pass_trace());
  EXPECT_EQ(identity.own_traceparent(), "");
  EXPECT_EQ(identity.trace_id(), kTrace);
}

TEST_F(RequestIdentityTest, AnotherIsNotPassedOn) {
  const std::string good(kParent);
  for (const std::string& fields :
       {std::string(), std::string("traceparent: nonsense\r\ntracestate: a=1\r\n"), std::string("tracestate: a=1\r\n"),
        "traceparent: " + good + "\r\ntraceparent: " + good + "\r\n"}) {
    take(fields);
    EXPECT_FALSE(identity.pass_trace()) << fields;
    EXPECT_EQ(identity.own_traceparent(), "");
    EXPECT_EQ(identity.trace_id(), "");
  }
}

TEST_F(RequestIdentityTest, TracingMakesASpanOfOurOwn) {
  config.tracing = true;
  take("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\ntracestate: a=1\r\n");
  EXPECT_TRUE(identity.pass_trace());
  EXPECT_EQ(identity.trace_id(), kTrace);
  const std::string first(identity.own_traceparent());
  const auto parsed = parse_traceparent(first);
  ASSERT_TRUE(parsed) << first;
  EXPECT_EQ(parsed->trace_id, kTrace);
  EXPECT_EQ(parsed->flags, "00") << "kept";
  EXPECT_EQ(first.find("b7ad6b7169203331"), std::string::npos) << "the parent is our span";
  take("traceparent: " + std::string(kParent) + "\r\n");
  EXPECT_NE(identity.own_traceparent().substr(36, 16), first.substr(36, 16)) << "each request is a span";
}

TEST_F(RequestIdentityTest, TracingBeginsWhereThereIsNoTrace) {
  config.tracing = true;
  std::string before;
  for (const char* fields : {"", "traceparent: nonsense\r\ntracestate: a=1\r\n", "tracestate: a=1\r\n"}) {
    take(fields);
    EXPECT_FALSE(identity.pass_trace()) << "tracestate is another trace's";
    const auto parsed = parse_traceparent(identity.own_traceparent());
    ASSERT_TRUE(parsed) << identity.own_traceparent();
    EXPECT_EQ(parsed->flags, "01");
    EXPECT_EQ(parsed->trace_id, identity.trace_id());
    EXPECT_NE(identity.trace_id(), before);
    before = identity.trace_id();
  }
}

}  // namespace
}  // namespace restgate::worker
