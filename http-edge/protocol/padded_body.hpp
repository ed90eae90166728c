// A Beast body in memory, with the padding that simdjson reads past the end, so that the body is parsed in place
// without a copy. Owned by one connection at a time.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <boost/system/errc.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "http-edge/protocol/memory_budget.hpp"

namespace ordem::http_edge {

// The detail of the error for a request whose body the memory budget has no room for.
inline constexpr std::string_view body_memory_detail =
    "the requests that are arriving take as much memory as --body-memory allows";

struct padded_body {
  class value_type {
   public:
    std::string_view view() const noexcept { return {bytes_.get(), size_}; }

    // Counts the memory of the body in the budget from now on, also when the body is moved. REQUIRES: it is empty.
    void count_in(memory_budget& budget) { memory_ = memory_budget::permit(budget); }
    // Bounds the memory that append() allocates, until the body is cleared.
    void expect_at_most(std::size_t size) { expected_max_ = size; }

    // Keeps the memory for the next body if it is small.
    void clear() {
      size_ = 0;
      expected_max_ = no_bound;
      if (capacity_ > memory_budget::uncounted_bytes) {
        bytes_.reset();
        capacity_ = 0;
      }
      memory_.resize(capacity_);
    }
    // Returns false, without a change, if the budget does not have the memory.
    bool reserve(std::size_t size) {
      if (size <= capacity_) return true;
      if (!memory_.resize(size)) return false;
      auto larger = std::make_unique_for_overwrite<char[]>(size + simdjson::SIMDJSON_PADDING);
      if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
      bytes_ = std::move(larger);
      capacity_ = size;
      return true;
    }
    // Returns false, without a change, if the budget does not have the memory. The memory grows by doubling with the
    // received bytes, not with the announced size: a client that announces a large body need not send it.
    bool append(const void* data, std::size_t size) {
      if (size == 0) return true;
      const std::size_t needed = size_ + size;
      if (needed > capacity_ && !reserve(std::max(needed, std::min(expected_max_, 2 * capacity_)))) return false;
      std::memcpy(bytes_.get() + size_, data, size);
      size_ = needed;
      return true;
    }

    // Removes bytes at the front; the others move there.
    void drop_front(std::size_t size) {
      if (size == 0) return;
      std::memmove(bytes_.get(), bytes_.get() + size, size_ - size);
      size_ -= size;
    }

   private:
    static constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();

    std::unique_ptr<char[]> bytes_;  // capacity_ bytes and the padding, of which size_ are the body
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::size_t expected_max_ = no_bound;
    memory_budget::permit memory_;
  };

  static std::uint64_t size(const value_type& body) { return body.view().size(); }

  // Fills a body from Beast's parser (the BodyReader concept).
  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(boost::beast::http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& content_length, boost::beast::error_code& ec) {
      if (content_length) {
        const std::uint64_t length = *content_length;
        body_.expect_at_most(static_cast<std::size_t>(length));
        body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length, memory_budget::uncounted_bytes)));
      }
      ec = {};
    }
    template <class ConstBufferSequence>
    std::size_t put(const ConstBufferSequence& buffers, boost::beast::error_code& ec) {
      std::size_t taken = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        if (!body_.append(buffer.data(), buffer.size())) {
          ec = make_error_code(boost::system::errc::not_enough_memory);
          return taken;
        }
        taken += buffer.size();
      }
      ec = {};
      return taken;
    }
    void finish(boost::beast::error_code& ec) { ec = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace ordem::http_edge
