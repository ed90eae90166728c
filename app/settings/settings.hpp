// All that a user can set, in one value: parsed once, checked as a whole, handed down in parts.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "http-edge/server/settings.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

enum class log_format : std::uint8_t { automatic, json, text };

struct settings {
  http_edge::server_settings server;
  storage::store_settings store;
  actors::gateway_settings engine;
  // Where the log is followed to; empty: nowhere. A secret: it may hold a password.
  std::string postgres_url;
  // How long a stop waits for requests under way.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(20);
  app::log_format log_format = app::log_format::automatic;
  std::string log_level = "info";
  // Every setting by its name, as it holds: what is printed at start.
  std::vector<std::pair<std::string, std::string>> effective;
};

// A sentence about settings that contradict each other, or nothing.
std::optional<std::string> check_settings(const settings& given);
std::optional<std::string> check_settings(const capture_terms& given);

}  // namespace ordem::app
