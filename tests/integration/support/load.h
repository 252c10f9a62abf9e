// Load: clients that ask without pause on threads of their own and judge every answer. Test process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace restgate::itest {

struct LoadOptions {
  uint16_t port = 0;
  std::string request;
  std::string expected_body;
  size_t clients = 2;
  bool fresh_connections = false;  ///< a connection per request rather than keep-alive
  /// Requests that fail since their worker was killed are counted, not judged; the client connects again.
  bool forgive_lost = false;
};

class Load {
 public:
  explicit Load(LoadOptions options);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  /// Stops as stop() does, and forgets the result.
  ~Load();

  /// Waits until that many more requests than now have been answered.
  void await_more(size_t requests) const;
  /// Lets every client finish its request.
  void stop();

  [[nodiscard]] size_t answered() const { return answered_; }
  [[nodiscard]] size_t lost() const { return lost_; }
  /// What went wrong; empty when nothing did. After stop().
  [[nodiscard]] std::string failures() const;

 private:
  void run();
  void ask(class Stream& stream);

  LoadOptions options_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> answered_{0};
  std::atomic<size_t> lost_{0};
  mutable std::mutex mutex_;
  std::string failures_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace restgate::itest
