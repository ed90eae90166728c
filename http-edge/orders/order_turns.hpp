// Lets the lines of one batch that concern the same order take turns: a line is submitted once all earlier ones about
// its order are answered. The engine alone does not keep their order, as messages with different GUIDs may reach their
// order by different dedupe shards. Owned by a batch_stream, used by one I/O thread.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include "engine/model/ids.hpp"
#include "engine/model/message.hpp"

namespace ordem::http_edge {

class order_turns {
 public:
  struct turn {
    std::uint32_t line = 0;
    message what;
  };

  // Returns the line if it may be submitted now. Else keeps it until end() returns it. A create has its turn at once.
  std::optional<turn> begin(turn&& next);
  // Takes note that a line is answered. Returns the next line about its order, if one waits; it may be submitted now.
  std::optional<turn> end(std::uint32_t line);

 private:
  std::unordered_map<std::uint32_t, order_id> in_flight_;  // lines that have their turn
  std::unordered_map<order_id, std::list<turn>> waiting_;  // of each order in in_flight_
};

}  // namespace ordem::http_edge
