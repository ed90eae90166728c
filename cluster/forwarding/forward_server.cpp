#include "cluster/forwarding/forward_server.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "cluster/forwarding/forward_message.hpp"

namespace ordem::cluster {
namespace {

// Senders whose oldest requests are known. A node that is started again is another sender.
constexpr std::size_t senders_max = 1024;

// A request that has arrived: it is being executed, or its answer is kept.
struct known_request {
  std::vector<std::optional<answer>> answers;
  std::size_t missing = 0;
  std::size_t bytes = 0;
  std::function<void(std::string)> respond;
  bool is_done = false;
  std::string kept;  // the answer, once it is done
};

// The submission that a token of this queue's names.
struct awaited_answer {
  forward_id request;
  std::size_t index = 0;
};

struct finished_request {
  milliseconds at{};
  forward_id id;
};

}  // namespace

struct forward_server::parts {
  parts(forward_server_settings given, forwarding_port& to, std::function<position()> shown,
        std::function<std::uint64_t()> known_epoch, milliseconds time)
      : settings(given), port(to), visible(std::move(shown)), epoch(std::move(known_epoch)), now(time) {}

  std::string answer_of(forward_status status) const {
    return encode_forward_answer({.status = status, .epoch = epoch(), .visible = visible(), .answers = {}},
                                 settings.answer_bytes_max);
  }
  std::vector<submission> begin(forward_request&& what, std::size_t body_bytes,
                                std::function<void(std::string)>&& respond);
  void cancel(const forward_id& id, const std::vector<std::uint32_t>& numbers);
  void forget_before(const forward_id& oldest);
  void forget_finished(bool all_are_old);
  void erase(std::map<forward_id, known_request>::iterator which);

  const forward_server_settings settings;
  forwarding_port& port;
  const std::function<position()> visible;
  const std::function<std::uint64_t()> epoch;
  std::uint32_t queue = 0;

  std::mutex mutex;  // of what follows
  milliseconds now;
  std::map<forward_id, known_request> requests;
  std::map<std::uint64_t, std::uint64_t> oldest;  // by sender: the least number that it still waits for
  std::size_t executing = 0;
  std::size_t executing_bytes = 0;
  std::size_t kept = 0;
  std::size_t kept_bytes = 0;
  std::deque<finished_request> finished;  // in the order in which they were done; some are forgotten already
  std::vector<awaited_answer> awaited;    // by the numbers of tokens
  std::vector<std::uint32_t> free_numbers;
};

// --- what is known ---

void forward_server::parts::erase(std::map<forward_id, known_request>::iterator which) {
  --kept;
  kept_bytes -= which->second.kept.size();
  requests.erase(which);
}

// The sender has the answers to all requests before this one.
void forward_server::parts::forget_before(const forward_id& first) {
  std::uint64_t& known = oldest[first.sender];
  known = std::max(known, first.number);
  if (oldest.size() > senders_max)
    oldest.erase(oldest.begin()->first == first.sender ? std::next(oldest.begin()) : oldest.begin());
  for (auto each = requests.lower_bound({first.sender, 0}); each != requests.end() && each->first < first;) {
    const auto next = std::next(each);
    if (each->second.is_done) erase(each);
    each = next;
  }
}

void forward_server::parts::forget_finished(bool all_are_old) {
  const auto is_over = [&] {
    return kept > settings.kept_answers_max || kept_bytes > settings.kept_bytes_max ||
           (all_are_old && !finished.empty() && now - finished.front().at >= settings.kept_for);
  };
  while (!finished.empty() && is_over()) {
    const auto found = requests.find(finished.front().id);
    if (found != requests.end() && found->second.is_done) erase(found);
    finished.pop_front();
  }
}

// --- requests ---

std::vector<submission> forward_server::parts::begin(forward_request&& what, std::size_t body_bytes,
                                                     std::function<void(std::string)>&& respond) {
  known_request& made = requests[what.id];
  made.answers.resize(what.submissions.size());
  made.missing = what.submissions.size();
  made.bytes = body_bytes;
  made.respond = std::move(respond);
  ++executing;
  executing_bytes += body_bytes;
  std::vector<submission> batch;
  batch.reserve(what.submissions.size());
  for (std::size_t i = 0; i < what.submissions.size(); ++i) {
    std::uint32_t number = 0;
    if (free_numbers.empty()) {
      number = static_cast<std::uint32_t>(awaited.size());
      awaited.emplace_back();
    } else {
      number = free_numbers.back();
      free_numbers.pop_back();
    }
    awaited[number] = {what.id, i};
    batch.push_back({{queue, number}, std::move(what.submissions[i])});
  }
  return batch;
}

// Nothing of the request was submitted.
void forward_server::parts::cancel(const forward_id& id, const std::vector<std::uint32_t>& numbers) {
  const auto found = requests.find(id);
  --executing;
  executing_bytes -= found->second.bytes;
  requests.erase(found);
  free_numbers.insert(free_numbers.end(), numbers.begin(), numbers.end());
}

forward_server::forward_server(forward_server_settings settings, forwarding_port& port,
                               std::function<position()> visible, std::function<std::uint64_t()> epoch,
                               milliseconds now)
    : parts_(std::make_unique<parts>(settings, port, std::move(visible), std::move(epoch), now)) {
  parts_->queue = port.add_queue(*this);
}

forward_server::~forward_server() = default;

void forward_server::handle(std::string_view body, std::function<void(std::string)> respond) {
  parts& it = *parts_;
  auto what = decode_forward_request(body);
  if (!what) return respond(it.answer_of(forward_status::malformed));
  const forward_id id = what->id;
  std::vector<submission> batch;
  {
    std::unique_lock lock(it.mutex);
    it.forget_before({id.sender, what->oldest});
    // A late repeat of a request whose answer the sender has: it needs no answer, and must not be executed again.
    if (id.number < it.oldest[id.sender]) return;
    if (const auto found = it.requests.find(id); found != it.requests.end()) {
      const std::string answer = found->second.is_done ? found->second.kept : std::string();
      lock.unlock();
      return respond(answer.empty() ? it.answer_of(forward_status::in_progress) : answer);
    }
    if (it.executing >= it.settings.requests_max || it.executing_bytes + body.size() > it.settings.bytes_max) {
      lock.unlock();
      return respond(it.answer_of(forward_status::overloaded));
    }
    batch = it.begin(std::move(*what), body.size(), std::move(respond));
  }
  std::vector<std::uint32_t> numbers;
  numbers.reserve(batch.size());
  for (const submission& each : batch) numbers.push_back(each.token.number);
  if (it.port.submit_local(std::move(batch))) return;
  std::function<void(std::string)> respond_now;
  {
    const std::lock_guard lock(it.mutex);
    respond_now = std::move(it.requests.at(id).respond);
    it.cancel(id, numbers);
  }
  respond_now(it.answer_of(forward_status::not_owner));
}

void forward_server::deliver(std::vector<reply>&& replies) noexcept {
  parts& it = *parts_;
  struct complete_request {
    forward_id id;
    forward_answer what;
    std::function<void(std::string)> respond;
  };
  std::vector<complete_request> complete;
  // Taken before the answers are sent, and not before what they speak of is visible.
  const position visible = it.visible();
  const std::uint64_t epoch = it.epoch();
  {
    const std::lock_guard lock(it.mutex);
    for (reply& each : replies) {
      const awaited_answer to = it.awaited[each.token.number];
      it.free_numbers.push_back(each.token.number);
      known_request& of = it.requests.at(to.request);
      of.answers[to.index] = std::move(each.answer);
      if (--of.missing > 0) continue;
      complete.push_back(
          {to.request,
           {.status = forward_status::answered, .epoch = epoch, .visible = visible, .answers = std::move(of.answers)},
           std::move(of.respond)});
    }
  }
  for (complete_request& each : complete) {
    std::string body = encode_forward_answer(each.what, it.settings.answer_bytes_max);
    {
      const std::lock_guard lock(it.mutex);
      known_request& of = it.requests.at(each.id);
      --it.executing;
      it.executing_bytes -= of.bytes;
      of.is_done = true;
      of.kept = body;
      ++it.kept;
      it.kept_bytes += body.size();
      it.finished.push_back({it.now, each.id});
      it.forget_finished(false);
    }
    each.respond(std::move(body));
  }
}

void forward_server::on_tick(milliseconds now) {
  const std::lock_guard lock(parts_->mutex);
  parts_->now = std::max(parts_->now, now);
  parts_->forget_finished(true);
}

}  // namespace ordem::cluster
