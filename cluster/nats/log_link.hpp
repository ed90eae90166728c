// A connection to one server of NATS, by which records are appended to the log and single ones are looked up. A node
// has one to each server, since an append in doubt is sent again over another one.
//
// It keeps nothing to be sent later: a request is sent at once or not at all, and an answer may come late, twice or
// never. The caller has the deadlines. Owned by the node's thread; events come on threads of the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "cluster/nats/log_answer.hpp"
#include "cluster/nats/nats_settings.hpp"

namespace ordem::cluster {

struct link_up {};  // may be said twice
struct link_down {};
// The link will not come up again by itself: a file of TLS or credentials cannot be used, or the server has refused the
// user twice. To be made anew after a while, since an administrator may mend it.
struct link_closed {
  std::string reason;  // without secrets
};
struct link_answer {
  log_request request;
  log_question question = log_question::append;
  log_answer answer;
};
struct link_event {
  std::size_t link = 0;  // the number that the link was given
  std::variant<link_up, link_down, link_closed, link_answer> what;
};

struct log_link_settings {
  std::size_t link = 0;  // 0 to nats.urls.size() - 1: which server it is connected to, and its number in events
  nats_settings nats;
  std::string stream;
  std::string log_subject;
  std::string connection_name;  // shown by the servers
};

// append() and the look-ups: one thread at a time. is_up(): thread-safe.
class log_link {
 public:
  // Begins to connect, and goes on until that succeeds, and again whenever the connection is lost. Does not block but
  // for the time of one attempt, 1 s at most. `on_event` is called on a thread of the library, one call at a time for
  // each of answers and changes of the connection, and must not block: it is to push into an inbox. The number of
  // answers is bounded by that of requests. It is not called after the destructor has returned. Throws
  // std::runtime_error if the settings cannot be used: a file of TLS or credentials that cannot be read, say.
  log_link(log_link_settings settings, std::function<void(link_event&&)> on_event);
  // Waits until `on_event` is not called any more. Must not run in it.
  ~log_link();
  log_link(const log_link&) = delete;
  log_link& operator=(const log_link&) = delete;

  // Returns whether the connection is established. A request that is made while it is not is not sent.
  bool is_up() const noexcept;

  // Sends a record, to be stored only if the stream's last sequence is `expected_last`, which may be 0. Returns false
  // if it was not sent for sure; after true it may have been. REQUIRES: the record has at most record_bytes_max.
  bool append(const log_request& request, std::uint64_t expected_last, std::string_view record);

  // Asks for the record with the sequence of the request: the stream's leader, or any replica, which may be behind.
  // Returns false if that was not sent.
  bool get_from_leader(const log_request& request);
  bool get_from_replica(const log_request& request);

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace ordem::cluster
