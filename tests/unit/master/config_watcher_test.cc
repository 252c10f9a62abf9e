#include "master/config_watcher.h"

#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>

#include "master/loaded_config.h"
#include "unit/worker/tls_support.h"

namespace restgate::master {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Pair;
using testing::UnorderedElementsAre;

class ConfigWatcherTest : public testing::Test {
 protected:
  ConfigWatcherTest() {
    std::string name = (fs::temp_directory_path() / "restgate-config-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    file_ = root_ / "etc" / "gate.yaml";
    fs::create_directory(root_ / "etc");
    overdue_timer_.arm(seconds(30));
  }
  ~ConfigWatcherTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& text) const { std::ofstream(file) << text; }
  void replace(const std::string& text) const {
    write(root_ / "etc" / "new", text);
    fs::rename(root_ / "etc" / "new", file_);
  }
  /// Begins to watch what is there, as after a reload that has read it.
  void follow(const std::vector<fs::path>& more = {}) {
    std::ifstream stream(file_);
    const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    ConfigWatcher::Wanted wanted{file_.string(), content_hash(text), {}};
    for (const fs::path& path : more) wanted.named[path.string()] = file_hash(path.string());
    watcher_.follow(std::move(wanted));
    await_look();  // the one that follows at once
  }
  /// Runs until the watcher has looked at the files once more. False: nothing made it look.
  bool await_look() {
    const uint64_t before = watcher_.looks();
    return run_until([&] { return watcher_.looks() > before; });
  }
  bool run_until(const std::function<bool()>& done) {
    while (!done() && !overdue_) event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    EXPECT_TRUE(done());
    return done();
  }

  fs::path root_;
  fs::path file_;
  EventLoop loop_;
  int changes_ = 0;
  bool overdue_ = false;
  TimerEvent overdue_timer_{loop_, [this] { overdue_ = true; }};
  ConfigWatcher watcher_{loop_, [this] { ++changes_; }, {milliseconds(5), milliseconds(40), milliseconds(10)}};
};

TEST_F(ConfigWatcherTest, TellsEachContentOnce) {
  write(file_, "one");
  follow();
  EXPECT_EQ(changes_, 0) << "it is what was read";
  write(file_, "two");
  await_look();
  EXPECT_EQ(changes_, 1) << "written in place";
  replace("three");
  await_look();
  EXPECT_EQ(changes_, 2) << "a new file moved into place";
  replace("three");
  await_look();
  write(file_, "three");
  await_look();
  EXPECT_EQ(changes_, 2) << "touched, not changed";
  replace("two");
  await_look();
  EXPECT_EQ(changes_, 3) << "put back";
}

TEST_F(ConfigWatcherTest, WhatSomebodyElseHasReadIsNoNews) {
  write(file_, "one");
  follow();
  replace("two");
  watcher_.note_read(file_.string());
  await_look();
  EXPECT_EQ(changes_, 0);
  replace("three");
  watcher_.note_read("/another.yaml");
  await_look();
  EXPECT_EQ(changes_, 1) << "they have read something else";
}

TEST_F(ConfigWatcherTest, WhatChangedBeforeTheWatchBeganIsSeen) {
  write(file_, "newer");
  watcher_.follow({file_.string(), content_hash("what was read"), {}});
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, WaitsForQuietButNotForEver) {
  write(file_, "one");
  follow();
  // Something happens at every turn of the loop: there is no quiet.
  TimerEvent noise(loop_, [this] { write(root_ / "etc" / "noise", "x"); });
  noise.arm_every(milliseconds(1));
  write(file_, "two");
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, FollowsTheLinksOfAConfigMap) {
  const fs::path etc = root_ / "etc";
  fs::create_directory(etc / "..1");
  write(etc / "..1" / "gate.yaml", "one");
  fs::create_symlink("..1", etc / "..data");
  fs::create_symlink("..data/gate.yaml", file_);
  follow();
  for (const auto& [from, to] : {std::pair("..1", "..2"), std::pair("..2", "..3")}) {
    fs::create_directory(etc / to);
    write(etc / to / "gate.yaml", to);
    fs::create_symlink(to, etc / "..data_tmp");
    const int before = changes_;
    fs::rename(etc / "..data_tmp", etc / "..data");
    fs::remove_all(etc / from);
    run_until([&] { return changes_ > before; });
    EXPECT_EQ(changes_, before + 1);
  }
}

TEST_F(ConfigWatcherTest, AFileThatIsGoneIsNoContent) {
  write(file_, "one");
  follow();
  fs::remove(file_);
  await_look();
  EXPECT_EQ(changes_, 0);
  write(file_, "one");
  await_look();
  EXPECT_EQ(changes_, 0) << "as it was";
  fs::remove(file_);
  write(file_, "two");
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, ADirectoryThatVanishesIsWatchedAnew) {
  write(file_, "one");
  follow();
  fs::remove_all(root_ / "etc");
  await_look();
  fs::create_directory(root_ / "etc");
  await_look();
  EXPECT_EQ(changes_, 0);
  write(file_, "two");
  await_look();
  EXPECT_EQ(changes_, 1);
  // Another one in its place.
  fs::create_directory(root_ / "other");
  write(root_ / "other" / "gate.yaml", "three");
  fs::rename(root_ / "etc", root_ / "old");
  fs::rename(root_ / "other", root_ / "etc");
  run_until([&] { return changes_ > 1; });
  replace("four");
  run_until([&] { return changes_ > 2; });
  EXPECT_EQ(changes_, 3);
}

TEST_F(ConfigWatcherTest, FilesThatTheConfigurationNamesCountToo) {
  write(file_, "one");
  fs::create_directory(root_ / "tls");
  const fs::path certificate = root_ / "tls" / "cert.pem";
  write(certificate, "old");
  follow({certificate});
  EXPECT_EQ(changes_, 0);
  write(certificate, "renewed");
  await_look();
  EXPECT_EQ(changes_, 1);
  fs::remove(certificate);
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, WhatANamedFileGotWhileItWasLoadedIsSeen) {
  write(file_, "one");
  const fs::path certificate = root_ / "cert.pem";
  write(certificate, "old");
  follow();
  const FileHashes loaded{{certificate.string(), file_hash(certificate.string())}};
  write(certificate, "renewed");
  watcher_.follow({file_.string(), content_hash("one"), loaded});
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, WhatHappensWhileAnotherConfigurationIsTriedIsSeenAfterIt) {
  write(file_, "one");
  write(root_ / "other.yaml", "two");
  const fs::path own = root_ / "own.pem";
  const fs::path shared = root_ / "shared.pem";
  const auto write_both = [&](const std::string& text) {
    write(own, text);
    write(shared, text);
  };
  write_both("old");
  const auto named = [](std::initializer_list<fs::path> files) {
    FileHashes hashes;
    for (const fs::path& file : files) hashes[file.string()] = file_hash(file.string());
    return hashes;
  };
  const ConfigWatcher::Wanted first{file_.string(), content_hash("one"), named({own, shared})};
  watcher_.follow(first);
  await_look();
  watcher_.follow({(root_ / "other.yaml").string(), content_hash("two"), named({shared})});
  await_look();
  EXPECT_EQ(changes_, 0);
  write_both("renewed");
  await_look();
  EXPECT_EQ(changes_, 1) << "the shared one";
  watcher_.follow(first);  // the other one came to nothing
  await_look();
  EXPECT_EQ(changes_, 2) << "what serves has neither";
}

TEST_F(ConfigWatcherTest, CanBeSwitchedOffAndOn) {
  write(file_, "one");
  follow();
  watcher_.follow({});
  const uint64_t looks = watcher_.looks();
  replace("two");
  bool late = false;
  TimerEvent later(loop_, [&late] { late = true; });
  later.arm(milliseconds(60));  // longer than it would have waited
  run_until([&late] { return late; });
  EXPECT_EQ(watcher_.looks(), looks);
  follow();
  EXPECT_EQ(changes_, 0) << "it is what was read";
  replace("three");
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, LooksNowAndThenWhereItCannotWatch) {
#ifdef RESTGATE_SANITIZED
  GTEST_SKIP() << "the sanitizer itself needs descriptors to look at an object";
#endif
  write(file_, "one");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  watcher_.follow({file_.string(), content_hash("one"), {}});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  await_look();
  EXPECT_EQ(changes_, 0);
  write(file_, "two");
  run_until([&] { return changes_ > 0; });
  await_look();
  EXPECT_EQ(changes_, 1);
}

TEST_F(ConfigWatcherTest, WhatWasReadIsWatchedIfTheConfigurationSaysSo) {
  write(root_ / "token", "correct-horse-battery");
  const std::string authority = (root_ / "ca.pem").string();
  test::Certificate{{}}.write_certificate(authority);
  const std::string rest = "admin_token_file: " + (root_ / "token").string() + R"(
observed_services:
  - name: a
    service_url: https://a.internal
    tls: {ca_file: )" + authority +
                           R"(}
    routes: [{name: a, methods: GET, pattern: /a}]
  - name: b
    service_url: https://b.internal
    routes: [{name: b, methods: GET, pattern: /b}]
)";
  const auto watched = [this] {
    const LoadedResult loaded = load_config(file_.string(), LoadFor::Serve);
    EXPECT_TRUE(loaded);
    return loaded ? watched_files(loaded->config, loaded->hash, loaded->named) : ConfigWatcher::Wanted{};
  };
  write(file_, rest);
  EXPECT_EQ(watched().file, "");
  const std::string text = "config_watch: true\n" + rest;
  write(file_, text);
  const ConfigWatcher::Wanted wanted = watched();
  EXPECT_EQ(wanted.file, file_.string());
  EXPECT_EQ(wanted.hash, content_hash(text));
  EXPECT_THAT(wanted.named,
              UnorderedElementsAre(Pair(authority, file_hash(authority)),
                                   Pair((root_ / "token").string(), content_hash("correct-horse-battery"))));
}

}  // namespace
}  // namespace restgate::master
