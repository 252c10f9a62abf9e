// StageOrigin: the backend of the torture: plays every Cue of the script, and remembers which POSTs have come. Test
// process, a thread a connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "integration/support/origin.h"
#include "integration/support/stream.h"
#include "integration/torture/script.h"

namespace restgate::itest::torture {

class StageOrigin {
 public:
  StageOrigin();
  StageOrigin(const StageOrigin&) = delete;
  StageOrigin& operator=(const StageOrigin&) = delete;
  ~StageOrigin();

  [[nodiscard]] uint16_t port() const { return origin_.port(); }
  [[nodiscard]] std::string url() const { return origin_.url(); }
  /// How often the whole body of a POST has come, by the request's number.
  [[nodiscard]] std::unordered_map<uint64_t, size_t> posts() const;
  /// What came and should not have: a body with other bytes, a frame out of order.
  [[nodiscard]] std::vector<std::string> complaints() const;

 private:
  struct Connection {
    Stream stream;
    std::thread thread;
    std::atomic<bool> ended{false};
  };
  void accept_all();
  void reap(bool all);
  void serve(Connection& connection);
  void play(Stream& stream, const Message& request);
  void take_post(Stream& stream, const Message& request, const Cue& cue);
  void complain(const std::string& what);

  Origin origin_;
  UniqueFd wake_;  // eventfd that ends accept_all()
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, size_t> posts_;  // guarded by mutex_
  std::vector<std::string> complaints_;         // guarded by mutex_
  std::list<Connection> connections_;           // the acceptor's own
  std::thread acceptor_;
};

}  // namespace restgate::itest::torture
