#include "worker/pipe_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
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
  EXPECT_FALSE(pool.unsupported(ECONNRESET));
  EXPECT_TRUE(pool.take());
  EXPECT_TRUE(pool.unsupported(EINVAL));
  EXPECT_FALSE(pool.take());
}

// A worker that is short of descriptors is not asked for two at every turn.
TEST(PipePool, RestsWhenTheKernelRefuses) {
  PipePool pool;
  {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;  // descriptors 0 to 2 are there
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_FALSE(pool.take());
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  }
  size_t refused = 0;
  while (!pool.take()) ASSERT_LE(++refused, 1000U);
  EXPECT_EQ(refused, 1000U);
}

}  // namespace
}  // namespace restgate::worker
