// Values that occur in several kinds of JSON text. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/ids.hpp"
#include "engine/model/json_value.hpp"
#include "engine/model/order.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/time.hpp"

namespace ordem::codec {

inline std::string_view text_of(const currency_code& currency) noexcept {
  return {currency.data(), currency.size()};
}

// Appends the time with its quotes.
inline void append_time(std::string& out, timestamp at) {
  out += '"';
  append_rfc3339(out, at);
  out += '"';
}

// Appends the id with its quotes.
inline void append_id(std::string& out, const order_id& id) {
  out += '"';
  id.append_to(out);
  out += '"';
}

// Appends ,"external_id":"..." if the content has one, so that any other keeps its bytes.
inline void append_external_id(std::string& out, const order_content& content) {
  if (!content.external_id) return;
  out += ",\"external_id\":";
  append_json_string(out, *content.external_id);
}

// Appends ,"actor":"..." if it is not empty, so that what was written without an identity keeps its bytes.
inline void append_actor(std::string& out, const origin& from) {
  if (from.actor.empty()) return;
  out += ",\"actor\":";
  append_json_string(out, from.actor);
}

}  // namespace ordem::codec
