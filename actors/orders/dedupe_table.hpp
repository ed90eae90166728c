// What a dedupe shard knows of its GUIDs: those in flight here, those decided in the store. A plain class, owned by one
// shard.
#pragma once

#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/execution.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// What a repeat meets while the first is executing.
enum class in_flight_policy : std::uint8_t { join, conflict };

class dedupe_table {
 public:
  struct proceed {};  // a new message: it is marked as in flight until settle()
  struct joined {};   // settle() will answer it
  using admission = std::variant<proceed, joined, answer>;

  // `committed` must outlive the table.
  dedupe_table(const order_reader& committed, in_flight_policy policy) : committed_(committed), policy_(policy) {}

  admission admit(const request_token& waiter, const message& asked, const clock_reading& now);

  // The message is decided and durable, or has failed: it is in flight no more. Appends the answers of those that
  // joined it.
  void complete(const completion& completed, std::vector<reply>& replies);

  std::size_t in_flight() const noexcept { return in_flight_.size(); }

 private:
  struct flight {
    ordem::fingerprint fingerprint;
    std::vector<request_token> joined;
  };

  answer replay(const message_record& record) const;

  const order_reader& committed_;
  const in_flight_policy policy_;
  std::unordered_map<guid, flight> in_flight_;
};

}  // namespace ordem::actors
