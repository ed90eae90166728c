#include "bench/micro/filled_store.hpp"

#include <algorithm>
#include <random>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"

namespace ordem::bench {

filled_store::filled_store(place where, std::size_t messages) : store_(storage::durability::os) {
  samples some;
  while (known_.size() < messages) {
    write(some.create_entries(std::min(messages - known_.size(), storage::group_entries_max), small));
  }
  std::shuffle(known_.begin(), known_.end(), std::mt19937_64(1));
  if (where == place::files) store_->close();
  const bool has_files = store_->view().stats().table_file_bytes > 0;
  expect(has_files == (where == place::files), "the messages are not where they are to be looked for");
}

void filled_store::write(const std::vector<storage::entry>& group) {
  expect(storage::write(*store_, group), "a group can't be written");
  for (const auto& each : group) {
    const auto& created = std::get<storage::message_entry>(each);
    // The command of a repeat is not looked at.
    known_.push_back({created.guid, created.record.fingerprint, std::nullopt, std::nullopt, create_order{}});
  }
}

}  // namespace ordem::bench
