// A Beast body in memory with the padding that simdjson reads past the end: the body is parsed where it arrived,
// without a copy.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <cstring>
#include <string_view>
#include <vector>

namespace ordem::edge {

struct padded_body {
  class value_type {
   public:
    std::string_view view() const noexcept { return {bytes_.data(), size_}; }

    // Keeps the memory for the next body, unless an unusually large one took it.
    void clear() {
      size_ = 0;
      if (bytes_.size() > kept_bytes_max) bytes_ = {};
    }
    void reserve(std::size_t size) {
      if (bytes_.size() < size + simdjson::SIMDJSON_PADDING) bytes_.resize(size + simdjson::SIMDJSON_PADDING);
    }
    void append(const void* data, std::size_t size) {
      if (size == 0) return;
      if (bytes_.size() < size_ + size + simdjson::SIMDJSON_PADDING) reserve(std::max(size_ + size, size_ * 2));
      std::memcpy(bytes_.data() + size_, data, size);
      size_ += size;
    }

    // Drops bytes that are done with; what follows moves to the front.
    void drop_front(std::size_t size) {
      if (size == 0) return;
      std::memmove(bytes_.data(), bytes_.data() + size, size_ - size);
      size_ -= size;
    }

   private:
    static constexpr std::size_t kept_bytes_max = 16 * 1024;
    std::vector<char> bytes_;  // size_ bytes of body and at least the padding
    std::size_t size_ = 0;
  };

  static std::uint64_t size(const value_type& body) { return body.view().size(); }

  // What Beast's parser fills a body through (its BodyReader concept).
  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(boost::beast::http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& content_length, boost::beast::error_code& ec) {
      // What a client merely announces is not worth more memory than this; the rest grows as it comes.
      constexpr std::uint64_t believed_bytes_max = 64 * 1024;
      if (content_length) body_.reserve(static_cast<std::size_t>(std::min(*content_length, believed_bytes_max)));
      ec = {};
    }
    template <class ConstBufferSequence>
    std::size_t put(const ConstBufferSequence& buffers, boost::beast::error_code& ec) {
      std::size_t taken = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        body_.append(buffer.data(), buffer.size());
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

}  // namespace ordem::edge
