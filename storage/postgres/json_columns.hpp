// Reads JSON that codec:: has written, from columns of type jsonb, which change the text of numbers.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>
#include <vector>

#include "engine/codec/write_body.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/order.hpp"

namespace ordem::storage {

// Each function returns nullopt for a text that codec:: can't have written. One thread at a time. The parser's memory
// is reused.
class json_column_reader {
 public:
  // {"customer_id", "external_id", "currency", "items", "attributes"}
  std::optional<order_content> content(std::string_view text);
  // A request in canonical form: its command, and whether it may be merged.
  struct canonical_command {
    ordem::command command;
    bool merges = false;
  };
  std::optional<canonical_command> command(std::string_view method, std::string_view path, std::string_view body);
  // [{"key", "value"}, ...]
  std::optional<std::vector<captured_header>> headers(std::string_view text);

 private:
  std::optional<canonical_command> read_command(codec::write_kind kind, std::string_view body);

  simdjson::dom::parser parser_;
};

}  // namespace ordem::storage
