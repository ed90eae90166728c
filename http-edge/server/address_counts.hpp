// How many connections each client address has open. Owned by the server. Thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace ordem::http_edge {

// An IPv4 address, also if it is mapped to IPv6, or the first 64 bits of an IPv6 address: one client usually has all
// addresses of such a network.
struct client_network {
  bool is_v6 = false;
  std::uint64_t bits = 0;
  friend bool operator==(const client_network&, const client_network&) = default;
};

client_network network_of(const boost::asio::ip::address& address);

class address_counts {
 public:
  // Returns the number of networks with an open connection.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

 private:
  friend class address_permit;

  struct hash {
    std::size_t operator()(const client_network& of) const noexcept {
      return std::hash<std::uint64_t>()(of.is_v6 ? ~of.bits : of.bits);
    }
  };

  bool enter(const client_network& from, std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::size_t& open = open_[from];
    if (open >= most) return false;  // `most` is not 0, so a new entry is not left behind
    ++open;
    return true;
  }
  void leave(const client_network& from) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(from);
    if (--found->second == 0) open_.erase(found);
  }

  mutable std::mutex mutex_;
  std::unordered_map<client_network, std::size_t, hash> open_;  // no entry is 0
};

// Counts one connection of a network as open while it exists. An empty permit counts nothing.
class address_permit {
 public:
  address_permit() noexcept = default;
  // Returns nullopt if the network has `most` connections open. REQUIRES: most > 0.
  static std::optional<address_permit> take(address_counts& counts, const client_network& from, std::size_t most) {
    if (!counts.enter(from, most)) return std::nullopt;
    return address_permit(counts, from);
  }
  address_permit(address_permit&& other) noexcept
      : counts_(std::exchange(other.counts_, nullptr)), from_(other.from_) {}
  address_permit(const address_permit&) = delete;
  address_permit& operator=(const address_permit&) = delete;
  address_permit& operator=(address_permit&&) = delete;
  ~address_permit() {
    if (counts_ != nullptr) counts_->leave(from_);
  }

 private:
  address_permit(address_counts& counts, const client_network& from) noexcept : counts_(&counts), from_(from) {}

  address_counts* counts_ = nullptr;
  client_network from_;
};

}  // namespace ordem::http_edge
