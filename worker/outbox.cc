#include "worker/outbox.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace restgate::worker {
namespace {

constexpr size_t kLongestJoined = 2048;

}  // namespace

void Outbox::add_scratch(std::string_view bytes, size_t room) {
  assert(count_ == 0);
  add(bytes);
  scratch_first_ = true;
  scratch_room_ = static_cast<uint32_t>(std::min<size_t>(room, UINT32_MAX));
}

/// Appends to the scratch bytes what is cheaper to copy than to name in a vector of its own.
bool Outbox::join(std::string_view bytes) {
  if (!scratch_first_ || count_ != 1 || first_ != 0) return false;
  if (bytes.size() > kLongestJoined || bytes.size() > scratch_room_) return false;
  iovec& piece = pieces_[0];
  std::memcpy(static_cast<char*>(piece.iov_base) + piece.iov_len, bytes.data(), bytes.size());
  piece.iov_len += bytes.size();
  scratch_room_ -= static_cast<uint32_t>(bytes.size());
  return true;
}

void Outbox::add(std::string_view bytes) {
  assert(count_ < kMaxPieces);
  if (bytes.empty() || join(bytes)) return;
  // writev's interface has no const; nobody writes through it.
  pieces_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
}

void Outbox::add_small(std::string_view bytes) {
  assert(small_used_ + bytes.size() <= kSmallBytes);
  char* copy = small_.data() + small_used_;
  std::memcpy(copy, bytes.data(), bytes.size());
  small_used_ = static_cast<uint8_t>(small_used_ + bytes.size());
  add({copy, bytes.size()});
}

Pipe* Outbox::take_pipe(PipePool& pipes) {
  assert(empty());
  pipe_ = pipes.take();
  return pipe_.get();
}

Outbox::Flush Outbox::flush(Transport& transport, BufferPool& buffers) {
  while (first_ != count_) {
    const IoResult result = transport.write({pieces_.data() + first_, static_cast<size_t>(count_ - first_)});
    if (result.kind == IoResult::Kind::Ok) {
      written_ += result.bytes;
      drop_written(result.bytes);
      continue;
    }
    if (result.kind == IoResult::Kind::WouldBlock) {
      keep_scratch(buffers);
      return Flush::Blocked;
    }
    return Flush::Failed;
  }
  if (pipe_ != nullptr) {
    if (const Flush result = flush_pipe(transport); result != Flush::Drained) return result;
  }
  discard();
  return Flush::Drained;
}

Outbox::Flush Outbox::flush_pipe(Transport& transport) {
  while (pipe_->held > 0) {
    const IoResult result = transport.write_from(*pipe_);
    if (result.kind == IoResult::Kind::WouldBlock) return Flush::Blocked;
    if (result.kind != IoResult::Kind::Ok) return Flush::Failed;
    written_ += result.bytes;
  }
  return Flush::Drained;
}

void Outbox::drop_written(size_t bytes) {
  while (first_ < count_ && bytes >= pieces_[first_].iov_len) bytes -= pieces_[first_++].iov_len;
  if (bytes == 0) return;
  iovec& piece = pieces_[first_];
  piece.iov_base = static_cast<char*>(piece.iov_base) + bytes;
  piece.iov_len -= bytes;
}

void Outbox::keep_scratch(BufferPool& buffers) {
  if (!scratch_first_) return;
  scratch_first_ = false;
  if (first_ > 0) return;  // written already
  iovec& piece = pieces_[0];
  kept_ = buffers.take();
  assert(piece.iov_len <= kept_->room_size());
  std::memcpy(kept_->room(), piece.iov_base, piece.iov_len);
  piece.iov_base = kept_->room();
}

bool Outbox::move_to(Buffer& to) {
  size_t size = 0;
  for (size_t i = first_; i < count_; ++i) size += pieces_[i].iov_len;
  if (pipe_ || size > to.room_size()) return false;
  for (size_t i = first_; i < count_; ++i) {
    std::memcpy(to.room(), pieces_[i].iov_base, pieces_[i].iov_len);
    to.filled(pieces_[i].iov_len);
  }
  written_ += size;
  discard();
  return true;
}

void Outbox::copy_unsent(std::string& to) const {
  assert(!pipe_);
  for (size_t i = first_; i < count_; ++i) to.append(static_cast<const char*>(pieces_[i].iov_base), pieces_[i].iov_len);
}

void Outbox::discard() {
  first_ = count_ = small_used_ = 0;
  scratch_first_ = false;
  kept_.reset();
  pipe_.reset();
}

void Outbox::reset() {
  discard();
  written_ = 0;
}

}  // namespace restgate::worker
