// What is malformed or ambiguous is refused and reaches no backend; what is legal passes (RFC 9112 §2-§7, §11.2).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

struct Row {
  std::string name;
  std::string bytes;
  std::vector<int> statuses;  // any of these
};

const std::vector<int> k400 = {400};
const std::vector<int> kVersion = {400, 505};
const std::vector<int> kCoding = {400, 501};

std::string get_with(const std::string& field_lines) {
  return request_head("GET", "/", field_lines);
}

std::string post_with(const std::string& field_lines, const std::string& body = "hello") {
  return request_head("POST", "/", field_lines) + body;
}

std::string with_host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: client.test\r\n\r\n";
}

// Every row on a connection of its own: answered with its status, closed, and the origin sees nothing.
void expect_refused(const std::vector<Row>& rows, const ConfigText::Settings& settings = {}) {
  Played played({.settings = settings});
  std::map<int, int> by_status;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name + ": " + printable(row.bytes, 200));
    try {
      Stream client = played.gateway.connect();
      client.send(row.bytes);
      const Message answer = client.read_response();
      EXPECT_NE(std::find(row.statuses.begin(), row.statuses.end(), answer.status()), row.statuses.end())
          << answer.start_line;
      EXPECT_TRUE(answer.lists("Connection", "close")) << answer.raw_head;
      client.expect_end();
      ++by_status[answer.status()];
    } catch (const Failure& failure) {
      ADD_FAILURE() << failure.what();
    }
    ASSERT_FALSE(played.origin.contacted());
  }
  played.gateway.await_metrics(
      [&](const Metrics& m) { return m.sum("restgate_requests_total") == static_cast<double>(rows.size()); },
      "all refused requests");
  const Metrics metrics = played.gateway.metrics();
  for (const auto& [status, count] : by_status)
    EXPECT_EQ(metrics.sum("restgate_requests_total", {{"code", std::to_string(status)}}), count) << status;
  EXPECT_EQ(metrics.sum("restgate_errors_total"), static_cast<double>(rows.size()));
  played.gateway.stop();
}

TEST(StrictRequests, RequestLine) {
  expect_refused({
      {"two spaces", line("GET  / HTTP/1.1"), k400},
      {"two spaces before the version", line("GET /  HTTP/1.1"), k400},
      {"trailing space", line("GET / HTTP/1.1 "), k400},
      {"tab", line("GET\t/\tHTTP/1.1"), k400},
      {"leading space", line(" GET / HTTP/1.1"), k400},
      {"no target", line("GET HTTP/1.1"), k400},
      {"no version", line("GET /"), kVersion},
      {"HTTP/2.0", line("GET / HTTP/2.0"), {505}},
      {"HTTP/1.2", line("GET / HTTP/1.2"), {505}},
      {"HTTP/0.9", line("GET / HTTP/0.9"), {505}},
      {"HTTP/1.10", line("GET / HTTP/1.10"), kVersion},
      {"HTTP/01.1", line("GET / HTTP/01.1"), kVersion},
      {"HTTP/1", line("GET / HTTP/1"), kVersion},
      {"lower case", line("GET / http/1.1"), kVersion},
      {"other name", line("GET / HTTPS/1.1"), kVersion},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kVersion},
      {"TLS hello",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(200, 'x') + "\r\n\r\n", k400},
      {"method no token", line("G@T / HTTP/1.1"), k400},
      {"method with NUL", line(std::string("G\0T / HTTP/1.1", 14)), k400},
      {"target without slash", line("GET a HTTP/1.1"), k400},
      {"authority form", line("GET client.test:80 HTTP/1.1"), k400},
      {"CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", {400, 405, 501}},
      {"asterisk for GET", line("GET * HTTP/1.1"), k400},
      {"absolute without authority", line("GET http:/// HTTP/1.1"), k400},
      {"user info", line("GET http://u:p@client.test/ HTTP/1.1"), k400},
      {"control byte", line("GET /a\x7f HTTP/1.1"), k400},
      {"bare LF", "GET / HTTP/1.1\nHost: x\n\n", k400},
      {"bare LF after the line", "GET / HTTP/1.1\nHost: x\r\n\r\n", k400},
      {"bare CR", "GET / HTTP/1.1\rHost: x\r\n\r\n", k400},
      {"space in the target", line("GET /a b HTTP/1.1"), k400},
  });
}

TEST(StrictRequests, Fields) {
  expect_refused({
      {"space before the colon", get_with("A : b\r\n"), k400},
      {"tab before the colon", get_with("A\t: b\r\n"), k400},
      {"folded", get_with("A: b\r\n c\r\n"), k400},
      {"folded with tab", get_with("A: b\r\n\tc\r\n"), k400},
      {"first line begins with space", "GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n", k400},
      {"no colon", get_with("Abc\r\n"), k400},
      {"empty name", get_with(": b\r\n"), k400},
      {"name with space", get_with("A b: c\r\n"), k400},
      {"name with quotes", get_with("\"A\": c\r\n"), k400},
      {"name with bytes above 127", get_with("\xc3\xa9: c\r\n"), k400},
      {"name with NUL", get_with(std::string("A\0: c\r\n", 7)), k400},
      {"value with NUL", get_with(std::string("A: b\0c\r\n", 8)), k400},
      {"value with bare CR", get_with("A: b\rc\r\n"), k400},
      {"value with bare LF", get_with("A: b\nC: d\r\n"), k400},
      {"line that ends with LF", get_with("A: b\n"), k400},
      {"value with control byte", get_with("A: b\x01\r\n"), k400},
      {"value with DEL", get_with("A: b\x7f\r\n"), k400},
      {"CR CR LF", get_with("A: b\r\r\n"), k400},
      {"unknown expectation", post_with("Content-Length: 5\r\nExpect: 200-ok\r\n"), {417}},
  });
}

TEST(StrictRequests, Host) {
  expect_refused({
      {"none", "GET / HTTP/1.1\r\nA: b\r\n\r\n", k400},
      {"none with absolute form", "GET http://x/ HTTP/1.1\r\n\r\n", k400},
      {"two", get_with("Host: client.test\r\n"), k400},
      {"two that differ", get_with("Host: other.test\r\n"), k400},
      {"list", with_host("a.test, b.test"), k400},
      {"space", with_host("a b"), k400},
      {"path", with_host("a.test/x"), k400},
      {"user info", with_host("u@a.test"), k400},
      {"port no digits", with_host("a.test:8x"), k400},
      {"two ports", with_host("a.test:80:80"), k400},
      {"open bracket", with_host("[::1"), k400},
      {"bracket nonsense", with_host("[xyz]"), k400},
      {"bare IPv6", with_host("::1"), k400},
      {"query", with_host("a.test?x"), k400},
      {"fragment", with_host("a.test#x"), k400},
      {"backslash", with_host("a.test\\x"), k400},
      {"bad escape", with_host("a%zz.test"), k400},
      {"HTTP/1.0 with a bad one", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", k400},
  });
}

TEST(StrictRequests, ContentLength) {
  std::vector<Row> rows;
  for (const char* value : {"+5", "-5", "5, 5", "5,5", "5 5", "0x5", "5.0", "", "five", "5;", "9223372036854775808",
                            "18446744073709551621", "99999999999999999999", "\"5\"", "5\t5", "١"})
    rows.push_back({value, post_with("Content-Length: " + std::string(value) + "\r\n"), k400});
  rows.push_back({"twice the same", post_with("Content-Length: 5\r\nContent-Length: 5\r\n"), k400});
  rows.push_back({"twice different", post_with("Content-Length: 5\r\nContent-Length: 6\r\n"), k400});
  rows.push_back({"space before the colon", post_with("Content-Length : 5\r\n"), k400});
  expect_refused(rows);
}

TEST(StrictRequests, TransferEncoding) {
  const std::string body = chunk("hello") + chunk("");
  std::vector<Row> rows;
  for (const char* value :
       {"gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked", "xchunked", "chunkedx", "chunked;q=1",
        "\"chunked\"", "chunked,", ",chunked", "", "chunked identity", "c hunked"})
    rows.push_back({value, post_with("Transfer-Encoding: " + std::string(value) + "\r\n", body), kCoding});
  rows.push_back(
      {"two lines", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", body), kCoding});
  rows.push_back({"two lines, second other",
                  post_with("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n", body), kCoding});
  rows.push_back({"with Content-Length", post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body), k400});
  rows.push_back(
      {"before Content-Length", post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body), k400});
  rows.push_back({"vertical tab",
                  post_with("Transfer-Encoding: \x0b"
                            "chunked\r\n",
                            body),
                  k400});
  rows.push_back({"space before the colon", post_with("Transfer-Encoding : chunked\r\n", body), k400});
  rows.push_back({"folded", post_with("Transfer-Encoding:\r\n chunked\r\n", body), k400});
  rows.push_back({"HTTP/1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body, k400});
  expect_refused(rows);
}

TEST(StrictRequests, Limits) {
  std::string many_fields;
  for (int i = 0; i < 200; ++i) many_fields += "X-" + std::to_string(i) + ": y\r\n";  // and Host
  expect_refused({
      {"target over 32 KiB", line("GET /" + std::string(40'000, 'a') + " HTTP/1.1"), {414}},
      {"target over the head", line("GET /" + std::string(100'000, 'a') + " HTTP/1.1"), {414}},
      {"field over 64 KiB", get_with("A: " + std::string(70'000, 'a') + "\r\n"), {431}},
      {"name over 64 KiB", get_with(std::string(70'000, 'a') + ": b\r\n"), {431}},
      {"too many fields", get_with(many_fields), {431}},
  });
  expect_refused({{"field over the set limit", get_with("A: " + std::string(2000, 'a') + "\r\n"), {431}},
                  {"more than the set number", get_with("A: b\r\nA: b\r\nA: b\r\nA: b\r\n"), {431}}},
                 {{"max_header_size", "1KiB"}, {"max_headers", "4"}});
}

// A body that turns out malformed: the origin may have seen its beginning, never a complete message.
TEST(StrictRequests, ChunkedBody) {
  const std::vector<Row> rows = {
      {"no CRLF after data", "5\r\nhelloX\r\n0\r\n\r\n", k400},
      {"LF after size", "5\nhello\r\n0\r\n\r\n", k400},
      {"LF after data", "5\r\nhello\n0\r\n\r\n", k400},
      {"negative", "-5\r\nhello\r\n0\r\n\r\n", k400},
      {"plus", "+5\r\nhello\r\n0\r\n\r\n", k400},
      {"0x", "0x5\r\nhello\r\n0\r\n\r\n", k400},
      {"leading space", " 5\r\nhello\r\n0\r\n\r\n", k400},
      {"no size", "\r\nhello\r\n0\r\n\r\n", k400},
      {"no hex", "g\r\nhello\r\n0\r\n\r\n", k400},
      {"overflow", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", k400},
      {"wraps to 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", k400},
      {"extension with LF", "5;a\nb\r\nhello\r\n0\r\n\r\n", k400},
      {"extension with CR", "5;a\rb\r\nhello\r\n0\r\n\r\n", k400},
      {"extension with NUL", std::string("5;\0\r\nhello\r\n0\r\n\r\n", 17), k400},
      {"endless extension", "5;" + std::string(100'000, 'a'), k400},
      {"bad trailer", "5\r\nhello\r\n0\r\nBad Name: x\r\n\r\n", k400},
      {"folded trailer", "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n", k400},
      {"trailer with LF", "5\r\nhello\r\n0\r\nA: b\n\r\n", k400},
      {"endless trailers", "5\r\nhello\r\n0\r\nA: " + std::string(200'000, 'a'), {400, 431}},
  };
  Played played;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    try {
      Stream client = played.gateway.connect();
      client.send(request_head("POST", "/", "Transfer-Encoding: chunked\r\n") + row.bytes);
      EXPECT_NE(std::find(row.statuses.begin(), row.statuses.end(), client.read_response().status()),
                row.statuses.end());
      client.expect_end();
      if (!played.origin.contacted()) continue;
      Stream backend = played.origin.accept();
      EXPECT_THROW((void)backend.read_request(), Failure);
    } catch (const Failure& failure) {
      ADD_FAILURE() << failure.what();
    }
  }
  played.gateway.expect_errors("all", "bad_request_body", static_cast<double>(rows.size()));
  played.gateway.stop();
}

TEST(StrictRequests, LegalOnesPass) {
  std::string fields_199;
  for (int i = 0; i < 199; ++i) fields_199 += "X-" + std::to_string(i) + ": y\r\n";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {post_with("content-length:5\r\n"), "hello"},
      {post_with("CONTENT-LENGTH: \t 5 \t \r\n"), "hello"},
      {post_with("Content-Length: 005\r\n"), "hello"},
      {post_with("transfer-encoding:CHUNKED\r\n", chunk("hello") + chunk("")), "hello"},
      {post_with("Transfer-Encoding: Chunked \r\n", "005\r\nhello\r\n000\r\n\r\n"), "hello"},
      {post_with("Transfer-Encoding: chunked\r\n", "A\r\n0123456789\r\n0\r\n\r\n"), "0123456789"},
      {post_with("Transfer-Encoding: chunked\r\n", "5;a;b=c;d=\"e f\"\r\nhello\r\n0;x\r\nT: u\r\n\r\n"), "hello"},
      {get_with("A:\r\nB: \r\nC:c\r\n"), ""},
      {get_with("X!#$%&'*+-.^_`|~9: y\r\n"), ""},
      {get_with("A: \xff\xfe obs-text\r\n"), ""},
      {get_with("A: a\tb  c\r\n"), ""},
      {get_with("A: " + std::string(60'000, 'a') + "\r\n"), ""},
      {get_with(fields_199), ""},
      {line("GET /" + std::string(30'000, 'a') + " HTTP/1.1"), ""},
      {with_host("[::1]:8080"), ""},
      {with_host("[2001:db8::1]"), ""},
      {with_host("a-b.c_d.test:65535"), ""},
      {with_host("a.test:"), ""},
      {line("GET HTTP://client.test/ HTTP/1.1"), ""},
      {"GET / HTTP/1.0\r\n\r\n", ""},
      {"\r\n" + get_with(""), ""},
  };
  Played played;
  for (const auto& [request, body] : rows) {
    SCOPED_TRACE(printable(request, 200));
    try {
      const std::string start = request.substr(request.find_first_not_of("\r\n"));
      played.client = played.gateway.connect();
      played.client.send(request);
      played.await_backend();
      EXPECT_EQ(played.backend.read_request().body, body);
      played.backend.send(response(200, "ok"));
      EXPECT_EQ(played.client.read_response(start.substr(0, start.find(' '))).status(), 200);
    } catch (const Failure& failure) {
      ADD_FAILURE() << failure.what();
    }
  }
  played.gateway.await_metrics(
      [&](const Metrics& m) {
        return m.sum("restgate_requests_total", {{"code", "200"}}) == static_cast<double>(rows.size());
      },
      "all legal requests");
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
