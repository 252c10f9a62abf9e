// Generation: one loaded configuration with all that its workers inherit. Master; owned by the Supervisor.
//
// Workers share it copy-on-write: it never changes and never moves. It is needed for as long as workers of it may be
// forked; those that drain have their own copy.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "common/stats.h"
#include "config/model.h"
#include "master/listener_set.h"
#include "master/loaded_config.h"
#include "worker/router.h"

namespace restgate::master {

struct Generation {
  Generation(uint64_t number, LoadedConfig loaded, uint32_t worker_count, ListenerSet& sockets)
      : id(number),
        config(std::move(loaded.config)),
        config_hash(std::move(loaded.hash)),
        tls(std::move(loaded.tls)),
        config_text(std::move(loaded.text)),
        named_files(std::move(loaded.named)),
        router(config),
        workers(worker_count),
        listeners(sockets) {
    for (const config::Route& route : config.routes) statistics.routes.push_back(route.name);
    for (const config::Service& service : config.services) statistics.services.push_back(service.name);
    statistics.methods = config.methods;
    statistics.duration_bounds = config.request_duration_buckets;
  }
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  const uint64_t id;
  const config::Config config;
  const std::string config_hash;
  const worker::TlsContexts tls;
  const std::string config_text;
  const FileHashes named_files;
  const worker::Router router;
  const uint32_t workers;
  ListenerSet& listeners;  ///< the Supervisor's; outlives this
  stats::BlockSpec statistics;
};

}  // namespace restgate::master
