#include "common/platform/directory_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace restgate::platform {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;

class DirectoryWatchTest : public testing::Test {
 protected:
  DirectoryWatchTest() {
    std::string name = (fs::temp_directory_path() / "restgate-watch-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    root_ = fs::canonical(name);
  }
  ~DirectoryWatchTest() override { fs::remove_all(root_); }
  void write(const fs::path& file, const std::string& text) const { std::ofstream(root_ / file) << text; }
  /// inotify tells at once: what is to be told is there when the call that causes it returns.
  bool told() {
    pollfd readable{watch_.fd(), POLLIN, 0};
    return poll(&readable, 1, 0) == 1 && watch_.take();
  }
  [[nodiscard]] std::string at(const std::string& path) const { return (root_ / path).string(); }

  fs::path root_;
  DirectoryWatch watch_ = DirectoryWatch::open().value();
};

TEST_F(DirectoryWatchTest, TellsOfAWriteARenameAndARemoval) {
  EXPECT_TRUE(watch_.follow({root_.string()}).empty());
  EXPECT_FALSE(told());
  write("a", "1");
  EXPECT_TRUE(told());
  EXPECT_FALSE(told()) << "it was taken";
  write("a", "2");
  EXPECT_TRUE(told());
  fs::rename(root_ / "a", root_ / "b");
  EXPECT_TRUE(told());
  fs::remove(root_ / "b");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, WatchesNothingElse) {
  fs::create_directory(root_ / "old");
  fs::create_directory(root_ / "new");
  watch_.follow({at("old")});
  watch_.follow({at("new")});
  (void)told();  // that the watch on the one was removed
  write("old/a", "1");
  EXPECT_FALSE(told());
  write("new/a", "1");
  EXPECT_TRUE(told());
}

TEST_F(DirectoryWatchTest, SaysWhatItCannotWatch) {
  EXPECT_THAT(watch_.follow({root_.string(), at("none")}), UnorderedElementsAre(at("none")));
}

TEST_F(DirectoryWatchTest, ADirectoryThatComesBackIsWatchedAnew) {
  const std::string directory = at("d");
  for (const bool moved : {false, true}) {
    fs::create_directory(directory);
    EXPECT_TRUE(watch_.follow({directory}).empty());
    if (moved)
      fs::rename(directory, root_ / "elsewhere");
    else
      fs::remove_all(directory);
    EXPECT_TRUE(told());
    EXPECT_THAT(watch_.follow({directory}), UnorderedElementsAre(directory)) << "not there: not watched";
    fs::create_directory(directory);
    EXPECT_TRUE(watch_.follow({directory}).empty());
    (void)told();
    if (moved) {
      write("elsewhere/a", "1");
      EXPECT_FALSE(told()) << "what it was is nobody's concern";
    }
    write("d/a", "1");
    EXPECT_TRUE(told());
    fs::remove_all(directory);
    (void)told();
  }
}

TEST_F(DirectoryWatchTest, KnowsTheDirectoryOfAFile) {
  write("a", "1");
  EXPECT_THAT(directories_behind(root_ / "a"), UnorderedElementsAre(root_.string()));
  fs::create_directory(root_ / "d");
  EXPECT_THAT(directories_behind(root_ / "d" / ".." / "." / "a"), UnorderedElementsAre(root_.string()));
}

TEST_F(DirectoryWatchTest, KnowsTheDirectoriesOfAllLinksOnTheWay) {
  // As Kubernetes mounts a ConfigMap.
  fs::create_directory(root_ / "..2026_1");
  write("..2026_1/gate.yaml", "1");
  fs::create_symlink("..2026_1", root_ / "..data");
  fs::create_symlink("..data/gate.yaml", root_ / "gate.yaml");
  EXPECT_THAT(directories_behind(root_ / "gate.yaml"), UnorderedElementsAre(root_.string(), at("..2026_1")));
  // And through an absolute link from elsewhere.
  fs::create_directory(root_ / "etc");
  fs::create_symlink(root_ / "gate.yaml", root_ / "etc" / "link");
  EXPECT_THAT(directories_behind(root_ / "etc" / "link"),
              UnorderedElementsAre(at("etc"), root_.string(), at("..2026_1")));
}

TEST_F(DirectoryWatchTest, WherePathsLeadNowhere) {
  EXPECT_THAT(directories_behind(root_ / "x" / "y" / "z"), UnorderedElementsAre(root_.string()));
  write("a", "1");
  EXPECT_THAT(directories_behind(root_ / "a" / "b"), UnorderedElementsAre(root_.string())) << "a is no directory";
  fs::create_symlink("nowhere", root_ / "dangling");
  EXPECT_THAT(directories_behind(root_ / "dangling"), UnorderedElementsAre(root_.string()));
  fs::create_symlink("loop", root_ / "loop");
  EXPECT_THAT(directories_behind(root_ / "loop"), UnorderedElementsAre(root_.string()));
}

}  // namespace
}  // namespace restgate::platform
