#include "master/metrics_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace restgate::master {
namespace {

TEST(MetricsProcess, SumsMasterAndWorkers) {
  std::array<int, 2> hold{};
  ASSERT_EQ(pipe(hold.data()), 0);
  const ProcessTotals alone = read_process_totals({});
  const pid_t worker = fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    close(hold[1]);
    char byte = 0;
    _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
  }
  const ProcessTotals both = read_process_totals(std::array{worker});
  EXPECT_GT(alone.resident_bytes, 0U);
  EXPECT_GT(both.resident_bytes, alone.resident_bytes);
  EXPECT_GE(alone.open_fds, 5U);
  EXPECT_GT(both.open_fds, alone.open_fds);
  EXPECT_GE(both.cpu_seconds, alone.cpu_seconds);
  EXPECT_GT(alone.max_fds, 0U);
  EXPECT_NEAR(alone.start_time_seconds, static_cast<double>(time(nullptr)), 3600);
  EXPECT_LE(alone.start_time_seconds, static_cast<double>(time(nullptr)) + 1);

  close(hold[1]);
  close(hold[0]);
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  const ProcessTotals after = read_process_totals(std::array{worker});  // gone: no harm
  EXPECT_GE(after.cpu_seconds, both.cpu_seconds) << "what a worker used is kept when it is gone";
}

}  // namespace
}  // namespace restgate::master
