#include "storage/rocksdb/recent_records.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "engine/base/check.hpp"

namespace ordem::storage {
namespace {

std::uint64_t hash_of(std::string_view key) noexcept {
  return XXH3_64bits(key.data(), key.size());
}

const recent_record* newest_upto(const recent_record* record, position upto) noexcept {
  while (record != nullptr && record->at > upto) record = record->older;
  return record;
}

}  // namespace

void sort_and_keep_newest(std::vector<const recent_record*>& records) {
  std::sort(records.begin(), records.end(), [](const recent_record* a, const recent_record* b) {
    const int order = a->key().compare(b->key());
    return order != 0 ? order < 0 : a->at > b->at;
  });
  const auto same_key = [](const recent_record* a, const recent_record* b) { return a->key() == b->key(); };
  records.erase(std::unique(records.begin(), records.end(), same_key), records.end());
}

recent_records::recent_records(std::size_t capacity) : capacity_(capacity), slots_(std::bit_ceil(2 * capacity)) {}

// Returns the slot of the key, or the free slot for it.
std::size_t recent_records::slot_of(std::uint64_t hash, std::string_view key) const noexcept {
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const recent_record* found = slots_[i].newest.load(std::memory_order_acquire);
    if (found == nullptr || (slots_[i].hash == hash && found->key() == key)) return i;
  }
}

const recent_record* recent_records::find(std::string_view key, position upto) const noexcept {
  return newest_upto(slots_[slot_of(hash_of(key), key)].newest.load(std::memory_order_acquire), upto);
}

void recent_records::insert(std::string_view key, std::string_view value, position at, bool removed) {
  CHECK(size() < capacity_);
  const std::uint64_t hash = hash_of(key);
  slot& place = slots_[slot_of(hash, key)];

  char* memory = memory_.allocate(sizeof(recent_record) + key.size() + value.size());
  const auto* made = new (memory)
      recent_record{at, place.newest.load(std::memory_order_relaxed), static_cast<std::uint32_t>(key.size()),
                    static_cast<std::uint32_t>(value.size()), removed};
  std::memcpy(memory + sizeof(recent_record), key.data(), key.size());
  if (!value.empty()) std::memcpy(memory + sizeof(recent_record) + key.size(), value.data(), value.size());

  if (made->older == nullptr) place.hash = hash;
  place.newest.store(made, std::memory_order_release);
  size_.store(size() + 1, std::memory_order_relaxed);
}

std::vector<const recent_record*> recent_records::sorted(position upto) const {
  std::vector<const recent_record*> found;
  for (const slot& each : slots_) {
    const recent_record* record = newest_upto(each.newest.load(std::memory_order_acquire), upto);
    for (; record != nullptr; record = record->older) found.push_back(record);
  }
  sort_and_keep_newest(found);
  return found;
}

}  // namespace ordem::storage
