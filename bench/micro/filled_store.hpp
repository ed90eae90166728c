// Stores that hold so many messages, for look-ups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bench/micro/scratch_store.hpp"
#include "engine/model/message.hpp"
#include "storage/log/store.hpp"

namespace ordem::bench {

enum class place : std::uint8_t { memory, files };

class filled_store {
 public:
  filled_store(place where, std::size_t messages);

  const storage::view& committed() const noexcept { return store_->view(); }
  // Repeats of all of them, at random.
  const std::vector<message>& known() const noexcept { return known_; }

 private:
  void write(const std::vector<storage::entry>& group);

  scratch_store store_;
  std::vector<message> known_;
};

// Created at the first use and kept, because creating them takes longer than the measurements. Owned by main: RocksDB's
// own statics may be gone when ours would be destroyed.
class filled_stores {
 public:
  const filled_store& with(place where, std::size_t messages) {
    return made_.try_emplace({where, messages}, where, messages).first->second;
  }

 private:
  std::map<std::pair<place, std::size_t>, filled_store> made_;
};

// `stores` must outlive every run.
void register_dedupe(filled_stores& stores);

}  // namespace ordem::bench
