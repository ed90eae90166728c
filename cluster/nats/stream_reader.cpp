#include "cluster/nats/stream_reader.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "cluster/nats/libnats.hpp"

namespace ordem::cluster {
namespace {

using std::chrono::milliseconds;

constexpr unsigned batch_records_max = 256;
constexpr milliseconds batch_silence_max{1000};  // without a record of a batch that was asked for
// How long a reader that is current trusts that the copies of records come: a lost one is noticed then at the latest.
constexpr milliseconds idle_max{1000};
// Before it asks again after a failure, or a replica that is behind; doubled up to the second.
constexpr milliseconds pause_first{5};
constexpr milliseconds pause_longest{250};
constexpr int status_end_of_batch = 204;
constexpr int status_not_found = 404;

enum class batch_end : std::uint8_t { has_more, is_at_end, has_failed };

}  // namespace

class stream_reader::impl {
 public:
  impl(nats_connection& connection, stream_reader_settings settings)
      : library_(connection.library()),
        settings_(std::move(settings)),
        prefix_(new_inbox_prefix()),
        next_(settings_.from) {
    tail_.open(library_, settings_.tail_subject, static_cast<int>(read_batch_bytes),
               [this](nats_message_ptr message) { take_copy(message.get()); });
    batches_.open(library_, prefix_ + "*", pending_unbounded,  // a batch is bounded by what is asked for
                  [this](nats_message_ptr message) { take_batch(message.get()); });
    observer_ = library_.add_observer([this](bool up) {
      // Copies were lost meanwhile.
      if (up) change([this] { must_ask_ = true; });
    });
    thread_ = std::thread([this] { run(); });
  }

  ~impl() {
    library_.remove_observer(observer_);
    change([this] { stops_ = true; });
    thread_.join();
  }

  void take(std::vector<stream_record>& records) {
    records.clear();
    change([&] {
      records.swap(ready_);
      ready_bytes_ = 0;
    });
  }

  void skip_to(std::uint64_t sequence) {
    change([&] { skip_to_ = std::max(skip_to_, sequence); });
  }

  bool is_current() const noexcept { return is_current_.load(std::memory_order_acquire); }

 private:
  struct batch_message {
    std::uint64_t number = 0;  // of the batch
    int status = 0;
    std::uint64_t pending = 0;  // records behind it, if `has_pending`
    bool has_pending = false;
    stream_record record;
  };

  template <class Change>
  void change(Change what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_one();
  }

  // On threads of the library.

  void take_copy(natsMsg* message) {
    const auto text = header_of(message, "Nats-Sequence");
    const auto sequence = text ? number_of(*text) : std::nullopt;
    if (!sequence) return;
    stream_record copy{*sequence, std::string(data_of(message))};
    change([&] {
      if (copies_bytes_ + copy.bytes.size() > read_batch_bytes) {
        must_ask_ = true;  // dropped: it is read by a direct get
        return;
      }
      copies_bytes_ += copy.bytes.size();
      copies_.push_back(std::move(copy));
    });
  }

  void take_batch(natsMsg* message) {
    const auto number = number_of(std::string_view(natsMsg_GetSubject(message)).substr(prefix_.size()));
    if (!number) return;
    batch_message out;
    out.number = *number;
    out.status = status_of(message);
    if (const auto text = header_of(message, "Nats-Num-Pending")) {
      const auto pending = number_of(*text);
      out.has_pending = pending.has_value();
      out.pending = pending.value_or(0);
    }
    if (const auto text = header_of(message, "Nats-Sequence")) out.record.sequence = number_of(*text).value_or(0);
    out.record.bytes = data_of(message);
    change([&] {
      if (out.number == batch_number_) batch_.push_back(std::move(out));
    });
  }

  // On the reader's thread.

  void run() {
    milliseconds pause = pause_first;
    while (wait_for_room()) {
      if (!must_ask()) {
        if (read_copy()) continue;
        change([this] { must_ask_ = true; });
        continue;
      }
      const std::uint64_t asked = next_;
      const batch_end end = library_.is_up() ? read_batch() : batch_end::has_failed;
      if (next_ > asked) pause = pause_first;
      if (end == batch_end::has_more) continue;
      // A replica that does not have a record whose copy has come is behind.
      if (end == batch_end::is_at_end && next_ > last_known_) {
        set_current(true);
        continue;
      }
      set_current(false);
      change([this] { must_ask_ = true; });
      wait_for(pause, [] { return false; });
      pause = std::min(pause * 2, pause_longest);
    }
  }

  // Waits until `is_done` or the reader stops. Returns whether it is done. `is_done` is called with the mutex held.
  template <class Done>
  bool wait_for(milliseconds time, Done is_done) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return stops_ || is_done(); });
    return !stops_ && is_done();
  }

  // Returns false once the reader stops.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stops_ || ready_bytes_ < settings_.untaken_bytes_max; });
    next_ = std::max(next_, skip_to_);
    return !stops_;
  }

  bool must_ask() {
    const std::lock_guard lock(mutex_);
    return std::exchange(must_ask_, false);
  }

  // Reads one copy. Returns false if the stream must be asked: none has come for a while, or one is missing before it.
  bool read_copy() {
    wait_for(idle_max, [this] { return must_ask_ || !copies_.empty() || skip_to_ > next_; });
    stream_record copy;
    {
      const std::lock_guard lock(mutex_);
      if (stops_ || skip_to_ > next_) return true;
      if (copies_.empty()) return false;
      last_known_ = std::max(last_known_, copies_.front().sequence);
      if (copies_.front().sequence > next_) return false;  // it stays until those before it are read
      copy = std::move(copies_.front());
      copies_.pop_front();
      copies_bytes_ -= copy.bytes.size();
    }
    if (copy.sequence == next_) deliver(std::move(copy));
    return true;
  }

  batch_end read_batch() {
    {
      const std::lock_guard lock(mutex_);
      ++batch_number_;
      batch_.clear();
    }
    const std::string subject = "$JS.API.DIRECT.GET." + settings_.stream;
    const std::string reply_to = prefix_ + std::to_string(batch_number_);
    const std::string body = "{\"seq\":" + std::to_string(next_) + ",\"batch\":" + std::to_string(batch_records_max) +
                             ",\"max_bytes\":" + std::to_string(read_batch_bytes) + "}";
    if (natsConnection_PublishRequestString(library_.get(), subject.c_str(), reply_to.c_str(), body.c_str()) !=
        NATS_OK) {
      return batch_end::has_failed;
    }
    for (;;) {
      if (!wait_for(batch_silence_max, [this] { return !batch_.empty(); })) return batch_end::has_failed;
      batch_message message;
      {
        const std::lock_guard lock(mutex_);
        message = std::move(batch_.front());
        batch_.pop_front();
      }
      if (message.status == status_not_found) return batch_end::is_at_end;
      if (message.status == status_end_of_batch) {
        return message.has_pending && message.pending == 0 ? batch_end::is_at_end : batch_end::has_more;
      }
      if (message.status != 0 || message.record.sequence == 0) return batch_end::has_failed;
      if (message.record.sequence >= next_) deliver(std::move(message.record));
    }
  }

  void deliver(stream_record record) {
    next_ = record.sequence + 1;
    last_known_ = std::max(last_known_, record.sequence);
    bool was_empty = false;
    change([&] {
      was_empty = ready_.empty();
      ready_bytes_ += record.bytes.size();
      ready_.push_back(std::move(record));
    });
    if (was_empty && settings_.on_ready) settings_.on_ready();
  }

  void set_current(bool current) {
    if (is_current_.exchange(current, std::memory_order_acq_rel) != current && settings_.on_ready) settings_.on_ready();
  }

  libnats_connection& library_;
  const stream_reader_settings settings_;
  const std::string prefix_;
  std::size_t observer_ = 0;

  std::uint64_t next_;            // of the reader's thread
  std::uint64_t last_known_ = 0;  // of the reader's thread: the greatest sequence that is in the stream for sure
  std::atomic<bool> is_current_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stops_ = false;
  bool must_ask_ = true;
  std::uint64_t skip_to_ = 0;
  std::deque<stream_record> copies_;
  std::size_t copies_bytes_ = 0;
  std::uint64_t batch_number_ = 0;  // written by the reader's thread
  std::deque<batch_message> batch_;
  std::vector<stream_record> ready_;
  std::size_t ready_bytes_ = 0;

  std::thread thread_;
  // Destroyed first, so that no message comes any more.
  libnats_subscription tail_;
  libnats_subscription batches_;
};

stream_reader::stream_reader(nats_connection& connection, stream_reader_settings settings)
    : impl_(std::make_unique<impl>(connection, std::move(settings))) {}
stream_reader::~stream_reader() = default;

void stream_reader::take(std::vector<stream_record>& records) {
  impl_->take(records);
}

void stream_reader::skip_to(std::uint64_t sequence) {
  impl_->skip_to(sequence);
}

bool stream_reader::is_current() const noexcept {
  return impl_->is_current();
}

}  // namespace ordem::cluster
