#include "engine/codec/change_json.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/codec/order_json.hpp"

namespace ordem::codec {
namespace {

constexpr std::array<std::pair<verdict, std::string_view>, 3> types = {{
    {verdict::order_created, "order.created"},
    {verdict::content_changed, "order.updated"},
    {verdict::status_changed, "order.status_changed"},
}};

}  // namespace

std::string_view event_type(verdict what) noexcept {
  const auto found = std::find_if(types.begin(), types.end(), [&](const auto& each) { return each.first == what; });
  ORDEM_CHECK(found != types.end());
  return found->second;
}

std::optional<verdict> parse_event_type(std::string_view text) noexcept {
  const auto found = std::find_if(types.begin(), types.end(), [&](const auto& each) { return each.second == text; });
  return found == types.end() ? std::nullopt : std::optional(found->first);
}

void append_event(std::string& out, const order_change& what, std::string_view log_id) {
  out += R"({"specversion":"1.0","id":")";
  out += log_id;
  out += ':';
  append_number(out, what.position.number);
  out += R"(","source":"urn:uuid:)";
  out += log_id;
  out += R"(","type":")";
  out += event_type(what.what);
  out += R"(","subject":)";
  append_id(out, what.order->id);
  out += R"(,"time":)";
  append_time(out, what.at);
  out += R"(,"datacontenttype":"application/json","data":{"position":)";
  append_number(out, what.position.number);
  out += R"(,"message":)";
  append_json_string(out, what.message.view());
  append_actor(out, what.order->origin);
  out += R"(,"order":)";
  append_order(out, *what.order);
  out += "}}";
}

}  // namespace ordem::codec
