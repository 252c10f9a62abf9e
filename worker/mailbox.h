// Mailbox: a queue by which workers pass live client connections to each other, each with what is known of it. Worker.
//
// Like a listening slot, a mailbox belongs to the master, which never closes it: a connection that is in it survives
// the death of the worker that should have taken it. Every worker may send to every mailbox; worker i of N takes from
// those whose number mod N is i (see SlotWatch). All processes are ours, on one machine, but maybe of two versions of
// the program: ParcelHead only ever grows at its end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::worker {

/// Both ends of a mailbox, as inherited; the master's.
struct MailboxFds {
  int in = -1;   ///< to put into
  int out = -1;  ///< to take from
};

/// Master: makes the two ends. Non-blocking, close-on-exec.
Result<std::array<UniqueFd, 2>> make_mailbox();

enum class ParcelKind : uint8_t {
  Fresh = 1,   ///< accepted, not a byte read
  Client = 2,  ///< between two requests, or within the head of one: its bytes come along
  Tunnel = 3,  ///< two descriptors: client, backend
};

/// What the new owner has to know of a client connection.
struct ClientFacts {
  std::array<char, 46> address{};  ///< the client's, as text
  uint8_t address_size = 0;
  bool proxied = true;                ///< no PROXY header is due (any more); the address is the one that it told
  bool head_begun = false;            ///< the bytes are the beginning of a request's head, since `since_ms`
  std::array<uint8_t, 7> reserved{};  // in the place of padding: it travels, and is nobody's stack
  int64_t since_ms = 0;               ///< CLOCK_MONOTONIC: idle since, or accepted if there has been no request
  uint32_t requests = 0;              ///< exchanges so far
  uint32_t reserved_too = 0;
  [[nodiscard]] std::string_view address_text() const { return {address.data(), address_size}; }
};
static_assert(std::has_unique_object_representations_v<ClientFacts>, "no padding");

/// One end of a tunnel.
struct TunnelEnd {
  bool eof = false;    ///< this end's peer sends no more
  bool ended = false;  ///< and the other end has been told
};

struct Parcel {
  ParcelKind kind = ParcelKind::Fresh;
  ClientFacts facts;
  TunnelEnd client_end;
  TunnelEnd backend_end;
  /// Read, but not used (Client) or not written on yet (Tunnel: from the client, from the backend).
  std::string from_client;
  std::string from_backend;
  UniqueFd client;
  UniqueFd backend;  ///< of a tunnel
};

/// Puts a copy of the parcel's descriptors and all else into the mailbox. False: it is full (or broken), try later.
[[nodiscard]] bool put(int mailbox_in, const Parcel& parcel);

enum class Taken : uint8_t { Parcel, Nothing, Spoiled };
/// Takes the next parcel. Spoiled: what was there made no sense and has been dropped.
[[nodiscard]] Taken take(int mailbox_out, Parcel& parcel);

}  // namespace restgate::worker
