#include "master/service_notifier.h"

#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "common/platform/inherited_listener.h"
#include "support/service_manager.h"

namespace restgate::master {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

int64_t monotonic_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class ServiceNotifierTest : public testing::Test {
 protected:
  void start(std::chrono::microseconds watchdog = {}, std::vector<std::string> stored = {}) {
    platform::ServiceEnvironment environment;
    environment.notify_socket = manager_.address();
    environment.watchdog = watchdog;
    for (std::string& name : stored) environment.descriptors.push_back({UniqueFd(), std::move(name)});
    notifier_.emplace(loop_, environment);
  }
  /// What the manager is told when the state changes so.
  std::vector<std::string> told(const ServiceState& now) {
    notifier_->tell(now, sets_);
    return manager_.all();
  }
  void turn() { event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY); }
  ListenerSet& open(uint32_t slots) {
    return *sets_.emplace_back(std::make_unique<ListenerSet>(std::move(ListenerSet::open(0, slots)).value()));
  }

  ServiceManager manager_;
  EventLoop loop_;
  std::vector<std::unique_ptr<ListenerSet>> sets_;
  std::optional<ServiceNotifier> notifier_;
};

TEST_F(ServiceNotifierTest, SaysEachThingOnce) {
  start();
  ServiceState state;
  state.status = "starting";
  EXPECT_THAT(told(state), ElementsAre("STATUS=starting"));
  EXPECT_THAT(told(state), IsEmpty());
  state.serving = true;
  EXPECT_THAT(told(state), ElementsAre("READY=1"));
  EXPECT_THAT(told(state), IsEmpty());
  state.stopping = true;
  state.status = "stopping";
  EXPECT_THAT(told(state), ElementsAre("STOPPING=1\nSTATUS=stopping"));
  EXPECT_THAT(told(state), IsEmpty());
}

TEST_F(ServiceNotifierTest, AReloadIsReportedFromItsBeginToItsEnd) {
  start();
  ServiceState state;
  state.serving = true;
  EXPECT_THAT(told(state), ElementsAre("READY=1"));
  const int64_t before = monotonic_us();
  state.reloads = 1;
  state.reloading = true;
  const std::vector<std::string> begun = told(state);
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(ServiceManager::value(begun[0], "RELOADING"), "1");
  const int64_t at = std::stoll(ServiceManager::value(begun[0], "MONOTONIC_USEC"));
  EXPECT_GE(at, before);
  EXPECT_LE(at, monotonic_us());
  EXPECT_THAT(told(state), IsEmpty());
  state.reloads = 2;  // another one joins in: the manager asked later, and compares the times
  const std::vector<std::string> joined = told(state);
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_GE(std::stoll(ServiceManager::value(joined[0], "MONOTONIC_USEC")), at);
  state.reloading = false;
  EXPECT_THAT(told(state), ElementsAre("READY=1"));
}

TEST_F(ServiceNotifierTest, AReloadThatIsRefusedAtOnceIsOverAtOnce) {
  start();
  ServiceState state;
  state.serving = true;
  (void)told(state);
  state.reloads = 1;
  state.status = "refused";
  const std::vector<std::string> messages = told(state);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(ServiceManager::value(messages[0], "RELOADING"), "1");
  EXPECT_EQ(messages[1], "READY=1\nSTATUS=refused");
}

TEST_F(ServiceNotifierTest, AShutdownEndsAReloadWithoutReady) {
  start();
  ServiceState state;
  state.serving = true;
  state.reloads = 1;
  state.reloading = true;
  (void)told(state);
  state.reloading = false;
  state.stopping = true;
  EXPECT_THAT(told(state), ElementsAre("STOPPING=1"));
}

TEST_F(ServiceNotifierTest, StoresEverySocketAndRemovesThoseOfAPortThatIsGivenUp) {
  start();
  ListenerSet& first = open(2);
  const uint16_t port = first.port();
  (void)told({});
  EXPECT_THAT(manager_.names(), ElementsAre(ListenerSet::name_of(port, 0), ListenerSet::name_of(port, 1)));
  for (const int fd : manager_.descriptors()) EXPECT_EQ(platform::listening_port(fd), port);
  ASSERT_TRUE(first.grow_to(3).ok());
  EXPECT_EQ(told({}).size(), 1U);
  EXPECT_EQ(manager_.names().size(), 3U);
  sets_.clear();
  const uint16_t next = open(1).port();
  (void)told({});
  EXPECT_THAT(manager_.names(), ElementsAre(ListenerSet::name_of(next, 0)));
}

TEST_F(ServiceNotifierTest, AtTheEndTheStoreIsLeftAsItIs) {
  start();
  ListenerSet& set = open(2);
  (void)told({});
  set.let_go();
  ServiceState state;
  state.stopping = true;
  EXPECT_THAT(told(state), ElementsAre("STOPPING=1"));
  EXPECT_EQ(manager_.names().size(), 2U);
}

TEST_F(ServiceNotifierTest, WhatCameFromTheStoreIsNotStoredAgainButRemovedIfNobodyNeedsIt) {
  ListenerSet& set = open(1);
  start({}, {ListenerSet::name_of(set.port(), 0), "restgate-1-0", "restgate.socket"});
  EXPECT_THAT(told({}), ElementsAre("FDSTOREREMOVE=1\nFDNAME=restgate-1-0"));
}

TEST_F(ServiceNotifierTest, GivesSignsOfLife) {
  start(std::chrono::milliseconds(20));
  EXPECT_EQ(manager_.next(), "WATCHDOG=1") << "at once: this may be the successor of another program";
  for (int i = 0; i < 3; ++i) {
    turn();
    EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  }
}

TEST_F(ServiceNotifierTest, AnUpgradeIsAnnouncedAndTakenBackIfItFails) {
  start(std::chrono::hours(1));
  EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  ServiceState state;
  state.serving = true;
  EXPECT_THAT(told(state), ElementsAre("READY=1"));
  notifier_->announce_upgrade();
  const std::vector<std::string> messages = manager_.all();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0], "WATCHDOG=1") << "the time that it takes is not held against anybody";
  EXPECT_EQ(ServiceManager::value(messages[1], "RELOADING"), "1");
  state.status = "as before";
  EXPECT_THAT(told(state), ElementsAre("READY=1\nSTATUS=as before"));
}

TEST_F(ServiceNotifierTest, ASuccessorIsReadyWhenItsRollIsOver) {
  start();
  ServiceState state;
  state.serving = true;
  state.reloading = true;
  state.reloads = 1;
  EXPECT_THAT(told(state), IsEmpty());
  state.reloading = false;
  EXPECT_THAT(told(state), ElementsAre("READY=1"));
}

TEST_F(ServiceNotifierTest, WhatABusyManagerDoesNotTakeComesLaterInOrder) {
  start();
  size_t said = 0;
  const auto socket = platform::NotifySocket::open(manager_.address());
  ASSERT_TRUE(socket.ok());
  while (socket->send("STATUS=noise") == platform::NotifySocket::Sent::Yes) ++said;
  const uint16_t port = open(1).port();
  ServiceState state;
  state.serving = true;
  notifier_->tell(state, sets_);
  sets_.clear();  // a descriptor that waits to be passed on stays open
  for (size_t i = 0; i < said; ++i) EXPECT_EQ(manager_.next(), "STATUS=noise");
  EXPECT_THAT(manager_.all(), IsEmpty());
  turn();
  EXPECT_EQ(manager_.next(), "FDSTORE=1\nFDNAME=" + ListenerSet::name_of(port, 0));
  EXPECT_EQ(platform::listening_port(manager_.descriptors().at(0)), port);
  EXPECT_EQ(manager_.next(), "READY=1");
}

TEST_F(ServiceNotifierTest, WithoutAManagerItIsSilent) {
  notifier_.emplace(loop_, platform::ServiceEnvironment{});
  EXPECT_FALSE(notifier_->active());
  ServiceState state;
  state.serving = true;
  EXPECT_THAT(told(state), IsEmpty());
}

}  // namespace
}  // namespace restgate::master
