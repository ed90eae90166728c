#include "cluster/nats/cluster_names.hpp"

#include <algorithm>

#include "cluster/protocol/control_record.hpp"

namespace ordem::cluster {
namespace {

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// By hand: std::toupper depends on the locale.
char of_stream(char c) {
  if (c == '-') return '_';
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_of_node_name(char c) {
  return is_of_name(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

}  // namespace

std::optional<std::string> cluster_name_error(std::string_view name) {
  if (name.empty() || name.size() > cluster_name_bytes_max) return "must have 1 to 32 characters";
  if (!std::all_of(name.begin(), name.end(), is_of_name)) return "may have only a to z, 0 to 9 and -";
  return std::nullopt;
}

cluster_names names_of(std::string_view name, unsigned partition) {
  const std::string number = std::to_string(partition);
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), of_stream);
  const std::string prefix = "ordem." + std::string(name) + ".";
  return {.stream = "ORDEM_" + upper + "_LOG_" + number,
          .log_subject = prefix + "log." + number,
          .tail_subject = prefix + "tail." + number,
          .heartbeat = prefix + number + ".heartbeat",
          .submit = prefix + number + ".submit",
          .read_index = prefix + number + ".read-index",
          .control = prefix + number + ".control"};
}

std::optional<std::string> node_name_error(std::string_view name) {
  if (name.empty() || name.size() > node_name_bytes_max) return "must have 1 to 255 characters";
  if (!std::all_of(name.begin(), name.end(), is_of_node_name)) return "may have only letters, digits, -, _ and .";
  if (name.front() == '.' || name.back() == '.' || name.find("..") != std::string_view::npos) {
    return "may have a point only between other characters";
  }
  return std::nullopt;
}

std::string subject_of_node(const std::string& subject, std::string_view node) {
  return subject + "." + std::string(node);
}

}  // namespace ordem::cluster
