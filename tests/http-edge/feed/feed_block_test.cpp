#include "http-edge/feed/feed_block.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/http-edge/feed/fake_changes.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

// The changes of positions 1, 2, 4 and 5; of two tenants with a customer of the same name.
shared_feed_block sample_block() {
  fake_changes changes;
  changes.append("a", "shop");
  changes.append("b", "shop", verdict::status_changed);
  changes.append("");
  changes.append("a", "stall");
  changes.append("a", "shop", verdict::content_changed);
  changes.append("");
  changes.show();
  const auto block = std::make_shared<feed_block>(position{});
  const auto read = changes.read_changes({}, 100).value();
  for (const order_change& each : read.changes) block->add(each, changes.log_id());
  block->finish(read.through);
  return block;
}

std::vector<std::uint64_t> positions(const feed_block& of, const feed_filter& by, std::uint64_t behind = 0) {
  std::vector<std::uint64_t> found;
  of.select(by, {behind}, [&](const feed_block::event& each) {
    found.push_back(each.position.number);
    return true;
  });
  return found;
}

using list = std::vector<std::uint64_t>;

TEST_CASE("a block selects the events of a filter, in order") {
  const auto block = sample_block();
  CHECK(positions(*block, {"shop", std::nullopt}) == list{1, 2, 5});
  CHECK(positions(*block, {"stall", std::nullopt}) == list{4});
  CHECK(positions(*block, {"", std::nullopt}).empty());
  CHECK(positions(*block, {"shop", "a"}) == list{1, 5});
  CHECK(positions(*block, {"shop", "b"}) == list{2});
  CHECK(positions(*block, {"stall", "a"}) == list{4});
  CHECK(positions(*block, {"stall", "b"}).empty());
  CHECK(positions(*block, {"other", "a"}).empty());
  CHECK(positions(*block, {"shop", std::nullopt}, 1) == list{2, 5});
  CHECK(positions(*block, {"shop", "a"}, 1) == list{5});
  CHECK(positions(*block, {"shop", "a"}, 5).empty());
  CHECK(positions(*block, {"shop", std::nullopt, feed_filter::bit_of(verdict::status_changed)}) == list{2});
  CHECK(positions(*block, {"shop", "a", feed_filter::bit_of(verdict::content_changed)}) == list{5});
}

TEST_CASE("selecting ends when the visitor says so") {
  const auto block = sample_block();
  for (const feed_filter& by : {feed_filter{"shop", std::nullopt}, feed_filter{"shop", "a"}}) {
    int visits = 0;
    block->select(by, {}, [&](const feed_block::event&) { return ++visits < 1; });
    CHECK(visits == 1);
  }
}

TEST_CASE("a block has its events as frames and as lines") {
  const auto block = sample_block();
  CHECK(block->after() == position{0});
  CHECK(block->last() == position{6});
  CHECK(block->events() == 4);
  std::string frames;
  std::string lines;
  for (const char* tenant : {"shop", "stall"}) {
    block->select({tenant, std::nullopt}, {}, [&](const feed_block::event& each) {
      const std::string json(block->json_of(each));
      CHECK(json.find('\n') == json.npos);
      CHECK(block->line_of(each) == json + "\n");
      CHECK(block->frame_of(each) == "id: " + std::to_string(each.position.number) + "\ndata: " + json + "\n\n");
      return true;
    });
  }
  CHECK(block->text().starts_with("id: 1\ndata: {\"specversion\":\"1.0\","));
  CHECK(block->text().ends_with("}}\n\n"));
  CHECK(std::count(block->lines().begin(), block->lines().end(), '\n') == 4);
  CHECK(block->lines().ends_with("}}\n"));
}

TEST_CASE("a block is taken whole by who has all of its events") {
  CHECK_FALSE(sample_block()->is_taken_whole({"shop", std::nullopt}));
  fake_changes changes;
  changes.append("a", "shop");
  changes.append("b", "shop", verdict::status_changed);
  changes.show();
  feed_block block({});
  const auto read = changes.read_changes({}, 9).value();
  for (const order_change& each : read.changes) block.add(each, changes.log_id());
  block.finish({2});
  CHECK(block.is_taken_whole({"shop", std::nullopt}));
  CHECK_FALSE(block.is_taken_whole({"", std::nullopt}));
  CHECK_FALSE(block.is_taken_whole({"shop", "a"}));
  CHECK_FALSE(block.is_taken_whole({"shop", std::nullopt, feed_filter::bit_of(verdict::order_created)}));
}

}  // namespace
}  // namespace ordem::http_edge
