#include "cluster/nats/log_link.hpp"

#include <utility>

#include "cluster/nats/libnats.hpp"

namespace ordem::cluster {
namespace {

constexpr int http_not_found = 404;

// The answer to a direct get, which comes as the record itself with its sequence in a header.
log_answer direct_answer(natsMsg* message) {
  const int status = status_of(message);
  if (status == http_not_found) return record_missing{};
  if (status != 0) return log_refusal{status, "a direct get was refused"};
  const auto text = header_of(message, "Nats-Sequence");
  const auto sequence = text ? number_of(*text) : std::nullopt;
  if (!sequence) return log_refusal{0, "the answer to a direct get has no sequence"};
  return record_found{*sequence, std::string(data_of(message))};
}

log_answer answer_of(natsMsg* message, log_question question) {
  if (natsMsg_IsNoResponders(message)) return no_responders{};
  switch (question) {
    case log_question::append: return parse_append_answer(data_of(message));
    case log_question::get_from_leader: return parse_get_answer(data_of(message));
    case log_question::get_from_replica: break;
  }
  return direct_answer(message);
}

}  // namespace

class log_link::impl {
 public:
  impl(log_link_settings settings, std::function<void(link_event&&)> on_event)
      : settings_(std::move(settings)), on_event_(std::move(on_event)), prefix_(new_inbox_prefix()) {
    connection_.add_observer([this](bool up) {
      if (up) {
        post(link_up{});
      } else {
        post(link_down{});
      }
    });
    const auto opened = connection_.open(
        settings_.nats, std::span(&settings_.nats.urls.at(settings_.link), 1),
        {.name = settings_.connection_name, .on_closed = [this](std::string reason) { close(std::move(reason)); }});
    const auto on_message = [this](nats_message_ptr message) { take(message.get()); };
    if (!opened) {
      close(opened.error());
    } else if (answers_.open(connection_, prefix_ + ">", pending_unbounded, on_message)) {
      is_open_ = true;
      if (connection_.is_up()) post(link_up{});
    }  // else the library has closed the connection meanwhile, and says so
  }

  bool is_up() const noexcept { return is_open_ && connection_.is_up(); }

  bool append(const log_request& request, std::uint64_t expected_last, std::string_view record) {
    if (!is_up()) return false;
    const std::string reply_to = reply_subject(prefix_, log_question::append, request);
    natsMsg* made = nullptr;
    if (natsMsg_Create(&made, settings_.log_subject.c_str(), reply_to.c_str(), record.data(),
                       static_cast<int>(record.size())) != NATS_OK) {
      return false;
    }
    const nats_message_ptr message(made);
    // By hand, since the library's own publish leaves the expectation out if it is 0.
    const std::string expected = std::to_string(expected_last);
    if (natsMsgHeader_Set(made, "Nats-Expected-Last-Sequence", expected.c_str()) != NATS_OK) return false;
    return was_sent(natsConnection_PublishMsg(connection_.get(), made));
  }

  bool get(log_question question, const log_request& request) {
    if (!is_up()) return false;
    const char* api = question == log_question::get_from_leader ? "$JS.API.STREAM.MSG.GET." : "$JS.API.DIRECT.GET.";
    const std::string subject = api + settings_.stream;
    const std::string reply_to = reply_subject(prefix_, question, request);
    const std::string body = "{\"seq\":" + std::to_string(request.sequence) + "}";
    return was_sent(
        natsConnection_PublishRequestString(connection_.get(), subject.c_str(), reply_to.c_str(), body.c_str()));
  }

 private:
  // Whether a publish may have reached the server. These are the only failures before a byte is written.
  static bool was_sent(natsStatus status) {
    return status != NATS_CONNECTION_CLOSED && status != NATS_INSUFFICIENT_BUFFER && status != NATS_INVALID_ARG &&
           status != NATS_MAX_PAYLOAD && status != NATS_NO_MEMORY && status != NATS_DRAINING;
  }

  void post(auto what) { on_event_({settings_.link, std::move(what)}); }
  void close(std::string reason) { post(link_closed{std::move(reason)}); }

  void take(natsMsg* message) {
    const auto target = parse_reply_subject(prefix_, natsMsg_GetSubject(message));
    if (!target) return;
    post(link_answer{target->request, target->question, answer_of(message, target->question)});
  }

  const log_link_settings settings_;
  const std::function<void(link_event&&)> on_event_;
  const std::string prefix_;
  std::atomic<bool> is_open_{false};
  libnats_connection connection_;
  libnats_subscription answers_;  // destroyed before the connection
};

log_link::log_link(log_link_settings settings, std::function<void(link_event&&)> on_event)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(on_event))) {}
log_link::~log_link() = default;

bool log_link::is_up() const noexcept {
  return impl_->is_up();
}

bool log_link::append(const log_request& request, std::uint64_t expected_last, std::string_view record) {
  return impl_->append(request, expected_last, record);
}

bool log_link::get_from_leader(const log_request& request) {
  return impl_->get(log_question::get_from_leader, request);
}

bool log_link::get_from_replica(const log_request& request) {
  return impl_->get(log_question::get_from_replica, request);
}

}  // namespace ordem::cluster
