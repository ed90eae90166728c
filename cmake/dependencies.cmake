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
ordem_system_library(nats nats/nats.h nats)

# OpenTelemetry, for tracing. From Debian's backports, so a build may have to go without.
set(ORDEM_OTEL AUTO CACHE STRING "Build with tracing by OpenTelemetry: ON, OFF, or AUTO: if opentelemetry-cpp is installed")
find_path(otel_include opentelemetry/exporters/otlp/otlp_http_exporter.h)
find_path(absl_include absl/types/variant.h)
find_library(otel_exporter opentelemetry_exporter_otlp_http)
find_library(otel_trace opentelemetry_trace)
find_library(otel_resources opentelemetry_resources)
find_library(otel_common opentelemetry_common)
if(ORDEM_OTEL STREQUAL "AUTO")
  set(ordem_otel ON)
  foreach(part otel_include absl_include otel_exporter otel_trace otel_resources otel_common)
    if(NOT ${part})
      set(ordem_otel OFF)
    endif()
  endforeach()
else()
  set(ordem_otel ${ORDEM_OTEL})
endif()
if(ordem_otel)
  # Not by its CMake package, which demands the development packages of gRPC and Protocol Buffers, too. The two definitions are those that
  # Debian's libraries were built with.
  add_library(ordem_opentelemetry INTERFACE)
  target_include_directories(ordem_opentelemetry SYSTEM INTERFACE ${otel_include} ${absl_include})
  target_compile_definitions(ordem_opentelemetry INTERFACE HAVE_ABSEIL OPENTELEMETRY_ABI_VERSION_NO=1)
  target_link_libraries(ordem_opentelemetry INTERFACE ${otel_exporter} ${otel_trace} ${otel_resources} ${otel_common})
else()
  message(STATUS "Built without tracing: ORDEM_OTEL is ${ORDEM_OTEL}, and opentelemetry-cpp is used only if it is installed")
endif()

find_path(catch2_include catch2/catch.hpp REQUIRED)
add_library(ordem_catch2 INTERFACE)
target_include_directories(ordem_catch2 SYSTEM INTERFACE ${catch2_include})

if(ORDEM_JEMALLOC)
  find_library(JEMALLOC jemalloc REQUIRED)
  set_property(GLOBAL APPEND PROPERTY ordem_system_libraries ${JEMALLOC})
endif()
