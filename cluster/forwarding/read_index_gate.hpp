// The read gate of a node. While the node owns the log it is the gate of its lease. Otherwise it asks the owner for its
// read index, by one request for all reads that wait, and opens once the view of this node has that position. Owned by
// the node.
//
// Times are milliseconds of one clock that never goes back, of which the first is given to the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/forwarding/peer_transport.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/read_gate.hpp"

namespace ordem::cluster {

struct read_index_settings {
  // How long a read waits for the gate.
  milliseconds patience = milliseconds(2000);
  // How long one request to the owner waits for its answer, and the pause before the next one.
  milliseconds request_timeout = milliseconds(500);
  milliseconds retry_after = milliseconds(50);
  // Reads that wait; more are refused at once.
  std::size_t waiting_max = 8192;
};

// Thread-safe.
class read_index_gate final : public read_gate {
 public:
  // `transport` and `lease` must outlive the gate. `lease` is open while this node owns the log under its lease, and
  // its wait() fails if it does not own the log (any more). `visible` returns the position of this node's view.
  read_index_gate(read_index_settings settings, peer_transport& transport, read_gate& lease,
                  std::function<position()> visible, milliseconds now);
  // Reads that wait are refused.
  ~read_index_gate() override;

  bool is_open() const noexcept override;
  void wait(std::function<void(bool opened)> done) override;

  // Whether this node owns the log. Reads that wait ask anew.
  void set_owner(bool is_owner);
  // The view of this node has reached that position. Cheap if no read waits.
  void on_applied(position visible);
  // Called about every 50 ms: asks again, and gives up.
  void on_tick(milliseconds now);

 private:
  struct parts;
  std::shared_ptr<parts> parts_;  // callbacks of the transport and the lease have weak references
};

// The answer of a node to a request with read_index_subject.
struct read_index_answer {
  // Absent: the node does not own the log under a lease.
  std::optional<position> visible;
  std::uint64_t epoch = 0;  // of the owner that the answering node knows; 0 if it knows none
  friend bool operator==(const read_index_answer&, const read_index_answer&) = default;
};

std::string encode_read_index_request();
bool is_read_index_request(std::string_view body) noexcept;
std::string encode_read_index_answer(const read_index_answer& what);
// Returns nullopt for bytes that encode_read_index_answer() can't have written.
std::optional<read_index_answer> decode_read_index_answer(std::string_view body);

// The owner's side: answers a request with read_index_subject. `lease` is as for the gate, and must stay until
// `respond` was called; `visible` and `epoch` are called at once or when the lease is. `respond` is called once, on any
// thread; not if the body is no such request.
void answer_read_index(std::string_view body, read_gate& lease, std::function<position()> visible,
                       std::function<std::uint64_t()> epoch, std::function<void(std::string)> respond);

}  // namespace ordem::cluster
