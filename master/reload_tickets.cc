#include "master/reload_tickets.h"

#include <algorithm>
#include <utility>

namespace restgate::master {

Verdict Verdict::finished(uint64_t generation, uint32_t workers) {
  Verdict verdict;
  verdict.kind = Kind::Finished;
  verdict.generation = generation;
  verdict.workers = workers;
  return verdict;
}

Verdict Verdict::refused(std::vector<config::Diagnostic> diagnostics) {
  Verdict verdict;
  verdict.kind = Kind::Refused;
  verdict.reason =
      "the configuration has " + std::to_string(diagnostics.size()) + (diagnostics.size() == 1 ? " error" : " errors");
  verdict.diagnostics = std::move(diagnostics);
  return verdict;
}

Verdict Verdict::aborted(std::string reason) {
  Verdict verdict;
  verdict.kind = Kind::Aborted;
  verdict.reason = std::move(reason);
  return verdict;
}

ReloadTickets::Id ReloadTickets::open(Listener listener) {
  open_.push_back({++last_, State::Asked, std::move(listener)});
  return last_;
}

void ReloadTickets::abandon(Id id) {
  for (Ticket& ticket : open_)
    if (ticket.id == id) ticket.listener = nullptr;
  for (Told& told : settled_)
    if (told.id == id) told.listener = nullptr;
}

template <typename Which>
void ReloadTickets::settle(Which which, const Verdict& verdict) {
  const auto first =
      std::stable_partition(open_.begin(), open_.end(), [&](const Ticket& ticket) { return !which(ticket); });
  for (auto ticket = first; ticket != open_.end(); ++ticket)
    settled_.push_back({ticket->id, std::move(ticket->listener), verdict});
  open_.erase(first, open_.end());
}

void ReloadTickets::refused(Id id, const Verdict& verdict) {
  settle([id](const Ticket& ticket) { return ticket.id == id; }, verdict);
}

void ReloadTickets::waits(Id id) {
  for (Ticket& ticket : open_)
    if (ticket.id == id) ticket.state = State::Waiting;
}

void ReloadTickets::roll_begun() {
  for (Ticket& ticket : open_)
    if (ticket.state == State::Waiting) ticket.state = State::Rolling;
}

void ReloadTickets::roll_ended(const Verdict& verdict) {
  settle([](const Ticket& ticket) { return ticket.state == State::Rolling; }, verdict);
}

void ReloadTickets::roll_impossible(const Verdict& verdict) {
  settle([](const Ticket& ticket) { return ticket.state == State::Waiting; }, verdict);
}

void ReloadTickets::close(const Verdict& verdict) {
  settle([](const Ticket& /*any*/) { return true; }, verdict);
}

void ReloadTickets::tell() {
  while (!settled_.empty()) {
    const Told next = std::move(settled_.front());
    settled_.erase(settled_.begin());
    if (next.listener) next.listener(next.verdict);
  }
}

}  // namespace restgate::master
