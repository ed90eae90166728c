#include "storage/recent_records.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "engine/check.hpp"

namespace ordem::storage {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

std::uint64_t hash_of(std::string_view name) noexcept {
  return XXH3_64bits(name.data(), name.size());
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

// The slot of that name, or the free one where it would go.
std::size_t recent_records::slot_of(std::uint64_t hash, std::string_view name) const noexcept {
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const recent_record* found = slots_[i].newest.load(std::memory_order_acquire);
    if (found == nullptr || (slots_[i].hash == hash && found->name() == name)) return i;
  }
}

const recent_record* recent_records::find(std::string_view name, position upto) const noexcept {
  return newest_upto(slots_[slot_of(hash_of(name), name)].newest.load(std::memory_order_acquire), upto);
}

void recent_records::insert(std::string_view key, std::size_t name_bytes, std::string_view value, position at,
                            bool removed) {
  CHECK(size() < capacity_ && name_bytes <= key.size());
  const std::string_view name = key.substr(0, name_bytes);
  const std::uint64_t hash = hash_of(name);
  slot& place = slots_[slot_of(hash, name)];

  char* memory = allocate(sizeof(recent_record) + key.size() + value.size());
  const auto* made = new (memory) recent_record{at,
                                                place.newest.load(std::memory_order_relaxed),
                                                static_cast<std::uint32_t>(name_bytes),
                                                static_cast<std::uint32_t>(key.size()),
                                                static_cast<std::uint32_t>(value.size()),
                                                removed};
  std::memcpy(memory + sizeof(recent_record), key.data(), key.size());
  if (!value.empty()) std::memcpy(memory + sizeof(recent_record) + key.size(), value.data(), value.size());

  if (made->older == nullptr) place.hash = hash;
  place.newest.store(made, std::memory_order_release);
  size_.store(size() + 1, std::memory_order_relaxed);
}

char* recent_records::allocate(std::size_t bytes) {
  constexpr std::size_t alignment = alignof(recent_record);
  bytes = (bytes + alignment - 1) / alignment * alignment;
  if (bytes > free_bytes_) {
    free_bytes_ = std::max(bytes, block_bytes);
    free_ = blocks_.emplace_back(new char[free_bytes_]).get();
  }
  char* const taken = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return taken;
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

std::vector<const recent_record*> recent_records::sorted(std::string_view name, position upto) const {
  std::vector<const recent_record*> found;
  for (const recent_record* record = find(name, upto); record != nullptr; record = record->older) {
    found.push_back(record);
  }
  sort_and_keep_newest(found);
  return found;
}

}  // namespace ordem::storage
