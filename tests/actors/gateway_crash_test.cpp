// Random traffic through the gateway on a log in memory, whose calls fail and whose machine loses power, again and
// again. After each loss a new engine goes on with what is left of the log. What was acknowledged must be in it, once;
// versions have no gap; what got no answer is there as a whole or not at all; and a repeat gets the first answer.

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "engine/rules/capture_rules.hpp"
#include "engine/rules/decide.hpp"
#include "tests/actors/request_book.hpp"
#include "tests/actors/support.hpp"
#include "tests/support_cpp/memory_log.hpp"
#include "tests/support_cpp/memory_view.hpp"
#include "tests/support_cpp/sampled.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

constexpr int crashes = 250;
constexpr unsigned clients = 2;
constexpr std::uint64_t calls_per_round_max = 60;  // of the log
constexpr unsigned batches_per_client_max = 200;
constexpr std::uint64_t guids_in_use = 60;
constexpr std::uint64_t new_guids_per_round = 20;
constexpr std::uint64_t keys_in_use = 20;
constexpr std::uint64_t new_keys_per_round = 4;
constexpr int full_check_every = 25;

// What a client knows of one request.
struct sent_request {
  engine_request request;
  std::optional<ordem::answer> answer;

  bool is_unknown() const { return !answer || is_refused(*answer, unavailability::read_only); }
};

// A state that a read has returned.
struct seen_order {
  order_id id;
  shared_order order;
};

// Decides the entries of the log again, in its order, and compares what clients were told with them.
class log_oracle {
 public:
  log_oracle(const memory_log& log, const request_book& book, const capture_terms& terms)
      : log_(log), book_(book), terms_(terms) {}

  // Takes the entries that were added since the last call, which must follow from those before.
  void extend() {
    before_ = entries_.size();
    allocations_.clear();
    auto added = log_.read({before_ + 1}, std::numeric_limits<std::size_t>::max());
    REQUIRE(added);
    for (storage::logged_entry& each : *added) {
      REQUIRE(each.position.number == entries_.size() + 1);
      INFO("position " << each.position.number);
      if (const auto* message = each.message()) add(*message);
      if (const auto* capture = each.capture()) add(*capture);
      entries_.push_back(std::move(each));
    }
    REQUIRE(log_.last().number == entries_.size());
  }

  // Compares the whole log with the entries of earlier calls.
  void check_all() const {
    const auto all = log_.read({1}, std::numeric_limits<std::size_t>::max());
    REQUIRE(all);
    REQUIRE(all->size() == entries_.size());
    for (std::size_t i = 0; i < all->size(); ++i) {
      const auto* now = (*all)[i].message();
      const auto* before = entries_[i].message();
      REQUIRE((now == nullptr) == (before == nullptr));
      if (now == nullptr) continue;
      REQUIRE(now->guid == before->guid);
      REQUIRE(now->record == before->record);
      REQUIRE(now->after == before->after);
    }
  }

  // Checks the answers of one round, whose entries were added by the last extend().
  void check_answers(const std::map<std::uint32_t, sent_request>& sent) {
    std::set<std::string> executed_now;
    std::set<std::string> unknown;
    std::map<std::string, std::size_t> allocated;
    for (const auto& [token, each] : sent) {
      const auto* message = std::get_if<ordem::message>(&each.request);
      CAPTURE(token);
      if (each.is_unknown()) {
        if (message != nullptr) unknown.emplace(message->guid.view());
      } else if (message != nullptr) {
        check(*message, *each.answer, executed_now);
      } else {
        check(std::get<capture_request>(each.request), token, *each.answer, allocated);
      }
    }
    for (const auto& [guid, found] : messages_) {
      if (found.at <= before_) continue;
      INFO("GUID " << guid);
      REQUIRE((executed_now.contains(guid) || unknown.contains(guid)));
    }
    for (const auto& [key, count] : allocated) REQUIRE(count <= allocations_[key]);
  }

  void check_seen(const std::vector<seen_order>& seen) const {
    for (const seen_order& each : seen) {
      INFO("order " << each.id.to_string());
      REQUIRE(each.order != nullptr);  // its creation was acknowledged before the read
      const auto found = orders_.find(each.id);
      REQUIRE(found != orders_.end());
      REQUIRE(each.order->version.number <= found->second.size());
      REQUIRE(*found->second[each.order->version.number - 1] == *each.order);
    }
  }

  std::optional<order_id> newest_order() const {
    return orders_.empty() ? std::nullopt : std::optional(orders_.rbegin()->first);
  }
  std::size_t messages() const { return messages_.size(); }
  std::size_t recorded_captures() const { return responses_.size(); }

 private:
  struct found_message {
    message_record record;
    shared_order after;
    std::size_t at = 0;  // position
  };

  void add(const storage::message_entry& logged) {
    const message request = book_.request_of(logged.guid);
    INFO("GUID " << request.guid.view());
    const order_id id = request.target.value_or(logged.record.outcome.order);
    auto& versions = orders_[id];
    const shared_order current = versions.empty() ? nullptr : versions.back();
    REQUIRE(request.target.has_value() == (current != nullptr));
    auto decision = decide(current.get(), request, id, sample_time);
    outcome expected;
    if (auto* happened = std::get_if<event>(&decision)) {
      REQUIRE(logged.after != nullptr);
      versions.push_back(shared(apply(current.get(), std::move(*happened))));
      REQUIRE(*logged.after == *versions.back());
      expected = accepted_outcome(request, *versions.back());
    } else {
      REQUIRE(std::holds_alternative<outcome>(decision));
      REQUIRE(logged.after == nullptr);
      expected = std::get<outcome>(decision);
    }
    REQUIRE(logged.record.outcome == expected);
    const found_message found{logged.record, logged.after, entries_.size() + 1};
    REQUIRE(messages_.emplace(request.guid.view(), found).second);  // once
  }

  void add(const storage::capture_entry& logged) {
    INFO("key " << logged.key);
    const std::string name(logged.key.view());
    const bool is_allocation = logged.after != nullptr && logged.after->response == nullptr;
    const capture_request request = logged.after == nullptr ? release(logged.key)
                                    : is_allocation         ? allocation(logged.key)
                                                            : record(logged.key, logged.after->response);
    shared_capture& current = captures_[name];
    const auto expected = decide(current, request, terms_, logged.at);
    REQUIRE(expected.change);
    REQUIRE((expected.change->after == nullptr) == (logged.after == nullptr));
    if (logged.after != nullptr) REQUIRE(*logged.after == *expected.change->after);
    if (is_allocation) ++allocations_[name];
    if (logged.after != nullptr && !is_allocation) {
      REQUIRE(responses_.emplace(name, std::pair(logged.after->response->body, entries_.size() + 1)).second);
    }
    current = logged.after;
  }

  void check(const message& request, const answer& result, std::set<std::string>& executed_now) const {
    const std::string name(request.guid.view());
    INFO("GUID " << name);
    const auto found = messages_.find(name);
    const bool was_known = found != messages_.end() && found->second.at <= before_;
    if (is_executed(result)) {
      const executed& done = executed_in(result);
      REQUIRE(found != messages_.end());  // it was acknowledged
      REQUIRE(found->second.record.fingerprint == request.fingerprint);
      REQUIRE(done.outcome == found->second.record.outcome);
      REQUIRE(done.expires_at == found->second.record.expires_at);
      REQUIRE((done.order == nullptr) == (found->second.after == nullptr));
      if (done.order != nullptr) REQUIRE(*done.order == *found->second.after);
      if (was_known) REQUIRE(done.replayed);
      if (!done.replayed) REQUIRE(executed_now.insert(name).second);
    } else if (is_refused<guid_reused>(result)) {
      if (was_known) REQUIRE(found->second.record.fingerprint != request.fingerprint);
    } else {
      REQUIRE(is_refused<order_not_found>(result));  // nothing else can be refused here
      REQUIRE(found == messages_.end());
    }
  }

  void check(const capture_request& request, std::uint32_t token, const answer& result,
             std::map<std::string, std::size_t>& allocated) {
    const std::string name(request.key.view());
    INFO("key " << name);
    const auto& told = std::get<capture_answer>(result);
    const auto recorded = responses_.find(name);
    const bool was_recorded = recorded != responses_.end() && recorded->second.second <= before_;
    switch (told.verdict) {
      case capture_verdict::allocated:
        REQUIRE_FALSE(was_recorded);
        ++allocated[name];
        allocations_.try_emplace(name);
        break;
      case capture_verdict::recorded:
        REQUIRE(recorded != responses_.end());
        REQUIRE(recorded->second.first == std::to_string(token));
        break;
      case capture_verdict::completed:
        REQUIRE(recorded != responses_.end());
        REQUIRE(told.response->body == recorded->second.first);
        break;
      case capture_verdict::released:
      case capture_verdict::unknown:
      case capture_verdict::in_flight: REQUIRE_FALSE(was_recorded); break;
      case capture_verdict::not_releasable: REQUIRE(recorded != responses_.end()); break;
      case capture_verdict::not_recordable: break;
    }
  }

  const memory_log& log_;
  const request_book& book_;
  const capture_terms terms_;
  std::vector<storage::logged_entry> entries_;
  std::size_t before_ = 0;  // the entries of earlier rounds
  std::map<order_id, std::vector<shared_order>> orders_;
  std::map<std::string, found_message> messages_;
  std::map<std::string, shared_capture> captures_;
  std::map<std::string, std::size_t> allocations_;                        // added by the last extend()
  std::map<std::string, std::pair<std::string, std::size_t>> responses_;  // body and position, by key
};

class crash_simulation {
 public:
  explicit crash_simulation(std::uint64_t seed)
      : random_(seed), book_(seed), log_(log_settings(seed)), oracle_(log_, book_, settings_.captures) {
    settings_.id_seed = seed;
    settings_.write_retry_first = milliseconds(0);
  }

  // Runs an engine until the machine loses power, and checks what is left.
  void run(int round) {
    if (view_ == nullptr || random_() % 8 == 0) view_ = std::make_unique<memory_view>(log_);
    view_->catch_up();
    REQUIRE(view_->visible() == log_.last());
    first_guid_ = static_cast<std::uint64_t>(round) * new_guids_per_round;
    first_key_ = static_cast<std::uint64_t>(round) * new_keys_per_round;
    std::vector<engine_request> repeats;
    for (const auto& [token, each] : sent_) {
      if (each.is_unknown() || random_() % 8 == 0) repeats.push_back(each.request);
    }
    sent_.clear();
    seen_.clear();

    collecting_queue queue;
    settings_.shards = static_cast<std::uint32_t>(1 + random_() % 3);
    settings_.worker_threads = static_cast<std::uint32_t>(1 + random_() % 2);
    settings_.live_orders_max = 1 + random_() % 20;
    const bool is_faulty = random_() % 2 == 0;
    log_.set_faults(is_faulty ? log_fault_rates{20, 20, 3} : log_fault_rates{});
    log_.cut_power_after(1 + random_() % calls_per_round_max);
    {
      gateway engine(settings_, {.log = log_,
                                 .view = *view_,
                                 .orders = *view_,
                                 .captures = *view_,
                                 .clock = clock_,
                                 .newest_order = oracle_.newest_order()});
      const std::uint32_t queue_number = engine.add_queue(queue);
      std::vector<std::thread> all;
      for (unsigned i = 0; i < clients; ++i) {
        all.emplace_back([&, seed = random_(), first = std::exchange(repeats, {})] {
          be_client(engine, queue_number, queue, seed, first);
        });
      }
      for (auto& each : all) each.join();
      log_.cut_power_after(0);
    }
    log_.lose_power();

    for (auto& [token, answer] : queue.wait_for_all(0)) sent_.at(token).answer = std::move(answer);
    REQUIRE_FALSE(queue.answered_twice());
    REQUIRE(view_->faults() == std::vector<std::string>{});
    REQUIRE(view_->visible() <= log_.last());
    oracle_.extend();
    oracle_.check_answers(sent_);
    oracle_.check_seen(seen_);
    if (round % full_check_every == 0) oracle_.check_all();
  }

  const log_oracle& oracle() const { return oracle_; }

 private:
  static memory_log_settings log_settings(std::uint64_t seed) {
    memory_log_settings made;
    made.seed = seed;
    return made;
  }

  // Each body is sent once, and so identifies its call.
  engine_request some_request(std::uint32_t token, std::mt19937_64& random) {
    if (random() % 4 != 0) return book_.some_message(first_guid_, guids_in_use);
    const capture_key key = key_of(first_key_ + random() % keys_in_use);
    switch (random() % 5) {
      case 0:
      case 1: return allocation(key);
      case 2: return release(key);
      default: return record(key, response_of(std::to_string(token)));
    }
  }

  void be_client(gateway& engine, std::uint32_t queue_number, collecting_queue& queue, std::uint64_t seed,
                 std::vector<engine_request> first) {
    std::mt19937_64 random(seed);
    for (unsigned i = 0; i < batches_per_client_max && !log_.is_off(); ++i) {
      std::vector<submission> batch;
      std::vector<std::uint32_t> tokens;
      for (auto size = first.empty() ? 1 + random() % 6 : first.size(); size > 0; --size) {
        const std::uint32_t token = next_token_++;
        auto request = first.empty() ? some_request(token, random) : first[size - 1];
        // A repeated record has another body, since it has another token.
        auto* call = std::get_if<capture_request>(&request);
        if (call != nullptr && std::holds_alternative<record_capture>(call->action)) {
          request = record(call->key, response_of(std::to_string(token)));
        }
        batch.push_back({{queue_number, token}, std::move(request)});
        tokens.push_back(token);
      }
      first.clear();
      {
        const std::lock_guard lock(mutex_);
        for (const submission& each : batch) sent_.emplace(each.token.number, sent_request{each.request, {}});
      }
      engine.submit(std::move(batch));
      for (const std::uint32_t token : tokens) {
        if (random() % 4 == 0) continue;
        const answer result = queue.wait_for(token);
        if (is_executed(result) && executed_in(result).order != nullptr) book_.learn(executed_in(result).order);
      }
      look_at_an_order();
    }
  }

  void look_at_an_order() {
    const auto id = book_.some_order();
    if (!id) return;
    auto found = view_->find_order(*id).value();
    const std::lock_guard lock(mutex_);
    seen_.push_back({*id, std::move(found)});
  }

  std::mt19937_64 random_;
  gateway_settings settings_;
  manual_clock clock_;
  request_book book_;
  memory_log log_;
  std::unique_ptr<memory_view> view_;  // has a prefix of the log, as files have
  log_oracle oracle_;
  std::uint64_t first_guid_ = 0;
  std::uint64_t first_key_ = 0;
  std::atomic<std::uint32_t> next_token_{0};
  std::mutex mutex_;
  std::map<std::uint32_t, sent_request> sent_;  // of this round, by token
  std::vector<seen_order> seen_;                // of this round
};

TEST_CASE("over hundreds of crashes what was acknowledged is kept, once, and nothing is there in part") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  crash_simulation simulation(seed);
  const std::size_t rounds = sampled(crashes).size();
  for (std::size_t round = 0; round < rounds; ++round) {
    INFO("round " << round);
    simulation.run(static_cast<int>(round));
  }
  CHECK(simulation.oracle().messages() > rounds);
  CHECK(simulation.oracle().recorded_captures() > rounds / 4);
}

}  // namespace
}  // namespace ordem::actors
