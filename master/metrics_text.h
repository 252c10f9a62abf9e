// MetricsText: the metrics as text for /metrics, rendered when asked for, in a thread of its own: with thousands of
// routes it takes a good part of 100 ms, in which the master has to supervise. Master.
//
// The master's thread gathers what is to be shown, which is quick, and gives it away; nothing is shared. Whoever asks
// while a text is being rendered gets the next one, so that everybody sees what was counted before he asked. One that
// takes long is rendered for a fifth of the time at most: asked earlier, the last text is given again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/event_loop.h"
#include "common/unique_fd.h"

namespace restgate::master {

class MetricsText final : private IoHandler {
 public:
  using Clock = std::chrono::steady_clock;
  using Text = std::shared_ptr<const std::string>;  ///< shared: several slow clients may be reading the same one
  /// Called in another thread; owns all that it needs.
  using Render = std::function<std::string()>;
  using Done = std::function<void(Text)>;

  static constexpr std::chrono::milliseconds kCheap{5};  ///< a rendering up to this long is always done anew
  static constexpr int kRest = 4;                        ///< times its own length until a longer one is done anew

  /// `gather` is called in the loop's thread, once for each text. `now`: for tests.
  MetricsText(EventLoop& loop, std::function<Render()> gather, std::function<Clock::time_point()> now = Clock::now);
  MetricsText(const MetricsText&) = delete;
  MetricsText& operator=(const MetricsText&) = delete;
  /// Waits for the thread.
  ~MetricsText();

  /// `done` gets the text later, from the loop, once.
  uint64_t ask(Done done);
  /// Whoever has asked has gone.
  void abandon(uint64_t ticket);

 private:
  struct Asker {
    uint64_t ticket;
    Done done;
  };

  void on_io(IoReady ready) override;
  void begin();
  void render(const Render& next);
  void finish();
  void tell(std::vector<Asker>& askers);

  EventLoop& loop_;
  std::function<Render()> gather_;
  std::function<Clock::time_point()> now_;
  uint64_t last_ticket_ = 0;
  std::vector<Asker> waiting_;  // for the next text
  std::vector<Asker> served_;   // by the one that is being rendered
  bool busy_ = false;
  Text text_;
  Clock::time_point finished_{};
  Clock::duration took_{};

  // The thread's until it has written to ready_.
  Text rendered_;
  Clock::duration rendered_in_{};

  UniqueFd ready_;
  IoEvent event_;
  TimerEvent again_;
  std::thread thread_;
};

}  // namespace restgate::master
