#include "worker/pipe_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace restgate::worker {
namespace {

TEST(PipePool, GivesTheLastReturnedOneFirst) {
  PipePool pool;
  PipePtr first = pool.take();
  PipePtr second = pool.take();
  ASSERT_TRUE(first && second);
  const Pipe* const last = second.get();
  first.reset();
  second.reset();
  EXPECT_EQ(pool.take().get(), last);
}

TEST(PipePool, WhatIsLeftInOneIsNobodyElses) {
  PipePool pool;
  PipePtr pipe = pool.take();
  ASSERT_TRUE(pipe);
  ASSERT_EQ(write(pipe->in.get(), "x", 1), 1);
  pipe->held = 1;
  pipe.reset();
  pipe = pool.take();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe->held, 0U);
  char byte = 0;
  EXPECT_EQ(read(pipe->out.get(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(PipePool, TheyAreFew) {
  PipePool pool;
  std::vector<PipePtr> taken;
  while (PipePtr pipe = pool.take()) taken.push_back(std::move(pipe));
  EXPECT_EQ(taken.size(), 64U);
  taken.pop_back();
  EXPECT_TRUE(pool.take());
}

TEST(PipePool, NoneWhereTheKernelHasNoSplice) {
  PipePool pool;
  EXPECT_FALSE(pool.not_supported(ECONNRESET));
  EXPECT_TRUE(pool.take());
  EXPECT_TRUE(pool.not_supported(EINVAL));
  EXPECT_FALSE(pool.take());
}

}  // namespace
}  // namespace restgate::worker
