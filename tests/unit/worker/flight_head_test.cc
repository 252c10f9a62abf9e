#include "worker/flight_head.h"

#include <gtest/gtest.h>

#include <string>

#include "common/flight/block.h"
#include "worker/http1/parser.h"

namespace restgate::worker {
namespace {

/// What the master would find of this request.
flight::Flight recorded(const std::string& request) {
  http1::RequestParser parser{http1::Limits{}};
  EXPECT_EQ(parser.parse(request.data(), request.data() + request.size()), http1::ParseStatus::Done) << request;
  const flight::Block block = flight::Block::create().value();
  flight::Writer writer = block.writer();
  (void)writer.begin(flight_head(parser.head(), "192.0.2.1"), 1);
  return block.snapshot().flights.at(0);
}

TEST(FlightHead, HasWhatTellsRequestsApart) {
  const flight::Flight flight = recorded(
      "POST /orders/7?dry=1 HTTP/1.1\r\nHost: shop.test:8080\r\nAccept: */*\r\nUSER-agent: probe/2\r\n"
      "Content-Length: 42\r\n\r\n");
  EXPECT_EQ(flight.client, "192.0.2.1");
  EXPECT_EQ(flight.method, "POST");
  EXPECT_EQ(flight.target, "/orders/7?dry=");
  EXPECT_EQ(flight.host, "shop.test:8080");
  EXPECT_EQ(flight.user_agent, "probe/2");
  EXPECT_EQ(flight.body, flight::Body::Length);
  EXPECT_EQ(flight.content_length, 42U);
}

TEST(FlightHead, KnowsHowABodyComes) {
  EXPECT_EQ(recorded("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").body, flight::Body::None);
  EXPECT_EQ(recorded("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").body, flight::Body::None);
  EXPECT_EQ(recorded("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").body, flight::Body::Chunked);
}

TEST(FlightHead, HasNothingSecret) {
  const flight::Flight flight = recorded(
      "GET http://shop.test/a?token=secret1&secret2 HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer secret3\r\n"
      "Cookie: s=secret4\r\nProxy-Authorization: Basic secret5\r\nX-Api-Key: secret6\r\n\r\n");
  const std::string all = flight.method + flight.target + flight.host + flight.user_agent + flight.client;
  EXPECT_EQ(all.find("secret"), std::string::npos) << all;
}

}  // namespace
}  // namespace restgate::worker
