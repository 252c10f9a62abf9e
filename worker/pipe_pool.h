// Pipe and PipePool: bytes of a long body on their way from one socket to another without leaving the kernel
// (splice(2)): they are not copied here. Worker; single thread.
//
// An Outbox holds a Pipe only while bytes are in it. Pipes are few: they cost two descriptors each, and a pipe that a
// slow peer does not empty keeps its bytes in kernel memory. Who gets none copies.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "common/unique_fd.h"

namespace restgate::worker {

struct Pipe {
  UniqueFd out;  ///< to be read
  UniqueFd in;   ///< to be written; neither blocks
  size_t held = 0;
};

class PipePool;
struct PipeReturner {
  PipePool* pool = nullptr;
  void operator()(Pipe* pipe) const;
};
using PipePtr = std::unique_ptr<Pipe, PipeReturner>;

/// Last in, first out. Keeps at most kKeep unused ones.
class PipePool {
 public:
  /// Bytes a pipe is asked to hold at most.
  static constexpr size_t kCapacity = size_t{256} * 1024;

  PipePool() = default;
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;
  ~PipePool() = default;

  /// An empty one; null: enough are in use, or the kernel refuses.
  [[nodiscard]] PipePtr take();
  /// Whether an error of splice() means that it is not to be had here (a sandbox): then there are no pipes any more.
  [[nodiscard]] bool unsupported(int sys_errno);

 private:
  friend struct PipeReturner;
  void give_back(std::unique_ptr<Pipe> pipe);
  [[nodiscard]] static std::unique_ptr<Pipe> create();

  static constexpr size_t kMost = 64;
  static constexpr size_t kKeep = 16;
  static constexpr size_t kRest = 1000;  // takes, after the kernel has refused a pipe

  bool supported_ = true;
  size_t resting_ = 0;  // takes that are refused without asking the kernel
  size_t in_use_ = 0;
  std::vector<std::unique_ptr<Pipe>> free_;
};

}  // namespace restgate::worker
