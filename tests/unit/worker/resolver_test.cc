#include "worker/resolver.h"

#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/log.h"
#include "worker/dns_server.h"
#include "worker/tls_support.h"

namespace restgate::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A loop, a DNS server in it, and the two files that say so.
class Names : public testing::Test {
 protected:
  Names() {
    log::configure(LogLevel::Error, LogFormat::Text);
    settings_.resolv_conf = dir_.file("resolv.conf");
    settings_.hosts = dir_.file("hosts");
    settings_.nameservers = "127.0.0.1:" + std::to_string(dns_.port());
    settings_.timeout = milliseconds(200);
    settings_.tries = 2;
    settings_.file_check = milliseconds(0);
    write_resolv_conf("search cluster.test\noptions ndots:2\n");
  }
  ~Names() override { log::configure(LogLevel::Info, LogFormat::Text); }

  void write_resolv_conf(const std::string& text) { write(settings_.resolv_conf, text); }
  static void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

  /// Runs the loop until `done` holds; a test that waits for nothing fails after 10 s.
  void run_until(const std::function<bool()>& done) {
    TimerEvent limit(loop_, [&] { FAIL() << "nothing has happened"; });
    limit.arm(seconds(10));
    run_turns(done);
  }
  void run_for(milliseconds time) {
    bool over = false;
    TimerEvent end(loop_, [&] { over = true; });
    end.arm(time);
    run_turns([&] { return over; });
  }
  void run_turns(const std::function<bool()>& done) {
    while (!done() && !HasFatalFailure()) event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
  }

  static std::vector<std::string> texts(const std::vector<Address>& addresses) {
    std::vector<std::string> result;
    for (const Address& address : addresses) result.push_back(address.to_string());
    return result;
  }

  EventLoop loop_;
  test::TempDir dir_;
  test::DnsServer dns_{loop_};
  ResolverSettings settings_;
};

class ResolverTest : public Names {
 protected:
  Resolution resolve(const std::string& host) {
    std::optional<Resolution> outcome;
    const auto lookup = resolver_.resolve(host, [&](const Resolution& resolution) { outcome = resolution; });
    EXPECT_FALSE(outcome) << "called from within";
    run_until([&] { return outcome.has_value(); });
    return outcome.value_or(Resolution());
  }

  Resolver resolver_{loop_, settings_};
};

TEST_F(ResolverTest, LiteralsAnswerThemselves) {
  const Resolution four = resolve("192.0.2.1");
  EXPECT_THAT(texts(four.addresses), ElementsAre("192.0.2.1:0"));
  EXPECT_EQ(four.ttl_s, Resolution::kNoExpiry);
  EXPECT_THAT(texts(resolve("::1").addresses), ElementsAre("[::1]:0"));
  EXPECT_THAT(dns_.questions, IsEmpty());
}

TEST_F(ResolverTest, AsksForBothFamilies) {
  dns_.zones["two.example.test"] = {.addresses = {"127.0.0.1", "127.0.0.2", "::1"}, .ttl_s = 33};
  const Resolution result = resolve("two.example.test");
  EXPECT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(result.ttl_s, 33U);
  EXPECT_THAT(dns_.questions, UnorderedElementsAre("two.example.test/4", "two.example.test/6"));
  if (platform::has_route(*Address::parse("::1", 0)))
    EXPECT_THAT(texts(result.addresses), ElementsAre("[::1]:0", "127.0.0.1:0", "127.0.0.2:0"));
  else
    EXPECT_THAT(texts(result.addresses), ElementsAre("127.0.0.1:0", "127.0.0.2:0"));
}

TEST_F(ResolverTest, LeavesOutAddressesWithoutARoute) {
  // The limited broadcast address has no route for a stream; and a repeated address is one.
  dns_.zones["a.b.test"] = {.addresses = {"127.0.0.1", "255.255.255.255", "127.0.0.1"}};
  EXPECT_THAT(texts(resolve("a.b.test").addresses), ElementsAre("127.0.0.1:0"));
  dns_.zones["c.d.test"] = {.addresses = {"255.255.255.255"}};
  EXPECT_THAT(texts(resolve("c.d.test").addresses), ElementsAre("255.255.255.255:0"));  // all there is
}

TEST_F(ResolverTest, FollowsAliases) {
  dns_.zones["www.example.test"] = {.addresses = {"127.0.0.5"}, .ttl_s = 9, .alias_of = "real.example.test"};
  const Resolution result = resolve("www.example.test");
  EXPECT_THAT(texts(result.addresses), ElementsAre("127.0.0.5:0"));
  EXPECT_EQ(result.ttl_s, 9U);
}

TEST_F(ResolverTest, SearchesDomains) {
  dns_.zones["backend.cluster.test"] = {.addresses = {"127.0.0.7"}};
  EXPECT_THAT(texts(resolve("backend").addresses), ElementsAre("127.0.0.7:0"));
  EXPECT_EQ(dns_.asked("backend/4"), 0U);  // fewer dots than ndots: the domain first

  dns_.questions.clear();
  EXPECT_FALSE(resolve("backend.").ok());  // a final dot: as it is
  EXPECT_EQ(dns_.asked("backend.cluster.test/4"), 0U);
  EXPECT_GT(dns_.asked("backend/4"), 0U);
}

// A service with many instances: more than fits in a datagram, and than some resolvers care to keep.
TEST_F(ResolverTest, TakesLongAnswersByTcp) {
  auto& zone = dns_.zones["many.cluster.test"];
  zone.truncated = true;
  for (int i = 1; i <= 200; ++i) zone.addresses.push_back("127.1.0." + std::to_string(i));
  const Resolution result = resolve("many");
  EXPECT_EQ(result.addresses.size(), 200U) << result.error;
  EXPECT_EQ(dns_.asked("many.cluster.test/4/tcp"), 1U);
}

TEST_F(ResolverTest, ExplainsFailures) {
  EXPECT_EQ(resolve("no.such.name").error, "the name does not exist");
  dns_.zones["empty.example.test"] = {};
  EXPECT_EQ(resolve("empty.example.test").error, "the name has no addresses");
  dns_.zones["silent.example.test"] = {.silent = true};
  EXPECT_EQ(resolve("silent.example.test").error, "no nameserver has answered in time");
  dns_.zones["broken.example.test"] = {.code = 2};
  EXPECT_FALSE(resolve("broken.example.test").ok());
  EXPECT_EQ(resolve(std::string(64, 'a') + ".test").error, "not a valid name");
  EXPECT_FALSE(resolve("").ok());
}

TEST_F(ResolverTest, OneFamilyIsEnough) {
  dns_.zones["four.example.test"] = {.addresses = {"127.0.0.1"}};
  EXPECT_TRUE(resolve("four.example.test").ok());
}

TEST_F(ResolverTest, TheHostsFileComesFirst) {
  dns_.zones["backend.test"] = {.addresses = {"127.0.0.99"}};
  write(settings_.hosts, "127.0.0.8 Backend.test backend\n");
  EXPECT_THAT(texts(resolve("BACKEND.test").addresses), ElementsAre("127.0.0.8:0"));
  EXPECT_THAT(texts(resolve("backend.test.").addresses), ElementsAre("127.0.0.8:0"));
  EXPECT_THAT(dns_.questions, IsEmpty());
  // A change is seen.
  write(settings_.hosts, "127.0.0.88 backend.test\n");
  EXPECT_THAT(texts(resolve("backend.test").addresses), ElementsAre("127.0.0.88:0"));
}

TEST_F(ResolverTest, ANewResolvConfIsUsed) {
  dns_.zones["backend.cluster.test"] = {.addresses = {"127.0.0.1"}};
  dns_.zones["backend.other.test"] = {.addresses = {"127.0.0.2"}};
  EXPECT_THAT(texts(resolve("backend").addresses), ElementsAre("127.0.0.1:0"));
  write_resolv_conf("search other.test\n");
  EXPECT_THAT(texts(resolve("backend").addresses), ElementsAre("127.0.0.2:0"));
}

TEST_F(ResolverTest, AQueryOutlivesAChangeOfResolvConf) {
  dns_.zones["slow.example.test"] = {.silent = true};
  std::optional<Resolution> outcome;
  const auto lookup = resolver_.resolve("slow.example.test", [&](const Resolution& r) { outcome = r; });
  run_until([&] { return dns_.asked("slow.example.test/4") > 0; });
  write_resolv_conf("search other.test\n");
  EXPECT_FALSE(resolve("no.such.name").ok());
  dns_.zones["slow.example.test"] = {.addresses = {"127.0.0.1"}};
  run_until([&] { return outcome.has_value(); });
  EXPECT_TRUE(outcome->ok()) << outcome->error;
}

TEST_F(ResolverTest, TheHostsFileServesWithoutAnyNameserver) {
  write(settings_.hosts, "127.0.0.8 backend.test\n");
  for (const char* conf : {"", "nameserver 127.0.0.1:1\n", "garbage\n"}) {
    write(settings_.resolv_conf, conf);
    EXPECT_TRUE(resolve("backend.test").ok());
  }
  std::filesystem::remove(settings_.resolv_conf);
  EXPECT_TRUE(resolve("backend.test").ok());
  std::filesystem::create_directory(settings_.resolv_conf);  // cannot be read, even by root
  EXPECT_TRUE(resolve("backend.test").ok());
}

TEST_F(ResolverTest, ADestroyedLookupIsNeverCalled) {
  dns_.zones["a.example.test"] = {.addresses = {"127.0.0.1"}};
  bool called = false;
  const auto note = [&](const Resolution&) { called = true; };
  { const auto literal = resolver_.resolve("127.0.0.1", note); }
  { const auto name = resolver_.resolve("a.example.test", note); }
  {
    const auto asked = resolver_.resolve("a.example.test", note);
    run_until([&] { return dns_.asked("a.example.test/4") >= 1; });
  }
  run_for(milliseconds(50));
  EXPECT_FALSE(called);
}

TEST_F(ResolverTest, ACallbackMayEndItsLookupAndStartAnother) {
  dns_.zones["a.example.test"] = {.addresses = {"127.0.0.1"}};
  std::unique_ptr<Resolver::Lookup> first;
  std::unique_ptr<Resolver::Lookup> second;
  bool done = false;
  first = resolver_.resolve("a.example.test", [&](const Resolution&) {
    first.reset();
    write_resolv_conf("search other.test\n");
    second = resolver_.resolve("a.example.test", [&](const Resolution& r) { done = r.ok(); });
  });
  run_until([&] { return done; });
}

TEST_F(Names, AResolverMayGoWhileItIsAsking) {
  dns_.zones["silent.example.test"] = {.silent = true};
  Resolver resolver(loop_, settings_);
  {
    const auto lookup = resolver.resolve("silent.example.test", [](const Resolution&) { FAIL(); });
  }
}

class EndpointSetTest : public Names {
 protected:
  void start(const std::string& host, uint16_t port = 8080) {
    set_.emplace(resolver_, loop_, host, port);
    set_->set_failure_hook([this] { ++failures_; });
  }
  void wait_until_resolved() {
    if (set_->resolved()) return;
    bool answered = false;
    const auto waiter = set_->wait([&] { answered = true; });
    EXPECT_FALSE(answered);
    run_until([&] { return answered; });
  }
  std::string next() {
    const Address* address = set_->at(set_->take_turn());
    return address == nullptr ? "none" : address->to_string();
  }

  Resolver resolver_{loop_, settings_};
  std::optional<EndpointSet> set_;
  int failures_ = 0;
};

TEST_F(EndpointSetTest, ALiteralIsThereAtOnce) {
  start("127.0.0.1");
  EXPECT_TRUE(set_->resolved());
  EXPECT_EQ(set_->state(), EndpointSet::State::Ok);
  EXPECT_EQ(next(), "127.0.0.1:8080");
  EXPECT_EQ(next(), "127.0.0.1:8080");
  bool called = false;
  const auto waiter = set_->wait([&] { called = true; });
  EXPECT_FALSE(called);
  run_until([&] { return called; });
}

TEST_F(EndpointSetTest, GivesAllAddressesInTurn) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}};
  start("b.example.test");
  EXPECT_EQ(set_->state(), EndpointSet::State::Resolving);
  EXPECT_FALSE(set_->resolved());
  EXPECT_EQ(next(), "none");
  wait_until_resolved();
  EXPECT_EQ(set_->size(), 3U);
  const std::vector<std::string> first = {next(), next(), next()};
  EXPECT_THAT(first, UnorderedElementsAre("127.0.0.1:8080", "127.0.0.2:8080", "127.0.0.3:8080"));
  const std::vector<std::string> second = {next(), next(), next()};
  EXPECT_EQ(first, second);
}

TEST_F(EndpointSetTest, AllWhoWaitAreCalledAndNoOneElse) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}};
  start("b.example.test");
  std::string calls;
  std::unique_ptr<EndpointSet::Waiter> third;
  std::unique_ptr<EndpointSet::Waiter> late;
  auto first = set_->wait([&] {
    calls += '1';
    third.reset();                             // cancels one that is still to be called
    late = set_->wait([&] { calls += 'l'; });  // has its own turn
  });
  std::unique_ptr<EndpointSet::Waiter> second;
  second = set_->wait([&] {
    calls += '2';
    second.reset();  // itself
  });
  third = set_->wait([&] { calls += '3'; });
  {
    const auto cancelled = set_->wait([&] { calls += 'c'; });
  }
  run_until([&] { return calls.size() >= 3; });
  EXPECT_EQ(calls, "12l");
}

TEST_F(EndpointSetTest, AFailureIsAnAnswerAndIsTriedAgain) {
  start("b.example.test");
  wait_until_resolved();
  EXPECT_EQ(set_->state(), EndpointSet::State::Failed);
  EXPECT_EQ(set_->error(), "the name does not exist");
  EXPECT_EQ(failures_, 1);
  EXPECT_EQ(next(), "none");  // a use: hence the retry after a second
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}};
  run_until([&] { return set_->state() == EndpointSet::State::Ok; });
  EXPECT_EQ(set_->error(), "");
  EXPECT_EQ(next(), "127.0.0.1:8080");
}

TEST_F(EndpointSetTest, RefreshesWhenTheTtlIsOver) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}, .ttl_s = 0};  // clamped to 1 s
  start("b.example.test");
  wait_until_resolved();
  EXPECT_EQ(next(), "127.0.0.1:8080");
  dns_.zones["b.example.test"].addresses = {"127.0.0.2"};
  run_for(milliseconds(100));
  EXPECT_EQ(dns_.asked("b.example.test/4"), 1U);
  EXPECT_TRUE(set_->resolved());
  run_until([&] { return next() == "127.0.0.2:8080"; });
}

TEST_F(EndpointSetTest, OldAddressesOutliveAFailure) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}, .ttl_s = 1};
  start("b.example.test");
  wait_until_resolved();
  dns_.zones.clear();
  EXPECT_EQ(next(), "127.0.0.1:8080");
  run_until([&] { return set_->state() == EndpointSet::State::Failed; });
  EXPECT_TRUE(set_->resolved());
  EXPECT_EQ(next(), "127.0.0.1:8080");
  EXPECT_EQ(failures_, 1);
}

TEST_F(EndpointSetTest, RestsWithoutUseAndThenWaitsForANewAnswer) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}, .ttl_s = 1};
  start("b.example.test");
  run_until([&] { return set_->state() == EndpointSet::State::Ok; });
  run_for(milliseconds(1'200));
  EXPECT_EQ(dns_.asked("b.example.test/4"), 1U);  // nobody has used it: nobody asks

  dns_.zones["b.example.test"].addresses = {"127.0.0.2"};
  EXPECT_FALSE(set_->resolved());
  wait_until_resolved();
  EXPECT_EQ(next(), "127.0.0.2:8080");
}

TEST_F(EndpointSetTest, ASlowServerDoesNotKeepOldAddressesBack) {
  dns_.zones["b.example.test"] = {.addresses = {"127.0.0.1"}, .ttl_s = 1};
  settings_.timeout = seconds(5);
  Resolver patient(loop_, settings_);
  set_.emplace(patient, loop_, "b.example.test", 8080);
  run_until([&] { return set_->state() == EndpointSet::State::Ok; });
  run_for(milliseconds(1'100));
  dns_.zones["b.example.test"].silent = true;
  EXPECT_FALSE(set_->resolved());
  wait_until_resolved();  // a second at most
  EXPECT_EQ(next(), "127.0.0.1:8080");
  set_.reset();
}

TEST_F(EndpointSetTest, MayGoWhileItIsAskingAndWaitersAreLeft) {
  dns_.zones["b.example.test"] = {.silent = true};
  start("b.example.test");
  const auto waiter = set_->wait([] { FAIL(); });
  run_until([&] { return dns_.asked("b.example.test/4") > 0; });
  set_.reset();
  run_for(milliseconds(20));
}

}  // namespace
}  // namespace restgate::worker
