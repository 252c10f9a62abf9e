// Origin: the backend of a test, on an ephemeral port of 127.0.0.1. Test process.
//
// Two ways to use one:
//   Origin         the test accepts the gateway's connections itself and plays the backend byte by byte (Stream). One
//                  thread does both sides, so the order of events is the order of the lines of the test.
//   HandlerOrigin  a thread serves every connection by a function; for tests about the client's side, and for load.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "integration/support/stream.h"

namespace restgate::itest {

class Origin {
 public:
  Origin();
  [[nodiscard]] uint16_t port() const { return port_; }
  /// "http://127.0.0.1:port"
  [[nodiscard]] std::string url() const;
  /// The next connection of the gateway.
  Stream accept();
  /// Whether a connection waits to be accepted. Proves its absence only after an event that orders (an answer).
  [[nodiscard]] bool contacted() const;
  /// Stops listening: further connects are refused.
  void close() { listener_.reset(); }
  [[nodiscard]] int fd() const { return listener_.get(); }

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
};

/// A port that neither takes nor refuses: its queue is full, and the kernel drops what comes.
class FullListener {
 public:
  FullListener();
  /// "http://127.0.0.1:port"
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
  Stream fills_the_queue_;
};

class HandlerOrigin {
 public:
  /// Request → the bytes of the response. An empty answer closes the connection without one. Called by several threads.
  using Handler = std::function<std::string(const Message&)>;

  explicit HandlerOrigin(Handler handler);
  HandlerOrigin(const HandlerOrigin&) = delete;
  HandlerOrigin& operator=(const HandlerOrigin&) = delete;
  ~HandlerOrigin();

  [[nodiscard]] uint16_t port() const { return origin_.port(); }
  [[nodiscard]] std::string url() const { return origin_.url(); }
  [[nodiscard]] size_t connections() const { return connections_; }
  [[nodiscard]] std::vector<Message> requests() const;

 private:
  struct Connection {
    Stream stream;
    std::thread thread;
  };
  void accept_all();
  void serve(Stream& stream);

  Handler handler_;
  Origin origin_;
  std::atomic<size_t> connections_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<Message> requests_;  // guarded by mutex_
  UniqueFd wake_;                  // eventfd that ends accept_all()
  std::list<Connection> served_;   // the acceptor's own
  std::thread acceptor_;
};

/// A handler that answers every request with 200 and this body.
HandlerOrigin::Handler always(std::string body);

}  // namespace restgate::itest
