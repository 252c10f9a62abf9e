#include "master/admin_token.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace restgate::master {
namespace {

class AdminToken : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  ~AdminToken() override { std::filesystem::remove_all(directory_); }

  Result<AdminTokenDigest> token_in(const std::string& content) {
    const std::string file = directory_ + "/token";
    std::ofstream(file) << content;
    return read_admin_token(file);
  }

  std::string directory_ = std::filesystem::temp_directory_path() / "restgate-token-XXXXXX";
};

TEST_F(AdminToken, IsWhatAClientMustSend) {
  const auto token = token_in("correct-horse\n");
  ASSERT_TRUE(token) << token.error().message;
  for (const char* right : {"Bearer correct-horse", "bearer correct-horse", "BEARER   correct-horse"})
    EXPECT_TRUE(authorizes(right, *token)) << right;
  for (const char* wrong :
       {"", "Bearer", "Bearer ", "correct-horse", "Bearer correct-hors", "Bearer correct-horse2",
        "Bearer Correct-horse", "Basic correct-horse", "Bearercorrect-horse", "Bearer correct-horse, Bearer x"})
    EXPECT_FALSE(authorizes(wrong, *token)) << wrong;
}

TEST_F(AdminToken, WhiteSpaceAroundItDoesNotCount) {
  const auto plain = token_in("correct-horse");
  const auto padded = token_in(" \tcorrect-horse \r\n\n");
  ASSERT_TRUE(plain && padded);
  EXPECT_EQ(*plain, *padded);
}

TEST_F(AdminToken, AFileWithoutOneIsRefused) {
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("seven77"), std::string("two words here"),
        std::string("with\0nul-in-it", 14), std::string(5'000, 'x'), std::string("na\xc3\xafve-token")})
    EXPECT_FALSE(token_in(content)) << content;
  EXPECT_FALSE(read_admin_token(directory_ + "/none"));
}

}  // namespace
}  // namespace restgate::master
