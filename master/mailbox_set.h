// MailboxSet: the mailboxes by which workers pass connections to each other. Master; held open for its life.
//
// Their number only grows: what lies in one is a live client connection, whoever put it there.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"
#include "worker/mailbox.h"

namespace restgate::master {

class MailboxSet {
 public:
  Status grow_to(uint32_t count) {
    while (boxes_.size() < count) {
      auto made = worker::make_mailbox();
      if (!made) return std::move(made).error();
      boxes_.push_back(std::move(made).value());
    }
    return Ok{};
  }
  /// One more, that another program has made.
  void adopt(UniqueFd in, UniqueFd out) { boxes_.push_back({std::move(in), std::move(out)}); }
  /// They stay the set's.
  [[nodiscard]] std::vector<worker::MailboxFds> descriptors() const {
    std::vector<worker::MailboxFds> fds;
    fds.reserve(boxes_.size());
    for (const auto& box : boxes_) fds.push_back({box[0].get(), box[1].get()});
    return fds;
  }

 private:
  std::vector<std::array<UniqueFd, 2>> boxes_;
};

}  // namespace restgate::master
