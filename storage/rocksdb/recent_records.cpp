#include "storage/rocksdb/recent_records.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include "engine/base/check.hpp"

namespace ordem::storage {
namespace {

std::uint64_t hash_of(std::string_view key) noexcept {
  return XXH3_64bits(key.data(), key.size());
}

// The first eight bytes as a number that sorts as they do.
std::uint64_t first_bytes_of(std::string_view key) noexcept {
  std::array<unsigned char, 8> bytes{};
  std::memcpy(bytes.data(), key.data(), std::min(key.size(), bytes.size()));
  std::uint64_t number = 0;
  for (const unsigned char each : bytes) number = number << 8 | each;
  return number;
}

const recent_record* newest_upto(const recent_record* record, position upto) noexcept {
  while (record != nullptr && record->at > upto) record = record->older;
  return record;
}

}  // namespace

// Compares the first bytes of the keys beside the pointers, so that most comparisons cause no cache miss.
void sort_and_keep_newest(std::vector<const recent_record*>& records) {
  struct sortable {
    std::uint64_t first_bytes;
    const recent_record* record;
  };
  std::vector<sortable> all;
  all.reserve(records.size());
  for (const recent_record* each : records) all.push_back({first_bytes_of(each->key()), each});
  std::sort(all.begin(), all.end(), [](const sortable& a, const sortable& b) {
    if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
    const int order = a.record->key().compare(b.record->key());
    return order != 0 ? order < 0 : a.record->at > b.record->at;
  });
  records.clear();
  for (const sortable& each : all) {
    if (records.empty() || records.back()->key() != each.record->key()) records.push_back(each.record);
  }
}

recent_records::recent_records(std::size_t capacity) noexcept
    : capacity_(capacity), slots_(std::bit_ceil(2 * capacity)) {}

void recent_records::allocate() {
  owned_ = std::make_unique<slot[]>(slots_);
  table_.store(owned_.get(), std::memory_order_release);
}

// Returns the slot of the key, or the free slot for it.
recent_records::slot& recent_records::slot_of(slot* table, std::uint64_t hash, std::string_view key) const noexcept {
  for (std::size_t i = hash & (slots_ - 1);; i = (i + 1) & (slots_ - 1)) {
    const recent_record* found = table[i].newest.load(std::memory_order_acquire);
    if (found == nullptr || (table[i].hash == hash && found->key() == key)) return table[i];
  }
}

const recent_record* recent_records::find(std::string_view key, position upto) const noexcept {
  slot* const table = table_.load(std::memory_order_acquire);
  if (table == nullptr) return nullptr;
  return newest_upto(slot_of(table, hash_of(key), key).newest.load(std::memory_order_acquire), upto);
}

void recent_records::insert(std::string_view key, std::string_view value, position at, bool removed) {
  ORDEM_CHECK(size() < capacity_);
  const std::uint64_t hash = hash_of(key);
  if (table_.load(std::memory_order_relaxed) == nullptr) allocate();
  slot& place = slot_of(table_.load(std::memory_order_relaxed), hash, key);

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
  const slot* const table = table_.load(std::memory_order_acquire);
  for (std::size_t i = 0; table != nullptr && i < slots_; ++i) {
    const recent_record* record = newest_upto(table[i].newest.load(std::memory_order_acquire), upto);
    for (; record != nullptr; record = record->older) found.push_back(record);
  }
  sort_and_keep_newest(found);
  return found;
}

}  // namespace ordem::storage
