// SelfProbe: one request of the master to a new worker, before the worker gets any traffic. Master.
//
// It goes through the worker's own client connection, codec and answer, over a socket pair rather than a port, needs no
// backend, and is neither counted nor logged.
#pragma once

#include <functional>
#include <string>

#include "common/event_loop.h"
#include "common/ipc.h"
#include "common/unique_fd.h"

namespace restgate::master {

class SelfProbe final : private IoHandler {
 public:
  enum class Verdict : unsigned char { Good, Bad };
  /// Called once, from the loop.
  using Done = std::function<void(Verdict)>;

  explicit SelfProbe(Done done) : done_(std::move(done)) {}

  /// Sends the request. False: it could not even be sent.
  [[nodiscard]] bool start(EventLoop& loop, ipc::Channel& to_worker);
  /// What came instead of a good answer.
  [[nodiscard]] const std::string& answer() const { return answer_; }

 private:
  void on_io(IoReady ready) override;

  Done done_;
  UniqueFd fd_;
  std::string answer_;
  IoEvent event_;  // last: gone before the descriptor that it watches
};

}  // namespace restgate::master
