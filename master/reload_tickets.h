// ReloadTickets: who waits for the verdict on a reload. Pure: no clock, no process, no descriptor. Master; owned by the
// Supervisor.
//
//   Asked ──read, good──▶ Waiting ──roll begins──▶ Rolling ──▶ finished │ aborted
//     └──read, bad──▶ refused
//
// Every request is a ticket and every ticket gets one verdict. Requests merge: whatever waits when a roll begins gets
// the verdict of that roll, which is of the latest of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/diagnostic.h"

namespace restgate::master {

struct Verdict {
  enum class Kind : uint8_t {
    Finished,  ///< `generation` serves
    Refused,   ///< the file has errors: `diagnostics`
    Aborted,   ///< the file is good, but could not be taken into service
  };
  Kind kind = Kind::Finished;
  uint64_t generation = 0;
  uint32_t workers = 0;
  std::vector<config::Diagnostic> diagnostics{};
  std::string reason{};  ///< of anything but Finished, in a sentence

  static Verdict finished(uint64_t generation, uint32_t workers);
  static Verdict refused(std::vector<config::Diagnostic> diagnostics);
  static Verdict aborted(std::string reason);
};

class ReloadTickets {
 public:
  using Id = uint64_t;
  /// Hears of the verdict once.
  using Listener = std::function<void(const Verdict&)>;

  /// A request; `listener` may be empty. Never 0.
  Id open(Listener listener);
  /// Its listener is gone. Unknown ids, such as those with a verdict, are passed over.
  void abandon(Id id);

  /// Its file is bad.
  void refused(Id id, const Verdict& verdict);
  /// Its file is good and waits for its roll.
  void waits(Id id);
  /// All that wait are in it.
  void roll_begun();
  void roll_ended(const Verdict& verdict);
  /// It could not even begin: for all that wait.
  void roll_impossible(const Verdict& verdict);
  /// There will be no more rolls: for all.
  void close(const Verdict& verdict);

  /// Calls the listeners of those that have got their verdict since the last time. They may open and abandon tickets.
  void tell();

 private:
  enum class State : uint8_t { Asked, Waiting, Rolling };
  struct Ticket {
    Id id;
    State state;
    Listener listener;
  };
  struct Told {
    Id id;
    Listener listener;
    Verdict verdict;
  };
  template <typename Which>
  void settle(Which which, const Verdict& verdict);

  Id last_ = 0;
  std::vector<Ticket> open_;  // oldest first
  std::vector<Told> settled_;
};

}  // namespace restgate::master
