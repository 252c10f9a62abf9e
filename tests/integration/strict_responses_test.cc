// A backend that breaks the rules: 502, or a message that is never completed; its connection is not used again
// (RFC 9112 §4, §6.3, §9.3.1).
#include <gtest/gtest.h>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

struct Row {
  std::string name;
  std::string bytes;
};

std::string head(const std::string& status_line, const std::string& field_lines = "Content-Length: 2\r\n") {
  return status_line + "\r\n" + field_lines + "\r\nok";
}

std::string ok_with(const std::string& field_lines, const std::string& body = "ok") {
  return "HTTP/1.1 200 OK\r\n" + field_lines + "\r\n" + body;
}

TEST(StrictResponses, BadHeads) {
  const std::vector<Row> rows = {
      {"no status line", "hello\r\n\r\n"},
      {"HTTP/2.0", head("HTTP/2.0 200 OK")},
      {"lower case", head("http/1.1 200 OK")},
      {"two digits", head("HTTP/1.1 20 OK")},
      {"four digits", head("HTTP/1.1 2000 OK")},
      {"letters", head("HTTP/1.1 2xx OK")},
      {"below 100", head("HTTP/1.1 099 OK")},
      {"no space", head("HTTP/1.1200 OK")},
      {"two spaces", head("HTTP/1.1  200 OK")},
      {"leading CRLF and junk", "\r\n\r\nx" + head("HTTP/1.1 200 OK")},
      {"NUL in the reason", head(std::string("HTTP/1.1 200 O\0K", 16))},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
      {"bare CR", "HTTP/1.1 200 OK\rContent-Length: 2\r\n\r\nok"},
      {"space before the colon", ok_with("Content-Length : 2\r\n")},
      {"folded", ok_with("A: b\r\n c\r\nContent-Length: 2\r\n")},
      {"no colon", ok_with("Content-Length: 2\r\nabc\r\n")},
      {"name no token", ok_with("Content-Length: 2\r\nA b: c\r\n")},
      {"NUL in a value", ok_with(std::string("Content-Length: 2\r\nA: \0\r\n", 25))},
      {"control in a value", ok_with("Content-Length: 2\r\nA: \x02\r\n")},
      {"length not a number", ok_with("Content-Length: two\r\n")},
      {"length negative", ok_with("Content-Length: -2\r\n")},
      {"length with plus", ok_with("Content-Length: +2\r\n")},
      {"length overflows", ok_with("Content-Length: 18446744073709551618\r\n")},
      {"two lengths", ok_with("Content-Length: 2\r\nContent-Length: 3\r\n")},
      {"list of lengths", ok_with("Content-Length: 2, 3\r\n")},
      {"length and coding", ok_with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", chunk("ok") + chunk(""))},
      {"unknown coding", ok_with("Transfer-Encoding: gzip\r\n")},
      {"chunked not last", ok_with("Transfer-Encoding: chunked, gzip\r\n", chunk("ok") + chunk(""))},
      {"chunked twice", ok_with("Transfer-Encoding: chunked, chunked\r\n", chunk("ok") + chunk(""))},
      {"head over the limit", ok_with("A: " + std::string(100'000, 'a') + "\r\nContent-Length: 2\r\n")},
  };
  Played played;
  played.client = played.gateway.connect();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    try {
      const auto passed = played.pass_on_same(request_head("GET", "/"), row.bytes);
      EXPECT_EQ(passed.response.status(), 502);
      EXPECT_EQ(passed.response.body.find("ok"), std::string::npos) << "nothing of the bad message may come through";
      played.backend.read_until_gone();
      played.backend.close();
      // The client's connection lives on, unless it was told otherwise.
      if (passed.response.lists("Connection", "close")) played.client = played.gateway.connect();
    } catch (const Failure& failure) {
      ADD_FAILURE() << failure.what();
      played.client = played.gateway.connect();
      played.backend.close();
    }
  }
  played.gateway.expect_requests("all", "GET", 502, static_cast<double>(rows.size()));
  played.gateway.expect_errors("all", "backend_bad_response", static_cast<double>(rows.size()));
  played.gateway.stop();
}

TEST(StrictResponses, ConnectionThatEndsBeforeTheHead) {
  const std::vector<Row> rows = {{"nothing at all", ""},
                                 {"half a status line", "HTTP/1.1 2"},
                                 {"half a head", "HTTP/1.1 200 OK\r\nContent-Len"},
                                 {"only an interim response", "HTTP/1.1 103 Hints\r\n\r\n"}};
  Played played;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    played.forward(request_head("GET", "/"));
    played.backend.send(row.bytes);
    played.backend.close();
    Message answer = played.client.read_response();
    if (answer.status() == 103) answer = played.client.read_response();
    EXPECT_EQ(answer.status(), 502);
  }
  played.gateway.expect_requests("all", "GET", 502, static_cast<double>(rows.size()));
  EXPECT_FALSE(played.origin.contacted()) << "a fresh connection that fails is no reason to try again";
  played.gateway.stop();
}

// The client must be able to tell that the message is not whole.
void expect_not_completed(Stream& client) {
  const Message answer = client.read_head();
  if (answer.status() == 502) return;  // noticed before anything was passed on
  const std::string rest = client.read_until_gone();
  if (answer.chunked()) {
    EXPECT_EQ(rest.find("\r\n0\r\n"), std::string::npos) << printable(rest);
    EXPECT_FALSE(rest.starts_with("0\r\n")) << printable(rest);
  } else {
    ASSERT_TRUE(answer.has("Content-Length")) << "a close-delimited message would look complete";
    EXPECT_LT(rest.size(), std::stoull(*answer.field("Content-Length")));
  }
}

TEST(StrictResponses, BodiesCutShort) {
  const std::vector<Row> rows = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
      {"length, nothing", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
      {"inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"},
      {"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
      {"in the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}};
  Played played;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    played.forward(request_head("GET", "/"));
    played.backend.send(row.bytes);
    played.backend.close();
    expect_not_completed(played.client);
  }
  played.gateway.expect_errors("all", "backend_body_cut", static_cast<double>(rows.size()));
  played.gateway.stop();
}

TEST(StrictResponses, MalformedChunks) {
  const std::vector<Row> rows = {
      {"no hex", "zz\r\nhello\r\n0\r\n\r\n"},   {"no CRLF after data", "5\r\nhelloX\r\n0\r\n\r\n"},
      {"bare LF", "5\nhello\n0\n\n"},           {"overflow", "fffffffffffffffffff\r\nhello\r\n0\r\n\r\n"},
      {"negative", "-1\r\nhello\r\n0\r\n\r\n"}, {"bad trailer", "5\r\nhello\r\n0\r\nbad name: x\r\n\r\n"}};
  Played played;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    played.forward(request_head("GET", "/"));
    played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + row.bytes);
    expect_not_completed(played.client);
    played.backend.read_until_gone();
    played.backend.close();
  }
  played.gateway.stop();
}

TEST(StrictResponses, SurplusBytesNeverReachTheNextRequest) {
  Played played;
  const std::string surplus = response(200, "poison");
  played.client = played.gateway.connect();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/1"), response(200, "one") + surplus).response.body, "one");
  EXPECT_EQ(played.backend.read_until_gone(), "");
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/2"), response(200, "two")).response.body, "two");

  // Surplus on a connection that already rests.
  played.backend.send(surplus);
  EXPECT_EQ(played.backend.read_until_gone(), "");
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/3"), response(200, "three")).response.body, "three");

  // Bytes behind a response to HEAD, and behind 304.
  EXPECT_EQ(played.pass_on_same(request_head("HEAD", "/4"), response(200, "body of HEAD")).response.body, "");
  EXPECT_EQ(played.backend.read_until_gone(), "");
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/5"), "HTTP/1.1 304 N\r\n\r\nsurplus").response.status(), 304);
  EXPECT_EQ(played.backend.read_until_gone(), "");
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/6"), response(200, "six")).response.body, "six");
  EXPECT_TRUE(played.client.quiet());
  played.gateway.stop();
}

TEST(StrictResponses, LegalOddities) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 OK\r\nContent-Length: \t2 \r\nA:\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 \xe4\xf6\r\nContent-Length: 2\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n0002;x=y\r\nok\r\n0\r\nT: u\r\n\r\n", "ok"},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok"},
  };
  Played played;
  for (const auto& [answer, body] : rows) {
    SCOPED_TRACE(printable(answer));
    EXPECT_EQ(played.pass(request_head("GET", "/"), answer).response.body, body);
  }
  played.gateway.stop();
}

// To HTTP/1.0 a chunked body goes on as one that ends with the connection: an orderly end would make it whole.
TEST(StrictResponses, ABodyCutShortIsResetToHttp10) {
  Played played;
  for (const std::string rest : {"", "zz\r\n"}) {
    SCOPED_TRACE(rest);
    played.forward("GET / HTTP/1.0\r\n\r\n");
    played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("half"));
    played.client.read_until("half");
    played.backend.send(rest);
    if (rest.empty()) played.backend.finish_sending();
    EXPECT_THROW(played.client.expect_end(), Failure);
    played.backend.read_until_gone();
    played.backend.close();
  }
  played.gateway.expect_errors("all", "backend_body_cut", 2);
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
