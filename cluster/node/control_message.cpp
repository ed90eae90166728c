#include "cluster/node/control_message.hpp"

#include "cluster/nats/cluster_names.hpp"

namespace ordem::cluster {
namespace {

constexpr std::string_view move_word = "move";
constexpr std::string_view done_word = "done";
constexpr std::string_view refused_word = "refused ";

}  // namespace

std::string encode_move_request(const move_request& what) {
  return what.to.empty() ? std::string(move_word) : std::string(move_word) + ' ' + what.to;
}

std::optional<move_request> parse_move_request(std::string_view text) {
  if (!text.starts_with(move_word)) return std::nullopt;
  text.remove_prefix(move_word.size());
  if (text.empty()) return move_request{};
  if (text.front() != ' ') return std::nullopt;
  text.remove_prefix(1);
  if (node_name_error(text)) return std::nullopt;
  return move_request{std::string(text)};
}

std::string encode_control_answer(const control_answer& what) {
  return what.refusal.empty() ? std::string(done_word) : std::string(refused_word) + what.refusal;
}

std::optional<control_answer> parse_control_answer(std::string_view text) {
  if (text == done_word) return control_answer{};
  if (!text.starts_with(refused_word) || text.size() == refused_word.size()) return std::nullopt;
  return control_answer{std::string(text.substr(refused_word.size()))};
}

}  // namespace ordem::cluster
