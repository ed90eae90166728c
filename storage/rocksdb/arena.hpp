// Allocates pieces of memory that are freed together, when the arena is destroyed. One thread at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace ordem::storage {

class arena {
 public:
  // Returns memory that is aligned for pointers and 64-bit numbers.
  char* allocate(std::size_t bytes) {
    bytes = (bytes + alignment - 1) / alignment * alignment;
    if (bytes > free_bytes_) {
      free_bytes_ = std::max(bytes, next_block_bytes_);
      next_block_bytes_ = std::min(2 * next_block_bytes_, block_bytes_max);
      free_ = blocks_.emplace_back(new char[free_bytes_]).get();
      bytes_.fetch_add(free_bytes_, std::memory_order_relaxed);
    }
    char* const taken = free_;
    free_ += bytes;
    free_bytes_ -= bytes;
    return taken;
  }

  // Returns the size of all blocks. Thread-safe.
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t alignment = 8;
  static constexpr std::size_t block_bytes_max = std::size_t{256} << 10;

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
  std::size_t next_block_bytes_ = std::size_t{4} << 10;  // small at first: some arenas get little
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace ordem::storage
