// Outbox: the bytes of an exchange on their way to one peer, written with as few system calls as can be. Worker.
//
// A producer adds pieces, then flushes. Pieces point at bytes elsewhere (the other side's input buffer), which must not
// move until the outbox is empty: that is the back-pressure, nothing more is read before. Bytes of the worker's scratch
// space are only good until flush() returns; what is left of them then is copied. Behind the pieces, bytes may wait in
// a pipe that never were in this process.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "worker/buffer_pool.h"
#include "worker/pipe_pool.h"
#include "worker/transport.h"

namespace restgate::worker {

class Outbox {
 public:
  static constexpr size_t kMaxPieces = 24;

  enum class Flush : uint8_t { Drained, Blocked, Failed };

  [[nodiscard]] bool empty() const { return first_ == count_ && !pipe_; }
  [[nodiscard]] size_t free_pieces() const { return kMaxPieces - count_; }
  /// Bytes ever written through this outbox since reset().
  [[nodiscard]] uint64_t written() const { return written_; }

  /// Adds bytes in the worker's scratch space, as the first piece. Behind them, `room` bytes more are free: a short
  /// piece that comes next is copied there, and one plain send() does for both.
  void add_scratch(std::string_view bytes, size_t room = 0);
  /// Adds bytes that stay where they are until the outbox is empty.
  void add(std::string_view bytes);
  /// Adds a copy of a few bytes (framing). At most kSmallBytes between two moments of emptiness.
  void add_small(std::string_view bytes);

  /// The pipe whose bytes go behind the pieces, empty; null: there is none to be had. To be filled and flushed, or
  /// left to discard(); no pieces are added meanwhile.
  [[nodiscard]] Pipe* take_pipe(PipePool& pipes);

  Flush flush(Transport& transport, BufferPool& buffers);
  /// Moves all that has not been written behind what is in `to`, and counts it as written. False: there is no room, or
  /// some of it is in a pipe; nothing has been moved.
  [[nodiscard]] bool move_to(Buffer& to);
  /// The scratch space is needed for something else, and what is there has not been flushed.
  [[gnu::cold]] void keep_scratch(BufferPool& buffers);
  /// Adds a copy of what has not been written to `to`.
  void copy_unsent(std::string& to) const;
  /// Forgets what has not been written.
  void discard();
  /// Forgets everything, the count of written bytes too.
  void reset();

  static constexpr size_t kSmallBytes = 96;

 private:
  Flush flush_pipe(Transport& transport);
  [[nodiscard]] bool join(std::string_view bytes);
  void drop_written(size_t bytes);

  // What a short write needs lies together: of thousands of streams none is in the cache.
  uint8_t first_ = 0;
  uint8_t count_ = 0;
  uint8_t small_used_ = 0;
  bool scratch_first_ = false;  // pieces_[0] is in the scratch space
  uint32_t scratch_room_ = 0;   // behind it
  uint64_t written_ = 0;
  BufferPtr kept_;  // what was left of the scratch bytes
  PipePtr pipe_;
  std::array<iovec, kMaxPieces> pieces_;
  std::array<char, kSmallBytes> small_;
};

}  // namespace restgate::worker
