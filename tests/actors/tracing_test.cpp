// The spans of sampled requests in the engine.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/replication/traced_positions.hpp"
#include "tests/actors/gateway_fixture.hpp"

namespace ordem::testing {
namespace {

class collecting_tracer final : public tracer {
 public:
  shared_trace begin(const std::optional<remote_parent>&, std::string_view) noexcept override { return nullptr; }
  span_id make_span_id() noexcept override {
    const std::lock_guard lock(mutex_);
    return {2, ++made_};
  }
  trace_id make_trace_id() noexcept override {
    const std::lock_guard lock(mutex_);
    return {2, ++made_};
  }
  void record(span_record&& what) noexcept override {
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(what));
  }
  void count_dropped(span_drop, std::uint64_t spans) noexcept override { dropped += spans; }

  std::vector<span_record> named(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    std::vector<span_record> found;
    std::copy_if(spans_.begin(), spans_.end(), std::back_inserter(found),
                 [&](const span_record& each) { return each.name == name; });
    return found;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return spans_.size();
  }

  std::uint64_t dropped = 0;

 private:
  mutable std::mutex mutex_;
  std::vector<span_record> spans_;
  std::uint8_t made_ = 0;
};

std::string text_of(const span_record& of, std::string_view name) {
  for (const span_attribute& each : of.attributes) {
    if (each.name == name) return std::get<std::string>(each.value);
  }
  return {};
}

std::int64_t number_of(const span_record& of, std::string_view name) {
  for (const span_attribute& each : of.attributes) {
    if (each.name == name) return std::get<std::int64_t>(each.value);
  }
  return -1;
}

shared_trace trace_number(std::uint8_t number) {
  auto made = std::make_shared<request_trace>();
  made->request = {{1, number}, {1, number}};
  made->trace_state = "a=1";
  return made;
}

struct tracing_test : gateway_test {
  collecting_tracer tracer;

  tracing_test() { restart({}); }
  // Before the tracer, which the engine uses.
  ~tracing_test() {
    store.appends.open();
    store.syncs.open();
    engine.reset();
  }

  void restart(gateway_settings settings) {
    settings.shards = 1;
    settings.write_retry_first = std::chrono::hours(1);
    engine.reset();
    engine = std::make_unique<gateway>(settings, gateway_ports{.log = store,
                                                               .view = store,
                                                               .orders = store,
                                                               .captures = store,
                                                               .clock = clock,
                                                               .newest_order = store.newest_order(),
                                                               .tracer = &tracer});
    queue_number = engine->add_queue(queue);
  }
  std::uint32_t submit_traced(engine_request what, shared_trace trace) {
    std::vector<submission> batch;
    batch.push_back({{queue_number, next_token}, std::move(what), std::move(trace)});
    engine->submit(std::move(batch));
    return next_token++;
  }
  answer ask_traced(engine_request what, shared_trace trace) {
    return queue.wait_for(submit_traced(std::move(what), std::move(trace)));
  }
  // The spans of that name; waits until there are so many, as some are recorded after the reply.
  std::vector<span_record> wait_for(std::string_view name, std::size_t count = 1) {
    CHECK(wait_until([&] { return tracer.named(name).size() >= count; }));
    return tracer.named(name);
  }
};

TEST_CASE_METHOD(tracing_test, "a sampled create has a span for each step, below the request's") {
  const auto trace = trace_number(1);
  ask_traced(creation(guid_of(1)), trace);
  const auto waits = wait_for("wait for durable");
  const auto dedupes = tracer.named("dedupe");
  const auto decisions = tracer.named("decide");
  const auto commits = tracer.named("group commit");
  REQUIRE(dedupes.size() == 1);
  REQUIRE(decisions.size() == 1);
  REQUIRE(waits.size() == 1);
  REQUIRE(commits.size() == 1);
  CHECK(tracer.size() == 4);
  for (const span_record& each : {dedupes[0], decisions[0], waits[0]}) {
    CHECK(each.context.trace == trace->request.trace);
    CHECK(each.parent == trace->request.span);
    CHECK(each.trace_state == "a=1");
    CHECK(each.end >= each.start);
    CHECK_FALSE(each.failed);
  }
  CHECK(text_of(dedupes[0], "ordem.dedupe") == "miss");
  CHECK(text_of(decisions[0], "ordem.verdict") == "order_created");
  CHECK(waits[0].start == decisions[0].end);
  CHECK(number_of(waits[0], "ordem.position") == 1);
  CHECK(waits[0].links == std::vector{commits[0].context});
  CHECK(commits[0].context.trace != trace->request.trace);
  CHECK_FALSE(commits[0].parent);
  CHECK(number_of(commits[0], "ordem.commit.entries") == 1);
  CHECK(number_of(commits[0], "ordem.commit.bytes") > 0);
}

TEST_CASE_METHOD(tracing_test, "requests that are not sampled leave no span") {
  const auto id = create(guid_of(1));
  ask(creation(guid_of(1)));
  CHECK(tracer.size() == 0);
  static_cast<void>(id);
}

TEST_CASE_METHOD(tracing_test, "the look-up of a GUID says what was found") {
  store.syncs.close();
  const auto first = submit_traced(creation(guid_of(1)), trace_number(1));
  const auto joined = submit_traced(creation(guid_of(1)), trace_number(2));
  auto other = creation(guid_of(1));
  other.fingerprint.low ^= 1;
  ask_traced(std::move(other), trace_number(3));
  store.syncs.open();
  queue.wait_for(first);
  queue.wait_for(joined);
  ask_traced(creation(guid_of(1)), trace_number(4));
  std::map<std::uint8_t, std::string> found;
  for (const span_record& each : tracer.named("dedupe")) found[each.context.trace[1]] = text_of(each, "ordem.dedupe");
  CHECK(found == std::map<std::uint8_t, std::string>{{1, "miss"}, {2, "join"}, {3, "refused"}, {4, "hit"}});
}

TEST_CASE_METHOD(tracing_test, "the group commit counts all entries, and each sampled one links to it") {
  store.syncs.close();
  const auto blocking = submit(creation(guid_of(1)));
  std::vector<std::uint32_t> tokens;
  for (std::uint8_t i = 2; i < 6; ++i) {
    tokens.push_back(submit_traced(creation(guid_of(i)), i < 4 ? trace_number(i) : nullptr));
  }
  store.syncs.open();
  queue.wait_for(blocking);
  answers_to(tokens);
  const auto waits = wait_for("wait for durable", 2);
  REQUIRE(waits.size() == 2);
  std::size_t entries = 0;
  std::set<trace_id> commits;
  for (const span_record& each : tracer.named("group commit")) {
    entries += static_cast<std::size_t>(number_of(each, "ordem.commit.entries"));
    commits.insert(each.context.trace);
  }
  CHECK(entries >= 2);
  CHECK(entries <= 5);
  for (const span_record& each : waits) {
    REQUIRE(each.links.size() == 1);
    CHECK(commits.contains(each.links[0].trace));
  }
}

TEST_CASE_METHOD(tracing_test, "a write that fails fails its spans, and forgets its position") {
  store.break_syncs();
  CHECK(is_refused(ask_traced(creation(guid_of(1)), trace_number(1)), unavailability::read_only));
  const auto waits = wait_for("wait for durable");
  REQUIRE(waits.size() == 1);
  CHECK(waits[0].failed);
  const auto commits = tracer.named("group commit");
  REQUIRE(commits.size() == 1);
  CHECK(commits[0].failed);
}

TEST_CASE_METHOD(tracing_test, "captures are traced alike") {
  ask_traced(allocation(key_of("some-key")), trace_number(1));
  const auto waits = wait_for("wait for durable");
  REQUIRE(waits.size() == 1);
  const auto decisions = tracer.named("decide");
  REQUIRE(decisions.size() == 1);
  CHECK(text_of(decisions[0], "ordem.verdict") == "allocated");
  CHECK(number_of(waits[0], "ordem.position") == 1);
  CHECK(waits[0].links.size() == 1);
}

TEST_CASE("positions are taken up to the last one that is written, each once") {
  collecting_tracer counts;
  traced_positions positions(counts);
  for (std::uint8_t i = 1; i <= 5; ++i) positions.add({i}, trace_number(i));
  const auto first = positions.take_through({2});
  REQUIRE(first.size() == 2);
  CHECK(first[1].position == position{2});
  CHECK(first[1].trace->request.trace[1] == 2);
  positions.forget_after({4});
  const auto rest = positions.take_through({100});
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].position == position{3});
  CHECK(rest[1].position == position{4});
  CHECK(positions.take_through({100}).empty());
  CHECK(counts.dropped == 0);
}

TEST_CASE("over the bound the oldest position is forgotten and counted") {
  collecting_tracer counts;
  traced_positions positions(counts);
  for (std::uint64_t i = 1; i <= traced_positions::positions_max + 3; ++i) positions.add({i}, trace_number(1));
  CHECK(counts.dropped == 3);
  const auto all = positions.take_through({traced_positions::positions_max + 3});
  REQUIRE(all.size() == traced_positions::positions_max);
  CHECK(all.front().position == position{4});
}

}  // namespace
}  // namespace ordem::testing
