// What a flight recorder says of a request besides its text: how far it has come, and its body. Any process.
#pragma once

#include <cstdint>
#include <string_view>

namespace restgate::flight {

/// How far a request has come; 0: the slot is free.
enum class Phase : uint8_t {
  Free,
  Recording,        ///< its record is being written
  ReadingHead,      ///< not a request yet
  Routing,          ///< its head is complete
  AwaitingBackend,  ///< waits for a connection to a backend
  SendingRequest,   ///< its head is on its way to the backend, its body may still be coming
  AwaitingAnswer,   ///< the backend has all of it
  Streaming,        ///< the answer goes to the client
  Answering,        ///< the answer is our own
  kCount
};

/// "reading_head" … "answering"; "recording" for a record that its writer did not complete.
[[nodiscard]] constexpr std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::Free:
      return "free";
    case Phase::Recording:
      return "recording";
    case Phase::ReadingHead:
      return "reading_head";
    case Phase::Routing:
      return "routing";
    case Phase::AwaitingBackend:
      return "awaiting_backend";
    case Phase::SendingRequest:
      return "sending_request";
    case Phase::AwaitingAnswer:
      return "awaiting_answer";
    case Phase::Streaming:
      return "streaming";
    case Phase::Answering:
      return "answering";
    case Phase::kCount:
      break;
  }
  return "";
}

/// How a request's body is framed.
enum class Body : uint8_t { None, Length, Chunked, kCount };

}  // namespace restgate::flight
