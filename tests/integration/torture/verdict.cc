#include "integration/torture/verdict.h"

#include <algorithm>
#include <array>

#include "integration/torture/script.h"

namespace restgate::itest::torture {

namespace {

constexpr size_t kShown = 10;
constexpr size_t kMemorySlack = size_t{2} << 20;

// A killed worker takes with it what it executes, and the connections that it keeps.
bool excused(const Mishap& mishap, const std::vector<Span>& kills) {
  if (mishap.outcome != Outcome::Reset && mishap.outcome != Outcome::NoAnswer && mishap.outcome != Outcome::ShortBody)
    return false;
  if (mishap.seen_closed) return !kills.empty();
  return std::any_of(kills.begin(), kills.end(),
                     [&](const Span& kill) { return mishap.began <= kill.ended && kill.began <= mishap.ended; });
}

class Judge {
 public:
  explicit Judge(const Evidence& evidence) : evidence_(evidence), all_(total(evidence.scores)) {}

  Verdict run() {
    mishaps();
    posts();
    stalls();
    for (const std::string& complaint : evidence_.complaints) complain(complaint);
    if (all_.announced > 0 && !evidence_.ended)
      complain(std::to_string(all_.announced) + " answers ended a connection that was meant to be kept");
    if (evidence_.at_rest) {
      counters();
      gauges();
      processes();
      master();
    }
    return std::move(verdict_);
  }

 private:
  void complain(std::string what) { verdict_.complaints.push_back(std::move(what)); }
  void mishaps();
  void posts();
  void stalls();
  void counters();
  void gauges();
  void processes();
  void master();

  const Evidence& evidence_;
  Score all_;
  Verdict verdict_;
};

void Judge::mishaps() {
  for (const Mishap& mishap : all_.mishaps) {
    if (excused(mishap, evidence_.kills)) {
      ++verdict_.forgiven;
      continue;
    }
    if (++verdict_.lost <= kShown)
      complain("lost (" + std::string(name_of(mishap.kind)) + ", " + std::string(name_of(mishap.outcome)) +
               (mishap.seen_closed ? ", closed before it was sent" : "") + "): " + mishap.detail);
  }
  if (verdict_.lost > kShown) complain(std::to_string(verdict_.lost) + " were lost in all");
  // A client has one request at a time, on one worker.
  if (verdict_.forgiven > evidence_.kills.size() * evidence_.clients)
    complain(std::to_string(verdict_.forgiven) + " requests lost by " + std::to_string(evidence_.kills.size()) +
             " kills: more than there were under way");
}

void Judge::posts() {
  const Score& score = of(evidence_.scores, Kind::Post);
  const size_t repeated = static_cast<size_t>(std::count_if(evidence_.posts.begin(), evidence_.posts.end(),
                                                            [](const auto& entry) { return entry.second > 1; }));
  if (repeated > 0) complain(std::to_string(repeated) + " POSTs came more than once");
  const size_t came = evidence_.posts.size();
  if (came < score.good || came > score.good + score.mishaps.size())
    complain(std::to_string(score.good) + " POSTs were answered, " + std::to_string(score.mishaps.size()) +
             " failed, but the origin has seen " + std::to_string(came));
}

void Judge::stalls() {
  // Who comes while a worker stands still is served by another one.
  for (const Stall& stall : all_.stalls)
    for (const Span& stop : evidence_.stops)
      if (stall.kind == Kind::Short && stall.began >= stop.began + kRescue && stall.began < stop.ended)
        return complain("a new connection had to wait for a worker that stood still");
}

void Judge::counters() {
  double counted = 0;
  for (const Scene scene : {Scene::Get, Scene::Post, Scene::Slow, Scene::Tunnel})
    counted += evidence_.metrics.sum("restgate_requests_total", {{"route", std::string(name_of(scene))}});
  // A worker counts a request when it has been answered: one that is killed just then cannot any more. What failed was
  // counted, or not.
  const auto good = static_cast<double>(all_.good);
  const double least = good - static_cast<double>(evidence_.kills.size());
  const double most = good + static_cast<double>(all_.mishaps.size());
  if (counted < least || counted > most)
    complain("restgate_requests_total is " + std::to_string(counted) + ", the clients count " +
             std::to_string(all_.good) + " and " + std::to_string(all_.mishaps.size()) + " failures:\n" +
             evidence_.metrics.show("restgate_requests_total"));
}

void Judge::gauges() {
  for (const char* gauge : kGaugesOfTraffic)
    if (const double left = evidence_.metrics.sum(gauge); left != 0)
      complain(std::string(gauge) + " is " + std::to_string(left) + " when nobody is connected");
}

void Judge::processes() {
  if (evidence_.processes.size() != evidence_.workers + 1)
    complain(std::to_string(evidence_.workers + 1) + " processes are due, there are" + show(evidence_.processes));
  for (const ProcessState& process : evidence_.processes)
    if (process.state == 'Z') complain("a zombie: " + std::to_string(process.pid));
}

void Judge::master() {
  const Footprint& before = evidence_.before;
  const Footprint& after = evidence_.after;
  if (after.descriptors > before.descriptors)
    complain("descriptors of the master: " + std::to_string(before.descriptors) + ", afterwards " +
             std::to_string(after.descriptors));
  if (after.memory > before.memory + kMemorySlack)
    complain("memory of the master: " + std::to_string(before.memory) + ", afterwards " + std::to_string(after.memory));
}

}  // namespace

Verdict judge(const Evidence& evidence) {
  return Judge(evidence).run();
}

}  // namespace restgate::itest::torture
