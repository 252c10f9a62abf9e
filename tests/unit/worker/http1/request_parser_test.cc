// RequestParser: start line, target, field lines, limits. Framing and connection: request_framing_test.cc.
#include "worker/http1/request_parser.h"

#include <gtest/gtest.h>

#include "worker/http1/parser_cases.h"

namespace restgate::http1::test {
namespace {

using namespace std::string_literals;

TEST(RequestParser, RequestLine) {
  const std::vector<Case> rows = {
      {"9112-3", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
       "done 27: GET target=/ path=/ host=a 1.1 body=none keep [Host: a]"},
      {"9112-2.3", "GET / HTTP/1.0\r\n\r\n", "host= 1.0 body=none"},
      {"9112-3.1", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", "FOO target=/"},
      {"9112-3.1", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "get target=/"},
      {"9112-3.1", "!#$%&'*+-.^_`|~09 / HTTP/1.1\r\nHost: a\r\n\r\n", "!#$%&'*+-.^_`|~09 target=/"},
      {"9112-3.1", "M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3.1", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3.1", "G\xC3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET / a HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET /\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET \r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3", "/ HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / http/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/11\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/-1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTP /1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / HTTPS/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.3", "GET / FTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9110-15.6.6", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "failed 505 version_unsupported"},
      {"9110-15.6.6", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "failed 505 version_unsupported"},
      {"9110-15.6.6", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "failed 505 version_unsupported"},
      {"9110-15.6.6", "GET / HTTP/0.1\r\n\r\n", "failed 505 version_unsupported"},
      {"9110-15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "failed 505 version_unsupported"},
      {"9110-9.3.6", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "failed 501 method_unsupported"},
      {"9110-9.3.6", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 501 method_unsupported"},
      {"9110-9.1", "connect / HTTP/1.1\r\nHost: a\r\n\r\n", "connect target=/"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestParser, Target) {
  const std::vector<Case> rows = {
      {"9112-3.2.1", to_target("/a/b%20c?d=e&f"), "target=/a/b%20c?d=e&f path=/a/b%20c query=d=e&f host=a"},
      {"9112-3.2.1", to_target("/a?"), "path=/a query= host=a"},
      {"9112-3.2.1", to_target("/a?b?c"), "path=/a query=b?c host=a"},
      {"9112-3.2.1", to_target("/?/../x"), "path=/ query=/../x host=a"},
      {"9112-3.2.1", to_target("//b/c"), "path=//b/c host=a"},
      {"9112-3.2.1", to_target("/%zz"), "path=/%zz"},
      {"9112-3.2.1", to_target("/\"<>[]^`{|}\\"), "path=/\"<>[]^`{|}\\ host"},
      {"9112-3.2.1", to_target("/http://b/"), "path=/http://b/ host=a"},
      {"9112-3.2", to_target("/a#b"), "failed 400 bad_request"},
      {"9112-3.2", to_target("/?a#b"), "failed 400 bad_request"},
      {"ours", to_target("/\xC3\xA9?\xFF"), "target=/\xC3\xA9?\xFF path=/\xC3\xA9 query=\xFF host=a"},
      {"9112-3.2.1", to_target("\xC3\xA9"), "failed 400 bad_request"},
      {"3986-3.2.2", to_target("http://b\xC3\xA9/"), "failed 400 bad_request"},
      {"9112-3.2", to_target("/a\x7F"), "failed 400 bad_request"},
      {"9112-3.2", to_target("/a\x01"), "failed 400 bad_request"},
      {"9112-3.2", to_target("/a\0b"s), "failed 400 bad_request"},
      {"9112-3.2", to_target("/a\tb"), "failed 400 bad_request"},
      {"9112-3.2.1", to_target("a"), "failed 400 bad_request"},
      {"9112-3.2.1", to_target("?a=b"), "failed 400 bad_request"},
      {"9112-3.2.1", to_target("*/"), "failed 400 bad_request"},
      {"9112-3.2.3", to_target("a.example:80"), "failed 400 bad_request"},
      {"9112-3.2.4", to_target("*", "OPTIONS"), "OPTIONS target=* path=* host=a"},
      {"9112-3.2.4", to_target("*", "GET"), "failed 400 bad_request"},
      {"9112-3.2.4", to_target("*?a", "OPTIONS"), "failed 400 bad_request"},
      {"9112-3.2.4", to_target("http://b.example:8001", "OPTIONS"), "path=* host=b.example:8001"},
      {"9112-3.2.4", to_target("http://b/", "OPTIONS"), "path=/ host=b"},
      {"9112-3.2.4", to_target("http://b?c", "OPTIONS"), "path=/ query=c host=b"},
      {"9112-3.2.2", to_target("http://b.example/x?y=z"), "path=/x query=y=z host=b.example 1.1"},
      {"9112-3.2.2", to_target("HTTP://b/"), "path=/ host=b 1.1"},
      {"9112-3.2.2", to_target("hTTps://b:443/"), "path=/ host=b:443 1.1"},
      {"9112-3.2.2", to_target("http://b"), "path=/ host=b 1.1"},
      {"9112-3.2.2", to_target("http://b?c"), "path=/ query=c host=b 1.1"},
      {"9112-3.2.2", to_target("http://[::1]:8080/x"), "path=/x host=[::1]:8080 1.1"},
      {"9112-3.2.2", to_target("http://b:/x"), "path=/x host=b: 1.1"},
      {"9112-3.2.2", "GET http://b/ HTTP/1.0\r\n\r\n", "path=/ host=b 1.0"},
      {"9112-3.2.2", "GET http://b/ HTTP/1.1\r\nHost: c\r\n\r\n", "path=/ host=b 1.1"},
      {"9112-3.2", "GET http://b/ HTTP/1.1\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET http://b/ HTTP/1.1\r\nHost: c d\r\n\r\n", "failed 400 bad_host"},
      {"9110-4.2.1", to_target("http:///x"), "failed 400 bad_request"},
      {"9110-4.2.1", to_target("http://:80/x"), "failed 400 bad_request"},
      {"9110-4.2.4", to_target("http://user@b/"), "failed 400 bad_request"},
      {"9110-4.2.4", to_target("http://user:pass@b/"), "failed 400 bad_request"},
      {"9110-4.2.4", to_target("http://@b/"), "failed 400 bad_request"},
      {"3986-3.2.3", to_target("http://b:8x/"), "failed 400 bad_request"},
      {"3986-3.2.2", to_target("http://b\\c/"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("http:/b/"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("http:b"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("ftp://b/"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("ws://b/"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("://b/"), "failed 400 bad_request"},
      {"9112-3.2.2", to_target("x?http://b/"), "failed 400 bad_request"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestParser, Host) {
  const std::vector<Case> rows = {
      {"9112-3.2", "GET / HTTP/1.1\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "failed 400 bad_host"},
      {"9112-3.2", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "failed 400 bad_request"},
      {"9112-3.2", to_host(""), "failed 400 bad_host"},
      {"9112-3.2", to_host(" \t"), "failed 400 bad_host"},
      {"9112-3.2", "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "failed 400 bad_host"},
      {"9110-7.2", to_host("a.example"), "host=a.example 1.1"},
      {"9110-7.2", "GET / HTTP/1.1\r\nhoST:a.example\r\n\r\n", "host=a.example 1.1"},
      {"9110-7.2", to_host("a.example:80"), "host=a.example:80 1.1"},
      {"9110-7.2", to_host("  a.example\t"), "host=a.example 1.1"},
      {"9110-7.2", to_host("a, b"), "failed 400 bad_host"},
      {"9110-7.2", to_host("http://a"), "failed 400 bad_host"},
      {"9110-7.2", to_host("a/b"), "failed 400 bad_host"},
      {"9110-7.2", to_host("user@a"), "failed 400 bad_host"},
      {"9110-7.2", to_host("\xC3\xA9"), "failed 400 bad_host"},
      {"9110-7.2", "GET / HTTP/1.1\r\nX-Host: b\r\nHost: a\r\n\r\n", "host=a 1.1"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestParser, FieldLines) {
  const std::vector<Case> rows = {
      {"9112-5", with_fields("X-A: b\r\n"), "[X-A: b]"},
      {"9112-5", with_fields("X-A:b\r\n"), "[X-A: b]"},
      {"9112-5", with_fields("X-A:\t b c\t \r\n"), "[X-A: b c]"},
      {"9112-5", with_fields("X-A:\r\n"), "[X-A: ]"},
      {"9112-5", with_fields("X-A: \t \r\n"), "[X-A: ]"},
      {"9112-5", with_fields("X-A: b:c: d\r\n"), "[X-A: b:c: d]"},
      {"9112-5", with_fields("X-A: a\tb\r\n"), "[X-A: a\tb]"},
      {"9110-5.6.2", with_fields("!#$%&'*+-.^_`|~aZ9: b\r\n"), "[!#$%&'*+-.^_`|~aZ9: b]"},
      {"9110-5.5", with_fields("X-A: \xC3\xA9\xFF\x80\r\n"), "[X-A: \xC3\xA9\xFF\x80]"},
      {"9110-5.3", with_fields("X-A: b\r\nX-A: c\r\n"), "[X-A: b] [X-A: c]"},
      {"9112-5.1", with_fields("X-A : b\r\n"), "failed 400 bad_request"},
      {"9112-5.1", with_fields("X-A\t: b\r\n"), "failed 400 bad_request"},
      {"9112-5.1", with_fields("X A: b\r\n"), "failed 400 bad_request"},
      {"9112-5.1", with_fields(": b\r\n"), "failed 400 bad_request"},
      {"9112-5.1", with_fields("X-A\r\n"), "failed 400 bad_request"},
      {"9112-5.1", with_fields("X-A b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X(A: b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X\"A: b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X/A: b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X[A]: b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X\xC3\xA9: b\r\n"), "failed 400 bad_request"},
      {"9110-5.6.2", with_fields("X\0A: b\r\n"s), "failed 400 bad_request"},
      {"9112-5.2", with_fields("X-A: b\r\n c\r\n"), "failed 400 bad_request"},
      {"9112-5.2", with_fields("X-A: b\r\n\tc\r\n"), "failed 400 bad_request"},
      {"9112-5.2", with_fields("X-A: b\r\n \r\n"), "failed 400 bad_request"},
      {"9112-5.2", with_fields("X-A:\r\n b: c\r\n"), "failed 400 bad_request"},
      {"9112-2.2", "GET / HTTP/1.1\r\n X-A: b\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.2", "GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n", "failed 400 bad_host"},
      {"9110-5.5", with_fields("X-A: b\0c\r\n"s), "failed 400 bad_request"},
      {"9110-5.5", with_fields("X-A: \0\r\n"s), "failed 400 bad_request"},
      {"9110-5.5",
       with_fields("X-A: b\x01"
                   "c\r\n"),
       "failed 400 bad_request"},
      {"9110-5.5",
       with_fields("X-A: b\x0B"
                   "c\r\n"),
       "failed 400 bad_request"},
      {"9110-5.5",
       with_fields("X-A: b\x0C"
                   "c\r\n"),
       "failed 400 bad_request"},
      {"9110-5.5",
       with_fields("X-A: b\x1F"
                   "c\r\n"),
       "failed 400 bad_request"},
      {"9110-5.5",
       with_fields("X-A: b\x7F"
                   "c\r\n"),
       "failed 400 bad_request"},
      {"9110-5.5", with_fields("X-A: a long value, with a \x1B after the first sixteen bytes\r\n"), "failed 400"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestParser, LineEnds) {
  const std::vector<Case> rows = {
      {"9112-2.2", "GET / HTTP/1.1\nHost: a\n\n", "failed 400 bad_request: bare LF"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n", "failed 400 bad_request: bare LF"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", "failed 400 bad_request: bare LF"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n", "failed 400 bad_request: bare LF"},
      {"9112-2.2", "GET / HTTP/1.1\rHost: a\r\r", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\r\rX: b\r\n\r\n", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request: bare CR"},
      {"9112-2.2", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "done 29: GET"},
      {"9112-2.2", "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "done 35: GET"},
      {"ours", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.2", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request"},
      {"9112-2.2", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "failed 400 bad_request: bare CR"},
      {"ours", "\x16\x03\x01\x02", "failed 400 bad_request: no method"},
      {"ours", "\x80", "failed 400 bad_request: no method"},
      {"ours", "\0"s, "failed 400 bad_request: no method"},
      {"9112-2.1", "", "more"},
      {"9112-2.1", "\r", "more"},
      {"9112-2.1", "\r\n\r\n", "more"},
      {"9112-2.1", "GET / HTTP/1.1", "more"},
      {"9112-2.1", "GET / HTTP/1.1\r", "more"},
      {"9112-2.1", "GET / HTTP/1.1\r\n", "more"},
      {"9112-2.1", "GET / HTTP/1.1\r\nHost: a\r\n", "more"},
      {"9112-2.1", "GET / HTTP/1.1\r\nHost: a\r\n\r", "more"},
      {"9112-2.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next", "done 27: GET target=/ path=/"},
      {"9112-2.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n\r"s, "done 27: GET target=/ path=/"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestParser, Limits) {
  const Limits limits{.max_head_bytes = 64, .max_fields = 3, .max_target_bytes = 10};
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";  // 25 bytes
  const std::vector<Case> rows = {
      {"9110-15.5.15", to_target("/234567890"), "target=/234567890"},
      {"9110-15.5.15", to_target("/2345678901"), "failed 414 uri_too_long"},
      {"9110-15.5.15", "GET /23456789012345678901234567890123456789012345678901234567890", "failed 414 uri_too_long"},
      {"9110-15.5.15", std::string(64, 'G'), "failed 414 uri_too_long"},
      {"9110-15.5.15", std::string(63, 'G'), "more"},
      {"6585-5", head + "X: " + std::string(32, 'x') + "\r\n\r\n", "done 64: "},
      {"6585-5", head + "X: " + std::string(33, 'x') + "\r\n\r\n", "failed 431 request_head_too_large"},
      {"6585-5", head + "X: " + std::string(36, 'x'), "failed 431 request_head_too_large"},
      {"6585-5", head + "X: " + std::string(35, 'x'), "more"},
      {"6585-5", head + "X: y\r\nX: y\r\n\r\n", "[X: y] [X: y]"},
      {"6585-5", head + "X: y\r\nX: y\r\nX: y\r\n\r\n", "failed 431 request_head_too_large"},
  };
  for (const Case& row : rows) check_request(row, limits);
}

TEST(RequestParser, TargetLimitHoldsWithoutTheLineEnd) {
  const Limits limits{.max_head_bytes = 4096, .max_fields = 3, .max_target_bytes = 100};
  check_request({"9110-15.5.15", "GET /" + std::string(300, 'x'), "failed 414 uri_too_long"}, limits);
  check_request({"9110-15.5.15", "GET /" + std::string(200, 'x'), "more"}, limits);
  check_request({"9110-15.5.15", to_target("/" + std::string(99, 'x')), "path=/x"}, limits);
}

TEST(RequestParser, StartedTellsARequestFromEmptyLines) {
  RequestParser parser{Limits{}};
  const std::string_view input = "\r\n\r\nG";
  EXPECT_FALSE(parser.started());
  for (size_t size = 0; size < input.size(); ++size) {
    EXPECT_EQ(parser.parse(input.data(), input.data() + size), ParseStatus::NeedMore);
    EXPECT_FALSE(parser.started());
  }
  EXPECT_EQ(parser.parse(input.data(), input.data() + input.size()), ParseStatus::NeedMore);
  EXPECT_TRUE(parser.started());
  parser.reset();
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, NothingOfOneRequestIsLeftInTheNext) {
  RequestParser parser{Limits{}};
  const std::string first =
      "OPTIONS http://b?q HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: upgrade, close, x\r\nUpgrade: u\r\n"
      "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string second = "GET / HTTP/1.1\r\nHost: c\r\nX: 1\r\n\r\n";
  ASSERT_EQ(parser.parse(first.data(), first.data() + first.size()), ParseStatus::Done);
  const Field* const memory = parser.head().fields.data();
  parser.reset();
  ASSERT_EQ(parser.parse(second.data(), second.data() + second.size()), ParseStatus::Done);
  EXPECT_EQ(outcome(parser, ParseStatus::Done),
            "done 33: GET target=/ path=/ host=c 1.1 body=none keep [Host: c] [X: 1]");
  EXPECT_EQ(parser.head().fields.data(), memory);
}

TEST(RequestParser, VerdictStaysUntilReset) {
  RequestParser parser{Limits{}};
  const std::string good = "GET / HTTP/1.1\r\nHost: c\r\n\r\nGET";
  EXPECT_EQ(parser.parse(good.data(), good.data() + good.size()), ParseStatus::Done);
  EXPECT_EQ(parser.parse(good.data(), good.data() + good.size()), ParseStatus::Done);
  EXPECT_EQ(parser.consumed(), good.size() - 3);
  parser.reset();
  const std::string bad = "@";
  EXPECT_EQ(parser.parse(bad.data(), bad.data() + 1), ParseStatus::Failed);
  EXPECT_EQ(parser.parse(bad.data(), bad.data() + 1), ParseStatus::Failed);
  EXPECT_EQ(parser.failure().code, Reason::BadRequest);
}

}  // namespace
}  // namespace restgate::http1::test
