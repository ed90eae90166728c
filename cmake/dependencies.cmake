# Everything that is not ours, all from the distribution's packages (scripts/packages.txt).

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(RocksDB REQUIRED)
# Static: its thread-local counters are then reached without a call, which a fifth of a commit's time went into. Shared for the thread
# sanitizer, which can leave out a library, but not a part of a binary (tests/tsan.supp).
if(ORDEM_SANITIZE STREQUAL "thread")
  add_library(ordem_rocksdb ALIAS RocksDB::rocksdb-shared)
else()
  add_library(ordem_rocksdb ALIAS RocksDB::rocksdb)
endif()
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)  # comes with spdlog
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(benchmark REQUIRED)
find_package(OpenSSL 3 REQUIRED)

# ordem_system_library(NAME HEADER LIBRARY [SUBFOLDER]): SUBFOLDER of the system's headers, where HEADER is not at their top.
# System headers: their warnings are not ours to mend.
function(ordem_system_library name header library)
  find_path(${name}_include ${header} PATH_SUFFIXES ${ARGN} REQUIRED)
  find_library(${name}_library ${library} REQUIRED)
  add_library(ordem_${name} INTERFACE)
  target_include_directories(ordem_${name} SYSTEM INTERFACE ${${name}_include})
  target_link_libraries(ordem_${name} INTERFACE ${${name}_library})
  set_property(GLOBAL APPEND PROPERTY ordem_system_libraries ${${name}_library})
endfunction()

if(ORDEM_CAF_PREFIX)  # a CAF built with the same sanitizer: scripts/build-instrumented-caf
  set(caf_include ${ORDEM_CAF_PREFIX}/include)
  set(caf_library ${ORDEM_CAF_PREFIX}/lib/libcaf_core.so)
endif()
ordem_system_library(caf caf/all.hpp caf_core)
ordem_system_library(xxhash xxhash.h xxhash)
ordem_system_library(pqxx pqxx/connection pqxx)
ordem_system_library(pq libpq-fe.h pq postgresql)

find_path(catch2_include catch2/catch.hpp REQUIRED)
add_library(ordem_catch2 INTERFACE)
target_include_directories(ordem_catch2 SYSTEM INTERFACE ${catch2_include})

if(ORDEM_JEMALLOC)
  find_library(JEMALLOC jemalloc REQUIRED)
  set_property(GLOBAL APPEND PROPERTY ordem_system_libraries ${JEMALLOC})
endif()
