#include "tests/cluster/servers/servers.hpp"

namespace ordem::cluster {
namespace {

log_request request_of(std::uint64_t sequence, std::uint64_t attempt = 1) {
  return {.epoch = 7, .sequence = sequence, .generation = 3, .attempt = attempt};
}

template <class Answer>
Answer answered(links& to, const log_request& request) {
  const auto answer = to.answer();
  REQUIRE(answer);
  CHECK(answer->request == request);
  REQUIRE(std::holds_alternative<Answer>(answer->answer));
  return std::get<Answer>(answer->answer);
}

TEST_CASE("a window of appends is stored in order, from an empty stream on") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  constexpr std::uint64_t window = 8;
  constexpr std::uint64_t count = 200;
  std::uint64_t sent = 0;
  for (std::uint64_t stored = 1; stored <= count; ++stored) {
    for (; sent < count && sent < stored + window - 1; ++sent) {
      REQUIRE(to[0].append(request_of(sent + 1), sent, record_text(sent + 1)));
    }
    CHECK(answered<record_stored>(to, request_of(stored)).sequence == stored);
  }
  const auto info = read_stream_info(*connection, stream.names.stream);
  REQUIRE((info && *info));
  CHECK((*info)->first_sequence == 1);
  CHECK((*info)->last_sequence == count);
  CHECK((*info)->followers.size() == 2);
}

TEST_CASE("an append is refused if the stream's last sequence is another one, 0 too") {
  const auto connection = connect();
  links to(make_stream(*connection));
  REQUIRE(to[0].append(request_of(6), 5, record_text(6)));
  CHECK(answered<wrong_last_sequence>(to, request_of(6)).last == 0);
  REQUIRE(to[0].append(request_of(1), 0, record_text(1)));
  CHECK(answered<record_stored>(to, request_of(1)).sequence == 1);
  REQUIRE(to[1].append(request_of(1, 2), 0, record_text(1)));
  CHECK(answered<wrong_last_sequence>(to, request_of(1, 2)).last == 1);
}

TEST_CASE("an append that is sent twice is stored once, and each answer says which sending it is for") {
  const auto connection = connect();
  links to(make_stream(*connection));
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
    REQUIRE(to[0].append(request_of(sequence, 1), sequence - 1, record_text(sequence)));
    REQUIRE(to[1].append(request_of(sequence, 2), sequence - 1, record_text(sequence)));
    std::size_t stored = 0;
    std::size_t refused = 0;
    std::uint64_t attempts = 0;
    for (int i = 0; i < 2; ++i) {
      const auto answer = to.answer();
      REQUIRE(answer);
      CHECK(answer->request.sequence == sequence);
      attempts += answer->request.attempt;
      stored += std::holds_alternative<record_stored>(answer->answer) ? 1 : 0;
      refused += std::holds_alternative<wrong_last_sequence>(answer->answer) ? 1 : 0;
    }
    CHECK(attempts == 3);
    CHECK(stored == 1);
    CHECK(refused == 1);
  }
}

TEST_CASE("a record is looked up at the leader and at any replica, byte for byte") {
  const auto connection = connect();
  links to(make_stream(*connection));
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  REQUIRE(to[0].append(request_of(1), 0, bytes));
  CHECK(answered<record_stored>(to, request_of(1)).sequence == 1);
  REQUIRE(to[2].get_from_leader(request_of(1)));
  const auto found = answered<record_found>(to, request_of(1));
  CHECK(found.sequence == 1);
  CHECK(found.bytes == bytes);
  REQUIRE(to[0].get_from_leader(request_of(2)));
  answered<record_missing>(to, request_of(2));
  // A replica may be behind: it is asked until it has the record.
  for (std::uint64_t attempt = 2;; ++attempt) {
    REQUIRE(attempt < 100'000);
    REQUIRE(to[1].get_from_replica(request_of(1, attempt)));
    const auto answer = to.answer();
    REQUIRE(answer);
    if (std::holds_alternative<record_missing>(answer->answer)) continue;
    REQUIRE(std::holds_alternative<record_found>(answer->answer));
    CHECK(std::get<record_found>(answer->answer).bytes == bytes);
    break;
  }
  REQUIRE(to[0].get_from_replica(request_of(2)));
  answered<record_missing>(to, request_of(2));
}

TEST_CASE("the largest record is stored, and a larger one is refused") {
  const auto connection = connect();
  CHECK(connection->payload_bytes_max() >= nats_payload_bytes_min);
  links to(make_stream(*connection));
  // The server counts the headers, too.
  REQUIRE(to[0].append(request_of(1), 0, record_text(1, record_bytes_max)));
  CHECK(answered<record_stored>(to, request_of(1)).sequence == 1);
  REQUIRE(to[0].append(request_of(2), 1, record_text(2, record_bytes_max + 65536)));
  CHECK(answered<log_refusal>(to, request_of(2)).code != 0);
}

TEST_CASE("an append to a stream that is not there has no responders") {
  links to({.names = names_of("not-there")}, false);
  REQUIRE(to[0].append(request_of(1), 0, "x"));
  answered<no_responders>(to, request_of(1));
}

TEST_CASE("a link to a server that is not there is down, sends nothing, and ends") {
  nats_settings nats;
  nats.urls = {"nats://127.0.0.1:1"};
  waiting_queue<link_event> events;
  log_link link({0, nats, "S", "s", "test"}, [&](link_event&& event) { events.push(std::move(event)); });
  CHECK_FALSE(link.is_up());
  CHECK_FALSE(link.append(request_of(1), 0, "x"));
  CHECK_FALSE(link.get_from_leader(request_of(1)));
}

// NATS_URLS has a wrong password.
TEST_CASE("a link whose user is refused says that it is closed", "[.refused]") {
  waiting_queue<link_event> events;
  log_link link({0, servers(), "S", "s", "test"}, [&](link_event&& event) { events.push(std::move(event)); });
  for (;;) {
    const auto event = events.pop(patience);
    REQUIRE(event);
    const auto* closed = std::get_if<link_closed>(&event->what);
    if (closed == nullptr) continue;
    CHECK_THAT(closed->reason, Catch::Matchers::Contains("refuse the user"));
    break;
  }
  CHECK_FALSE(link.is_up());
  CHECK_FALSE(link.append(request_of(1), 0, "x"));
}

TEST_CASE("a link whose files cannot be used says that it is closed") {
  nats_settings nats = servers();
  nats.ca_file = "/does/not/exist.pem";
  waiting_queue<link_event> events;
  log_link link({1, nats, "S", "s", "test"}, [&](link_event&& event) { events.push(std::move(event)); });
  const auto event = events.pop(patience);
  REQUIRE(event);
  CHECK(event->link == 1);
  REQUIRE(std::holds_alternative<link_closed>(event->what));
  CHECK_THAT(std::get<link_closed>(event->what).reason, Catch::Matchers::Contains("/does/not/exist.pem"));
  CHECK_FALSE(link.is_up());
}

}  // namespace
}  // namespace ordem::cluster
