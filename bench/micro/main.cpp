// ordem-micro: measures the parts of the engine one by one, with Google Benchmark; its options are the options.
//
// Exit code 0: all selected benchmarks were measured. 1: a check failed, or no name matched.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>
#include <iostream>

#include "bench/micro/filled_store.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  try {
    ordem::bench::filled_stores stores;
    register_dedupe(stores);
    const bool any = benchmark::RunSpecifiedBenchmarks() > 0;
    return any ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::cerr << "ordem-micro: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
