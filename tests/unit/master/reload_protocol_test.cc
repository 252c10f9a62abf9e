#include "master/reload_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "worker/http1/request_parser.h"

namespace restgate::master::reload_protocol {
namespace {

using testing::HasSubstr;

TEST(ReloadProtocol, SaysEachVerdict) {
  const AdminResponse finished = response_to(Verdict::finished(7, 4));
  EXPECT_EQ(finished.status, 200);
  EXPECT_EQ(*finished.body, "reload finished: generation 7, 4 workers\n");
  EXPECT_EQ(*response_to(Verdict::finished(7, 1)).body, "reload finished: generation 7, 1 worker\n");
  std::vector<config::Diagnostic> diagnostics(2);
  diagnostics[0] = {"a.yaml", {3, 5}, "port", "wrong", "port: x", 6};
  diagnostics[1].message = "also wrong";
  const AdminResponse refused = response_to(Verdict::refused(diagnostics));
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(*refused.body, config::to_string(diagnostics) + "\n") << "what -t says";
  const AdminResponse aborted = response_to(Verdict::aborted("port 80 is in use"));
  EXPECT_EQ(aborted.status, 409);
  EXPECT_EQ(*aborted.body, "port 80 is in use\n");
}

TEST(ReloadProtocol, TheRequestIsOne) {
  for (const std::string file : {"", "/etc/restgate/a file.yaml"}) {
    const std::string request = request_for(file);
    http1::RequestParser parser(http1::Limits{});
    ASSERT_EQ(parser.parse(request.data(), request.data() + request.size()), http1::ParseStatus::Done);
    EXPECT_EQ(parser.head().method, "POST");
    EXPECT_EQ(parser.head().path, "/reload");
    EXPECT_FALSE(parser.head().keep_alive);
    EXPECT_EQ(parser.head().content_length, file.size());
    EXPECT_EQ(request.substr(parser.consumed()), file);
  }
}

TEST(ReloadProtocol, TakesAnswersApart) {
  const auto answer = parse_answer("HTTP/1.1 422 No\r\nContent-Length: 6\r\n\r\nwrong\n");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 422);
  EXPECT_EQ(answer->body, "wrong\n");
  for (const char* none : {"", "HTTP/1.1 200", "SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"})
    EXPECT_THAT(parse_answer(none).error().message, HasSubstr("before there was a verdict")) << none;
  for (const char* cut : {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc", "HTTP/1.1 200 OK\r\n\r\n"})
    EXPECT_THAT(parse_answer(cut).error().message, HasSubstr("cut short")) << cut;
}

}  // namespace
}  // namespace restgate::master::reload_protocol
