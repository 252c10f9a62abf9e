// Block: owner of one flight recorder's segment: a sealed memfd and its mapping. Created by the master before it forks
// the worker that writes to it; read by the master when that worker has died.
//
// The size of the file is sealed, so that nobody can make the reader fault, and what the reader relies on is known to
// it beforehand: a worker gone wild spoils its records, nothing else.
#pragma once

#include <cstddef>

#include "common/flight/snapshot.h"
#include "common/flight/writer.h"
#include "common/platform/memfd.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::flight {

class Block {
 public:
  /// None: nothing is in flight, as far as it knows.
  Block() = default;
  /// An empty recorder. Its pages are taken from the system when they are first written to.
  static Result<Block> create();
  /// Maps one that another program made, for reading only (an upgrade in place). Takes the descriptor in any case.
  static Result<Block> attach(UniqueFd fd);

  /// The memfd; close-on-exec. Stays the block's.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// For the one worker that is to write; invalid if the block was attached. Valid across fork, while mapped.
  [[nodiscard]] Writer writer() const;
  /// Keeps the mapping out of processes forked later. Call once the block's own worker is forked.
  void hide_from_later_children() const { mapping_.hide_from_children(); }

  /// Exact once the worker is dead; while it lives a record may be half one request, half the next.
  [[nodiscard]] Snapshot snapshot() const;
  /// The same for who wants little of it often: of the requests whose head is complete those that began first, the
  /// first of all first, at most `most`; and how many there are. No suspects, no damage.
  [[nodiscard]] Snapshot oldest(size_t most) const;

 private:
  UniqueFd fd_;
  platform::Mapping mapping_;  ///< empty once moved from
  bool writable_ = false;
};

}  // namespace restgate::flight
