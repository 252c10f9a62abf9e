// RequestParser: the fields that it acts upon. Framing, connection, expectations, trailers, upgrade.
#include <gtest/gtest.h>

#include "worker/http1/parser_cases.h"
#include "worker/http1/request_parser.h"

namespace restgate::http1::test {
namespace {

using namespace std::string_literals;

TEST(RequestFraming, ContentLength) {
  const std::vector<Case> rows = {
      {"9112-6.3", with_fields(""), "body=none keep"},
      {"9110-8.6", with_fields("Content-Length: 5\r\n"), "body=length length=5 keep"},
      {"9110-8.6", with_fields("content-LENGTH:5\r\n"), "body=length length=5 keep"},
      {"9110-8.6", with_fields("Content-Length: \t5 \r\n"), "body=length length=5 keep"},
      {"9110-8.6", with_fields("Content-Length: 0\r\n"), "body=none length=0 keep"},
      {"9110-8.6", with_fields("Content-Length: 0005\r\n"), "body=length length=5 keep"},
      {"9110-8.6", with_fields("Content-Length: 9223372036854775807\r\n"), "length=9223372036854775807"},
      {"9110-8.6", old_with_fields("Content-Length: 5\r\n"), "1.0 body=length length=5"},
      {"9110-8.6", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "body=length length=5"},
      {"ours", with_fields("Content-Length: 9223372036854775808\r\n"), "failed 400 bad_framing"},
      {"ours", with_fields("Content-Length: 18446744073709551616\r\n"), "failed 400 bad_framing"},
      {"ours", with_fields("Content-Length: 99999999999999999999999999999999\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length:\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: +5\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: -5\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: 5 5\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: 0x5\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: 5a\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: 5.0\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: \"5\"\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length: \xB5\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 5, 5\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 5,5\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 5,\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 5\r\nContent-Length: 6\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Content-Length: 0\r\nContent-Length: 0\r\n"), "failed 400 bad_framing"},
      {"9110-8.6", with_fields("Content-Length : 5\r\n"), "failed 400 bad_request"},
      {"9110-8.6", with_fields("Content-Lengt: 5\r\n"), "body=none keep"},
      {"9110-8.6", with_fields("Content_Length: 5\r\n"), "body=none keep"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestFraming, TransferEncoding) {
  const std::vector<Case> rows = {
      {"9112-6.1", with_fields("Transfer-Encoding: chunked\r\n"), "body=chunked keep"},
      {"9112-7", with_fields("Transfer-Encoding: Chunked\r\n"), "body=chunked keep"},
      {"9112-7", with_fields("TRANSFER-encoding:\tCHUNKED \r\n"),
       "body=chunked keep [Host: a] [TRANSFER-encoding: CHUNKED]*"},
      {"9112-6.1", with_fields("Transfer-Encoding: gzip, chunked\r\n"), "failed 501 transfer_coding_unsupported"},
      {"9112-6.1", with_fields("Transfer-Encoding: gzip;q=1 , CHUNKED\r\n"), "failed 501 transfer_coding_unsupported"},
      {"9112-6.1", with_fields("Transfer-Encoding: identity, chunked\r\n"), "failed 501 transfer_coding_unsupported"},
      {"9112-6.3", with_fields("Transfer-Encoding: gzip\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Transfer-Encoding: identity\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Transfer-Encoding: chunked, gzip\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Transfer-Encoding: chunked, identity\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: chunked, chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: gzip, chunked, chunked\r\n"), "failed 400 bad_framing"},
      {"9112-7.1", with_fields("Transfer-Encoding: chunked;a=b\r\n"), "failed 400 bad_framing"},
      {"9112-7.1", with_fields("Transfer-Encoding: gzip, chunked;a=b\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding:\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: ,\r\n"), "failed 400 bad_framing"},
      {"ours", with_fields("Transfer-Encoding: ,chunked\r\n"), "failed 400 bad_framing"},
      {"ours", with_fields("Transfer-Encoding: chunked,\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: xchunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: chunkedx\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: \"chunked\"\r\n"), "failed 400 bad_framing"},
      {"9112-6.1",
       with_fields("Transfer-Encoding: chun\xC7"
                   "ed\r\n"),
       "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: g z, chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1",
       with_fields("Transfer-Encoding: \x0B"
                   "chunked\r\n"),
       "failed 400 bad_request"},
      {"9112-5.2", with_fields("Transfer-Encoding:\r\n chunked\r\n"), "failed 400"},
      {"9112-5.1", with_fields("Transfer-Encoding : chunked\r\n"), "failed 400 bad_request"},
      {"ours", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "failed 400 bad_framing"},
      {"ours", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), "failed 400 bad_framing"},
      {"9112-6.3", with_fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", old_with_fields("Transfer-Encoding: chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", old_with_fields("Transfer-Encoding: gzip, chunked\r\n"), "failed 400 bad_framing"},
      {"9112-6.1", with_fields("Transfer_Encoding: chunked\r\n"), "body=none keep"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestFraming, Connection) {
  const std::vector<Case> rows = {
      {"9112-9.3", with_fields("Connection: close\r\n"), "body=none [Host"},
      {"9112-9.3", with_fields("Connection: CLOSE\r\n"), "body=none [Host"},
      {"9112-9.3", with_fields("Connection: x, close\r\n"), "body=none [Host"},
      {"9112-9.3", with_fields("Connection: x\r\nConnection: ,Close ,\r\n"), "body=none [Host"},
      {"9112-9.3", with_fields("Connection: keep-alive\r\nConnection: close\r\n"), "body=none [Host"},
      {"9112-9.3", with_fields("Connection: closed\r\n"), "body=none keep"},
      {"9112-9.3", with_fields("Connection:\r\n"), "body=none keep"},
      {"9112-9.3", with_fields("Proxy-Connection: close\r\n"), "keep [Host: a] [Proxy-Connection: close]*"},
      {"9112-9.3", old_with_fields(""), "1.0 body=none [Host"},
      {"9112-9.3", old_with_fields("Connection: Keep-Alive\r\n"), "1.0 body=none keep"},
      {"9112-9.3", old_with_fields("Connection: x,keep-alive\r\n"), "1.0 body=none keep"},
      {"9112-9.3", old_with_fields("Connection: keep-alive, close\r\n"), "1.0 body=none [Host"},
      {"9112-C.2.2", old_with_fields("Proxy-Connection: keep-alive\r\n"), "1.0 body=none [Host"},
      {"9112-9.3", old_with_fields("Keep-Alive: timeout=5\r\n"), "1.0 body=none [Host"},
      {"9110-7.6.1", with_fields("X-A: b\r\nConnection: x-a\r\nX-a: c\r\nX-B: d\r\n"),
       "[X-A: b]* [Connection: x-a]* [X-a: c]* [X-B: d]"},
      {"9110-7.6.1", with_fields("Connection: X-B\r\nConnection: close , ,X-A\r\nX-A: b\r\nX-B: d\r\n"),
       "[X-A: b]* [X-B: d]*"},
      {"9110-7.6.1", with_fields("Connection: Authorization\r\nAuthorization: b\r\n"), "[Authorization: b]*"},
      {"ours", with_fields("Connection: Host\r\n"), "[Host: a] "},
      {"ours", with_fields("Connection: content-length\r\nContent-Length: 1\r\n"),
       "length=1 keep [Host: a] [Connection: content-length]* [Content-Length: 1]"},
      {"ours", with_fields("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n"), "body=chunked keep"},
      {"ours",
       with_fields("Connection: X-Forwarded-For,X-FORWARDED-proto\r\nX-Forwarded-For: b\r\nX-Forwarded-Proto: c\r\n"),
       "[X-Forwarded-For: b] [X-Forwarded-Proto: c]"},
      {"ours", with_fields("Connection: x-forwarded-port\r\nX-Forwarded-Port: 1\r\n"), " [X-Forwarded-Port: 1]"},
      {"9110-7.6.1", with_fields("Connection: foo bar\r\nfoo: 1\r\nbar: 2\r\n"), "[foo: 1] [bar: 2]"},
      {"9110-7.6.1", with_fields("Keep-Alive: 5\r\nTE: x\r\nTrailer: y\r\nUpgrade: z\r\n"),
       "[Keep-Alive: 5]* [TE: x]* [Trailer: y]* [Upgrade: z]*"},
      {"9110-11.7", with_fields("Proxy-Authorization: a\r\nProxy-Authenticate: b\r\nProxy-Authentication-Info: c\r\n"),
       "[Proxy-Authorization: a]* [Proxy-Authenticate: b]* [Proxy-Authentication-Info: c]*"},
      {"9110-11.6", with_fields("Authorization: a\r\nCookie: b\r\nCache-Control: c\r\nVia: d\r\n"),
       "[Authorization: a] [Cookie: b] [Cache-Control: c] [Via: d]"},
  };
  for (const Case& row : rows) check_request(row);
}

TEST(RequestFraming, TooManyConnectionOptions) {
  std::string options = "Connection: ";
  for (uint32_t i = 0; i < ConnectionOptions::kMaxNominated; ++i) options += "x,";
  RequestParser parser{Limits{}};
  const auto parse = [&parser](const std::string& input) {
    parser.reset();
    return feed_head(parser, input, {});
  };
  EXPECT_EQ(parse(with_fields(options + "close, ,keep-alive\r\n")).substr(0, 4), "done");
  EXPECT_EQ(parse(with_fields(options + "y\r\n")).substr(0, 10), "failed 431");
  EXPECT_EQ(parse(with_fields(options + "\r\nConnection: y\r\n")).substr(0, 10), "failed 431");
}

TEST(RequestFraming, ExpectAndTrailersAndUpgrade) {
  const std::vector<Case> rows = {
      {"9110-10.1.1", with_fields("Expect: 100-continue\r\nContent-Length: 1\r\n"),
       "length=1 keep expect [Host: a] [Expect: 100-continue]"},
      {"9110-10.1.1", with_fields("Expect: 100-Continue\r\n"), "keep expect"},
      {"9110-10.1.1", with_fields("Expect: 100-continue, 100-continue\r\n"), "keep expect"},
      {"9110-10.1.1", with_fields("Expect:\r\n"), "keep [Host"},
      {"9110-10.1.1", old_with_fields("Expect: 100-continue\r\n"), "1.0 body=none [Host: a] [Expect: 100-continue]*"},
      {"9110-10.1.1", with_fields("Expect: 100-continue;a\r\n"), "failed 417 expectation_failed"},
      {"9110-10.1.1", with_fields("Expect: 200-ok\r\n"), "failed 417 expectation_failed"},
      {"9110-10.1.1", with_fields("Expect: 100-continue, x\r\n"), "failed 417 expectation_failed"},
      {"9110-10.1.1", with_fields("Expect: 100-continue\r\nExpect: x\r\n"), "failed 417 expectation_failed"},
      {"9110-10.1.4", with_fields("TE: trailers\r\n"), "keep te [Host: a] [TE: trailers]*"},
      {"9110-10.1.4", with_fields("TE: gzip;q=0.5, Trailers\r\n"), "keep te"},
      {"9110-10.1.4", with_fields("TE: gzip\r\nTE: trailers\r\n"), "keep te"},
      {"9110-10.1.4", with_fields("TE: trailersx\r\n"), "keep [Host"},
      {"9110-10.1.4", with_fields("TE: gzip\r\n"), "keep [Host"},
      {"9110-10.1.4", with_fields("TE:\r\n"), "keep [Host"},
      {"9110-10.1.4", old_with_fields("TE: trailers\r\n"), "1.0 body=none [Host"},
      {"9110-7.8", with_fields("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "keep upgrade=websocket"},
      {"9110-7.8", with_fields("Upgrade: websocket\r\nConnection: keep-alive, uPGRADE\r\n"), "keep upgrade=websocket"},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade: a/1, b/2.0,\r\n"), "keep upgrade=a/1, b/2.0, ["},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade:\r\nUpgrade: a\r\nUpgrade: b\r\n"), "keep upgrade=a ["},
      {"9110-7.8", with_fields("Connection: upgrade\r\n"), "keep [Host"},
      {"9110-7.8", with_fields("Upgrade: websocket\r\n"), "keep [Host: a] [Upgrade: websocket]*"},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade:\r\n"), "keep [Host"},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade: web socket\r\n"), "keep [Host"},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade: a/\r\n"), "keep [Host"},
      {"9110-7.8", with_fields("Connection: upgrade\r\nUpgrade: a/b/c\r\n"), "keep [Host"},
      {"9110-7.8", old_with_fields("Connection: upgrade\r\nUpgrade: websocket\r\n"), "1.0 body=none [Host"},
  };
  for (const Case& row : rows) check_request(row);
}

}  // namespace
}  // namespace restgate::http1::test
