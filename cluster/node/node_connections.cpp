#include "cluster/node/node_connections.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <utility>
#include <variant>

#include "cluster/nats/core_messages.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/node/boot_clock.hpp"
#include "cluster/node/job_thread.hpp"
#include "cluster/node/replaceable.hpp"
#include "engine/base/atomic_max.hpp"

namespace ordem::cluster {
namespace {

constexpr milliseconds info_timeout{2000};

struct reading {
  std::unique_ptr<nats_connection> connection;
  std::unique_ptr<stream_reader> reader;  // destroyed first
};

struct messaging {
  std::unique_ptr<nats_connection> connection;
  std::unique_ptr<core_messages> messages;  // destroyed first
};

struct link_slot {
  replaceable<log_link> link;
  std::atomic<std::uint64_t> losses{0};
};

}  // namespace

struct node_connections::parts {
  parts(node_connections_settings given, node_connections_handlers to)
      : settings(std::move(given)), handlers(std::move(to)), links(settings.nats.urls.size()) {}

  std::string connection_name(const char* what) const { return "ordem " + settings.node + " " + what; }
  void make_link(std::size_t number);
  void on_link_event(link_event&& event);
  void make_messages();
  void make_reading();
  std::unique_ptr<nats_connection> connect(const char* what, void (parts::*make_anew)(), std::atomic<bool>& closed);
  bool find_start(nats_connection& connection);
  bool fail_search(position_error why);
  std::size_t up_link(std::uint32_t server);
  void later(void (parts::*what)()) {
    jobs->run_after(settings.reconnect_after, [this, what] { (this->*what)(); });
  }

  const node_connections_settings settings;
  const node_connections_handlers handlers;
  std::atomic<bool> stops{false};

  std::vector<link_slot> links;
  replaceable<messaging> messages;
  replaceable<reading> reader;
  std::atomic<std::uint64_t> next_sequence{0};  // from which a reader goes on; 0: not known yet

  // Of the thread of jobs.
  std::optional<storage::log_record_header> last;
  std::unique_ptr<nats_connection> searching;
  std::optional<boot_time> not_found_since;
  bool has_messages = false;
  bool has_reader = false;

  std::atomic<bool> messages_closed{false};
  std::atomic<bool> reader_closed{false};
  std::optional<job_thread> jobs;
};

// --- making them ---

std::unique_ptr<nats_connection> node_connections::parts::connect(const char* what, void (parts::*make_anew)(),
                                                                  std::atomic<bool>& closed) {
  closed.store(false);
  auto made =
      nats_connection::connect({.nats = settings.nats,
                                .connection_name = connection_name(what),
                                .on_state = [this](bool) { handlers.on_change(); },
                                .on_closed =
                                    [this, make_anew, &closed](const std::string& reason) {
                                      handlers.on_error("NATS has closed the connection of this node: " + reason);
                                      closed.store(true);
                                      handlers.on_change();
                                      later(make_anew);
                                    }});
  if (made) return std::move(*made);
  handlers.on_error(made.error());
  later(make_anew);
  return nullptr;
}

void node_connections::parts::make_link(std::size_t number) {
  if (stops) return;
  const log_link_settings of_link{number, settings.nats, settings.names.stream, settings.names.log_subject,
                                  connection_name("log")};
  try {
    links[number].link.replace(
        std::make_unique<log_link>(of_link, [this](link_event&& event) { on_link_event(std::move(event)); }));
  } catch (const std::exception& failure) {
    on_link_event({number, link_closed{failure.what()}});
  }
  handlers.on_change();
}

void node_connections::parts::on_link_event(link_event&& event) {
  if (const auto* answer = std::get_if<link_answer>(&event.what)) return handlers.on_answer(*answer);
  if (std::holds_alternative<link_down>(event.what)) links[event.link].losses.fetch_add(1);
  if (const auto* closed = std::get_if<link_closed>(&event.what)) {
    handlers.on_error("NATS has closed the link to " + settings.nats.urls[event.link] + ": " + closed->reason);
    jobs->run_after(settings.reconnect_after, [this, number = event.link] { make_link(number); });
  }
  handlers.on_change();
}

void node_connections::parts::make_messages() {
  if (stops || (has_messages && !messages_closed)) return;
  auto made = std::make_unique<messaging>();
  made->connection = connect("messages", &parts::make_messages, messages_closed);
  has_messages = made->connection != nullptr;
  if (!has_messages) return;
  made->messages = std::make_unique<core_messages>(*made->connection);
  const auto respond_to = [this](const std::string& subject) {
    return [this, subject](const std::string& body) {
      messages.use([&](messaging& by) { by.messages->publish(subject, body); });
    };
  };
  core_messages& to = *made->messages;
  const auto take_requests = [&](const std::string& subject, const auto& handler) {
    return to.subscribe(subject_of_node(subject, settings.node), [&handler, respond_to](core_message&& message) {
      if (!message.reply_to.empty()) handler(message.body, respond_to(message.reply_to));
    });
  };
  const bool is_open = to.subscribe(settings.names.heartbeat,
                                    [this](core_message&& message) {
                                      if (auto heard = decode_heartbeat(message.body))
                                        handlers.on_heartbeat(std::move(*heard));
                                    }) &&
                       take_requests(settings.names.submit, handlers.on_submit) &&
                       take_requests(settings.names.read_index, handlers.on_read_index) &&
                       take_requests(settings.names.control, handlers.on_control);
  messages.replace(std::move(made));
  if (!is_open) handlers.on_error("this node cannot subscribe to the messages of others");
  handlers.on_change();
}

void node_connections::parts::make_reading() {
  if (stops || (has_reader && !reader_closed)) return;
  has_reader = false;
  if (searching && reader_closed) searching.reset();
  if (!searching) searching = connect("reader", &parts::make_reading, reader_closed);
  if (!searching || !find_start(*searching)) return;
  auto made = std::make_unique<reading>();
  made->connection = std::move(searching);
  made->reader = std::make_unique<stream_reader>(*made->connection,
                                                 stream_reader_settings{.stream = settings.names.stream,
                                                                        .tail_subject = settings.names.tail_subject,
                                                                        .from = next_sequence.load(),
                                                                        .on_ready = [this] { handlers.on_change(); }});
  reader.replace(std::move(made));
  has_reader = true;
  handlers.on_change();
}

// --- the place of the copy ---

// Returns whether it is known where to read from.
bool node_connections::parts::find_start(nats_connection& connection) {
  if (next_sequence.load() > 0) return true;
  using kind = position_error::kind;
  const auto info = read_stream_info(connection, settings.names.stream);
  if (!info) return fail_search({kind::unreadable, info.error().text});
  if (!*info) return fail_search({kind::unreadable, "NATS has no stream " + settings.names.stream});
  const auto records = records_of(connection, settings.names.stream);
  const auto source = [&](std::uint64_t sequence) -> tl::expected<std::optional<read_log_record>, std::string> {
    if (stops) return tl::make_unexpected("this node ends");
    return records(sequence);
  };
  auto found = find_position(source, {(*info)->first_sequence, (*info)->last_sequence}, last);
  if (!found) return fail_search(found.error());
  next_sequence.store(found->read_to + 1);
  handlers.on_position(std::move(*found));
  return true;
}

// Returns false. Tries again, unless that would not help.
bool node_connections::parts::fail_search(position_error why) {
  if (stops) return false;
  bool is_final = why.what == position_error::kind::trimmed;
  if (why.what == position_error::kind::not_found) {
    const boot_time now = boot_now();
    if (!not_found_since) not_found_since = now;
    is_final = now - *not_found_since >= settings.lost_after;
  } else {
    not_found_since.reset();
  }
  if (is_final) {
    handlers.on_position(tl::make_unexpected(std::move(why)));
  } else {
    handlers.on_error("the end of this node's copy is not found in the log yet: " + why.text);
    later(&parts::make_reading);
  }
  return false;
}

// --- the node's side ---

node_connections::node_connections(node_connections_settings settings, node_connections_handlers handlers)
    : parts_(std::make_unique<parts>(std::move(settings), std::move(handlers))) {}

node_connections::~node_connections() {
  stop();
}

void node_connections::start(std::optional<storage::log_record_header> last) {
  parts& it = *parts_;
  it.last = last;
  it.jobs.emplace();
  it.jobs->run_after({}, [&it] { it.make_messages(); });
  it.jobs->run_after({}, [&it] { it.make_reading(); });
  for (std::size_t i = 0; i < it.links.size(); ++i) it.jobs->run_after({}, [&it, i] { it.make_link(i); });
}

void node_connections::stop() {
  parts& it = *parts_;
  it.stops = true;
  if (it.jobs) it.jobs->stop();
  it.messages.replace(nullptr);
  it.reader.replace(nullptr);
  it.searching.reset();
  for (auto& each : it.links) each.link.replace(nullptr);
}

bool node_connections::is_up() {
  parts& it = *parts_;
  bool messages = false;
  bool reader = false;
  it.messages.use([&](messaging& by) { messages = by.connection->is_up(); });
  it.reader.use([&](reading& by) { reader = by.connection->is_up(); });
  return messages && reader && it.up_link(0) < it.links.size();
}

std::vector<node_connections::link_state> node_connections::links() {
  std::vector<link_state> states(parts_->links.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    states[i].losses = parts_->links[i].losses.load();
    parts_->links[i].link.use([&](log_link& link) { states[i].is_up = link.is_up(); });
  }
  return states;
}

// Returns links.size() if none is up.
std::size_t node_connections::parts::up_link(std::uint32_t server) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::size_t number = (server + i) % links.size();
    bool is_up = false;
    links[number].link.use([&](log_link& link) { is_up = link.is_up(); });
    if (is_up) return number;
  }
  return links.size();
}

bool node_connections::append(const publish_effect& what, std::uint64_t epoch) {
  parts& it = *parts_;
  const std::size_t number = it.up_link(what.server);
  if (number == it.links.size()) return false;
  const log_request request{.epoch = epoch, .sequence = what.sequence, .generation = 0, .attempt = what.attempt};
  bool is_sent = false;
  it.links[number].link.use([&](log_link& link) { is_sent = link.append(request, what.sequence - 1, *what.record); });
  return is_sent;
}

void node_connections::look_up(const look_up_effect& what, std::uint64_t epoch) {
  parts& it = *parts_;
  const std::size_t number = it.up_link(what.server);
  if (number == it.links.size()) return;  // the window asks again
  const log_request request{.epoch = epoch, .sequence = what.sequence, .generation = 0, .attempt = 0};
  it.links[number].link.use([&](log_link& link) {
    link.get_from_leader(request);
    link.get_from_replica(request);
  });
}

void node_connections::take(std::vector<stream_record>& records) {
  records.clear();
  parts_->reader.use([&](reading& by) { by.reader->take(records); });
}

void node_connections::note_read(std::uint64_t sequence, bool skips) {
  raise_to(parts_->next_sequence, sequence);
  if (skips) parts_->reader.use([&](reading& by) { by.reader->skip_to(sequence); });
}

bool node_connections::is_current() {
  bool is_current = false;
  parts_->reader.use([&](reading& by) { is_current = by.reader->is_current(); });
  return is_current;
}

void node_connections::ask_stream_info() {
  parts& it = *parts_;
  request(stream_info_subject(it.settings.names.stream), {}, info_timeout, [&it](std::optional<std::string> answer) {
    auto info = answer ? parse_stream_info(*answer) : std::nullopt;
    if (info && info->leader.empty()) info.reset();  // it may be anything
    it.handlers.on_stream_info(std::move(info));
  });
}

void node_connections::send_heartbeat(const heartbeat& what) {
  parts& it = *parts_;
  it.messages.use([&](messaging& by) { by.messages->publish(it.settings.names.heartbeat, encode_heartbeat(what)); });
}

void node_connections::request(const std::string& subject, std::string_view body, milliseconds timeout,
                               std::function<void(std::optional<std::string>)> done) {
  const bool has_connection = parts_->messages.use([&](messaging& by) {
    by.messages->request(subject, body, timeout, done);  // a copy, since without messages it is called here
  });
  if (!has_connection) done(std::nullopt);
}

std::uint64_t node_connections::dropped_messages() {
  std::uint64_t dropped = 0;
  parts_->messages.use([&](messaging& by) { dropped = by.messages->dropped(); });
  return dropped;
}

}  // namespace ordem::cluster
