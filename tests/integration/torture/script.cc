#include "integration/torture/script.h"

#include <array>
#include <charconv>

#include "integration/support/deadline.h"
#include "integration/support/message.h"

namespace restgate::itest::torture {

namespace {

constexpr std::array<std::string_view, 4> kSceneNames = {"get", "post", "slow", "tunnel"};

// Takes "/segment" off the front.
std::string_view take_segment(std::string_view& rest) {
  if (rest.empty() || rest.front() != '/') return {};
  rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

uint64_t number_in(std::string_view segment, std::string_view target) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(segment.data(), segment.data() + segment.size(), number);
  if (error != std::errc() || end != segment.data() + segment.size())
    throw Failure("not a target of the torture: " + printable(target));
  return number;
}

// Spreads neighbouring numbers (a multiplicative hash).
uint64_t spread(uint64_t number) {
  return (number * 0x9e3779b97f4a7c15U) >> 32U;
}

}  // namespace

std::string_view name_of(Scene scene) {
  return kSceneNames.at(static_cast<size_t>(scene));
}

std::string Cue::target() const {
  std::string text = "/" + std::string(name_of(scene)) + "/" + std::to_string(number);
  if (scene == Scene::Slow) text += "/" + std::to_string(length.count());
  return text;
}

Cue Cue::parse(std::string_view target) {
  std::string_view rest = target;
  const std::string_view name = take_segment(rest);
  Cue cue;
  for (size_t i = 0; i < kSceneNames.size(); ++i) {
    if (kSceneNames.at(i) != name) continue;
    cue.scene = static_cast<Scene>(i);
    cue.number = number_in(take_segment(rest), target);
    if (cue.scene == Scene::Slow)
      cue.length = std::chrono::milliseconds(static_cast<int64_t>(number_in(take_segment(rest), target)));
    if (rest.empty()) return cue;
  }
  throw Failure("not a target of the torture: " + printable(target));
}

std::string body_of(uint64_t number) {
  const uint64_t dice = spread(number);
  const size_t size = dice % 16 == 0 ? 20000 + dice % 80000 : dice % 2000;
  return pattern_bytes(size, static_cast<unsigned>(number));
}

std::string stream_of(uint64_t number) {
  return pattern_bytes(kStreamChunks * (1000 + spread(number) % 1000), static_cast<unsigned>(number));
}

std::string receipt_of(uint64_t number) {
  return "stored " + std::to_string(number);
}

std::string frame_of(uint64_t tunnel, char from, uint64_t n) {
  const uint64_t dice = spread(tunnel * 7919 + n);
  const size_t size = dice % 32 == 0 ? 10000 + dice % 90000 : dice % 300;
  return from + (" " + std::to_string(tunnel)) + " " + std::to_string(n) + " " +
         pattern_bytes(size, static_cast<unsigned>(dice));
}

}  // namespace restgate::itest::torture
