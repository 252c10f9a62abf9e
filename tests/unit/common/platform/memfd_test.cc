#include "common/platform/memfd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace restgate::platform {
namespace {

TEST(Memfd, IsZeroedSealedAndShared) {
  const auto fd = create_memfd("test", 10'000);
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(*file_size(fd->get()), 10'000U);
  EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(ftruncate(fd->get(), 5'000), 0);
  EXPECT_NE(ftruncate(fd->get(), 20'000), 0);

  const auto writer = Mapping::map(fd->get(), 10'000, Mapping::Access::ReadWrite);
  const auto reader = Mapping::map(fd->get(), 10'000, Mapping::Access::ReadOnly);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(reader.ok());
  ASSERT_EQ(reader->bytes().size(), 10'000U);
  EXPECT_TRUE(
      std::all_of(reader->bytes().begin(), reader->bytes().end(), [](std::byte b) { return b == std::byte{}; }));
  writer->bytes()[9'999] = std::byte{7};
  EXPECT_EQ(reader->bytes()[9'999], std::byte{7});
}

TEST(Memfd, MappingsMove) {
  const auto fd = create_memfd("test", 4'096);
  ASSERT_TRUE(fd.ok());
  auto made = Mapping::map(fd->get(), 4'096, Mapping::Access::ReadWrite);
  ASSERT_TRUE(made.ok());
  Mapping first = std::move(made).value();
  Mapping second = std::move(first);
  EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  second.bytes()[0] = std::byte{1};
  first = std::move(second);
  EXPECT_EQ(first.bytes()[0], std::byte{1});
}

TEST(Memfd, ErrorsAreTold) {
  EXPECT_FALSE(Mapping::map(-1, 4'096, Mapping::Access::ReadOnly).ok());
  EXPECT_FALSE(file_size(-1).ok());
}

}  // namespace
}  // namespace restgate::platform
