// What every micro-benchmark needs: results that the compiler can't leave out, and an end where something is not as it
// must be.
#pragma once

#include <benchmark/benchmark.h>

#include <stdexcept>

namespace ordem::bench {

// By its address: the value itself, handed to the assembler, would count as read, also what a variant leaves unset.
template <class Value>
void consume(const Value& value) {
  const Value* address = &value;
  benchmark::DoNotOptimize(address);
  benchmark::ClobberMemory();
}

// Of what is prepared, and of results where asking costs nothing: else a sample that is no longer right would be
// measured on its way to an error. Throws.
inline void expect(bool condition, const char* otherwise) {
  if (!condition) throw std::runtime_error(otherwise);
}

}  // namespace ordem::bench
