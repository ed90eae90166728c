#include "http-edge/protocol/padded_body.hpp"

#include <algorithm>
#include <boost/beast/http/fields.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <utility>

namespace ordem::http_edge {
namespace {

TEST_CASE("a body that arrives in pieces is contiguous") {
  padded_body::value_type body;
  CHECK(body.view().empty());
  std::string expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::string piece = std::to_string(i);
    body.append(piece.data(), piece.size());
    body.append(piece.data(), 0);
    expected += piece;
  }
  CHECK(body.view() == expected);
  CHECK(padded_body::size(body) == expected.size());
}

TEST_CASE("the padding after a body is readable") {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{100'000}}) {
    padded_body::value_type body;
    const std::string piece(size, 'x');
    body.append(piece.data(), piece.size());
    // A sanitizer detects a read outside of the allocation.
    CHECK(std::string(body.view().data(), size + simdjson::SIMDJSON_PADDING).starts_with(piece));
  }
}

TEST_CASE("a cleared body is empty and can be filled again") {
  padded_body::value_type body;
  for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}, std::size_t{5}}) {
    const std::string piece(size, 'y');
    body.append(piece.data(), piece.size());
    CHECK(body.view() == piece);
    body.clear();
    CHECK(body.view().empty());
  }
}

TEST_CASE("bytes dropped from the front make room for later ones") {
  padded_body::value_type body;
  body.drop_front(0);
  body.append("one two", 7);
  body.drop_front(4);
  CHECK(body.view() == "two");
  body.append(" three", 6);
  CHECK(body.view() == "two three");
  body.drop_front(9);
  CHECK(body.view().empty());
}

TEST_CASE("a reader does not allocate the announced length, and accepts all bytes") {
  boost::beast::http::request_header<> header;
  memory_budget budget(150'000);
  padded_body::value_type body;
  body.count_in(budget);
  padded_body::reader reader(header, body);
  boost::beast::error_code error;
  reader.init(std::uint64_t{1} << 62, error);
  REQUIRE_FALSE(error);
  CHECK(budget.used() == 0);
  const std::string piece(70'000, 'z');
  CHECK(reader.put(boost::asio::buffer(piece), error) == piece.size());
  CHECK(reader.put(boost::asio::buffer(piece), error) == piece.size());
  reader.finish(error);
  CHECK_FALSE(error);
  CHECK(body.view() == piece + piece);
}

TEST_CASE("a body allocates at most its length, and at most twice the received bytes") {
  constexpr std::size_t length = (std::size_t{1} << 20) + 1;
  boost::beast::http::request_header<> header;
  memory_budget budget(length);
  padded_body::value_type body;
  body.count_in(budget);
  padded_body::reader reader(header, body);
  boost::beast::error_code error;
  reader.init(length, error);
  const std::string piece(4096, 'z');
  while (body.view().size() < length) {
    const std::size_t size = std::min(piece.size(), length - body.view().size());
    REQUIRE(reader.put(boost::asio::buffer(piece.data(), size), error) == size);
    REQUIRE_FALSE(error);
    REQUIRE(budget.used() <= 2 * body.view().size());
  }
  CHECK(budget.used() == length);
  body.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("a body that exceeds the budget stops growing and keeps its bytes") {
  boost::beast::http::request_header<> header;
  memory_budget budget(100'000);
  padded_body::value_type body;
  body.count_in(budget);
  padded_body::reader reader(header, body);
  boost::beast::error_code error;
  reader.init({}, error);
  const std::string piece(60'000, 'z');
  CHECK(reader.put(boost::asio::buffer(piece), error) == piece.size());
  CHECK_FALSE(error);
  CHECK(reader.put(boost::asio::buffer(piece), error) == 0);
  CHECK(error == boost::system::errc::not_enough_memory);
  CHECK(body.view() == piece);
  CHECK(budget.used() == 60'000);
  CHECK(budget.refusals() == 1);
}

TEST_CASE("a moved body keeps its share of the budget") {
  memory_budget budget(100'000);
  padded_body::value_type first;
  first.count_in(budget);
  first.append(std::string(60'000, 'z').data(), 60'000);
  {
    const padded_body::value_type second = std::move(first);
    CHECK(budget.used() == 60'000);
  }
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace ordem::http_edge
