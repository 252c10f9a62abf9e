// Block: owner of one statistics segment: a sealed memfd and its mapping. Created by the master before it forks the
// worker that writes to it; read by the master for as long as it keeps it.
//
// The size of the file is sealed, so that no holder of the descriptor can make a reader fault. What the reader relies
// on (layout, names) is kept outside the segment: a worker gone wild spoils its numbers, nothing else.
#pragma once

#include <cstddef>

#include "common/platform/memfd.h"
#include "common/result.h"
#include "common/stats/layout.h"
#include "common/stats/schema.h"
#include "common/stats/snapshot.h"
#include "common/stats/translation.h"
#include "common/stats/writer.h"
#include "common/unique_fd.h"

namespace restgate::stats {

class Block {
 public:
  /// A zeroed block with room for `spec`. Fails when a limit of schema.h is passed, the bounds are none, or memory is
  /// short.
  static Result<Block> create(const BlockSpec& spec);
  /// Maps a block that another process or program made, for reading only. Takes the descriptor in any case.
  /// Fails when it is no block, is of another layout, is not sealed, or contradicts its own size. Its schema may be
  /// another one than ours.
  static Result<Block> attach(UniqueFd fd);

  /// One without numbers or a descriptor: in place of one that cannot be read.
  static Block none() { return {}; }

  Block(Block&&) noexcept = default;
  Block& operator=(Block&&) noexcept = default;
  ~Block() = default;

  /// The memfd; close-on-exec. Stays the block's.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] size_t size_bytes() const { return offsets_.total_size; }
  [[nodiscard]] const BlockSpec& spec() const { return spec_; }

  /// For the one worker that is to write; invalid if the block was attached. Valid across fork, while mapped.
  [[nodiscard]] Writer writer() const;
  /// Keeps the mapping out of processes forked later. Call once the block's own worker is forked.
  void hide_from_later_children() const { mapping_.hide_from_children(); }

  /// The numbers of now; each is exact, any two may be a few events apart.
  [[nodiscard]] Snapshot snapshot() const;

 private:
  Block() = default;
  template <typename T>
  [[nodiscard]] T* section(uint64_t offset) const {
    return reinterpret_cast<T*>(mapping_.bytes().data() + offset);
  }

  UniqueFd fd_;
  platform::Mapping mapping_;  ///< empty once moved from
  bool writable_ = false;
  layout::Counts counts_;
  layout::Offsets offsets_;
  BlockSpec spec_;
  Translation translation_;
};

}  // namespace restgate::stats
