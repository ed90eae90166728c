// The message port of a node of a cluster: submissions go to the gateway of this node while it owns the log, and
// otherwise to the owner, by a peer_transport. Outlives all gateways. Every submission gets exactly one reply, also if
// the ownership changes meanwhile. Owned by the node.
//
// A request to the owner that gets no answer is sent again, to the present owner, which finds what was executed by its
// GUID. Submissions that get no answer because there is no owner, or because the owner cannot write to the log, are
// answered `no_owner` after a while; they may have been executed. Replies of the owner are held until the view of this
// node shows what they speak of, so that a client reads its own writes here.
//
// Times are milliseconds of one clock that never goes back, of which the first is given to the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cluster/forwarding/peer_transport.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"

namespace ordem::cluster {

struct forwarding_settings {
  // How long a submission waits without a sign of an owner. Longer: more survives a takeover, and clients wait longer.
  milliseconds owner_patience = milliseconds(2000);
  // How long a submission waits for the gateway of this node. Longer than JetStream takes for another leader, some 9 s.
  milliseconds gateway_patience = milliseconds(10'000);
  // How long one request to the owner waits for its answer.
  milliseconds request_timeout = milliseconds(1000);
  // The pause before a request is sent again.
  milliseconds retry_after = milliseconds(50);
  // How long a reply is held for the view of this node.
  milliseconds held_max = milliseconds(1000);
  // Submissions that are forwarded and have no reply yet, and their bytes. More are answered `overloaded`.
  std::size_t submissions_max = 8192;
  std::size_t bytes_max = std::size_t{64} << 20;
  // Of one request; a submission that is larger is sent alone.
  std::size_t request_submissions_max = 64;
  std::size_t request_bytes_max = std::size_t{256} << 10;
};

struct forwarding_stats {
  std::uint64_t forwarded = 0;        // submissions
  std::uint64_t sent_again = 0;       // requests
  std::uint64_t without_owner = 0;    // submissions that were answered `no_owner`
  std::uint64_t lost_with_owner = 0;  // of them, those that this node's gateway had not answered when it ended
  std::uint64_t overloaded = 0;       // submissions
  std::uint64_t held_too_long = 0;    // replies that were sent before the view had them
  std::size_t waiting = 0;            // submissions that are forwarded now
};

// Thread-safe, unless said otherwise.
class forwarding_port final : public message_port {
 public:
  // `transport` must outlive the port. `sender` must differ from that of every other port of the cluster, also of
  // earlier ones: a random number.
  forwarding_port(forwarding_settings settings, peer_transport& transport, std::uint64_t sender, milliseconds now);
  // Submissions that wait get no reply.
  ~forwarding_port() override;
  forwarding_port(const forwarding_port&) = delete;
  forwarding_port& operator=(const forwarding_port&) = delete;

  // Returns the number for the request tokens of this queue, which must outlive the port.
  // REQUIRES: neither attach() nor submit() has been called. Not thread-safe.
  std::uint32_t add_queue(completion_queue& queue);

  void submit(std::vector<submission>&& submissions) override;
  // As submit(), if this node owns the log. Returns false, and changes nothing, if it does not.
  bool submit_local(std::vector<submission>&& submissions);

  // This node owns the log from now on. Gives the gateway what waits for an owner. `add_queue` is that of the gateway.
  // REQUIRES: the gateway of before has been destroyed; nothing has been submitted to `gateway`.
  void attach(message_port& gateway, const std::function<std::uint32_t(completion_queue&)>& add_queue);
  // This node is about to release the log: the gateway gets no more submissions, which wait for the next owner instead.
  // Its replies to earlier ones are passed on until detach(). Does nothing if no gateway is attached.
  void end_submissions();
  // This node does not own the log any more. Answers `no_owner` what the gateway has not answered; later replies of it
  // are dropped, and it may be destroyed. Does nothing if it does not own the log.
  void detach();
  // Returns whether a gateway is attached that gets submissions.
  bool is_attached() const noexcept;

  // There may be another owner: requests that wait to be sent again are sent.
  void on_owner_change();
  // The view of this node has reached that position. Cheap if no reply is held.
  void on_applied(position visible);
  // Called about every 50 ms: sends again, and gives up.
  void on_tick(milliseconds now);

  forwarding_stats stats() const;

 private:
  struct parts;
  std::shared_ptr<parts> parts_;  // callbacks of the transport have weak references
};

}  // namespace ordem::cluster
