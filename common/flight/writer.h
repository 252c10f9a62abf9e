// Writer: how a worker notes which requests it has in its hands. Worker process; one thread; no system call, no
// allocation, never blocks or throws.
//
// Nothing secret gets in: the fields of a Head are all there is, and of a query only the names of its parameters.
// Points into its block's mapping, which must outlive it. Knows itself which slots are free, so that what it does never
// depends on shared memory. Exists once in the worker (a copy would give away the same slots).
// A default-constructed Writer is invalid and records nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string_view>

#include "common/flight/layout.h"

namespace restgate::flight {

/// What is recorded of a request's head.
struct Head {
  std::string_view client;  ///< address
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::string_view host;
  std::string_view user_agent;
  bool has_query = false;
  Body body = Body::None;
  uint64_t content_length = 0;  ///< for Body::Length
  int64_t started_us = 0;       ///< CLOCK_MONOTONIC
};

class Writer {
 public:
  /// A request in flight: the number of its slot. 0: none.
  using Ticket = uint32_t;

  Writer() { free_.fill(~uint64_t{0}); }
  [[nodiscard]] explicit operator bool() const noexcept { return segment_ != nullptr; }

  /// The worker reads a request's head from this client.
  void reading_head(std::string_view client, int64_t now_us) noexcept {
    if (segment_ == nullptr) return;
    layout::Slot& slot = open(layout::kInHead);
    slot.started_us = now_us;
    char* end = slot.text.data();
    put(slot, layout::Text::Client, client, end);
    slot.touched_us.store(now_us, std::memory_order_relaxed);
    close(slot, Phase::ReadingHead);
    at(layout::kInHead);
  }

  /// A request's head is complete. To be ended, once.
  [[nodiscard]] Ticket begin(const Head& head, int64_t now_us) noexcept {
    if (segment_ == nullptr) return layout::kNowhere;
    const Ticket ticket = take();
    layout::Slot& slot = open(ticket);
    slot.route = slot.service = 0;
    slot.body = static_cast<uint8_t>(head.body);
    slot.content_length = head.content_length;
    slot.started_us = head.started_us;
    slot.touched_us.store(now_us, std::memory_order_relaxed);
    char* end = slot.text.data();
    put(slot, layout::Text::Client, head.client, end);
    put(slot, layout::Text::Method, head.method, end);
    put_target(slot, head, end);
    put(slot, layout::Text::Host, head.host, end);
    put(slot, layout::Text::UserAgent, head.user_agent, end);
    close(slot, Phase::Routing);
    at(ticket);
    return ticket;
  }

  /// Indices in the configuration.
  void route(Ticket ticket, uint32_t route, uint32_t service) noexcept {
    if (segment_ == nullptr) return;
    layout::Slot& slot = segment_->slots[ticket];
    slot.route = route + 1;
    slot.service = service + 1;
  }
  void phase(Ticket ticket, Phase phase) noexcept {
    if (segment_ != nullptr) close(segment_->slots[ticket], phase);
  }
  /// The worker turns to this request.
  void touch(Ticket ticket, int64_t now_us) noexcept {
    if (segment_ == nullptr) return;
    segment_->slots[ticket].touched_us.store(now_us, std::memory_order_relaxed);
    at(ticket);
  }
  /// The worker acts on no request any more.
  void rest() noexcept {
    if (segment_ != nullptr) at(layout::kNowhere);
  }
  void end(Ticket ticket) noexcept {
    if (segment_ == nullptr) return;
    phase(ticket, Phase::Free);
    at(layout::kNowhere);
    if (ticket >= layout::kFirstSlot) {
      const uint32_t number = ticket - layout::kFirstSlot;
      free_[number / 64] |= uint64_t{1} << (number % 64);
    } else if (ticket == layout::kUnrecorded) {
      segment_->header.unrecorded.store(--unrecorded_, std::memory_order_relaxed);
    }
  }

 private:
  friend class Block;
  static_assert(layout::kSlots % 64 == 0);

  /// The lowest free one: what is touched of the segment is no more than was ever needed at once.
  Ticket take() noexcept {
    for (uint32_t word = 0; word < free_.size(); ++word) {
      if (free_[word] == 0) continue;
      const auto bit = static_cast<uint32_t>(std::countr_zero(free_[word]));
      free_[word] &= free_[word] - 1;
      return layout::kFirstSlot + word * 64 + bit;
    }
    segment_->header.unrecorded.store(++unrecorded_, std::memory_order_relaxed);
    return layout::kUnrecorded;
  }

  void at(Ticket ticket) noexcept { segment_->header.at.store(ticket, std::memory_order_relaxed); }

  layout::Slot& open(Ticket ticket) noexcept {
    layout::Slot& slot = segment_->slots[ticket];
    slot.phase.store(static_cast<uint32_t>(Phase::Recording), std::memory_order_relaxed);
    // Its reader looks when this process is dead: the order of our own stores is all that matters.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return slot;
  }
  static void close(layout::Slot& slot, Phase phase) noexcept {
    slot.phase.store(static_cast<uint32_t>(phase), std::memory_order_release);
  }

  static void put(layout::Slot& slot, layout::Text which, std::string_view text, char*& end) noexcept {
    const size_t limit = layout::kTextLimits[static_cast<size_t>(which)];
    const size_t size = std::min(text.size(), limit);
    std::copy_n(text.data(), size, end);
    if (size != text.size()) mark_cut(end + size);
    slot.sizes[static_cast<size_t>(which)] = static_cast<uint8_t>(size);
    end += size;
  }
  static void mark_cut(char* end) noexcept { std::fill_n(end - 3, 3, '.'); }

  static void put_target(layout::Slot& slot, const Head& head, char*& end) noexcept {
    constexpr auto kTarget = static_cast<size_t>(layout::Text::Target);
    char* const begin = end;
    put(slot, layout::Text::Target, head.path, end);
    if (!head.has_query) return;
    end = put_names(head.query, end, begin + layout::kTextLimits[kTarget]);
    slot.sizes[kTarget] = static_cast<uint8_t>(end - begin);
  }
  /// "?a=&b=" for "a=1&b=2": the names of parameters. What has no '=' may be a value, and is left out. Returns the end.
  static char* put_names(std::string_view query, char* out, char* limit) noexcept;

  layout::Segment* segment_ = nullptr;
  std::array<uint64_t, layout::kSlots / 64> free_{};  // a bit a slot
  uint32_t unrecorded_ = 0;
};

}  // namespace restgate::flight
