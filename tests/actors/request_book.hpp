// Random messages, drawn from a seed: GUIDs are repeated, and most messages change a few orders.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {

// The request of each GUID, and the orders known so far. Thread-safe.
class request_book {
 public:
  explicit request_book(std::uint64_t seed) : random_(seed) {}

  // Returns the request of one of `count` GUIDs, the first of which has that number.
  message some_message(std::uint64_t first, std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = first + random_() % count;
    auto found = requests_.find(number);
    if (found == requests_.end()) {
      found = requests_.emplace(number, make(number)).first;
      numbers_.emplace(std::string(found->second.guid.view()), number);
    }
    message what = found->second;
    if (random_() % 20 == 0) ++what.fingerprint.low;  // another request with the same GUID
    return what;
  }
  void learn(const shared_order& order) {
    const std::lock_guard lock(mutex_);
    version& newest = known_[order->id];
    newest = std::max(newest, order->version);
  }
  // REQUIRES: some_message() has returned the request.
  message request_of(const guid& id) const {
    const std::lock_guard lock(mutex_);
    return requests_.at(numbers_.at(std::string(id.view())));
  }
  // Returns one of the newest orders, or nullopt if none is known.
  std::optional<order_id> some_order() {
    const std::lock_guard lock(mutex_);
    if (known_.empty()) return std::nullopt;
    return one_of_the_newest()->first;
  }

 private:
  message make(std::uint64_t number) {
    const std::string customer = "c-" + std::to_string(random_() % 3);
    if (known_.empty() || random_() % 4 == 0) return creation(guid_of(number), content_of(customer), number);
    const auto order = one_of_the_newest();
    // The newest version known, the one before, or one that may exist later.
    const version against{order->second.number + random_() % 3 - (order->second.number > 1 ? 1 : 0)};
    switch (random_() % 8) {
      case 0:
        return status_move(guid_of(number), order->first, against, static_cast<order_status>(1 + random_() % 5),
                           number);
      case 1: return replacement(guid_of(number), order_id_of(number), {1}, content_of(), number);  // no such order
      case 2:
      case 3: {
        merge_content change;
        change.customer_id = customer;
        return patch(guid_of(number), order->first, against, change, number);
      }
      default: return replacement(guid_of(number), order->first, against, content_of(customer), number);
    }
  }

  // So that each has many versions. REQUIRES: an order is known.
  std::map<order_id, version>::const_iterator one_of_the_newest() {
    constexpr std::size_t hot = 60;
    return std::prev(known_.end(), static_cast<std::ptrdiff_t>(1 + random_() % std::min(hot, known_.size())));
  }

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::map<std::uint64_t, message> requests_;
  std::map<std::string, std::uint64_t> numbers_;  // of the GUIDs
  std::map<order_id, version> known_;
};

}  // namespace ordem::testing
