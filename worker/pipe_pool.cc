#include "worker/pipe_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace restgate::worker {

void PipeReturner::operator()(Pipe* pipe) const {
  pool->give_back(std::unique_ptr<Pipe>(pipe));
}

PipePtr PipePool::take() {
  if (!supported_ || in_use_ >= kMost) return {};
  std::unique_ptr<Pipe> pipe;
  if (free_.empty()) {
    pipe = create();
    if (!pipe) return {};
  } else {
    pipe = std::move(free_.back());
    free_.pop_back();
  }
  ++in_use_;
  return {pipe.release(), PipeReturner{this}};
}

bool PipePool::not_supported(int sys_errno) {
  if (sys_errno != EINVAL && sys_errno != ENOSYS && sys_errno != EPERM) return false;
  supported_ = false;
  return true;
}

std::unique_ptr<Pipe> PipePool::create() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return nullptr;
  auto pipe = std::make_unique<Pipe>();
  pipe->out = UniqueFd(ends[0]);
  pipe->in = UniqueFd(ends[1]);
  // Refused when the user's pipes take up too much memory already (pipe(7)): this one then moves less at a time.
  (void)fcntl(pipe->in.get(), F_SETPIPE_SZ, static_cast<int>(kCapacity));
  return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) {
  --in_use_;
  if (pipe->held == 0 && free_.size() < kKeep) free_.push_back(std::move(pipe));
}

}  // namespace restgate::worker
