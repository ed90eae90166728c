// The gateways that a server makes one after the other over one data folder.
#include "app/engine/engine_host.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>

#include "storage/log/store.hpp"
#include "tests/actors/support.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::app {
namespace {

using namespace testing;

struct host_test {
  temp_folder folder;
  manual_clock clock;
  settings values;
  logger log{log_format::json, "error"};
  server_reports reports{{}, false};
  http_edge::service_status status;
  std::unique_ptr<storage::store> store;
  std::atomic<int> shown{0};
  collecting_queue queue;
  std::uint32_t queue_number = 0;

  host_test() {
    values.store.folder = folder.path() / "data";
    store = storage::open_store(values.store, clock).value();
  }

  std::unique_ptr<engine_host> make() {
    return std::make_unique<engine_host>(
        values, store->log_id(),
        engine_surroundings{
            .view = store->view(), .clock = clock, .tracer = nullptr, .log = log, .reports = reports, .status = status},
        [this] { ++shown; });
  }
  void begin(engine_host& host) {
    host.begin(store->log());
    queue_number = host.gateway().add_queue(queue);
  }
  bool creates(engine_host& host, std::uint32_t number) {
    host.gateway().submit({{{queue_number, number}, creation(guid_of(number))}});
    return has_verdict(queue.wait_for(number), verdict::order_created);
  }
};

TEST_CASE_METHOD(host_test, "what gateways have counted goes on with the next one, and stays between them") {
  const auto host = make();
  const auto created = [&] { return host->stats().counters.outcomes[1].load(); };
  CHECK(created() == 0);
  begin(*host);
  CHECK(creates(*host, 1));
  CHECK(created() == 1);
  host->end();
  CHECK(created() == 1);
  CHECK(host->stats().in_flight == 0);
  begin(*host);
  CHECK(creates(*host, 2));
  CHECK(created() == 2);
  CHECK(shown > 0);
}

TEST_CASE_METHOD(host_test, "without a gateway the log has come as far as reads see it") {
  const auto host = make();
  begin(*host);
  CHECK(creates(*host, 1));
  CHECK(creates(*host, 2));
  host->end();
  host->end();  // does nothing
  const log_positions at = host->positions();
  CHECK(at.decided == position{2});
  CHECK(at.durable == position{2});
  CHECK_FALSE(at.persisted);
  CHECK_FALSE(host->stats().postgres);
}

TEST_CASE_METHOD(host_test, "the next gateway has what the one before has written") {
  const auto host = make();
  begin(*host);
  CHECK(creates(*host, 1));
  host->end();
  begin(*host);
  host->gateway().submit({{{queue_number, 7}, creation(guid_of(1))}});
  const answer repeated = queue.wait_for(7);
  REQUIRE(has_verdict(repeated, verdict::order_created));
  CHECK(executed_in(repeated).replayed);
  CHECK(host->positions().durable == position{1});
}

}  // namespace
}  // namespace ordem::app
