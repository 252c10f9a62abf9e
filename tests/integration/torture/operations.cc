#include "integration/torture/operations.h"

#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "integration/torture/processes.h"

namespace restgate::itest::torture {

using std::chrono::milliseconds;

void reload_again_and_again(Trial& trial) {
  trial.repeat(milliseconds(300), [&] { trial.gateway().signal(SIGHUP); });
}

void reload_very_often(Trial& trial) {
  constexpr size_t kPerSecond = 34;
  constexpr size_t kBadOne = 10;  // every tenth
  const size_t count = kPerSecond * static_cast<size_t>(torture_time().count());
  for (size_t i = 0; i < count; ++i) {
    if (i % kBadOne == kBadOne - 1)
      (void)trial.gateway().refused_reload("workers: many\n");
    else
      trial.gateway().reload(trial.config());
    trial.note_operation();
    // By then everything that is made once has been made.
    if (i == count / 5) trial.accept_memory();
  }
}

void kill_workers(Trial& trial) {
  trial.repeat(milliseconds(500), [&] { trial.kill_worker(); });
}

void stop_workers(Trial& trial) {
  trial.repeat(milliseconds(2500), [&] { trial.stop_worker(milliseconds(2000)); });
}

void resize(Trial& trial) {
  trial.repeat(milliseconds(1200), [&] {
    for (const char* workers : {"2", "1", "4"}) {
      trial.reload(trial.config().set("workers", workers));
      trial.traffic().pause(milliseconds(400));
    }
  });
}

void change_port(Trial& trial, const std::vector<uint16_t>& ports) {
  size_t turn = 0;
  trial.repeat(milliseconds(1500), [&] {
    const uint16_t next = ports.at(++turn % ports.size());
    trial.traffic().announce(next);
    trial.reload(trial.config().set("port", std::to_string(next)));
    if (!eventually([&] { return Stream::probe(next) == 0; })) throw Failure("the new port does not open");
    trial.traffic().follow(next);
  });
}

void break_config(Trial& trial) {
  const std::string good = trial.config().yaml();
  const std::vector<std::string> bad = {"", good + "        patern: /typo\n", good.substr(0, good.size() / 2), "\t",
                                        trial.config().set("port", "99999").yaml()};
  size_t turn = 0;
  trial.repeat(milliseconds(300), [&] {
    trial.gateway().rewrite_config(bad.at(turn++ % bad.size()));
    trial.gateway().signal(SIGHUP);
  });
}

Installed::Installed() {
  renew();
}

void Installed::renew() const {
  std::filesystem::copy_file(gateway_binary(), path() + ".new");
  std::filesystem::rename(path() + ".new", path());
}

void Installed::replace_by(const std::string& text) const {
  directory_.write("restgate", text);
  std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
}

void Installed::remove() const {
  std::filesystem::remove(path());
}

bool await_upgrade(const Trial& trial, const Installed& installed) {
  return eventually([&] { return executed_inode(trial.gateway().pid()) == inode_of(installed.path()); });
}

void upgrade(Trial& trial, const Installed& installed) {
  trial.repeat(milliseconds(1000), [&] {
    installed.renew();
    trial.gateway().signal(SIGUSR2);
    if (!await_upgrade(trial, installed)) throw Failure("the new binary is not executed");
  });
}

void break_binary(Trial& trial, const Installed& installed) {
  const std::vector<std::string> bad = {"#!/bin/sh\nexit 1\n", "\x7f\x45LF and nothing more", ""};
  size_t turn = 0;
  trial.repeat(milliseconds(500), [&] {
    const size_t which = turn++ % (bad.size() + 1);
    if (which == bad.size())
      installed.remove();
    else
      installed.replace_by(bad[which]);
    trial.gateway().signal(SIGUSR2);
  });
}

}  // namespace restgate::itest::torture
