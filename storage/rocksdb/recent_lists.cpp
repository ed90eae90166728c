#include "storage/rocksdb/recent_lists.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "engine/base/check.hpp"

namespace ordem::storage {
namespace {

// Records are in byte order of keys, those of one key newest first.
bool comes_before(const listed_key& record, std::string_view key, position at) noexcept {
  const int order = record.key().compare(key);
  return order != 0 ? order < 0 : record.at > at;
}

}  // namespace

recent_lists::recent_lists(std::size_t capacity, std::size_t lists_max) noexcept
    : capacity_(capacity), slots_(std::bit_ceil(2 * lists_max)) {}

void recent_lists::allocate() {
  owned_ = std::make_unique<list[]>(slots_);
  lists_.store(owned_.get(), std::memory_order_release);
}

// Returns the list of that name, or the free slot for it.
recent_lists::list& recent_lists::list_of(list* table, std::string_view name) const noexcept {
  for (std::size_t i = XXH3_64bits(name.data(), name.size());; ++i) {
    list& found = table[i & (slots_ - 1)];
    const listed_key* first = found.first.load(std::memory_order_acquire);
    if (first == nullptr || first->name() == name) return found;
  }
}

// Returns the link of each level after which the record is or would be; null above the levels of the list.
recent_lists::places recent_lists::find(list& in, std::string_view key, position at) noexcept {
  places found{};
  links* const upper = in.upper.load(std::memory_order_acquire);
  listed_key* before = nullptr;
  for (std::size_t level = upper == nullptr ? 1 : levels_max; level-- > 0;) {
    listed_key::link* place = level == 0 ? &in.first : &(*upper)[level - 1];
    if (before != nullptr) place = &before->next(level);
    listed_key* next = place->load(std::memory_order_acquire);
    while (next != nullptr && comes_before(*next, key, at)) {
      before = next;
      place = &next->next(level);
      next = place->load(std::memory_order_acquire);
    }
    found[level] = place;
  }
  return found;
}

std::size_t recent_lists::random_levels() noexcept {
  random_ ^= random_ << 13;  // xorshift64
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  constexpr std::uint64_t top_bit = std::uint64_t{1} << (2 * (levels_max - 1));
  return 1 + static_cast<std::size_t>(std::countr_zero(random_ | top_bit)) / 2;
}

void recent_lists::insert(std::string_view key, std::size_t name_bytes, position at, bool removed) {
  ORDEM_CHECK(size() < capacity_ && name_bytes <= key.size());
  if (lists_.load(std::memory_order_relaxed) == nullptr) allocate();
  list& into = list_of(lists_.load(std::memory_order_relaxed), key.substr(0, name_bytes));
  const bool is_first = into.first.load(std::memory_order_relaxed) == nullptr;
  const std::size_t levels = is_first ? 1 : random_levels();
  if (levels > 1 && into.upper.load(std::memory_order_relaxed) == nullptr) {
    into.upper.store(new (memory_.allocate(sizeof(links))) links{}, std::memory_order_release);
  }

  char* const memory = memory_.allocate(sizeof(listed_key) + levels * sizeof(listed_key::link) + key.size());
  auto* const made =
      new (memory) listed_key{at, static_cast<std::uint32_t>(name_bytes), static_cast<std::uint32_t>(key.size()),
                              static_cast<std::uint8_t>(levels), removed};
  const places behind = find(into, key, at);
  for (std::size_t level = 0; level < levels; ++level) {
    new (&made->next(level)) listed_key::link(behind[level]->load(std::memory_order_relaxed));
  }
  std::memcpy(memory + sizeof(listed_key) + levels * sizeof(listed_key::link), key.data(), key.size());
  for (std::size_t level = 0; level < levels; ++level) behind[level]->store(made, std::memory_order_release);
  size_.store(size() + 1, std::memory_order_relaxed);
}

// --- reading ---

recent_lists::cursor recent_lists::seek(std::string_view name, std::string_view from, position upto) const noexcept {
  list* const table = lists_.load(std::memory_order_acquire);
  if (table == nullptr) return {nullptr, nullptr, upto};
  list& of = list_of(table, name);
  return {&of, find(of, from, upto).front()->load(std::memory_order_acquire), upto};
}

// Skips the older records of the key by a search, because an order that often changes its customer may have many.
void recent_lists::cursor::next() noexcept {
  const std::string_view key = at_->key();
  at_ = at_->next(0).load(std::memory_order_acquire);
  if (at_ != nullptr && at_->key() == key) {
    at_ = find(*list_, key, position{0}).front()->load(std::memory_order_acquire);
  }
  skip_newer();
}

void recent_lists::cursor::skip_newer() noexcept {
  while (at_ != nullptr && at_->at > upto_) at_ = at_->next(0).load(std::memory_order_acquire);
}

std::vector<const listed_key*> recent_lists::sorted(position upto) const {
  std::vector<const listed_key*> found;
  list* const table = lists_.load(std::memory_order_acquire);
  if (table == nullptr) return found;
  found.reserve(size());
  for (std::size_t i = 0; i < slots_; ++i) {
    listed_key* const first = table[i].first.load(std::memory_order_acquire);
    for (cursor each(&table[i], first, upto); each.get() != nullptr; each.next()) found.push_back(each.get());
  }
  std::sort(found.begin(), found.end(), [](const listed_key* a, const listed_key* b) { return a->key() < b->key(); });
  return found;
}

}  // namespace ordem::storage
