#include "worker/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace restgate::worker {
namespace {

void append(Buffer& buffer, std::string_view text) {
  std::memcpy(buffer.room(), text.data(), text.size());
  buffer.filled(text.size());
}

TEST(Buffer, IsFilledAtTheEndAndUsedUpAtTheBeginning) {
  BufferPool pool(16, 4);
  const BufferPtr buffer = pool.take();
  append(*buffer, "abcdef");
  EXPECT_EQ(buffer->room_size(), 10U);
  buffer->consume(2);
  EXPECT_EQ(buffer->view(), "cdef");
  EXPECT_FALSE(buffer->at_front());
  buffer->compact();
  EXPECT_EQ(buffer->view(), "cdef");
  EXPECT_TRUE(buffer->at_front());
  EXPECT_EQ(buffer->room_size(), 12U);
}

TEST(Buffer, UsedUpCompletelyItStartsAtTheFrontAgain) {
  BufferPool pool(16, 4);
  const BufferPtr buffer = pool.take();
  append(*buffer, "abcdef");
  buffer->consume(6);
  EXPECT_TRUE(buffer->empty());
  EXPECT_EQ(buffer->room_size(), 16U);
}

TEST(Buffer, PinnedBytesStayWhereTheyAre) {
  BufferPool pool(16, 4);
  const BufferPtr buffer = pool.take();
  append(*buffer, "headbody");
  const char* head = buffer->begin();
  buffer->consume_and_pin(4);
  EXPECT_EQ(buffer->view(), "body");
  buffer->consume(4);
  EXPECT_EQ(buffer->room_size(), 12U);
  append(*buffer, "more");
  EXPECT_EQ(std::string_view(head, 4), "head");
  EXPECT_EQ(buffer->view(), "more");
  buffer->consume(4);
  buffer->unpin();
  EXPECT_EQ(buffer->room_size(), 16U);
}

TEST(Buffer, PinningAllOfItKeepsIt) {
  BufferPool pool(16, 4);
  const BufferPtr buffer = pool.take();
  append(*buffer, "head");
  const char* head = buffer->begin();
  buffer->consume_and_pin(4);
  EXPECT_TRUE(buffer->empty());
  append(*buffer, "x");
  EXPECT_EQ(std::string_view(head, 5), "headx");
}

TEST(BufferPool, GivesTheLastReturnedOneFirstAndEmpty) {
  BufferPool pool(16, 4);
  BufferPtr first = pool.take();
  BufferPtr second = pool.take();
  append(*second, "left over");
  Buffer* last = second.get();
  first.reset();
  second.reset();
  const BufferPtr again = pool.take();
  EXPECT_EQ(again.get(), last);
  EXPECT_TRUE(again->empty());
  EXPECT_EQ(again->room_size(), 16U);
}

}  // namespace
}  // namespace restgate::worker
