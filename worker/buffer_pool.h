// Buffer and BufferPool: the fixed-size byte buffers of the data plane, from a free list. Worker; single thread.
//
// A connection holds a Buffer only while bytes are in it: an idle connection gives it back.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace restgate::worker {

/// Bytes [begin, end) of a fixed block. Filled at the end, used up at the beginning; never moves by itself.
class Buffer {
 public:
  [[nodiscard]] const char* begin() const { return bytes() + begin_; }
  [[nodiscard]] const char* end() const { return bytes() + end_; }
  [[nodiscard]] size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::string_view view() const { return {begin(), size()}; }

  [[nodiscard]] char* room() { return bytes() + end_; }
  [[nodiscard]] size_t room_size() const { return capacity_ - end_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  /// What there is of the block behind the first `n` bytes of the content, free or not.
  [[nodiscard]] size_t room_behind(size_t n) const { return capacity_ - begin_ - n; }
  void filled(size_t n) {
    assert(n <= room_size());
    end_ += static_cast<uint32_t>(n);
  }
  void consume(size_t n) {
    assert(n <= size());
    begin_ += static_cast<uint32_t>(n);
    if (begin_ == end_) begin_ = end_ = base_;
  }
  /// Uses up `n` bytes that stay where they are until unpin(): what is read later goes behind them.
  void consume_and_pin(size_t n) {
    assert(n <= size());
    begin_ += static_cast<uint32_t>(n);
    base_ = begin_;
  }
  void unpin() {
    base_ = 0;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Moves the content to the front of the block (which must not be pinned).
  void compact() {
    assert(base_ == 0);
    std::memmove(bytes(), begin(), size());
    end_ -= begin_;
    begin_ = 0;
  }
  [[nodiscard]] bool at_front() const { return begin_ == 0; }

 private:
  friend class BufferPool;
  explicit Buffer(uint32_t capacity) : capacity_(capacity) {}
  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  Buffer* next_free_ = nullptr;
  uint32_t capacity_;
  uint32_t base_ = 0;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

class BufferPool;
struct BufferReturner {
  BufferPool* pool = nullptr;
  inline void operator()(Buffer* buffer) const;
};
using BufferPtr = std::unique_ptr<Buffer, BufferReturner>;

/// Last in, first out: the buffer given out is the one most likely in the cache. Keeps at most `keep` free ones.
class BufferPool {
 public:
  BufferPool(size_t capacity, size_t keep) : capacity_(static_cast<uint32_t>(capacity)), keep_(keep) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  [[nodiscard]] BufferPtr take();
  /// One with these bytes in it, larger than others if need be.
  [[nodiscard]] BufferPtr take_with(std::string_view bytes);
  [[nodiscard]] size_t buffer_capacity() const { return capacity_; }

 private:
  friend struct BufferReturner;
  void give_back(Buffer* buffer);
  static void destroy(Buffer* buffer);

  uint32_t capacity_;
  size_t keep_;
  size_t free_count_ = 0;
  Buffer* free_ = nullptr;
};

inline void BufferReturner::operator()(Buffer* buffer) const {
  pool->give_back(buffer);
}

}  // namespace restgate::worker
