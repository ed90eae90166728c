// A store in a temporary folder, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/store.hpp"
#include "tests/storage/support.hpp"
#include "tests/storage/test_store.hpp"
#include "tests/support_cpp/manual_clock.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::testing {

inline storage::store_settings settings_for(const std::filesystem::path& folder) {
  storage::store_settings settings;
  settings.folder = folder;
  settings.block_cache_bytes = std::size_t{1} << 20;
  settings.write_buffer_bytes = std::size_t{16} << 20;
  settings.segment_bytes = std::size_t{16} << 10;  // so that tests cover a log of many files
  settings.memtable_entries = 64;                  // so that tests cover memtables, table files, and the step between
  return settings;
}

using test_store_result = storage::result<std::unique_ptr<test_store>>;

inline test_store_result try_open(storage::store_settings settings, time_source& clock) {
  auto result = storage::open_store(std::move(settings), clock);
  if (!result) return tl::make_unexpected(std::move(result.error()));
  return std::make_unique<test_store>(std::move(*result));
}
inline test_store_result try_open_for_reading(storage::store_settings settings, time_source& clock) {
  auto result = storage::open_store_for_reading(std::move(settings), clock);
  if (!result) return tl::make_unexpected(std::move(result.error()));
  return std::make_unique<test_store>(std::move(*result));
}

// Opens a store; throws if that fails.
inline std::unique_ptr<test_store> opened(storage::store_settings settings, time_source& clock) {
  auto result = try_open(std::move(settings), clock);
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

// Returns the messages as entries of a group.
inline std::vector<storage::entry> group_of(const std::vector<storage::message_entry>& messages) {
  return {messages.begin(), messages.end()};
}

struct open_store {
  temp_folder folder;
  manual_clock clock;
  storage::store_settings settings = settings_for(folder.path());
  std::unique_ptr<test_store> store;

  open_store() { open(); }

  void open() { store = opened(settings, clock); }
  // As after a crash: without close().
  void reopen() {
    store.reset();
    open();
  }

  // Durable and visible when it returns.
  void write(const std::vector<storage::entry>& group) {
    REQUIRE(store->append(group));
    REQUIRE(store->sync());
  }
  template <class Entry>
  void write(const std::vector<Entry>& entries) {
    write(group_of(entries));
  }
  // Durable when it returns, and not visible before store->apply().
  void write_to_log(const std::vector<storage::entry>& group) {
    REQUIRE(store->append(group));
    REQUIRE(store->log().sync());
  }

  std::vector<storage::logged_entry> replayed(position from = {1}) const {
    auto all = store->read_log(from, std::numeric_limits<std::size_t>::max());
    REQUIRE(all);
    return std::move(*all);
  }
};

inline storage::message_entry create_entry(std::uint64_t number, order_content content = content_of()) {
  return entry_of(creation(guid_of("create-" + std::to_string(number)), std::move(content)), nullptr,
                  order_id_of(number));
}

inline storage::message_entry change_entry(const shared_order& current, order_content content = content_of()) {
  const std::string name = "change-" + current->id.to_string() + "-" + std::to_string(current->version.number);
  return entry_of(replacement(guid_of(name), current->id, current->version, std::move(content)), current, {});
}

// Returns the entries of an order from its creation up to that version.
inline std::vector<storage::message_entry> life_of(std::uint64_t number, std::uint64_t versions) {
  std::vector<storage::message_entry> all = {create_entry(number)};
  while (all.size() < versions) {
    all.push_back(change_entry(all.back().after, content_of("c-1001", static_cast<std::uint32_t>(all.size() + 2))));
  }
  return all;
}

// Returns the first orders of a list, at most `limit`.
inline std::vector<shared_order> first_of(order_list& list, std::size_t limit) {
  std::vector<shared_order> found;
  while (found.size() < limit) {
    auto next = list.next().value();
    if (next == nullptr) break;
    found.push_back(std::move(next));
  }
  return found;
}
template <class Reader>
std::vector<shared_order> list_orders(const Reader& in, std::string_view customer_id, std::optional<order_id> after,
                                      std::size_t limit) {
  return first_of(*in.list_orders(customer_id, after), limit);
}
template <class Reader>
std::vector<shared_order> list_versions(const Reader& in, order_id id, std::optional<version> before,
                                        std::size_t limit) {
  return first_of(*in.list_versions(id, before), limit);
}

inline std::vector<std::uint64_t> versions_in(const std::vector<shared_order>& page) {
  std::vector<std::uint64_t> numbers;
  for (const auto& each : page) numbers.push_back(each->version.number);
  return numbers;
}

inline std::vector<order_id> ids_in(const std::vector<shared_order>& page) {
  std::vector<order_id> ids;
  for (const auto& each : page) ids.push_back(each->id);
  return ids;
}

}  // namespace ordem::testing
