// Load: what the benchmark's client does: a fixed number of exchanges over a fixed number of connections. Load client.
//
// Closed loop: every connection sends its next request (or batch of pipelined ones) when the last has been answered.
// With a rate, exchange i is due at start + i / rate, whatever became of those before: it waits for a free connection,
// and its latency counts from when it was due. Anything unexpected ends the program (see ReplyReader).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/tools/load_reply.h"
#include "bench/tools/support.h"

namespace restgate::bench {

struct LoadOptions {
  platform::Address target;
  ReplyReader::Kind kind = ReplyReader::Kind::Http;
  unsigned status = 200;              ///< of every HTTP response
  std::vector<std::string> requests;  ///< complete; taken at random
  std::string message;                ///< a WebSocket frame: what is sent once the connection stands
  uint64_t connections = 1;
  uint64_t count = 0;      ///< exchanges to run
  uint64_t rate = 0;       ///< exchanges a second; 0: closed loop
  uint64_t pipeline = 1;   ///< requests sent at once
  bool reconnect = false;  ///< a new connection for every exchange
  int64_t timeout_ns = 0;  ///< for set_up() and run() each
};

class Load {
 public:
  explicit Load(LoadOptions options);

  /// Opens all connections and gets a first answer on each (nothing with `reconnect`).
  void set_up();
  /// Runs the exchanges.
  void run();
  /// What run() measured, as a JSON object.
  [[nodiscard]] std::string report();

 private:
  struct Connection {
    explicit Connection(const ReplyReader& fresh) : reader(fresh) {}
    UniqueFd fd;
    ReplyReader reader;
    bool writable = false;
    uint64_t awaited = 0;     // replies
    int64_t since_ns = 0;     // when the exchange was due or sent
    std::string_view unsent;  // of the request
    std::string batch;        // what unsent points to when several requests are sent at once
  };

  void open(Connection& connection);
  void begin_exchange(Connection& connection, int64_t since_ns);
  void send(Connection& connection, uint64_t batch);
  static void write_unsent(Connection& connection);
  const std::string& random_request();
  void on_event(Connection& connection, uint32_t events);
  void on_replies(Connection& connection, unsigned replies);
  void on_closed(Connection& connection);
  void drop_waiting_events();
  void start_due();
  [[nodiscard]] int64_t due_ns(uint64_t exchange) const;
  [[nodiscard]] int64_t until_due() const;
  void turn(int64_t timeout_ns);

  LoadOptions options_;
  Poller poller_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;  // rate: those without an exchange
  std::array<char, size_t{256} * 1024> buffer_;
  bool counting_ = false;
  uint64_t opened_ = 0;   // set up: connections that have had their answer
  uint64_t started_ = 0;  // exchanges
  uint64_t finished_ = 0;
  int64_t start_ns_ = 0;
  int64_t deadline_ns_ = 0;
  int64_t elapsed_ns_ = 0;
  uint64_t random_ = 88172645463325252ULL;
  std::vector<uint32_t> latencies_;  // tenths of a microsecond
};

}  // namespace restgate::bench
