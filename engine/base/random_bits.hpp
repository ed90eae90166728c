// Random bits of the operating system, for seeds and ids that must differ between processes. Thread-safe.
#pragma once

#include <cstdint>
#include <random>

namespace ordem {

inline std::uint64_t random_bits() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace ordem
