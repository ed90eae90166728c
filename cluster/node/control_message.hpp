// The requests of operators to a node, by NATS, and the answers. Text, so that they can be sent by hand, too:
// `nats request ordem.shop.0.control.NODE move`.
//
//   move         the node gives the log up to the standby that has read most
//   move NODE    to that one
//
//   done         it does not own the log any more
//   refused WHY  a sentence
//
// Wire formats: a release never changes them. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordem::cluster {

struct move_request {
  std::string to;  // a node; empty: any
};

struct control_answer {
  std::string refusal;  // empty: done
};

std::string encode_move_request(const move_request& what);
// Returns nullopt if it is none, or if what it names can be no node.
std::optional<move_request> parse_move_request(std::string_view text);

std::string encode_control_answer(const control_answer& what);
std::optional<control_answer> parse_control_answer(std::string_view text);

}  // namespace ordem::cluster
