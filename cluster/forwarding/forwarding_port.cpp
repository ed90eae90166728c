#include "cluster/forwarding/forwarding_port.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <variant>

#include "cluster/forwarding/forward_message.hpp"
#include "cluster/forwarding/local_queue.hpp"
#include "engine/base/atomic_max.hpp"
#include "engine/base/check.hpp"

namespace ordem::cluster {
namespace {

// Replies by the number of their queue.
using replies_by_queue = std::map<std::uint32_t, std::vector<reply>>;

bool is_release(const engine_request& what) {
  const auto* call = std::get_if<capture_request>(&what);
  return call != nullptr && std::holds_alternative<release_capture>(call->action);
}

const unavailability* unavailability_in(const answer& what) {
  const auto* why = std::get_if<refusal>(&what);
  return why != nullptr ? std::get_if<unavailability>(why) : nullptr;
}

bool is_in_flight(const answer& what) {
  const auto* why = std::get_if<refusal>(&what);
  return why != nullptr && std::holds_alternative<request_in_flight>(*why);
}

struct pending_submission {
  request_token token;
  std::string text;  // of encode_submission()
};

// A request to the owner that has no answer yet.
struct pending_request {
  std::vector<pending_submission> submissions;
  std::size_t bytes = 0;
  // Of captures that are given up, which must not be done twice: another caller may have the key by then.
  bool releases = false;
  bool may_be_executed = false;  // an earlier try got no answer
  bool is_sent = false;          // a try is under way
  milliseconds heard_at{};       // of the last sign of an owner
  milliseconds send_at{};        // if no try is under way
};

struct held_replies {
  milliseconds until{};
  replies_by_queue replies;
};

}  // namespace

struct forwarding_port::parts : std::enable_shared_from_this<parts> {
  parts(forwarding_settings given, peer_transport& by, std::uint64_t sender_id, milliseconds time)
      : settings(given), transport(by), sender(sender_id), now(time) {}

  bool forward(const std::vector<submission>& submissions);
  void send(const std::vector<std::uint64_t>& numbers);
  void on_answer(std::uint64_t number, std::optional<std::string>&& body);
  void take_answers(std::uint64_t number, forward_answer&& what, replies_by_queue& due);
  bool hold(position visible, replies_by_queue& replies);
  void release(std::multimap<position, held_replies>::iterator which, replies_by_queue& into);
  void deliver(replies_by_queue&& replies);
  std::uint64_t add(pending_request&& what);
  pending_request remove(std::uint64_t number);
  void retry_later(pending_request& what);
  bool submit_local(std::vector<submission>& submissions);
  milliseconds time_now() const {
    const std::lock_guard lock(mutex);
    return now;
  }
  void refuse(const pending_request& what, unavailability why, replies_by_queue& into);
  template <class Take>
  std::uint64_t refuse_local(Take take, replies_by_queue& into);

  const forwarding_settings settings;
  peer_transport& transport;
  const std::uint64_t sender;
  std::vector<completion_queue*> queues;

  // The gateway of this node. Submissions hold it shared, so it outlives each of them.
  std::shared_mutex gateway_mutex;
  message_port* gateway = nullptr;
  // Whether it gets submissions: looked at before the mutex is taken, too, so that submissions do not keep detach()
  // from it.
  std::atomic<bool> has_gateway{false};
  std::vector<std::unique_ptr<local_queue>> local_queues;  // kept after detach(), as the gateway still knows them

  mutable std::mutex mutex;  // of what follows
  milliseconds now;
  bool owns = false;
  std::uint64_t last_number = 0;
  std::map<std::uint64_t, pending_request> requests;  // by their numbers
  std::size_t bytes = 0;                              // of `requests`
  std::multimap<position, held_replies> held;         // by the position that the view has to reach
  forwarding_stats counts;

  // Written and read in one order, so that either a reply is not held or on_applied() finds it.
  std::atomic<std::uint64_t> applied{0};
  std::atomic<std::size_t> held_count{0};
};

// --- to the gateway of this node ---

bool forwarding_port::parts::submit_local(std::vector<submission>& submissions) {
  if (!has_gateway.load(std::memory_order_acquire)) return false;
  const std::shared_lock lock(gateway_mutex);
  if (gateway == nullptr || !has_gateway.load(std::memory_order_relaxed)) return false;
  for (submission& each : submissions) each.token.number = local_queues[each.token.queue]->expect(each.token.number);
  gateway->submit(std::move(submissions));
  return true;
}

// Refuses the submissions whose numbers `take` returns of a local queue; returns how many there are.
// REQUIRES: the mutex of the gateway is held.
template <class Take>
std::uint64_t forwarding_port::parts::refuse_local(Take take, replies_by_queue& into) {
  std::uint64_t count = 0;
  for (std::uint32_t queue = 0; queue < local_queues.size(); ++queue) {
    for (const std::uint32_t number : take(*local_queues[queue])) {
      into[queue].push_back({{queue, number}, refusal{unavailability::no_owner}});
      ++count;
    }
  }
  return count;
}

// --- to the owner ---

std::uint64_t forwarding_port::parts::add(pending_request&& what) {
  const std::uint64_t number = ++last_number;
  bytes += what.bytes;
  counts.waiting += what.submissions.size();
  requests.emplace(number, std::move(what));
  return number;
}

pending_request forwarding_port::parts::remove(std::uint64_t number) {
  auto taken = requests.extract(number);
  bytes -= taken.mapped().bytes;
  counts.waiting -= taken.mapped().submissions.size();
  return std::move(taken.mapped());
}

void forwarding_port::parts::refuse(const pending_request& what, unavailability why, replies_by_queue& into) {
  for (const pending_submission& each : what.submissions) into[each.token.queue].push_back({each.token, refusal{why}});
}

// Returns false, and does nothing, if this node owns the log.
bool forwarding_port::parts::forward(const std::vector<submission>& submissions) {
  std::vector<pending_request> made;
  std::size_t all_bytes = 0;
  for (const submission& each : submissions) {
    pending_submission next{each.token, {}};
    encode_submission(next.text, each.request);
    const bool releases = is_release(each.request);
    const std::size_t size = next.text.size();
    all_bytes += size;
    const bool fits = !made.empty() && made.back().releases == releases &&
                      made.back().submissions.size() < settings.request_submissions_max &&
                      made.back().bytes + size <= settings.request_bytes_max;
    if (!fits) {
      made.emplace_back();
      made.back().releases = releases;
    }
    made.back().bytes += size;
    made.back().submissions.push_back(std::move(next));
  }

  std::vector<std::uint64_t> numbers;
  replies_by_queue refused;
  {
    const std::lock_guard lock(mutex);
    if (owns) return false;
    const bool has_room =
        counts.waiting + submissions.size() <= settings.submissions_max && bytes + all_bytes <= settings.bytes_max;
    (has_room ? counts.forwarded : counts.overloaded) += submissions.size();
    for (pending_request& each : made) {
      each.heard_at = now;
      if (has_room) {
        numbers.push_back(add(std::move(each)));
      } else {
        refuse(each, unavailability::overloaded, refused);
      }
    }
  }
  deliver(std::move(refused));
  send(numbers);
  return true;
}

void forwarding_port::parts::send(const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t number : numbers) {
    std::string body;
    milliseconds timeout{};
    {
      const std::lock_guard lock(mutex);
      const auto found = requests.find(number);
      if (found == requests.end() || found->second.is_sent) continue;
      pending_request& what = found->second;
      what.is_sent = true;
      std::string texts;
      texts.reserve(what.bytes);
      for (const pending_submission& each : what.submissions) texts += each.text;
      body = encode_forward_request({sender, number}, requests.begin()->first, what.submissions.size(), texts);
      const milliseconds left = what.heard_at + settings.owner_patience - now;
      timeout = std::max(milliseconds(1), std::min(settings.request_timeout, left));
    }
    transport.request(submit_subject, std::move(body), timeout,
                      [parts = weak_from_this(), number](std::optional<std::string> answer) {
                        if (const auto to = parts.lock()) to->on_answer(number, std::move(answer));
                      });
  }
}

void forwarding_port::parts::retry_later(pending_request& what) {
  what.is_sent = false;
  what.send_at = now + settings.retry_after;
}

void forwarding_port::parts::on_answer(std::uint64_t number, std::optional<std::string>&& body) {
  forward_answer what;
  bool is_answer = false;
  if (auto decoded = body ? decode_forward_answer(*body) : std::nullopt) {
    what = std::move(*decoded);
    is_answer = true;
    transport.note_visible(what.visible);
  }
  replies_by_queue due;
  std::vector<std::uint64_t> to_send;
  bool is_held = false;
  {
    const std::lock_guard lock(mutex);
    const auto found = requests.find(number);
    if (found == requests.end()) return;  // answered, or taken by the gateway of this node
    pending_request& asked = found->second;
    if (what.status == forward_status::answered && what.answers.size() != asked.submissions.size()) is_answer = false;
    const bool in_doubt = !is_answer || what.status == forward_status::in_progress;
    if (in_doubt && asked.releases) {
      counts.without_owner += asked.submissions.size();
      refuse(remove(number), unavailability::no_owner, due);
    } else if (!is_answer) {
      asked.may_be_executed = true;
      retry_later(asked);
    } else {
      switch (what.status) {
        case forward_status::answered: {
          const position visible = what.visible;
          const std::uint64_t before = last_number;
          take_answers(number, std::move(what), due);
          if (last_number != before && requests.at(last_number).send_at <= now) to_send.push_back(last_number);
          is_held = hold(visible, due);
          break;
        }
        case forward_status::overloaded:
          if (asked.may_be_executed) {
            retry_later(asked);
          } else {
            counts.overloaded += asked.submissions.size();
            refuse(remove(number), unavailability::overloaded, due);
          }
          break;
        case forward_status::in_progress:
          asked.may_be_executed = true;
          asked.heard_at = now;
          retry_later(asked);
          break;
        case forward_status::not_owner:
        case forward_status::malformed: retry_later(asked); break;
      }
    }
  }
  if (!is_held) deliver(std::move(due));
  send(to_send);
}

// Takes the answers of a request. What has to be sent again becomes a new request, as the owner knows the answer to
// this one.
void forwarding_port::parts::take_answers(std::uint64_t number, forward_answer&& what, replies_by_queue& due) {
  pending_request asked = remove(number);
  pending_request again;
  again.releases = asked.releases;
  again.may_be_executed = asked.may_be_executed;
  again.heard_at = now;
  again.send_at = now;
  for (std::size_t i = 0; i < asked.submissions.size(); ++i) {
    pending_submission& each = asked.submissions[i];
    std::optional<answer>& got = what.answers[i];
    const auto* why = got ? unavailability_in(*got) : nullptr;
    const bool lost_owner = why != nullptr && *why == unavailability::no_owner;
    const bool stops = why != nullptr && *why == unavailability::draining;
    // It is this very submission that is in flight there, by an earlier try.
    const bool joins_itself = got && asked.may_be_executed && is_in_flight(*got);
    const bool is_final = asked.releases && !stops;  // in doubt, it must not be done twice
    if (is_final && !got) got = refusal{unavailability::no_owner};
    if (got && (is_final || !(lost_owner || stops || joins_itself))) {
      due[each.token.queue].push_back({each.token, std::move(*got)});
      continue;
    }
    if (lost_owner || stops) again.heard_at = asked.heard_at;  // no sign of an owner that takes it
    if (got) again.send_at = now + settings.retry_after;
    if (!stops) again.may_be_executed = true;
    again.bytes += each.text.size();
    again.submissions.push_back(std::move(each));
  }
  if (!again.submissions.empty()) {
    ++counts.sent_again;
    add(std::move(again));
  }
}

// --- replies ---

// Takes the replies if the view of this node is behind. Returns whether it does.
bool forwarding_port::parts::hold(position visible, replies_by_queue& replies) {
  if (replies.empty()) return false;
  held_count.fetch_add(1);
  if (applied.load() >= visible.number) {
    held_count.fetch_sub(1);
    return false;
  }
  for (const auto& [queue, some] : replies) counts.waiting += some.size();
  held.emplace(visible, held_replies{now + settings.held_max, std::move(replies)});
  return true;
}

void forwarding_port::parts::release(std::multimap<position, held_replies>::iterator which, replies_by_queue& into) {
  for (auto& [queue, some] : which->second.replies) {
    counts.waiting -= some.size();
    into[queue].insert(into[queue].end(), std::move_iterator(some.begin()), std::move_iterator(some.end()));
  }
  held.erase(which);
  held_count.fetch_sub(1);
}

void forwarding_port::parts::deliver(replies_by_queue&& replies) {
  for (auto& [queue, some] : replies) queues[queue]->deliver(std::move(some));
}

// --- the port ---

forwarding_port::forwarding_port(forwarding_settings settings, peer_transport& transport, std::uint64_t sender,
                                 milliseconds now)
    : parts_(std::make_shared<parts>(settings, transport, sender, now)) {}

forwarding_port::~forwarding_port() = default;

std::uint32_t forwarding_port::add_queue(completion_queue& queue) {
  parts_->queues.push_back(&queue);
  return static_cast<std::uint32_t>(parts_->queues.size() - 1);
}

void forwarding_port::submit(std::vector<submission>&& submissions) {
  // If the ownership begins between the two, it is the gateway's turn.
  while (!parts_->submit_local(submissions) && !parts_->forward(submissions)) {
  }
}

bool forwarding_port::submit_local(std::vector<submission>&& submissions) {
  return parts_->submit_local(submissions);
}

void forwarding_port::attach(message_port& gateway, const std::function<std::uint32_t(completion_queue&)>& add_queue) {
  parts& it = *parts_;
  const milliseconds now = it.time_now();
  {
    const std::lock_guard lock(it.gateway_mutex);
    ORDEM_CHECK(it.gateway == nullptr);
    it.local_queues.clear();
    for (completion_queue* const each : it.queues) {
      it.local_queues.push_back(std::make_unique<local_queue>(*each, now));
      // So that the tokens of the port's queues are those of the gateway.
      ORDEM_CHECK(add_queue(*it.local_queues.back()) == it.local_queues.size() - 1);
    }
    it.gateway = &gateway;
    it.has_gateway.store(true, std::memory_order_release);
  }
  std::vector<submission> waiting;
  replies_by_queue refused;
  {
    const std::lock_guard lock(it.mutex);
    it.owns = true;
    while (!it.requests.empty()) {
      const pending_request taken = it.remove(it.requests.begin()->first);
      if (taken.releases && (taken.is_sent || taken.may_be_executed)) {
        it.counts.without_owner += taken.submissions.size();
        it.refuse(taken, unavailability::no_owner, refused);
        continue;
      }
      for (const pending_submission& each : taken.submissions) {
        auto request = decode_submission(each.text);
        ORDEM_CHECK(request);
        waiting.push_back({each.token, std::move(*request)});
      }
    }
  }
  it.deliver(std::move(refused));
  if (!waiting.empty()) submit(std::move(waiting));
}

void forwarding_port::end_submissions() {
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->owns = false;
    parts_->has_gateway.store(false, std::memory_order_release);
  }
  // Waits for the calls of submit() that have found the gateway.
  const std::lock_guard lock(parts_->gateway_mutex);
}

void forwarding_port::detach() {
  parts& it = *parts_;
  end_submissions();
  replies_by_queue lost;
  std::uint64_t count = 0;
  {
    const std::lock_guard lock(it.gateway_mutex);
    if (std::exchange(it.gateway, nullptr) == nullptr) return;
    count = it.refuse_local([](local_queue& each) { return each.end(); }, lost);
  }
  {
    const std::lock_guard lock(it.mutex);
    it.counts.without_owner += count;
    it.counts.lost_with_owner += count;
  }
  it.deliver(std::move(lost));
}

bool forwarding_port::is_attached() const noexcept {
  const std::lock_guard lock(parts_->mutex);
  return parts_->owns;
}

void forwarding_port::on_owner_change() {
  std::vector<std::uint64_t> to_send;
  {
    const std::lock_guard lock(parts_->mutex);
    for (const auto& [number, each] : parts_->requests) {
      if (!each.is_sent) to_send.push_back(number);
    }
    parts_->counts.sent_again += to_send.size();
  }
  parts_->send(to_send);
}

void forwarding_port::on_applied(position visible) {
  parts& it = *parts_;
  raise_to(it.applied, visible.number);
  if (it.held_count.load() == 0) return;
  replies_by_queue due;
  {
    const std::lock_guard lock(it.mutex);
    while (!it.held.empty() && it.held.begin()->first.number <= it.applied.load()) it.release(it.held.begin(), due);
  }
  it.deliver(std::move(due));
}

void forwarding_port::on_tick(milliseconds now) {
  parts& it = *parts_;
  std::vector<std::uint64_t> to_send;
  replies_by_queue due;
  std::uint64_t late = 0;
  {
    // Against attach(), which replaces the queues. After detach() they have nothing that waits.
    const std::shared_lock lock(it.gateway_mutex);
    const milliseconds patience = it.settings.gateway_patience;
    late = it.refuse_local([&](local_queue& each) { return each.give_up(now, patience); }, due);
  }
  {
    const std::lock_guard lock(it.mutex);
    it.counts.without_owner += late;
    it.now = std::max(it.now, now);
    std::vector<std::uint64_t> given_up;
    for (const auto& [number, each] : it.requests) {
      if (each.is_sent || it.now < each.send_at) continue;
      (it.now - each.heard_at >= it.settings.owner_patience ? given_up : to_send).push_back(number);
    }
    it.counts.sent_again += to_send.size();
    for (const std::uint64_t number : given_up) {
      const pending_request taken = it.remove(number);
      it.counts.without_owner += taken.submissions.size();
      it.refuse(taken, unavailability::no_owner, due);
    }
    for (auto each = it.held.begin(); each != it.held.end();) {
      const auto next = std::next(each);
      if (each->second.until <= it.now) {
        for (const auto& [queue, some] : each->second.replies) it.counts.held_too_long += some.size();
        it.release(each, due);
      }
      each = next;
    }
  }
  it.deliver(std::move(due));
  it.send(to_send);
}

forwarding_stats forwarding_port::stats() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->counts;
}

}  // namespace ordem::cluster
