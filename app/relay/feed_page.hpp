// A page of the change feed, as GET /api/v1/changes returns it.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/model/ids.hpp"

namespace ordem::app {

struct feed_page {
  struct event {
    std::string id;
    ordem::position position;
    std::string json;  // the bytes as the server sent them
  };
  std::string log_id;
  std::vector<event> events;  // in ascending order of positions
  position next;
};

// Returns an error if the body is not such a page, or its positions do not ascend from `after` to `next`.
tl::expected<feed_page, std::string> parse_feed_page(std::string_view body, position after);

}  // namespace ordem::app
