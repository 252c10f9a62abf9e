#include "worker/pipe_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/log.h"
#include "common/result.h"

namespace restgate::worker {

void PipeReturner::operator()(Pipe* pipe) const {
  pool->give_back(std::unique_ptr<Pipe>(pipe));
}

PipePtr PipePool::take() {
  if (!supported_ || in_use_ >= kMost) return {};
  std::unique_ptr<Pipe> pipe;
  if (!free_.empty()) {
    pipe = std::move(free_.back());
    free_.pop_back();
  } else if (resting_ > 0) {
    --resting_;
    return {};
  } else {
    pipe = create();
    if (!pipe) {
      resting_ = kRest;
      return {};
    }
  }
  ++in_use_;
  return {pipe.release(), PipeReturner{this}};
}

bool PipePool::unsupported(int sys_errno) {
  if (sys_errno != EINVAL && sys_errno != ENOSYS && sys_errno != EPERM) return false;
  if (std::exchange(supported_, false))
    log::info("long bodies are copied", {{"why", system_error("splice()", sys_errno).message}});
  return true;
}

std::unique_ptr<Pipe> PipePool::create() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return nullptr;
  auto pipe = std::make_unique<Pipe>();
  pipe->out = UniqueFd(ends[0]);
  pipe->in = UniqueFd(ends[1]);
  // Refused when the user's pipes take up too much memory already (pipe(7)). Such a one is so small that copying is
  // cheaper.
  if (fcntl(pipe->in.get(), F_SETPIPE_SZ, static_cast<int>(kCapacity)) < 0) return nullptr;
  return pipe;
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) {
  --in_use_;
  if (pipe->held == 0 && free_.size() < kKeep) free_.push_back(std::move(pipe));
}

}  // namespace restgate::worker
