// The bytes of a flight recorder's segment. Written by one worker, read by the master; both only through Writer and
// Block.
//
//   Header · Slot[kFirstSlot + kSlots]
//
// The first slots are not for requests in flight: one takes what nobody asks for, one the connection whose request head
// is being read, one is shared by the requests that found no slot. So a writer has a slot to write to whatever it does,
// and no case to tell apart.
//
// A slot changes hands by its phase alone: Recording is stored before its contents are touched, any other one after
// they are complete. A writer that dies in between leaves Recording behind.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/flight/phase.h"

namespace restgate::flight::layout {

static_assert(std::atomic<uint32_t>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free);

inline constexpr uint64_t kMagic = 0x0154484C46475252;  // "RRGFLHT" and 1, little-endian
/// To be raised whenever the bytes change their place or meaning.
inline constexpr uint32_t kVersion = 1;

/// Requests that can be in flight at once with a record each.
inline constexpr uint32_t kSlots = 1024;

// Slots by number; also where the worker is (Header::at).
inline constexpr uint32_t kNowhere = 0;     ///< acts on no request
inline constexpr uint32_t kInHead = 1;      ///< reads a request's head, which is not a request yet
inline constexpr uint32_t kUnrecorded = 2;  ///< acts on a request that found no slot
inline constexpr uint32_t kFirstSlot = 3;
inline constexpr uint32_t kAllSlots = kFirstSlot + kSlots;

/// What a slot holds as text, one behind the other in this order.
enum class Text : uint8_t { Client, Method, Target, Host, UserAgent, kCount };
inline constexpr size_t kTextCount = static_cast<size_t>(Text::kCount);
inline constexpr std::array<uint8_t, kTextCount> kTextLimits = {48, 16, 208, 64, 112};
inline constexpr size_t kTextBytes = 448;
static_assert(kTextLimits[0] + kTextLimits[1] + kTextLimits[2] + kTextLimits[3] + kTextLimits[4] == kTextBytes);

struct alignas(64) Slot {
  std::atomic<uint32_t> phase{0};  ///< Phase
  uint32_t route = 0;              ///< index in the configuration + 1; 0: none
  uint32_t service = 0;            ///< likewise
  uint8_t body = 0;                ///< Body
  std::array<uint8_t, kTextCount> sizes{};
  uint64_t content_length = 0;
  int64_t started_us = 0;
  std::atomic<int64_t> touched_us{0};
  std::array<char, kTextBytes> text{};
};
static_assert(sizeof(Slot) == 512 && offsetof(Slot, text) + kTextBytes == 496);

struct alignas(64) Header {
  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t slots = kSlots;
  std::atomic<uint32_t> at{kNowhere};   ///< the slot of the request that the worker acts on
  std::atomic<uint32_t> unrecorded{0};  ///< requests in flight that found no slot
};

struct Segment {
  Header header;
  std::array<Slot, kAllSlots> slots;
};

}  // namespace restgate::flight::layout
