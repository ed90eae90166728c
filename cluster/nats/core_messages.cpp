#include "cluster/nats/core_messages.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/nats/libnats.hpp"

namespace ordem::cluster {
namespace {

using clock = std::chrono::steady_clock;
using done_function = std::function<void(std::optional<std::string>)>;

}  // namespace

class core_messages::impl {
 public:
  explicit impl(nats_connection& connection) : library_(connection.library()), prefix_(new_inbox_prefix()) {
    answers_.open(library_, prefix_ + "*", pending_unbounded,  // answers are bounded by the requests
                  [this](nats_message_ptr message) { take(message.get()); });
    observer_ = library_.add_observer([this](bool up) {
      if (!up) wake([this] { was_lost_ = true; });
    });
    thread_ = std::thread([this] { run(); });
  }

  ~impl() {
    library_.remove_observer(observer_);
    wake([this] { stops_ = true; });
    thread_.join();
  }

  bool subscribe(const std::string& subject, std::function<void(core_message&&)> handler) {
    auto made = std::make_unique<libnats_subscription>();
    const auto on_message = [handler = std::move(handler)](nats_message_ptr message) {
      const char* reply_to = natsMsg_GetReply(message.get());
      handler({natsMsg_GetSubject(message.get()), reply_to == nullptr ? "" : reply_to,
               std::string(data_of(message.get()))});
    };
    if (!made->open(library_, subject, static_cast<int>(core_pending_bytes_max), on_message)) return false;
    const std::lock_guard lock(subscriptions_mutex_);
    subscriptions_.push_back(std::move(made));
    return true;
  }

  bool publish(const std::string& subject, std::string_view body) {
    return library_.is_up() && natsConnection_Publish(library_.get(), subject.c_str(), body.data(),
                                                      static_cast<int>(body.size())) == NATS_OK;
  }

  void request(const std::string& subject, std::string_view body, std::chrono::milliseconds timeout,
               done_function done) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      if (!library_.is_up() || waiting_.size() >= core_requests_max || stops_) {
        lock.unlock();
        return done(std::nullopt);
      }
      number = ++last_number_;
      const auto deadline = clock::now() + timeout;
      waiting_.emplace(number, waiting{deadline, std::move(done)});
      const auto added = deadlines_.emplace(deadline, number).first;
      if (added == deadlines_.begin()) changed_.notify_one();
    }
    const std::string reply_to = prefix_ + std::to_string(number);
    const natsStatus status = natsConnection_PublishRequest(library_.get(), subject.c_str(), reply_to.c_str(),
                                                            body.data(), static_cast<int>(body.size()));
    if (status != NATS_OK) finish(number, std::nullopt);
  }

  std::uint64_t dropped() const noexcept {
    const std::lock_guard lock(subscriptions_mutex_);
    std::uint64_t sum = 0;
    for (const auto& each : subscriptions_) sum += each->dropped();
    return sum;
  }

 private:
  struct waiting {
    clock::time_point deadline;
    done_function done;
  };

  template <class Change>
  void wake(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_one();
  }

  void take(natsMsg* message) {
    const auto number = number_of(std::string_view(natsMsg_GetSubject(message)).substr(prefix_.size()));
    if (!number) return;
    if (natsMsg_IsNoResponders(message)) return finish(*number, std::nullopt);
    finish(*number, std::string(data_of(message)));
  }

  // Does nothing if the request has its answer already.
  void finish(std::uint64_t number, std::optional<std::string> answer) {
    done_function done;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiting_.find(number);
      if (found == waiting_.end()) return;
      done = remove(found);
    }
    done(std::move(answer));
  }

  // REQUIRES: the mutex is held.
  done_function remove(std::map<std::uint64_t, waiting>::iterator each) {
    done_function done = std::move(each->second.done);
    deadlines_.erase({each->second.deadline, each->first});
    waiting_.erase(each);
    return done;
  }

  // Fails requests whose time is over, and all when the connection was lost.
  void run() {
    std::vector<done_function> failed;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        const auto has_work = [this] {
          const bool is_late = !deadlines_.empty() && deadlines_.begin()->first <= clock::now();
          return stops_ || was_lost_ || is_late;
        };
        while (!has_work()) {
          if (deadlines_.empty()) {
            changed_.wait(lock);
          } else {
            changed_.wait_until(lock, clock::time_point(deadlines_.begin()->first));
          }
        }
        const bool all = stops_ || was_lost_;
        was_lost_ = false;
        while (!deadlines_.empty() && (all || deadlines_.begin()->first <= clock::now())) {
          failed.push_back(remove(waiting_.find(deadlines_.begin()->second)));
        }
        if (stops_ && failed.empty()) return;
      }
      for (const auto& done : failed) done(std::nullopt);
      failed.clear();
    }
  }

  libnats_connection& library_;
  const std::string prefix_;
  std::size_t observer_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stops_ = false;
  bool was_lost_ = false;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, waiting> waiting_;
  std::set<std::pair<clock::time_point, std::uint64_t>> deadlines_;
  mutable std::mutex subscriptions_mutex_;
  std::thread thread_;
  // Destroyed first, so that no message comes any more.
  libnats_subscription answers_;
  std::vector<std::unique_ptr<libnats_subscription>> subscriptions_;
};

core_messages::core_messages(nats_connection& connection) : impl_(std::make_unique<impl>(connection)) {}
core_messages::~core_messages() = default;

bool core_messages::subscribe(const std::string& subject, std::function<void(core_message&&)> handler) {
  return impl_->subscribe(subject, std::move(handler));
}

bool core_messages::publish(const std::string& subject, std::string_view body) {
  return impl_->publish(subject, body);
}

void core_messages::request(const std::string& subject, std::string_view body, std::chrono::milliseconds timeout,
                            std::function<void(std::optional<std::string>)> done) {
  impl_->request(subject, body, timeout, std::move(done));
}

std::uint64_t core_messages::dropped() const noexcept {
  return impl_->dropped();
}

}  // namespace ordem::cluster
