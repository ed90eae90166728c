#include "app/commands/relay.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <tl/expected.hpp>
#include <utility>
#include <variant>

#include "app/commands/failure.hpp"
#include "app/identity/api_key_file.hpp"
#include "app/identity/text_file.hpp"
#include "app/process/signals.hpp"
#include "app/relay/feed_page.hpp"
#include "app/relay/position_file.hpp"
#include "app/relay/retry_delay.hpp"
#include "app/relay/webhook.hpp"
#include "http-edge/client/https_client.hpp"

namespace ordem::app {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t secret_file_bytes_max = 4096;
// A page has a mebibyte of events, or one larger event.
constexpr std::size_t page_bytes_max = std::size_t{32} << 20;
constexpr std::size_t events_at_once = 100;
// How long the server may hold a page without an event, and how much longer its response may take.
constexpr auto page_wait = std::chrono::seconds(20);
constexpr auto page_timeout = page_wait + std::chrono::seconds(30);
// A longer time in Retry-After is cut.
constexpr auto retry_after_max = std::chrono::hours(1);
// What standard error shows of a response.
constexpr std::size_t line_bytes_max = 500;
// The time after which a signal is looked for again; signals are noticed at once.
constexpr auto signal_wait = std::chrono::seconds(1);

bool is_success(unsigned status) {
  return status >= 200 && status < 300;
}

// Retry-After as a number of seconds (RFC 9110, section 10.2.3). A date counts as none.
std::optional<milliseconds> retry_after_of(const http_edge::http_answer& answer) {
  const std::string& text = answer.retry_after;
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  return std::min<milliseconds>(std::chrono::seconds(std::stoll(text)), retry_after_max);
}

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, std::min({text.find('\n'), text.size(), line_bytes_max})));
  std::replace_if(line.begin(), line.end(), [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return line;
}

struct stopped {};
struct fatal {
  std::string why;
};
using relay_end = std::variant<stopped, fatal>;
template <class Value>
using or_end = tl::expected<Value, relay_end>;

tl::unexpected<relay_end> end_with(std::string why) {
  return tl::make_unexpected(relay_end(fatal{std::move(why)}));
}

// Says when one side does not work, once, and when it works again. Standard error is the relay's log.
class side_state {
 public:
  explicit side_state(std::string name) : name_(std::move(name)) {}

  void failed(const std::string& why) {
    if (!std::exchange(fails_, true)) std::cerr << "ordem: " << name_ << " does not work; retrying: " << why << "\n";
  }
  void works() {
    if (std::exchange(fails_, false)) std::cerr << "ordem: " << name_ << " works again\n";
  }

 private:
  const std::string name_;
  bool fails_ = false;
};

class relay_run {
 public:
  relay_run(const relay_command& what, std::string bearer, webhook_keys keys, position_file& file, std::stop_token stop)
      : what_(what),
        bearer_(std::move(bearer)),
        keys_(std::move(keys)),
        file_(file),
        stop_(std::move(stop)),
        source_("the server " + what.from),
        sink_("the receiver"),
        source_delay_(what.retry_first, what.retry_longest, std::random_device()()),
        sink_delay_(what.retry_first, what.retry_longest, std::random_device()()) {}

  relay_end run() {
    while (true) {
      auto page = next_page();
      if (!page) return std::move(page.error());
      for (const feed_page::event& each : page->events) {
        if (auto done = deliver(each); !done) return std::move(done.error());
        if (auto kept = keep(page->log_id, each.position); !kept) return std::move(kept.error());
      }
      if (auto kept = keep(page->log_id, page->next); !kept) return std::move(kept.error());
    }
  }

 private:
  or_end<void> keep(const std::string& log_id, position at) {
    if (auto written = file_.write({log_id, at}); !written) return end_with(written.error());
    return {};
  }

  // Returns false if the relay is to stop.
  bool pause(milliseconds time) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    return !changed.wait_for(lock, stop_, time, [] { return false; }) && !stop_.stop_requested();
  }

  std::string page_url() const {
    std::string url = fmt::format("{}/api/v1/changes?limit={}", what_.from, events_at_once);
    if (const auto after = file_.now() ? std::optional(file_.now()->position) : what_.after) {
      url += fmt::format("&wait={}&after={}", page_wait.count(), after->number);
    }
    return url + what_.query;
  }

  // Asks until a page comes.
  or_end<feed_page> next_page() {
    http_edge::url_request question;
    question.url = page_url();
    question.bearer = bearer_;
    question.ca_file = what_.ca_file;
    question.body_bytes_max = page_bytes_max;
    question.timeout = page_timeout;
    while (true) {
      const auto answer = http_edge::send(question, stop_);
      if (stop_.stop_requested()) return tl::make_unexpected(relay_end(stopped{}));
      std::optional<milliseconds> asked_for;
      if (!answer) {
        source_.failed(answer.error());
      } else if (answer->status == 200) {
        auto page = check(*answer);
        if (!page) return tl::make_unexpected(std::move(page.error()));
        source_.works();
        source_delay_.reset();
        return page;
      } else if (answer->status == 429 || answer->status >= 500 || answer->status == 408) {
        source_.failed(fmt::format("{} {}", answer->status, first_line(answer->body)));
        asked_for = retry_after_of(*answer);
      } else {
        return end_with(fmt::format("the server refuses: {} {}", answer->status, first_line(answer->body)));
      }
      if (!pause(source_delay_.next(asked_for))) return tl::make_unexpected(relay_end(stopped{}));
    }
  }

  or_end<feed_page> check(const http_edge::http_answer& answer) const {
    const auto& kept = file_.now();
    auto page = parse_feed_page(answer.body, kept ? kept->position : what_.after.value_or(position{}));
    if (!page) return end_with("the server's response is no page of changes: " + page.error());
    if (kept && kept->log_id != page->log_id) {
      return end_with(
          fmt::format("the position is one of the log {}, and {} has the log {}: it is another server, or "
                      "its data was replaced",
                      kept->log_id, what_.from, page->log_id));
    }
    return std::move(*page);
  }

  // Posts the event until the receiver has acknowledged it.
  or_end<void> deliver(const feed_page::event& what) {
    while (true) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      http_edge::url_request post;
      post.url = what_.to;
      post.posts = true;
      post.content_type = "application/cloudevents+json";
      post.body = what.json;
      post.headers =
          webhook_headers(keys_, what.id, std::chrono::duration_cast<std::chrono::seconds>(now).count(), what.json);
      post.ca_file = what_.ca_file;
      post.timeout = what_.timeout;
      const auto answer = http_edge::send(post, stop_);
      if (answer && is_success(answer->status)) {
        sink_.works();
        sink_delay_.reset();
        return {};
      }
      if (stop_.stop_requested()) return tl::make_unexpected(relay_end(stopped{}));
      if (answer && answer->status == 410) return end_with("the receiver wants no more events: it answers 410");
      sink_.failed(fmt::format("position {}: {}", what.position.number,
                               answer ? fmt::format("it answers {}", answer->status) : answer.error()));
      if (!pause(sink_delay_.next(answer ? retry_after_of(*answer) : std::nullopt)))
        return tl::make_unexpected(relay_end(stopped{}));
    }
  }

  const relay_command& what_;
  const std::string bearer_;
  const webhook_keys keys_;
  position_file& file_;
  const std::stop_token stop_;
  side_state source_;
  side_state sink_;
  retry_delay source_delay_;
  retry_delay sink_delay_;
};

tl::expected<webhook_keys, std::string> read_secrets(const std::string& file) {
  const auto read = read_text_file(file, secret_file_bytes_max);
  if (!read) return tl::make_unexpected(read.error());
  auto keys = parse_webhook_secrets(read->text);
  if (!keys) return tl::make_unexpected(fmt::format("'{}' can't be used: {}", file, keys.error()));
  return keys;
}

}  // namespace

int relay(const relay_command& what) {
  auto bearer = read_api_key(what.api_key_file);
  if (!bearer) return fail(bearer.error());
  auto keys = read_secrets(what.secret_file);
  if (!keys) return fail(keys.error());
  auto file = position_file::open(what.position_file);
  if (!file) return fail(file.error());

  block_signals();
  std::stop_source stop;
  relay_end ended;
  std::jthread worker([&](const std::stop_token&) {
    ended = relay_run(what, std::move(*bearer), std::move(*keys), *file, stop.get_token()).run();
    stop.request_stop();
  });
  while (!stop.stop_requested()) {
    const auto request = wait_for_signal(signal_wait);
    if (request && request != signal_request::reload) stop.request_stop();
  }
  worker.join();
  if (const auto* failure = std::get_if<fatal>(&ended)) return fail(failure->why);
  return 0;
}

}  // namespace ordem::app
