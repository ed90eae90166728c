// Allocates pieces of memory that are freed together, when the arena is destroyed. One thread at a time.
#pragma once

#include <algorithm>
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
      free_bytes_ = std::max(bytes, block_bytes);
      free_ = blocks_.emplace_back(new char[free_bytes_]).get();
    }
    char* const taken = free_;
    free_ += bytes;
    free_bytes_ -= bytes;
    return taken;
  }

 private:
  static constexpr std::size_t alignment = 8;
  static constexpr std::size_t block_bytes = std::size_t{256} << 10;

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
};

}  // namespace ordem::storage
