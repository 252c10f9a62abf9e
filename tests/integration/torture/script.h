// Script: what the torture's clients ask and its origin answers, so that either side can tell every byte the other
// should have sent from the number of the request alone. Test process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace restgate::itest::torture {

/// The first segment of a target, and the route that serves it.
enum class Scene : uint8_t { Get, Post, Slow, Tunnel };

std::string_view name_of(Scene scene);

/// "/get/17", "/slow/17/1200": a scene, the request's number, and for a slow stream its milliseconds.
struct Cue {
  Scene scene = Scene::Get;
  uint64_t number = 0;
  std::chrono::milliseconds length{0};

  [[nodiscard]] std::string target() const;
  /// Failure when it is no cue.
  static Cue parse(std::string_view target);
};

/// The body that belongs to a number: mostly small, now and then larger than a buffer.
std::string body_of(uint64_t number);

/// The body of a slow stream, and the number of chunks that the origin sends it in.
std::string stream_of(uint64_t number);
inline constexpr size_t kStreamChunks = 24;

/// The answer to a POST that came whole.
std::string receipt_of(uint64_t number);

/// The payload of frame `n` of a tunnel; `from` tells the directions apart ('c': client, 'o': origin of its own
/// accord).
std::string frame_of(uint64_t tunnel, char from, uint64_t n);

}  // namespace restgate::itest::torture
