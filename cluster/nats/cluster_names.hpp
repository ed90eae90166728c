// The names of a cluster in NATS: its stream, and the subjects of its messages. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ordem::cluster {

inline constexpr std::size_t cluster_name_bytes_max = 32;

// Returns the error of the name as the end of a sentence, or nullopt if it is valid: 1 to 32 of a to z, 0 to 9 and -.
std::optional<std::string> cluster_name_error(std::string_view name);

// Of one partition. Wire names: a release never changes them.
struct cluster_names {
  std::string stream;        // ORDEM_<NAME>_LOG_0, in upper case, with _ for -
  std::string log_subject;   // the only one of the stream; records are appended to it
  std::string tail_subject;  // where NATS publishes each record once more when it is stored
  // Messages that are not stored.
  std::string heartbeat;
  // Requests to one node: see subject_of_node().
  std::string submit;
  std::string read_index;
  std::string control;
};

// REQUIRES: the name is valid.
cluster_names names_of(std::string_view name, unsigned partition = 0);

// Returns the error of the name of a node as the end of a sentence, or nullopt if it is valid: 1 to 255 letters of
// ASCII, digits, - and _, with single points between them. So is a host name.
std::optional<std::string> node_name_error(std::string_view name);

// Returns the subject of requests to that node, of one of the subjects above. REQUIRES: the name is valid.
std::string subject_of_node(const std::string& subject, std::string_view node);

}  // namespace ordem::cluster
