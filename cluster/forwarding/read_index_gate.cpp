// clang-format off
//   request    | 1 |
//   answer     | 1 | has visible 1 | visible v if it has | epoch v |
// clang-format on

#include "cluster/forwarding/read_index_gate.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/atomic_max.hpp"
#include "storage/records/bytes.hpp"
#include "storage/records/fields.hpp"

namespace ordem::cluster {
namespace {

constexpr std::uint8_t read_index_request_format = 1;
constexpr std::uint8_t read_index_answer_format = 1;

struct waiting_read {
  milliseconds until{};
  std::function<void(bool opened)> done;
};
using waiting_reads = std::vector<waiting_read>;

// Moves those whose time is over to `into`. REQUIRES: they are in the order of their arrival.
void take_expired(waiting_reads& from, milliseconds now, waiting_reads& into) {
  const auto kept = std::find_if(from.begin(), from.end(), [&](const auto& each) { return now < each.until; });
  into.insert(into.end(), std::move_iterator(from.begin()), std::move_iterator(kept));
  from.erase(from.begin(), kept);
}

void append(waiting_reads& to, waiting_reads&& from) {
  to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(from.end()));
  from.clear();
}

void end(waiting_reads&& reads, bool opened) {
  for (waiting_read& each : reads) each.done(opened);
}

}  // namespace

struct read_index_gate::parts : std::enable_shared_from_this<parts> {
  parts(read_index_settings given, peer_transport& by, read_gate& own, std::function<position()> shown,
        milliseconds time)
      : settings(given), transport(by), lease(own), visible(std::move(shown)), now(time) {}

  void ask();
  void on_answer(std::uint64_t of, std::optional<position> index, bool opened);
  std::size_t waiting() const { return unasked.size() + asked.size() + placed_count.load(); }

  const read_index_settings settings;
  peer_transport& transport;
  read_gate& lease;
  const std::function<position()> visible;

  std::mutex mutex;  // of what follows
  milliseconds now;
  bool is_owner = false;
  bool is_closed = false;  // the gate is being destroyed
  // The reads that came before the question that is under way, and those that came since: its answer may be older.
  waiting_reads asked;
  waiting_reads unasked;
  std::uint64_t question = 0;  // the number of the last one
  bool is_asking = false;
  milliseconds ask_at{};
  std::multimap<position, waiting_read> placed;  // by the read index, which the view has not reached
  // Written and read in one order, so that either a read is not placed or on_applied() finds it.
  std::atomic<std::size_t> placed_count{0};
  std::atomic<std::uint64_t> applied{0};
};

// Asks for the reads that have come since the last question, unless one is under way.
void read_index_gate::parts::ask() {
  std::uint64_t number = 0;
  bool own = false;
  {
    const std::lock_guard lock(mutex);
    if (is_asking || is_closed || unasked.empty() || now < ask_at) return;
    is_asking = true;
    asked = std::exchange(unasked, {});
    number = ++question;
    own = is_owner;
  }
  const auto self = weak_from_this();
  if (own) {
    return lease.wait([self, number](bool opened) {
      if (const auto to = self.lock()) to->on_answer(number, std::nullopt, opened);
    });
  }
  transport.request(read_index_subject, encode_read_index_request(), settings.request_timeout,
                    [self, number](std::optional<std::string> body) {
                      const auto to = self.lock();
                      if (to == nullptr) return;
                      const auto what = body ? decode_read_index_answer(*body) : std::nullopt;
                      if (what && what->visible) to->transport.note_visible(*what->visible);
                      to->on_answer(number, what ? what->visible : std::nullopt, false);
                    });
}

// `opened`: the lease is held, so the view of this node is up to date. Else the reads need the index, or ask again.
void read_index_gate::parts::on_answer(std::uint64_t of, std::optional<position> index, bool opened) {
  waiting_reads through;
  {
    const std::lock_guard lock(mutex);
    if (!is_asking || of != question) return;
    is_asking = false;
    if (opened) {
      through = std::exchange(asked, {});
    } else if (index) {
      placed_count.fetch_add(asked.size());
      if (std::max(applied.load(), visible().number) >= index->number) {
        placed_count.fetch_sub(asked.size());
        through = std::exchange(asked, {});
      } else {
        for (waiting_read& each : asked) placed.emplace(*index, std::move(each));
        asked.clear();
      }
    } else {
      append(asked, std::exchange(unasked, {}));
      unasked = std::exchange(asked, {});
      ask_at = now + settings.retry_after;
    }
  }
  end(std::move(through), true);
  ask();
}

read_index_gate::read_index_gate(read_index_settings settings, peer_transport& transport, read_gate& lease,
                                 std::function<position()> visible, milliseconds now)
    : parts_(std::make_shared<parts>(settings, transport, lease, std::move(visible), now)) {}

read_index_gate::~read_index_gate() {
  waiting_reads left;
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->is_closed = true;
    append(left, std::move(parts_->asked));
    append(left, std::move(parts_->unasked));
    for (auto& [index, each] : parts_->placed) left.push_back(std::move(each));
    parts_->placed.clear();
    parts_->is_asking = false;
  }
  end(std::move(left), false);
}

bool read_index_gate::is_open() const noexcept {
  return parts_->lease.is_open();
}

void read_index_gate::wait(std::function<void(bool opened)> done) {
  {
    const std::lock_guard lock(parts_->mutex);
    if (parts_->waiting() < parts_->settings.waiting_max && !parts_->is_closed) {
      parts_->unasked.push_back({parts_->now + parts_->settings.patience, std::move(done)});
      done = nullptr;
    }
  }
  done ? done(false) : parts_->ask();
}

void read_index_gate::set_owner(bool is_owner) {
  {
    const std::lock_guard lock(parts_->mutex);
    if (std::exchange(parts_->is_owner, is_owner) == is_owner) return;
    // The answer to the question that is under way is that of the other role.
    append(parts_->asked, std::exchange(parts_->unasked, {}));
    parts_->unasked = std::exchange(parts_->asked, {});
    parts_->is_asking = false;
    parts_->ask_at = {};
  }
  parts_->ask();
}

void read_index_gate::on_applied(position visible) {
  parts& it = *parts_;
  raise_to(it.applied, visible.number);
  if (it.placed_count.load() == 0) return;
  waiting_reads through;
  {
    const std::lock_guard lock(it.mutex);
    const auto end_of_reached = it.placed.upper_bound(position{it.applied.load()});
    for (auto each = it.placed.begin(); each != end_of_reached; ++each) through.push_back(std::move(each->second));
    it.placed.erase(it.placed.begin(), end_of_reached);
    it.placed_count.fetch_sub(through.size());
  }
  end(std::move(through), true);
}

void read_index_gate::on_tick(milliseconds now) {
  parts& it = *parts_;
  waiting_reads expired;
  {
    const std::lock_guard lock(it.mutex);
    it.now = std::max(it.now, now);
    take_expired(it.unasked, it.now, expired);
    take_expired(it.asked, it.now, expired);
    for (auto each = it.placed.begin(); each != it.placed.end();) {
      const auto next = std::next(each);
      if (each->second.until <= it.now) {
        expired.push_back(std::move(each->second));
        it.placed.erase(each);
        it.placed_count.fetch_sub(1);
      }
      each = next;
    }
  }
  end(std::move(expired), false);
  it.ask();
}

// --- on the wire ---

std::string encode_read_index_request() {
  return {static_cast<char>(read_index_request_format)};
}

bool is_read_index_request(std::string_view body) noexcept {
  return body.size() == 1 && static_cast<std::uint8_t>(body.front()) == read_index_request_format;
}

std::string encode_read_index_answer(const read_index_answer& what) {
  std::string body;
  storage::byte_writer to{body};
  to.put_byte(read_index_answer_format);
  to.put_byte(what.visible ? 1 : 0);
  if (what.visible) to.put_varint(what.visible->number);
  to.put_varint(what.epoch);
  return body;
}

std::optional<read_index_answer> decode_read_index_answer(std::string_view body) {
  storage::byte_reader from{body};
  storage::check_format(from, read_index_answer_format);
  const std::uint8_t has_visible = from.get_byte();
  if (has_visible > 1) from.fail();
  std::optional<position> visible;
  if (has_visible == 1) visible = position{from.get_varint()};
  return storage::checked(from, read_index_answer{visible, from.get_varint()});
}

void answer_read_index(std::string_view body, read_gate& lease, std::function<position()> visible,
                       std::function<std::uint64_t()> epoch, std::function<void(std::string)> respond) {
  if (!is_read_index_request(body)) return;
  auto answer = [visible = std::move(visible), epoch = std::move(epoch), respond = std::move(respond)](bool opened) {
    respond(encode_read_index_answer({opened ? std::optional(visible()) : std::nullopt, epoch()}));
  };
  if (lease.is_open()) return answer(true);
  lease.wait(std::move(answer));
}

}  // namespace ordem::cluster
