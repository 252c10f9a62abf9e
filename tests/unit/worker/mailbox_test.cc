// Parcels: what is put into a mailbox comes out the same; what makes no sense is dropped; a full one says so.
#include "worker/mailbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace restgate::worker {
namespace {

ino_t inode(int fd) {
  struct stat about {};
  EXPECT_EQ(fstat(fd, &about), 0);
  return about.st_ino;
}

UniqueFd any_fd() {
  return UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC));
}

class MailboxTest : public testing::TestWithParam<size_t> {
 protected:
  std::array<UniqueFd, 2> box_ = make_mailbox().value();
  [[nodiscard]] int in() const { return box_[0].get(); }
  [[nodiscard]] int out() const { return box_[1].get(); }
};

TEST_P(MailboxTest, ATunnelComesOutAsItWentIn) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  Parcel sent;
  sent.kind = ParcelKind::Tunnel;
  sent.client = UniqueFd(pair[0]);
  sent.backend = UniqueFd(pair[1]);
  sent.client_end = {true, false};
  sent.backend_end = {true, true};
  sent.from_client = std::string(GetParam(), 'c');
  sent.from_backend = std::string(GetParam() / 2, 'b');
  ASSERT_TRUE(put(in(), sent));
  Parcel got;
  ASSERT_EQ(take(out(), got), Taken::Parcel);
  EXPECT_EQ(got.kind, ParcelKind::Tunnel);
  EXPECT_EQ(inode(got.client.get()), inode(pair[0]));
  EXPECT_EQ(inode(got.backend.get()), inode(pair[1]));
  EXPECT_NE(fcntl(got.client.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(got.client_end.eof && !got.client_end.ended && got.backend_end.eof && got.backend_end.ended);
  EXPECT_EQ(got.from_client, sent.from_client);
  EXPECT_EQ(got.from_backend, sent.from_backend);
  EXPECT_EQ(take(out(), got), Taken::Nothing);
}

INSTANTIATE_TEST_SUITE_P(Bytes, MailboxTest, testing::Values(0, 1, 5000, 16 * 1024, 20'000, 1 << 20));

TEST_F(MailboxTest, AClientKeepsItsFacts) {
  Parcel sent;
  sent.kind = ParcelKind::Client;
  sent.client = any_fd();
  const std::string_view address = "2001:db8::1";
  address.copy(sent.facts.address.data(), address.size());
  sent.facts.address_size = static_cast<uint8_t>(address.size());
  sent.facts.head_begun = true;
  sent.facts.since_ms = 123'456'789;
  sent.facts.requests = 42;
  sent.facts.proxied = false;
  sent.from_client = "GET /";
  ASSERT_TRUE(put(in(), sent));
  Parcel got;
  ASSERT_EQ(take(out(), got), Taken::Parcel);
  EXPECT_EQ(got.facts.address_text(), address);
  EXPECT_TRUE(got.facts.head_begun);
  EXPECT_EQ(got.facts.since_ms, 123'456'789);
  EXPECT_EQ(got.facts.requests, 42U);
  EXPECT_FALSE(got.facts.proxied);
  EXPECT_EQ(got.from_client, "GET /");
}

TEST_F(MailboxTest, WhatLiesThereOutlivesWhoPutIt) {
  Parcel sent;
  sent.client = any_fd();
  ASSERT_TRUE(put(in(), sent));
  sent.client.reset();
  Parcel got;
  ASSERT_EQ(take(out(), got), Taken::Parcel);
  EXPECT_TRUE(got.client);
}

TEST_F(MailboxTest, AFullOneRefusesAndKeepsWhatItHas) {
  Parcel sent;
  sent.kind = ParcelKind::Client;
  sent.client = any_fd();
  sent.from_client = std::string(10'000, 'x');
  int count = 0;
  while (put(in(), sent)) ++count;
  EXPECT_GE(count, 10);
  Parcel got;
  for (int i = 0; i < count; ++i) ASSERT_EQ(take(out(), got), Taken::Parcel);
  EXPECT_EQ(take(out(), got), Taken::Nothing);
}

TEST_F(MailboxTest, NonsenseIsDropped) {
  Parcel good;
  good.client = any_fd();
  ASSERT_TRUE(put(in(), good));
  std::string record(1000, '\0');
  const ssize_t size = recv(out(), record.data(), record.size(), 0);
  ASSERT_GT(size, 0);
  record.resize(static_cast<size_t>(size));
  const auto outcome = [&](std::string_view bytes) {
    EXPECT_EQ(send(in(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    Parcel got;
    return take(out(), got);
  };
  EXPECT_EQ(outcome(record), Taken::Spoiled) << "no descriptor";
  EXPECT_EQ(outcome("x"), Taken::Spoiled);
  EXPECT_EQ(outcome(std::string(record.size(), '\xff')), Taken::Spoiled);
  EXPECT_EQ(outcome(record + "more"), Taken::Spoiled);
  EXPECT_EQ(outcome(std::string(100'000, 'x')), Taken::Spoiled);
}

}  // namespace
}  // namespace restgate::worker
