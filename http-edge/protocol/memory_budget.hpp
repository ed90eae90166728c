// A bound on the memory of all connections together, for buffers whose size the clients decide. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ordem::http_edge {

class memory_budget {
 public:
  // Buffers up to this size are not counted: a connection keeps them from request to request. So small requests do not
  // touch the budget, and are served when it is used up; --max-connections bounds their memory.
  static constexpr std::size_t uncounted_bytes = 4096;

  // The share of one buffer in the budget, returned when the permit is destroyed. For one thread at a time.
  class permit {
   public:
    // Belongs to no budget: resize() always succeeds.
    permit() noexcept = default;
    explicit permit(memory_budget& of) noexcept : of_(&of) {}
    permit(permit&& other) noexcept : of_(other.of_), bytes_(std::exchange(other.bytes_, 0)) {}
    permit& operator=(permit&& other) noexcept {
      if (this == &other) return *this;
      give_back(bytes_);
      of_ = other.of_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() { give_back(bytes_); }

    // Changes the share to that of a buffer of this size. Returns false, without a change, if the budget does not have
    // the additional memory. A smaller size always succeeds.
    bool resize(std::size_t buffer_bytes) noexcept {
      const std::size_t bytes = buffer_bytes > uncounted_bytes ? buffer_bytes : 0;
      if (bytes > bytes_ && of_ != nullptr && !of_->take(bytes - bytes_)) return false;
      if (bytes < bytes_) give_back(bytes_ - bytes);
      bytes_ = bytes;
      return true;
    }

   private:
    void give_back(std::size_t bytes) noexcept {
      if (bytes > 0 && of_ != nullptr) of_->used_.fetch_sub(bytes, std::memory_order_relaxed);
    }

    memory_budget* of_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit memory_budget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  memory_budget(const memory_budget&) = delete;
  memory_budget& operator=(const memory_budget&) = delete;

  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  // Returns how often the budget did not have the memory.
  std::uint64_t refusals() const noexcept { return refusals_.load(std::memory_order_relaxed); }

 private:
  bool take(std::size_t bytes) noexcept {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > bytes_max_ - used) {
        refusals_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }

  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};  // never more than bytes_max_
  std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace ordem::http_edge
