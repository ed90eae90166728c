#include "app/relay/feed_page.hpp"

#include <simdjson.h>

#include <utility>

namespace ordem::app {
namespace {

namespace json = simdjson::ondemand;

// Reads in the order in which the server writes the members. Throws simdjson_error.
feed_page read(json::object page) {
  feed_page made;
  made.log_id = std::string_view(page.find_field_unordered("log_id"));
  for (json::object each : page.find_field_unordered("events").get_array()) {
    feed_page::event event;
    event.id = std::string_view(each.find_field_unordered("id"));
    event.position.number = each.find_field_unordered("data")["position"].get_uint64();
    each.reset();
    event.json = std::string_view(each.raw_json());
    made.events.push_back(std::move(event));
  }
  made.next.number = page.find_field_unordered("next").get_uint64();
  return made;
}

}  // namespace

tl::expected<feed_page, std::string> parse_feed_page(std::string_view body, position after) {
  try {
    json::parser parser;
    const simdjson::padded_string padded(body);
    json::document document = parser.iterate(padded);
    feed_page made = read(document.get_object());
    position last = after;
    for (const auto& each : made.events) {
      if (each.position <= last || each.id.empty() || each.id.find('.') != std::string::npos)
        return tl::make_unexpected(std::string("its events are not those of a change feed"));
      last = each.position;
    }
    if (made.next < last || made.log_id.empty())
      return tl::make_unexpected(std::string("its positions are not those of a change feed"));
    return made;
  } catch (const simdjson::simdjson_error& error) {
    return tl::make_unexpected(std::string(error.what()));
  }
}

}  // namespace ordem::app
