#include "master/admin_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace restgate::master {
namespace {

class AdminSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/restgate_admin_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/admin.sock";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  AdminSocket open() {
    auto opened = AdminSocket::open(path_);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    return std::move(opened).value();
  }

  std::string directory_;
  std::string path_;
};

TEST_F(AdminSocketTest, TheFileGoesWithIt) {
  {
    AdminSocket first = open();
    EXPECT_TRUE(first.in_place());
    const AdminSocket moved = std::move(first);
    EXPECT_EQ(moved.path(), path_);
    EXPECT_TRUE(moved.in_place());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(AdminSocketTest, WhatHasTakenItsPlaceStays) {
  std::optional<AdminSocket> first = open();
  ::unlink(path_.c_str());
  EXPECT_FALSE(first->in_place());
  const AdminSocket second = open();
  EXPECT_FALSE(first->in_place()) << "it is another file";
  first.reset();
  EXPECT_TRUE(second.in_place());
}

}  // namespace
}  // namespace restgate::master
