// The GUIDs of one dedupe shard, each with its tenant: keeps those in flight, and reads the decided ones from the
// store. A plain class, owned by the shard. Not thread-safe.
#pragma once

#include <variant>
#include <vector>

#include "actors/execution.hpp"
#include "engine/model/tenant_key.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// What a repeat gets while the first message with its GUID is in flight: its reply, or 409.
enum class in_flight_policy : std::uint8_t { join, conflict };

class dedupe_table {
 public:
  struct proceed {};  // a new message, in flight until complete()
  struct joined {};   // complete() returns its reply
  using admission = std::variant<proceed, joined, answer>;

  // `committed` must outlive the table.
  dedupe_table(const order_lookup& committed, in_flight_policy policy) : committed_(committed), policy_(policy) {}

  // Marks a new message as in flight, or returns the answer to one that is known or can't be looked up.
  admission admit(const request_token& token, const message& request, const clock_reading& now);

  // Ends the flight of a message that is durable or has failed. Appends the replies to the messages that joined it.
  // REQUIRES: it is in flight.
  void complete(const completion& completed, std::vector<reply>& replies);

  // Returns the number of GUIDs in flight.
  std::size_t in_flight() const noexcept { return in_flight_.size(); }

 private:
  struct flight {
    ordem::fingerprint fingerprint;
    std::vector<request_token> joined;
  };

  answer replay(const message_record& record) const;

  const order_lookup& committed_;
  const in_flight_policy policy_;
  tenant_map<guid, flight> in_flight_;
};

}  // namespace ordem::actors
