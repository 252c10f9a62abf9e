#include "worker/buffer_pool.h"

#include <new>

namespace restgate::worker {

BufferPool::~BufferPool() {
  while (free_ != nullptr) {
    Buffer* next = free_->next_free_;
    destroy(free_);
    free_ = next;
  }
}

BufferPtr BufferPool::take() {
  Buffer* buffer = free_;
  if (buffer != nullptr) {
    free_ = buffer->next_free_;
    --free_count_;
    buffer->base_ = buffer->begin_ = buffer->end_ = 0;
  } else {
    buffer = new (::operator new(sizeof(Buffer) + capacity_)) Buffer(capacity_);
  }
  return BufferPtr(buffer, BufferReturner{this});
}

BufferPtr BufferPool::take_with(std::string_view bytes) {
  BufferPtr buffer = take();
  if (bytes.size() > capacity_) {
    const auto size = static_cast<uint32_t>(bytes.size());
    buffer = BufferPtr(new (::operator new(sizeof(Buffer) + size)) Buffer(size), BufferReturner{this});
  }
  std::memcpy(buffer->room(), bytes.data(), bytes.size());
  buffer->filled(bytes.size());
  return buffer;
}

void BufferPool::give_back(Buffer* buffer) {
  if (free_count_ >= keep_ || buffer->capacity_ != capacity_) return destroy(buffer);
  buffer->next_free_ = free_;
  free_ = buffer;
  ++free_count_;
}

void BufferPool::destroy(Buffer* buffer) {
  buffer->~Buffer();
  ::operator delete(buffer);
}

}  // namespace restgate::worker
