// HttpClient: one client of five of the six kinds of traffic, on a thread of its own, judging every answer. Test
// process.
//
// It sends on a kept connection without looking whether that has ended, as a client does whose network is slower than
// its program; but it notes what a look would have shown.
#pragma once

#include <chrono>
#include <random>
#include <string>

#include "integration/support/stream.h"
#include "integration/torture/course.h"
#include "integration/torture/score.h"
#include "integration/torture/script.h"

namespace restgate::itest::torture {

class HttpClient {
 public:
  /// `seed` tells the clients of a kind apart. `stream_length`: of the slow streams.
  HttpClient(Course& course, Kind kind, unsigned seed, std::chrono::milliseconds stream_length);

  /// Asks until the course ends.
  void run();
  /// That many requests, one after the other without a pause, unless time is up.
  void run(size_t requests, const Deadline& deadline);
  [[nodiscard]] const Score& score() const { return score_; }

 private:
  struct Request {
    Cue cue;
    std::string head;
    std::string first_half;  ///< of the body
    std::string second_half;
    std::string answer;  ///< the body that must come
    bool closes = false;
  };
  enum class Stage : uint8_t { Connecting, Waiting, Reading };

  [[nodiscard]] Request next_request();
  void compose_post(Request& request);
  [[nodiscard]] std::chrono::milliseconds think_time();
  void ask(const Request& request);
  void exchange(const Request& request, Stage& stage);
  void judge(const Request& request, const Message& answer);
  void part(const Request& request, const Message& answer);
  void failed(Outcome outcome, const std::string& detail);

  Course& course_;
  Kind kind_;
  std::chrono::milliseconds stream_length_;
  std::minstd_rand random_;
  Stream stream_;
  Score score_;
  Clock::time_point began_;   // of the request under way
  bool seen_closed_ = false;  // as Mishap has it
};

/// What a broken connection means.
Outcome outcome_of(StreamFailure::Cause cause, bool within_body);

}  // namespace restgate::itest::torture
