// The part of the Fleet that outlives the program: workers that another program forked.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "common/log.h"
#include "master/fleet.h"

namespace restgate::master {
namespace {

/// A SOCK_SEQPACKET pair's end, as control channels and mailboxes have.
bool is_packet_socket(int fd) {
  int domain = 0;
  int type = 0;
  socklen_t length = sizeof(int);
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
         getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && domain == AF_UNIX && type == SOCK_SEQPACKET;
}

/// What only tells more of a crash is no reason to do without an upgrade: the other program's may be of another layout.
/// A worker that has written over its own block must not cost us all the others.
stats::Block statistics_of(const UpgradeState::Worker& saved) {
  auto block = stats::Block::attach(UniqueFd(saved.statistics));
  if (block) return std::move(block).value();
  log::warn("upgrade: a worker's statistics cannot be read: what it counted is lost",
            {{"worker_pid", saved.view.pid}, {"reason", block.error().message}});
  return stats::Block::none();
}

flight::Block flights_of(const UpgradeState::Worker& saved) {
  auto flights = flight::Block::attach(UniqueFd(saved.flights));
  if (flights) return std::move(flights).value();
  log::info("upgrade: a worker's flight recorder cannot be read",
            {{"worker_pid", saved.view.pid}, {"reason", flights.error().message}});
  return {};
}

}  // namespace

void Fleet::save(UpgradeState& state) const {
  state.scoreboard = scoreboard_.fd();
  state.totals = *dead_;
  for (const worker::MailboxFds& box : mailboxes_.descriptors()) state.mailboxes.push_back({box.in, box.out});
  const ScoreboardRow* first = scoreboard_.get()->rows.data();
  for (const auto& worker : workers_)
    state.workers.push_back({.view = worker->view(),
                             .kill_cause = worker->kill_cause(),
                             .row = static_cast<uint32_t>(&worker->row() - first),
                             .control = worker->control_fd(),
                             .statistics = worker->block().fd(),
                             .flights = worker->flights().fd(),
                             .access_log = worker->access_log()});
}

Status Fleet::resume(const UpgradeState& state) {
  dead_ = std::make_shared<const stats::Accumulator>(state.totals);
  auto scoreboard = ScoreboardMemory::attach(UniqueFd(state.scoreboard));
  if (!scoreboard) return std::move(scoreboard).error();
  scoreboard_ = std::move(scoreboard).value();
  for (const UpgradeState::Mailbox& saved : state.mailboxes) {
    UniqueFd in(saved.in);
    UniqueFd out(saved.out);
    if (!is_packet_socket(in.get()) || !is_packet_socket(out.get())) return Error{"no mailbox", EINVAL};
    mailboxes_.adopt(std::move(in), std::move(out));
  }
  for (const UpgradeState::Worker& saved : state.workers) {
    UniqueFd control(saved.control);
    stats::Block block = statistics_of(saved);
    if (!is_packet_socket(control.get())) return Error{"no control channel of a worker", EINVAL};
    block.hide_from_later_children();
    flight::Block flights = flights_of(saved);
    flights.hide_from_later_children();
    workers_.push_back(std::make_unique<WorkerHandle>(loop_, saved.view, ipc::Channel(std::move(control)),
                                                      std::move(block), std::move(flights),
                                                      scoreboard_.get()->rows[saved.row]));
    workers_.back()->resume(saved.kill_cause);
    workers_.back()->set_access_log(saved.access_log);
    if (!workers_.back()->watch()) return system_error("cannot watch a worker's control channel", errno);
  }
  return Ok{};
}

}  // namespace restgate::master
