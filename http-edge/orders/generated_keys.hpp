// Keys for the lines of one batch that have none. Owned by a batch_stream, used by one I/O thread.
#pragma once

#include <cstdint>
#include <string>

#include "engine/model/ids.hpp"

namespace ordem::http_edge {

class generated_keys {
 public:
  // Draws 128 random bits, which distinguish these keys from those of all other batches.
  generated_keys();

  // Returns another key with each call: generated-<random>-<number>.
  guid next();

 private:
  std::string prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace ordem::http_edge
