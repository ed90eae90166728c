// What the micro-benchmarks work on: orders, messages and captures as clients send them, from a seed, so that each run
// has the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/limits.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "engine/model/order_id_generator.hpp"
#include "engine/model/outcome.hpp"
#include "engine/model/time.hpp"
#include "storage/log/entry.hpp"

namespace ordem::bench {

// 2026-11-22T10:15:30.123Z
inline constexpr timestamp sample_time{milliseconds{1'795'342'530'123}};
inline constexpr milliseconds sample_ttl = std::chrono::hours(24);

// Items of an order. The small one is what ordem-load sends.
inline constexpr std::size_t small = 1;
inline constexpr std::size_t large = limits::items_max;

// Bytes in the body of a captured response.
inline constexpr std::size_t small_body = 200;
inline constexpr std::size_t large_body = std::size_t{64} << 10;

enum class command_kind : std::uint8_t { create, replace, merge, status };

class samples {
 public:
  explicit samples(std::uint64_t seed = 1) : random_(seed), ids_(seed, id_sequence_) {}

  // A random UUID, as most clients make their GUIDs.
  std::string guid_text();
  ordem::guid guid();
  order_id id() { return ids_.next(sample_time, {}); }
  std::string capture_key_text();

  // Of one of 10,000 customers, with one attribute.
  order_content content(std::size_t items);
  ordem::order order(std::size_t items);

  // Creates an order of that many items, replaces all its content, patches its attributes, or confirms it.
  command command_of(command_kind what, std::size_t items);
  message creation(std::size_t items);
  // Made against the order as it is.
  message change(command_kind what, const ordem::order& current);

  // What a create amounts to. Ids ascend and GUIDs come at random, as they do in the server.
  storage::message_entry create_entry(std::size_t items);
  std::vector<storage::entry> create_entries(std::size_t count, std::size_t items);

  // JSON, with some headers.
  captured_response response(std::size_t body_bytes);

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  order_id_sequence id_sequence_;
  order_id_generator ids_;
  std::uint64_t created_ = 0;
};

// The body of a write, as a client sends it.
std::string body_of(const message& what);

}  // namespace ordem::bench
