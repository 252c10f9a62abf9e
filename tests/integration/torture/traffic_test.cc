// The torture's clients against themselves: straight to their origin, and to one that does wrong.
#include "integration/torture/traffic.h"

#include <gtest/gtest.h>

#include <functional>

#include "integration/support/origin.h"
#include "integration/torture/http_client.h"
#include "integration/torture/stage_origin.h"

namespace restgate::itest::torture {
namespace {

using std::chrono::milliseconds;

TEST(TortureClients, FindNoFaultWithTheirOrigin) {
  const StageOrigin origin;
  Traffic traffic({.port = origin.port(), .stream_length = milliseconds(50)});
  traffic.await_more(20);
  const Scores scores = traffic.stop();
  for (const Score& score : scores) {
    EXPECT_GE(score.good, 1U);
    for (const Mishap& mishap : score.mishaps) ADD_FAILURE() << mishap.detail;
  }
  EXPECT_EQ(origin.complaints(), std::vector<std::string>{});
  EXPECT_EQ(origin.posts().size(), of(scores, Kind::Post).good);
}

struct Row {
  const char* name;
  std::string answer;
  Outcome outcome;
};

class TortureClient : public testing::TestWithParam<Row> {};

TEST_P(TortureClient, TellsWhatIsWrong) {
  HandlerOrigin wrong([](const Message&) { return GetParam().answer; });
  Course course("127.0.0.1", wrong.port());
  HttpClient client(course, Kind::Busy, 1, milliseconds(1));
  client.run(1, Deadline());
  ASSERT_EQ(client.score().mishaps.size(), 1U);
  EXPECT_EQ(client.score().mishaps[0].outcome, GetParam().outcome) << client.score().mishaps[0].detail;
  EXPECT_EQ(client.score().good, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Torture, TortureClient,
    testing::Values(Row{"NoAnswer", "", Outcome::NoAnswer},
                    Row{"ShortBody", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf",
                        Outcome::ShortBody},
                    Row{"WrongBody", response(200, "not what belongs to the number"), Outcome::WrongBody},
                    Row{"BadStatus", response(503, "draining"), Outcome::BadStatus}),
    [](const auto& row) { return row.param.name; });

TEST(TortureClient, KnowsWhenNobodyListens) {
  uint16_t port = 0;
  { port = Origin().port(); }
  Course course("127.0.0.1", port);
  HttpClient client(course, Kind::Short, 1, milliseconds(1));
  client.run(1, Deadline());
  ASSERT_EQ(client.score().mishaps.size(), 1U);
  EXPECT_EQ(client.score().mishaps[0].outcome, Outcome::Refused);
}

TEST(TortureClient, NotesThatTheConnectionHadEndedBefore) {
  Origin origin;
  Course course("127.0.0.1", origin.port());
  HttpClient client(course, Kind::Busy, 1, milliseconds(1));
  std::thread once([&] {
    Stream stream = origin.accept();
    const Cue cue = Cue::parse(stream.read_request().target());
    stream.send(response(200, body_of(cue.number)));
  });
  client.run(1, Deadline());
  once.join();
  client.run(1, Deadline());
  ASSERT_EQ(client.score().mishaps.size(), 1U);
  EXPECT_TRUE(client.score().mishaps[0].seen_closed);
}

}  // namespace
}  // namespace restgate::itest::torture
