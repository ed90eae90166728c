// Shared by the tests of forwarding: a gateway whose replies the test gives, a transport whose answers it gives, and a
// queue that counts replies. One thread.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/forwarding/peer_transport.hpp"
#include "engine/ports/engine_port.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {

class counting_queue final : public completion_queue {
 public:
  void deliver(std::vector<reply>&& replies) noexcept override {
    for (reply& each : replies) answers[each.token.number].push_back(std::move(each.answer));
  }
  std::map<std::uint32_t, std::vector<answer>> answers;

  bool has(std::uint32_t number) const { return answers.contains(number); }
  const answer& of(std::uint32_t number) const {
    REQUIRE(answers.contains(number));
    REQUIRE(answers.at(number).size() == 1);
    return answers.at(number).front();
  }
};

class manual_gateway final : public message_port {
 public:
  std::uint32_t add_queue(completion_queue& queue) {
    queues.push_back(&queue);
    return static_cast<std::uint32_t>(queues.size() - 1);
  }
  void submit(std::vector<submission>&& submissions) override {
    for (submission& each : submissions) submitted.push_back(std::move(each));
  }
  void reply_to(std::size_t which, answer what) {
    const request_token token = submitted.at(which).token;
    queues.at(token.queue)->deliver({{token, std::move(what)}});
  }
  std::vector<completion_queue*> queues;
  std::vector<submission> submitted;
};

class manual_transport final : public cluster::peer_transport {
 public:
  struct sent_request {
    std::string subject;
    std::string body;
    milliseconds timeout;
    std::function<void(std::optional<std::string>)> done;
  };
  void request(std::string_view subject_suffix, std::string body, milliseconds timeout,
               std::function<void(std::optional<std::string>)> done) override {
    sent.push_back({std::string(subject_suffix), std::move(body), timeout, std::move(done)});
  }
  void note_visible(position visible) override { noted.push_back(visible); }
  std::vector<sent_request> sent;
  std::vector<position> noted;
};

inline executed created_answer(std::uint64_t number, bool replayed = false) {
  const order made = sample_order(number);
  executed what;
  what.outcome = {verdict::order_created, made.id, made.version, made.status, std::nullopt, std::nullopt};
  what.order = shared(made);
  what.expires_at = sample_time + std::chrono::hours(24);
  what.replayed = replayed;
  return what;
}

inline bool is_refused_by(const answer& what, unavailability why) {
  const auto* refused = std::get_if<refusal>(&what);
  const auto* reason = refused != nullptr ? std::get_if<unavailability>(refused) : nullptr;
  return reason != nullptr && *reason == why;
}

}  // namespace ordem::testing
