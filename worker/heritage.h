// Heritage: everything that a worker receives from the master at fork. The only doorway between the two.
//
// Master: fills it before fork. Worker: owns its copy; closes every descriptor that is not named here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/flight/writer.h"
#include "common/ipc.h"
#include "common/scoreboard.h"
#include "common/stats.h"
#include "config/model.h"
#include "worker/mailbox.h"
#include "worker/router.h"

namespace restgate::worker {

class TlsContext;

struct Heritage {
  uint32_t index = 0;  ///< this worker's place, 0 … count-1
  uint32_t count = 1;  ///< workers of this generation
  uint64_t generation = 0;
  const config::Config* config = nullptr;  ///< immutable, shared copy-on-write; outlives the worker
  const Router* router = nullptr;          ///< likewise
  const std::vector<std::unique_ptr<TlsContext>>* tls = nullptr;  ///< by service; null: plain. Outlives the worker
  std::vector<int> listeners;  ///< one per slot, all slots; the worker accepts from slot s if s mod count = index
  std::vector<int> retired_listeners;  ///< likewise, of ports that are being given up
  std::vector<MailboxFds> mailboxes;   ///< likewise; every worker may put into every one
  int access_log = -1;                 ///< where the access log's file is open; -1: there is none
  ipc::Channel control;                ///< to and from the master (common/ipc.h). End of file: the master is dead
  stats::Writer stats;                 ///< this process's own block
  flight::Writer flights;              ///< likewise: its requests in flight, for the master to read when it has died
  Scoreboard* scoreboard = nullptr;    ///< heartbeat and load of all workers; shared memory
  uint32_t scoreboard_slot = 0;        ///< this process's row in it
};

/// The body of a worker process: serves until told to drain and done. Returns the exit code. Never returns early
/// otherwise.
int run_worker(Heritage heritage);

}  // namespace restgate::worker
