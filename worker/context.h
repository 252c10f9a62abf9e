// Context: what every connection and exchange of a worker uses; owned by the Worker, outlives them all. Worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/flight/writer.h"
#include "common/stats.h"
#include "config/model.h"
#include "worker/access_log.h"
#include "worker/buffer_pool.h"
#include "worker/graveyard.h"
#include "worker/held_answers.h"
#include "worker/http1/head.h"
#include "worker/http_date.h"
#include "worker/id_source.h"
#include "worker/pipe_pool.h"
#include "worker/pulse.h"
#include "worker/router.h"
#include "worker/timer_wheel.h"

namespace restgate::worker {

/// A buffer has this room behind the largest head, for the bytes of its body.
inline constexpr size_t kBodyRoom = 16 * 1024;
/// Of a snug buffer: a page with what the allocator and Buffer add. Most requests' heads are shorter.
inline constexpr size_t kSnugBuffer = 4096 - 64;

class BackendPool;
class ClientSet;
class ExchangePool;
class Handover;
class Lookout;
class TunnelSet;

/// What becomes of the client connections of a worker that is to go.
enum class Drain : uint8_t {
  None,      ///< it is not
  HandOver,  ///< each goes to a successor between two requests; the client notices nothing
  Close,     ///< each ends with the answer that it waits for
};

struct Context {
  const config::Config& config;
  const Router& router;
  const http1::Limits limits;
  stats::Writer stats;
  flight::Writer flights;
  EventLoop& loop;
  /// Wide buffers: a whole head and kBodyRoom. Few are in use at once, so that those few stay in the cache.
  BufferPool& buffers;
  /// Snug ones, for requests that are being served: a head stays until its answer is through.
  BufferPool& snug_buffers;
  /// For long bodies, which are not looked at.
  PipePool& pipes;
  TimerWheel& timers;
  Lookout& lookout;
  Graveyard& graveyard;
  HeldAnswers& held_answers;
  AccessLog& access_log;
  /// One use at a time: a head is rendered here and flushed at once (see Outbox).
  std::span<char> scratch;
  HttpDate date{};
  IdSource ids{};
  /// By index of Config::services.
  std::vector<std::unique_ptr<BackendPool>> backends{};
  ClientSet* clients = nullptr;
  ExchangePool* exchanges = nullptr;
  TunnelSet* tunnels = nullptr;
  Handover* handover = nullptr;
  Pulse pulse{};
  Drain drain = Drain::None;
  /// While Drain::Close: for how long an idle connection may still bring a request.
  int64_t drain_grace_ms = 0;
  /// The gateway will stop: this worker serves on, but no client shall count on its connection.
  bool farewell = false;

  /// Whether a connection ends with the answer that it waits for.
  [[nodiscard]] bool answers_are_last() const { return drain == Drain::Close || farewell; }
};

}  // namespace restgate::worker
