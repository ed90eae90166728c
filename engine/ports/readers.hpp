// Reads of committed state: nothing is returned before it is durable. Implemented by the store, called by the edge and
// the actors.
//
// All readers are thread-safe and may block for a read from disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/outcome.hpp"
#include "engine/model/time.hpp"

namespace ordem {

// How far the log has come.
struct log_positions {
  position decided;                   // of the last entry that was appended
  position durable;                   // of the last entry that is on disk
  std::optional<position> persisted;  // of the last entry that Postgres holds; absent without it or while unknown
};

enum class read_error : std::uint8_t { storage_failed };

template <class Value>
using read_result = tl::expected<Value, read_error>;

class capture_reader {
 public:
  virtual ~capture_reader() = default;
  // Returns the tenant's capture with that key, or null if there is none or it has expired at `now`.
  virtual read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key,
                                                   const clock_reading& now) const = 0;
};

// A cursor over orders, all read from one snapshot. Not thread-safe. Must not outlive its reader.
class order_list {
 public:
  virtual ~order_list() = default;
  // Returns the next order, or null after the last one. May block for a read from disk.
  // REQUIRES: no earlier call returned an error.
  virtual read_result<shared_order> next() = 0;
};

// Point reads of orders, of any tenant, and of messages.
class order_lookup {
 public:
  virtual ~order_lookup() = default;

  // Returns the current version of the order, or null if there is no such order.
  virtual read_result<shared_order> find_order(order_id id) const = 0;
  // As find_order(), without blocking: returns nullopt if the answer would take a read from disk.
  virtual std::optional<shared_order> find_cached_order(order_id id) const = 0;
  // Returns the order at that version, or null if there is no such order or version.
  virtual read_result<shared_order> find_version(order_id id, version which) const = 0;
  // Returns the tenant's message with that GUID, or nullopt if there is none or it has expired at `now`.
  virtual read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                                  const clock_reading& now) const = 0;
};

// All reads of orders. What a client may see of them is in tenant_orders (engine/ports/tenant_orders.hpp).
class order_reader : public order_lookup {
 public:
  // Returns the position of the last log entry that is visible to reads. Every reply sent so far is at or before it.
  virtual position visible() const noexcept = 0;
  // Returns the versions of the order, newest first, beginning below `before` (absent: with the current one).
  virtual std::unique_ptr<order_list> list_versions(order_id id, std::optional<version> before) const = 0;
  // Returns the orders of that customer of the tenant, newest first, beginning after (older than) `after`.
  virtual std::unique_ptr<order_list> list_orders(std::string_view tenant, std::string_view customer_id,
                                                  std::optional<order_id> after) const = 0;
  // As list_orders(), for the orders of the tenant with that external id.
  virtual std::unique_ptr<order_list> list_external(std::string_view tenant, std::string_view external_id,
                                                    std::optional<order_id> after) const = 0;
  // As list_orders(), for all orders of all tenants.
  virtual std::unique_ptr<order_list> list_all(std::optional<order_id> after) const = 0;
};

}  // namespace ordem
