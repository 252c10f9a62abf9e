#include "common/scoreboard.h"

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

namespace restgate {

using platform::Mapping;

ScoreboardMemory ScoreboardMemory::create() {
  static_assert(std::atomic<int64_t>::is_always_lock_free, "shared between processes: no hidden locks");
  auto fd = platform::create_memfd("restgate-scoreboard", sizeof(Scoreboard));
  auto mapping =
      fd ? Mapping::map(fd->get(), sizeof(Scoreboard), Mapping::Access::ReadWrite) : Result<Mapping>(fd.error());
  if (!mapping) {
    std::fprintf(stderr, "restgate: no memory for the scoreboard: %s\n", mapping.error().message.c_str());
    std::abort();
  }
  auto* board = new (mapping->bytes().data()) Scoreboard;
  board->bytes = sizeof(Scoreboard);
  return {std::move(fd).value(), std::move(mapping).value(), board};
}

Result<ScoreboardMemory> ScoreboardMemory::attach(UniqueFd fd) {
  constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  const auto size = platform::file_size(fd.get());
  if (seals < 0 || (seals & kSizeSeals) != kSizeSeals || !size || *size != sizeof(Scoreboard))
    return Error{"not a scoreboard: no file in memory of its sealed size"};
  auto mapping = Mapping::map(fd.get(), sizeof(Scoreboard), Mapping::Access::ReadWrite);
  if (!mapping) return std::move(mapping).error();
  auto* board = reinterpret_cast<Scoreboard*>(mapping->bytes().data());
  if (board->magic != Scoreboard::kMagic || board->version != Scoreboard::kVersion ||
      board->bytes != sizeof(Scoreboard))
    return Error{"a scoreboard of another version"};
  return ScoreboardMemory(std::move(fd), std::move(mapping).value(), board);
}

}  // namespace restgate
