// The tokens that were verified last, by the SHA-256 of their text. One thread at a time.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

#include "auth/authenticator.hpp"
#include "auth/encoding/sha256.hpp"
#include "engine/model/time.hpp"

namespace ordem::auth {

class token_cache {
 public:
  // Keeps at most so many tokens, at least one, about 250 bytes each: beyond that it forgets the one that was used
  // least recently.
  explicit token_cache(std::size_t tokens_max) noexcept : tokens_max_(tokens_max) {}

  // Returns the identity, or null if the token is not known or does not count at this time.
  shared_identity find(const sha256_hash& token, timestamp now) {
    const auto found = by_hash_.find(token);
    if (found == by_hash_.end()) return nullptr;
    const remembered& entry = *found->second;
    if (now < entry.from || now >= entry.until) {
      entries_.erase(found->second);
      by_hash_.erase(found);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return entry.identity;
  }

  // Remembers a token that counts from `from` to before `until`. REQUIRES: find() has not returned it.
  void add(const sha256_hash& token, shared_identity identity, timestamp from, timestamp until) {
    if (entries_.size() >= tokens_max_) {
      by_hash_.erase(entries_.back().token);
      entries_.pop_back();
    }
    entries_.push_front({token, std::move(identity), from, until});
    by_hash_.emplace(token, entries_.begin());
  }

  void clear() noexcept {
    by_hash_.clear();
    entries_.clear();
  }

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct remembered {
    sha256_hash token;
    shared_identity identity;
    timestamp from;
    timestamp until;
  };

  const std::size_t tokens_max_;
  std::list<remembered> entries_;  // the one that was used last is the first
  std::unordered_map<sha256_hash, std::list<remembered>::iterator, sha256_hasher> by_hash_;
};

}  // namespace ordem::auth
