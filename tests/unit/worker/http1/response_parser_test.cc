// ResponseParser: status line, field lines, body and persistence.
#include "worker/http1/response_parser.h"

#include <gtest/gtest.h>

#include "worker/http1/parser_cases.h"

namespace restgate::http1::test {
namespace {

using namespace std::string_literals;

/// A response with these field lines (each with its CRLF).
std::string response(const std::string& status, const std::string& fields) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "\r\n";
}

std::string old_response(const std::string& fields) {
  return "HTTP/1.0 200 OK\r\n" + fields + "\r\n";
}

TEST(ResponseParser, StatusLine) {
  const std::vector<Case> rows = {
      {"9112-4", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "done 38: 200 reason=OK 1.1 body=none length=0 keep"},
      {"9112-4", "HTTP/1.1 404 Not Found\r\n\r\n", "404 reason=Not Found 1.1"},
      {"9112-4", "HTTP/1.1 200 \r\n\r\n", "200 reason= 1.1"},
      {"ours", "HTTP/1.1 200\r\n\r\n", "200 reason= 1.1"},
      {"9112-4", "HTTP/1.1 200  OK\r\n\r\n", "200 reason= OK 1.1"},
      {"9112-4", "HTTP/1.1 200 a\tb \xC3\xA9\r\n\r\n", "200 reason=a\tb \xC3\xA9 1.1"},
      {"9112-4", "HTTP/1.0 200 OK\r\n\r\n", "200 reason=OK 1.0"},
      {"9110-15", "HTTP/1.1 100 Continue\r\n\r\n", "100 reason=Continue 1.1 body=none keep"},
      {"9110-15", "HTTP/1.1 599 x\r\n\r\n", "599 reason=x"},
      {"9110-15", "HTTP/1.1 299 x\r\n\r\n", "299 reason=x"},
      {"9110-15", "HTTP/1.1 099 x\r\n\r\n", "failed 502 backend_bad_response"},
      {"9110-15", "HTTP/1.1 600 x\r\n\r\n", "failed 502 backend_bad_response"},
      {"9110-15", "HTTP/1.1 999 x\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 20 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 2000 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 20a OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 -20 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 200OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 200\tOK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1  200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1\t200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 \r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "HTTP/2.0 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "HTTP/1.2 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "HTTP/0.9 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "HTTP/2 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "http/1.1 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.3", "ICY 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", " HTTP/1.1 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-2.2", "\r\nHTTP/1.1 200 OK\r\n\r\n", "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 200 O\0K\r\n\r\n"s, "failed 502 backend_bad_response"},
      {"9112-4", "HTTP/1.1 200 O\x7FK\r\n\r\n", "failed 502 backend_bad_response"},
      {"ours", "SSH-2.0-OpenSSH_9.2", "failed 502 backend_bad_response: no HTTP response"},
      {"ours", "\x15\x03\x03", "failed 502 backend_bad_response: no HTTP response"},
      {"9112-2.1", "", "more"},
      {"9112-2.1", "H", "more"},
      {"9112-2.1", "HTTP/1.1 200 OK\r", "more"},
      {"9112-2.1", "HTTP/1.1 200 OK\r\n\r", "more"},
      {"9112-2.1", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "done 38: 200 reason=OK 1.1 body=length length=2"},
  };
  for (const Case& row : rows) check_response(row);
}

TEST(ResponseParser, FieldLines) {
  const std::vector<Case> rows = {
      {"9112-5", response("200 OK", "X-A: b\r\nx-a:c \t\r\n"), "[X-A: b] [x-a: c]"},
      {"9112-5", response("200 OK", "X-A:\r\n"), "[X-A: ]"},
      {"9110-5.5", response("200 OK", "X-A: \xC3\xA9\tb\r\n"), "[X-A: \xC3\xA9\tb]"},
      {"9112-5.1", response("200 OK", "X-A : b\r\n"), "failed 502 backend_bad_response"},
      {"9112-5.1", response("200 OK", ": b\r\n"), "failed 502 backend_bad_response"},
      {"9112-5.1", response("200 OK", "X-A\r\n"), "failed 502 backend_bad_response"},
      {"9110-5.6.2", response("200 OK", "X A: b\r\n"), "failed 502 backend_bad_response"},
      {"9110-5.6.2", response("200 OK", "X@A: b\r\n"), "failed 502 backend_bad_response"},
      {"9112-5.2", response("200 OK", "X-A: b\r\n c\r\n"), "failed 502 backend_bad_response"},
      {"9112-5.2", response("200 OK", "X-A: b\r\n\tc\r\n"), "failed 502 backend_bad_response"},
      {"9112-2.2", response("200 OK", " X-A: b\r\n"), "failed 502 backend_bad_response"},
      {"9110-5.5", response("200 OK", "X-A: b\0c\r\n"s), "failed 502 backend_bad_response"},
      {"9110-5.5", response("200 OK", "X-A: b\x08\r\n"), "failed 502 backend_bad_response"},
      {"9110-5.5", response("200 OK", "X-A: b\rc\r\n"), "failed 502 backend_bad_response: bare CR"},
      {"9112-2.2", response("200 OK", "X-A: b\nX-B: c\r\n"), "failed 502 backend_bad_response: bare LF"},
      {"9112-2.2", "HTTP/1.1 200 OK\n\n", "failed 502 backend_bad_response: bare LF"},
      {"9112-2.2", "HTTP/1.1 200 OK\r\nX: y\r\n\n", "failed 502 backend_bad_response: bare LF"},
      {"9112-2.2", "HTTP/1.1 200 OK\r\r\n\r\n", "failed 502 backend_bad_response: bare CR"},
  };
  for (const Case& row : rows) check_response(row);
}

TEST(ResponseParser, Body) {
  const std::vector<Case> rows = {
      {"9112-6.3", response("200 OK", ""), "body=close"},
      {"9112-9.3", response("200 OK", "Connection: keep-alive\r\n"), "1.1 body=close [Conn"},
      {"9112-6.3", response("200 OK", "Content-Length: 5\r\n"), "body=length length=5 keep"},
      {"9112-6.3", response("200 OK", "Content-Length: 0\r\n"), "body=none length=0 keep"},
      {"9112-6.3", response("200 OK", "Content-Length: 9223372036854775807\r\n"),
       "body=length length=9223372036854775807"},
      {"9112-6.3", response("200 OK", "Transfer-Encoding: CHUNKED\r\n"), "body=chunked keep"},
      {"9112-6.3", response("404 x", "Transfer-Encoding: chunked\r\n"), "body=chunked keep"},
      {"9112-6.3", response("205 x", "Content-Length: 0\r\n"), "body=none length=0 keep"},
      {"9112-6.3", response("204 x", ""), "204 reason=x 1.1 body=none keep"},
      {"9112-6.3", response("204 x", "Content-Length: 5\r\n"), "body=none length=5 [Content-Length: 5]"},
      {"9110-8.6", response("204 x", "Content-Length: 0\r\n"), "body=none length=0 keep"},
      {"9112-6.1", response("204 x", "Transfer-Encoding: chunked\r\n"), "body=none [Transfer-Encoding: chunked]*"},
      {"9112-6.3", response("304 x", ""), "body=none keep"},
      {"9112-6.3", response("304 x", "Content-Length: 5\r\n"), "body=none length=5 keep"},
      {"9112-6.1", response("304 x", "Transfer-Encoding: chunked\r\n"), "body=none keep"},
      {"9112-6.3", response("100 x", "Content-Length: 5\r\n"), "body=none length=5 [Content-Length: 5]"},
      {"9112-6.3", response("103 x", "Link: </a>\r\n"), "103 reason=x 1.1 body=none keep [Link: </a>]"},
      {"9112-6.3", response("101 x", "Connection: upgrade\r\nUpgrade: a\r\n"),
       "101 reason=x 1.1 body=none keep upgrade=a ["},
      {"9110-7.8", response("101 x", "Upgrade: a\r\n"), "body=none keep [Upgrade: a]*"},
      {"9110-7.8", response("426 x", "Upgrade: a\r\nConnection: Upgrade\r\nContent-Length: 0\r\n"), "keep upgrade=a"},
      {"9112-6.3", response("200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.3", response("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.3", response("200 OK", "Content-Length: 5, 5\r\n"), "failed 502 backend_bad_response"},
      {"9110-8.6", response("200 OK", "Content-Length: +5\r\n"), "failed 502 backend_bad_response"},
      {"9110-8.6", response("200 OK", "Content-Length: -1\r\n"), "failed 502 backend_bad_response"},
      {"9110-8.6", response("200 OK", "Content-Length:\r\n"), "failed 502 backend_bad_response"},
      {"9110-8.6", response("200 OK", "Content-Length: a\r\n"), "failed 502 backend_bad_response"},
      {"ours", response("200 OK", "Content-Length: 9223372036854775808\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
       "failed 502 backend_bad_response"},
      {"9112-6.1", response("204 x", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
       "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Transfer-Encoding: gzip, chunked\r\n"),
       "failed 502 backend_bad_response: unsupported"},
      {"9112-6.3", response("200 OK", "Transfer-Encoding: gzip\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.3", response("200 OK", "Transfer-Encoding: identity\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Transfer-Encoding: chunked, chunked\r\n"), "failed 502 backend_bad_response"},
      {"ours", response("200 OK", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Transfer-Encoding:\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.1", old_response("Transfer-Encoding: chunked\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.3", old_response(""), "1.0 body=close"},
      {"9112-6.3", old_response("Content-Length: 5\r\n"), "1.0 body=length length=5 [Content"},
  };
  for (const Case& row : rows) check_response(row);
}

TEST(ResponseParser, BodyOfAResponseToHead) {
  const std::vector<Case> rows = {
      {"9112-6.3", response("200 OK", "Content-Length: 5\r\n"), "body=none length=5 keep"},
      {"9112-6.3", response("200 OK", "Transfer-Encoding: chunked\r\n"), "body=none keep"},
      {"9112-6.3", response("200 OK", ""), "body=none keep"},
      {"9112-6.3", response("404 x", "Connection: close\r\n"), "body=none [Connection: close]*"},
      {"9112-6.3", old_response(""), "1.0 body=none"},
      {"9112-6.3", response("200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n"), "failed 502 backend_bad_response"},
      {"9112-6.1", response("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       "failed 502 backend_bad_response"},
  };
  for (const Case& row : rows) check_response(row, true);
}

TEST(ResponseParser, Connection) {
  const std::string length = "Content-Length: 1\r\n";
  const std::vector<Case> rows = {
      {"9112-9.3", response("200 OK", length + "Connection: close\r\n"), "length=1 [Content"},
      {"9112-9.3", response("200 OK", length + "Connection: x\r\nConnection: Close\r\n"), "length=1 [Content"},
      {"9112-9.3", response("200 OK", length + "Connection: keep-alive\r\n"), "length=1 keep"},
      {"9112-9.3", old_response(length + "Connection: keep-alive\r\n"), "1.0 body=length length=1 keep"},
      {"9112-9.3", old_response(length + "Connection: keep-alive, close\r\n"), "1.0 body=length length=1 [Content"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: timeout=5, max=100\r\n"), "keep timeout=5"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: max=100,Timeout = 30\r\n"), "keep timeout=30"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: timeout=99999999999\r\n"), "keep timeout=4294967295"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: timeout=x\r\n"), "keep [Content-Length: 1] [Keep"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: timeout\r\n"), "keep [Content-Length: 1] [Keep"},
      {"9112-C.2.2", response("200 OK", length + "Keep-Alive: 5\r\n"), "keep [Content-Length: 1] [Keep"},
      {"9110-7.6.1", response("200 OK", "X-A: b\r\nConnection: x-A\r\nX-B: c\r\n"),
       "[X-A: b]* [Connection: x-A]* [X-B: c]"},
      {"ours", response("200 OK", "Connection: Content-Length\r\n" + length), "[Content-Length: 1]"},
      {"9110-7.6.1", response("200 OK", "Keep-Alive: x\r\nUpgrade: y\r\nTE: z\r\n"),
       "[Keep-Alive: x]* [Upgrade: y]* [TE: z]*"},
      {"9110-11.7", response("200 OK", "Proxy-Authenticate: x\r\nWWW-Authenticate: y\r\n"),
       "[Proxy-Authenticate: x]* [WWW-Authenticate: y]"},
      {"9110-6.6.2", response("200 OK", "Trailer: x\r\n"), "[Trailer: x]"},
      {"9110-7.6.1", response("200 OK", "Trailer: x\r\nConnection: trailer\r\n"), "[Trailer: x]*"},
      {"9110-7.6.3",
       response("200 OK",
                "Date: a\r\nServer: b\r\nVia: c\r\nContent-Encoding: d\r\nSet-Cookie: e\r\nSet-Cookie: f\r\n"),
       "[Date: a] [Server: b] [Via: c] [Content-Encoding: d] [Set-Cookie: e] [Set-Cookie: f]"},
  };
  for (const Case& row : rows) check_response(row);
}

TEST(ResponseParser, Limits) {
  const Limits limits{.max_head_bytes = 64, .max_fields = 2};
  const std::string head = "HTTP/1.1 200 OK\r\n";  // 17 bytes
  const std::vector<Case> rows = {
      {"ours", head + "X: " + std::string(40, 'x') + "\r\n\r\n", "done 64: "},
      {"ours", head + "X: " + std::string(41, 'x') + "\r\n\r\n",
       "failed 502 backend_bad_response: response head too large"},
      {"ours", head + "X: " + std::string(44, 'x'), "failed 502 backend_bad_response: response head too large"},
      {"ours", head + "X: " + std::string(43, 'x'), "more"},
      {"ours", "HTTP/1.1 200 " + std::string(51, 'x'), "failed 502 backend_bad_response: response head too large"},
      {"ours", head + "X: y\r\nX: y\r\n\r\n", "[X: y] [X: y]"},
      {"ours", head + "X: y\r\nX: y\r\nX: y\r\n\r\n", "failed 502 backend_bad_response: too many fields"},
  };
  for (const Case& row : rows) check_response(row, false, limits);
}

TEST(ResponseParser, NothingOfOneResponseIsLeftInTheNext) {
  ResponseParser parser{Limits{}};
  const std::string first =
      "HTTP/1.0 101 Up\r\nConnection: upgrade, close\r\nUpgrade: u\r\nKeep-Alive: timeout=3\r\nContent-Length: "
      "7\r\n\r\n";
  const std::string second = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(parser.parse(first.data(), first.data() + first.size()), ParseStatus::Done);
  const Field* const memory = parser.head().fields.data();
  parser.reset(false);
  ASSERT_EQ(parser.parse(second.data(), second.data() + second.size()), ParseStatus::Done);
  EXPECT_EQ(outcome(parser, ParseStatus::Done),
            "done 47: 200 reason=OK 1.1 body=chunked keep [Transfer-Encoding: chunked]*");
  EXPECT_EQ(parser.head().fields.data(), memory);
}

}  // namespace
}  // namespace restgate::http1::test
