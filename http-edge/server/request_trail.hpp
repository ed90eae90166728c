// What a session notes down about the request that it serves, for the request log. Used by one I/O thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/codec/problem.hpp"
#include "engine/model/origin.hpp"
#include "http-edge/protocol/request_log.hpp"

namespace ordem::http_edge {

struct request_trail {
  using time_point = std::chrono::steady_clock::time_point;

  bool is_open = false;  // a request has begun and is not in the log yet
  ordem::origin origin = {};
  std::optional<unsigned> status = std::nullopt;
  std::optional<codec::problem> problem = std::nullopt;
  std::string detail = {};
  std::optional<logged_lines> lines = std::nullopt;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  time_point began_at{};      // the first byte
  time_point received_at{};   // the last byte
  time_point submitted_at{};  // to the engine; zero if the request was not
  time_point answered_at{};   // by the engine
  time_point rendered_at{};   // the response
};

}  // namespace ordem::http_edge
