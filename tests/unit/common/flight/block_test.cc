#include "common/flight/block.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <random>
#include <string>

namespace restgate::flight {
namespace {

Block make_block() {
  Result<Block> block = Block::create();
  EXPECT_TRUE(block) << block.error().message;
  return std::move(block).value();
}

Head get(std::string_view path) {
  Head head;
  head.client = "192.0.2.7:4711";
  head.method = "GET";
  head.path = path;
  head.host = "shop.test";
  head.user_agent = "curl/8";
  head.started_us = 1'000;
  return head;
}

/// The whole segment, as somebody gone wild sees it.
layout::Segment& segment_of(const Block& block) {
  void* at = mmap(nullptr, sizeof(layout::Segment), PROT_READ | PROT_WRITE, MAP_SHARED, block.fd(), 0);
  EXPECT_NE(at, MAP_FAILED);
  return *static_cast<layout::Segment*>(at);
}

TEST(FlightWriter, DefaultConstructedIsInvalidAndRecordsNothing) {
  Writer writer;
  EXPECT_FALSE(writer);
  writer.reading_head("client", 1);
  const Writer::Ticket ticket = writer.begin(get("/"), 1);
  writer.route(ticket, 1, 2);
  writer.phase(ticket, Phase::Streaming);
  writer.touch(ticket, 2);
  writer.end(ticket);
  writer.rest();
}

TEST(FlightBlock, ANewOneIsEmpty) {
  const Snapshot snapshot = make_block().snapshot();
  EXPECT_TRUE(snapshot.flights.empty());
  EXPECT_EQ(snapshot.in_flight + snapshot.unrecorded + snapshot.damaged, 0U);
}

TEST(FlightBlock, ARequestIsThereFromItsBeginningToItsEnd) {
  const Block block = make_block();
  Writer writer = block.writer();
  ASSERT_TRUE(writer);
  Head head = get("/orders/17");
  head.method = "POST";
  head.body = Body::Length;
  head.content_length = 5'000'000'000;
  const Writer::Ticket ticket = writer.begin(head, 1'500);
  writer.route(ticket, 4, 2);
  writer.phase(ticket, Phase::AwaitingAnswer);
  writer.touch(ticket, 2'000);

  const Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 1U);
  EXPECT_EQ(snapshot.in_flight, 1U);
  const Flight& flight = snapshot.flights[0];
  EXPECT_EQ(flight.phase, Phase::AwaitingAnswer);
  EXPECT_TRUE(flight.suspect);
  EXPECT_EQ(flight.route, 5U);
  EXPECT_EQ(flight.service, 3U);
  EXPECT_EQ(flight.body, Body::Length);
  EXPECT_EQ(flight.content_length, 5'000'000'000U);
  EXPECT_EQ(flight.started_us, 1'000);
  EXPECT_EQ(flight.touched_us, 2'000);
  EXPECT_EQ(flight.client, "192.0.2.7:4711");
  EXPECT_EQ(flight.method, "POST");
  EXPECT_EQ(flight.target, "/orders/17");
  EXPECT_EQ(flight.host, "shop.test");
  EXPECT_EQ(flight.user_agent, "curl/8");

  writer.end(ticket);
  EXPECT_TRUE(block.snapshot().flights.empty());
  EXPECT_EQ(block.snapshot().in_flight, 0U);
}

TEST(FlightBlock, ASlotUsedAgainTellsNothingOfTheOneBefore) {
  const Block block = make_block();
  Writer writer = block.writer();
  Head long_one = get("/a/long/path");
  long_one.body = Body::Chunked;
  const Writer::Ticket first = writer.begin(long_one, 1);
  writer.route(first, 1, 1);
  writer.end(first);
  Head bare;
  bare.path = "/b";
  EXPECT_EQ(writer.begin(bare, 1), first);
  const Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 1U);
  const Flight& flight = snapshot.flights[0];
  EXPECT_EQ(flight.target, "/b");
  EXPECT_EQ(flight.client + flight.method + flight.host + flight.user_agent, "");
  EXPECT_EQ(flight.route + flight.service, 0U);
  EXPECT_EQ(flight.body, Body::None);
}

TEST(FlightBlock, TheSuspectComesFirstThenWhoeverWasTouchedLast) {
  const Block block = make_block();
  Writer writer = block.writer();
  const Writer::Ticket a = writer.begin(get("/a"), 10);
  const Writer::Ticket b = writer.begin(get("/b"), 20);
  const Writer::Ticket c = writer.begin(get("/c"), 30);
  writer.touch(a, 100);
  writer.touch(b, 90);
  const auto order = [&block] {
    std::string paths;
    for (const Flight& flight : block.snapshot().flights) paths += flight.target + (flight.suspect ? "! " : " ");
    return paths;
  };
  EXPECT_EQ(order(), "/b! /a /c ");
  writer.rest();
  EXPECT_EQ(order(), "/a /b /c ");
  writer.touch(c, 5);
  EXPECT_EQ(order(), "/c! /a /b ");
  writer.end(c);
  EXPECT_EQ(order(), "/a /b ") << "with its end it is nobody's fault any more";
}

TEST(FlightBlock, AHeadBeingReadIsThereWhileTheWorkerReadsIt) {
  const Block block = make_block();
  Writer writer = block.writer();
  const Writer::Ticket other = writer.begin(get("/other"), 1);
  writer.reading_head("203.0.113.9:1", 50);
  Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 2U);
  EXPECT_EQ(snapshot.in_flight, 1U) << "no request yet";
  EXPECT_TRUE(snapshot.flights[0].suspect);
  EXPECT_EQ(snapshot.flights[0].phase, Phase::ReadingHead);
  EXPECT_EQ(snapshot.flights[0].client, "203.0.113.9:1");
  EXPECT_EQ(snapshot.flights[0].started_us, 50);
  EXPECT_EQ(snapshot.flights[0].target, "");
  EXPECT_FALSE(snapshot.flights[1].suspect);
  writer.touch(other, 60);
  snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 1U);
  EXPECT_EQ(snapshot.flights[0].target, "/other");
}

TEST(FlightBlock, WhatHasNoRoomIsCountedNotKept) {
  const Block block = make_block();
  Writer writer = block.writer();
  std::vector<Writer::Ticket> tickets;
  for (uint32_t i = 0; i < layout::kSlots + 3; ++i) tickets.push_back(writer.begin(get("/" + std::to_string(i)), i));
  for (const Writer::Ticket ticket : tickets) {
    writer.route(ticket, 0, 0);
    writer.phase(ticket, Phase::Streaming);
  }
  writer.touch(tickets.back(), 9'999);
  Snapshot snapshot = block.snapshot();
  EXPECT_EQ(snapshot.flights.size(), layout::kSlots);
  EXPECT_EQ(snapshot.unrecorded, 3U);
  EXPECT_EQ(snapshot.in_flight, layout::kSlots + 3);
  EXPECT_EQ(snapshot.damaged, 0U);
  EXPECT_FALSE(snapshot.flights[0].suspect) << "it is one without a record";
  EXPECT_EQ(snapshot.flights[0].target, "/" + std::to_string(layout::kSlots - 1));

  for (const Writer::Ticket ticket : tickets) writer.end(ticket);
  snapshot = block.snapshot();
  EXPECT_TRUE(snapshot.flights.empty());
  EXPECT_EQ(snapshot.in_flight, 0U);
  EXPECT_EQ(writer.begin(get("/again"), 1), tickets[0]);
}

TEST(FlightBlock, TheOldestAreGivenAloneButAllAreCounted) {
  const Block block = make_block();
  EXPECT_TRUE(Block().oldest(3).flights.empty());
  Writer writer = block.writer();
  std::vector<Writer::Ticket> tickets;
  for (const int64_t started_us : {50, 20, 40, 10, 30}) {
    Head head = get("/");
    const std::string path = "/" + std::to_string(started_us);
    head.path = path;
    head.started_us = started_us;
    tickets.push_back(writer.begin(head, started_us));
  }
  writer.touch(tickets[0], 1'000);
  const auto oldest = [&block](size_t most) {
    std::string paths;
    for (const Flight& flight : block.oldest(most).flights) paths += flight.target + " ";
    return paths;
  };
  EXPECT_EQ(oldest(3), "/10 /20 /30 ");
  EXPECT_EQ(oldest(9), "/10 /20 /30 /40 /50 ");
  EXPECT_EQ(block.oldest(3).in_flight, 5U);
  writer.end(tickets[3]);
  layout::Segment& segment = segment_of(block);
  segment.slots[tickets[1]].sizes[2] = 255;
  segment.slots[tickets[4]].phase = static_cast<uint32_t>(Phase::Recording);
  EXPECT_EQ(oldest(9), "/40 /50 ") << "one has ended, one makes no sense, one is being written";
  EXPECT_EQ(block.oldest(9).in_flight, block.snapshot().in_flight);
  munmap(&segment, sizeof segment);
}

TEST(FlightBlock, TextsAreCutToTheirRoom) {
  const Block block = make_block();
  Writer writer = block.writer();
  Head head;
  const std::string longest(1'000, 'x');
  head.client = head.method = head.path = head.host = head.user_agent = longest;
  head.query = "a=1";
  head.has_query = true;
  (void)writer.begin(head, 1);
  const Flight flight = block.snapshot().flights.at(0);
  const auto cut = [&longest](size_t size) { return longest.substr(0, size - 3) + "..."; };
  EXPECT_EQ(flight.client, cut(48));
  EXPECT_EQ(flight.method, cut(16));
  EXPECT_EQ(flight.target, cut(208));
  EXPECT_EQ(flight.host, cut(64));
  EXPECT_EQ(flight.user_agent, cut(112));
}

struct QueryRow {
  std::string_view query;
  std::string_view shown;
};

TEST(FlightBlock, OfAQueryOnlyTheNamesAreKept) {
  const std::vector<QueryRow> rows = {
      {"", "?"},
      {"a=1", "?a="},
      {"token=secret&page=2&token=other", "?token=&page=&token="},
      {"secret", "?"},
      {"secret&b=1", "?&b="},
      {"a=1&", "?a=&"},
      {"a==secret=", "?a="},
      {"=secret", "?="},
      {"&&", "?&&"},
      {"a=secret;b=2", "?a="},
  };
  const Block block = make_block();
  Writer writer = block.writer();
  for (const QueryRow& row : rows) {
    Head head = get("/x");
    head.query = row.query;
    head.has_query = true;
    const Writer::Ticket ticket = writer.begin(head, 1);
    EXPECT_EQ(block.snapshot().flights.at(0).target, "/x" + std::string(row.shown)) << row.query;
    EXPECT_EQ(block.snapshot().flights.at(0).host, "shop.test") << "what follows is where it should be";
    writer.end(ticket);
  }
}

TEST(FlightBlock, ALongQueryIsCutWhereverItsRoomEnds) {
  const Block block = make_block();
  Writer writer = block.writer();
  std::string query;
  for (int i = 0; i < 500; ++i) query += "name=secret&";
  for (size_t path = 1; path <= 212; ++path) {
    Head head = get("");
    const std::string text(path, 'p');
    head.path = text;
    head.query = query;
    head.has_query = true;
    const Writer::Ticket ticket = writer.begin(head, 1);
    const Flight flight = block.snapshot().flights.at(0);
    EXPECT_EQ(flight.target.size(), 208U) << path;
    EXPECT_TRUE(flight.target.ends_with("...")) << flight.target;
    EXPECT_EQ(flight.target.find("secret"), std::string::npos);
    EXPECT_EQ(flight.host, "shop.test");
    writer.end(ticket);
  }
}

TEST(FlightBlock, WhatClientsWriteIsMadePrintable) {
  const Block block = make_block();
  Writer writer = block.writer();
  Head head = get("/ok");
  head.user_agent = "a\nlevel=info\x1b[2J\x7f\xc3\xa9";
  (void)writer.begin(head, 1);
  EXPECT_EQ(block.snapshot().flights.at(0).user_agent, "a\\x0alevel=info\\x1b[2J\\x7f\\xc3\\xa9");
}

TEST(FlightBlock, AWriterThatDiedInTheMiddleLeavesARecordWithoutContents) {
  const Block block = make_block();
  Writer writer = block.writer();
  const Writer::Ticket ticket = writer.begin(get("/half"), 1);
  layout::Segment& segment = segment_of(block);
  segment.slots[ticket].phase = static_cast<uint32_t>(Phase::Recording);
  segment.slots[ticket].sizes.fill(255);
  const Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 1U);
  EXPECT_EQ(snapshot.flights[0].phase, Phase::Recording);
  EXPECT_TRUE(snapshot.flights[0].suspect);
  EXPECT_EQ(snapshot.flights[0].target, "");
  EXPECT_EQ(snapshot.in_flight, 1U);
  EXPECT_EQ(snapshot.damaged, 0U);
  munmap(&segment, sizeof segment);
}

TEST(FlightBlock, ARecordThatMakesNoSenseIsCountedAsDamaged) {
  const std::vector<std::function<void(layout::Slot&)>> blows = {
      [](layout::Slot& slot) { slot.phase = 77; },
      [](layout::Slot& slot) { slot.phase = static_cast<uint32_t>(Phase::ReadingHead); },
      [](layout::Slot& slot) { slot.body = 9; },
      [](layout::Slot& slot) { slot.sizes[2] = 255; },
      [](layout::Slot& slot) { slot.started_us = INT64_MIN; },
      [](layout::Slot& slot) { slot.touched_us = INT64_MAX; },
  };
  for (size_t i = 0; i < blows.size(); ++i) {
    const Block block = make_block();
    Writer writer = block.writer();
    const Writer::Ticket hit = writer.begin(get("/hit"), 1);
    (void)writer.begin(get("/sound"), 1);
    layout::Segment& segment = segment_of(block);
    blows[i](segment.slots[hit]);
    const Snapshot snapshot = block.snapshot();
    EXPECT_EQ(snapshot.damaged, 1U) << i;
    ASSERT_EQ(snapshot.flights.size(), 1U) << i;
    EXPECT_EQ(snapshot.flights[0].target, "/sound");
    munmap(&segment, sizeof segment);
  }
}

TEST(FlightBlock, AnImpossibleCountIsDamageToo) {
  const Block block = make_block();
  layout::Segment& segment = segment_of(block);
  segment.header.unrecorded = 0xFFFFFFFF;
  const Snapshot snapshot = block.snapshot();
  EXPECT_EQ(snapshot.unrecorded, 0U);
  EXPECT_EQ(snapshot.in_flight, 0U);
  EXPECT_EQ(snapshot.damaged, 1U);
  munmap(&segment, sizeof segment);
}

TEST(FlightBlock, AnyBytesAtAllAreRead) {
  const Block block = make_block();
  layout::Segment& segment = segment_of(block);
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    auto* bytes = reinterpret_cast<unsigned char*>(&segment);
    for (size_t i = 0; i < sizeof segment; ++i) bytes[i] = static_cast<unsigned char>(random());
    // Phases and sizes that are not out of range by luck alone.
    for (layout::Slot& slot : segment.slots) {
      slot.phase = static_cast<uint32_t>(random() % 10);
      for (uint8_t& size : slot.sizes) size = static_cast<uint8_t>(random() % 60);
      slot.body = static_cast<uint8_t>(random() % 4);
      slot.started_us = static_cast<int64_t>(random());
      slot.touched_us = static_cast<int64_t>(random());
    }
    segment.header.at = static_cast<uint32_t>(random() % 8);
    const Snapshot snapshot = block.snapshot();
    EXPECT_GT(snapshot.flights.size(), 0U);
    for (const Flight& flight : snapshot.flights)
      for (const std::string& text : {flight.client, flight.method, flight.target, flight.host, flight.user_agent})
        for (const char c : text) ASSERT_TRUE(c >= 0x20 && c < 0x7F);
  }
  munmap(&segment, sizeof segment);
}

TEST(FlightBlock, WhatAnotherProcessRecordedOutlivesIt) {
  const Block block = make_block();
  const pid_t child = fork();
  if (child == 0) {
    Writer writer = block.writer();
    writer.phase(writer.begin(get("/last"), 1), Phase::SendingRequest);
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.flights.size(), 1U);
  EXPECT_EQ(snapshot.flights[0].target, "/last");
  EXPECT_EQ(snapshot.flights[0].phase, Phase::SendingRequest);
}

TEST(FlightBlock, IsHiddenFromLaterChildren) {
  const Block block = make_block();
  Writer writer = block.writer();
  (void)writer.begin(get("/"), 1);
  block.hide_from_later_children();
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's report would only be noise
    (void)writer.begin(get("/forbidden"), 1);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  EXPECT_EQ(block.snapshot().in_flight, 1U);
}

TEST(FlightBlock, AnotherProgramCanReadIt) {
  const Block block = make_block();
  Writer writer = block.writer();
  (void)writer.begin(get("/seen"), 1);
  const Result<Block> attached = Block::attach(UniqueFd(dup(block.fd())));
  ASSERT_TRUE(attached) << attached.error().message;
  EXPECT_EQ(attached->snapshot().flights.at(0).target, "/seen");
  EXPECT_FALSE(attached->writer()) << "it has its writer";
}

TEST(FlightBlock, AttachRefusesWhatIsNone) {
  EXPECT_FALSE(Block::attach(UniqueFd(-1)));
  EXPECT_FALSE(Block::attach(platform::create_memfd("small", 64).value()));
  EXPECT_FALSE(Block::attach(platform::create_memfd("empty", sizeof(layout::Segment)).value()));
  UniqueFd unsealed(memfd_create("unsealed", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(unsealed.get(), sizeof(layout::Segment)), 0);
  EXPECT_FALSE(Block::attach(std::move(unsealed)));
  for (const bool version : {false, true}) {
    const Block block = make_block();
    layout::Segment& segment = segment_of(block);
    version ? ++segment.header.version : ++segment.header.magic;
    EXPECT_FALSE(Block::attach(UniqueFd(dup(block.fd()))));
    munmap(&segment, sizeof segment);
  }
}

}  // namespace
}  // namespace restgate::flight
