#include "bench/load/response_reader.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordem::bench {
namespace {

// Hands `text` over in pieces of at most `piece_bytes`; returns how much was taken before the reader had enough.
std::size_t feed(response_reader& reader, std::string_view text, std::size_t piece_bytes) {
  std::size_t taken = 0;
  while (taken < text.size() && reader.state() == read_state::incomplete) {
    const auto space = reader.space();
    REQUIRE_FALSE(space.empty());
    const auto piece = text.substr(taken, std::min(piece_bytes, space.size()));
    std::ranges::copy(piece, space.begin());
    reader.received(piece.size());
    taken += piece.size();
  }
  return taken;
}

std::string answer_text(std::string_view body) {
  return "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nETag: \"1\"\r\n\r\n" + std::string(body);
}

TEST_CASE("an answer is whole at its last byte, however it was cut") {
  const std::string text = answer_text("{\"a\":\"\r\n\r\n\"}");
  for (std::size_t piece_bytes = 1; piece_bytes <= text.size(); ++piece_bytes) {
    CAPTURE(piece_bytes);
    response_reader reader;
    CHECK(feed(reader, std::string_view(text).substr(0, text.size() - 1), piece_bytes) == text.size() - 1);
    CHECK(reader.state() == read_state::incomplete);
    feed(reader, std::string_view(text).substr(text.size() - 1), piece_bytes);
    REQUIRE(reader.state() == read_state::complete);
    CHECK(reader.whole().status == 201);
    CHECK(reader.whole().body == "{\"a\":\"\r\n\r\n\"}");
  }
}

TEST_CASE("a body in chunks is put together, however the answer was cut") {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\nA\r\ntwo\r\nthree\r\n0\r\n\r\n";
  for (std::size_t piece_bytes = 1; piece_bytes <= text.size(); ++piece_bytes) {
    CAPTURE(piece_bytes);
    response_reader reader;
    for (int twice = 0; twice < 2; ++twice) {
      reader.reset();
      feed(reader, std::string_view(text).substr(0, text.size() - 1), piece_bytes);
      CHECK(reader.state() == read_state::incomplete);
      feed(reader, std::string_view(text).substr(text.size() - 1), piece_bytes);
      REQUIRE(reader.state() == read_state::complete);
      CHECK(reader.whole().body == "one two\r\nthree");
      CHECK(reader.whole().header("transfer-encoding") == "chunked");
    }
  }
}

TEST_CASE("chunks may be many, and larger than the buffer was") {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string data(i * 100 + 1, static_cast<char>('a' + i % 26));
    std::ostringstream size;
    size << std::hex << data.size();
    text += size.str() + "\r\n" + data + "\r\n";
    body += data;
  }
  text += "0\r\n\r\n";
  for (const std::size_t piece_bytes : {100U, 4096U, 1'000'000U}) {
    response_reader reader;
    feed(reader, text, piece_bytes);
    REQUIRE(reader.state() == read_state::complete);
    CHECK(reader.whole().body == body);
  }
}

TEST_CASE("answers follow each other on one reader") {
  response_reader reader;
  for (const std::string_view body : {"first", "", "a third one that is longer"}) {
    reader.reset();
    const auto text = answer_text(body);
    feed(reader, text, text.size());
    REQUIRE(reader.state() == read_state::complete);
    CHECK(reader.whole().body == body);
  }
}

TEST_CASE("a body may be longer than the buffer was") {
  const std::string body(10 * response_reader::head_bytes_max, 'b');
  response_reader reader;
  const auto text = answer_text(body);
  feed(reader, text, 4096);
  REQUIRE(reader.state() == read_state::complete);
  CHECK(reader.whole().body == body);
}

TEST_CASE("heads that are unusual and right") {
  const std::string_view text =
      GENERATE(as<std::string_view>{},  //
               "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok", "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: \t 2 \t\r\n\r\nok",
               "HTTP/1.1 200 \r\nContent-Length: 02\r\n\r\nok",
               "HTTP/1.1 200\r\nX-Empty:\r\nContent-Length: 2\r\nX: Content-Length: 3\r\n\r\nok");
  CAPTURE(text);
  response_reader reader;
  feed(reader, text, 7);
  CAPTURE(reader.complaint());
  REQUIRE(reader.state() == read_state::complete);
  CHECK(reader.whole().status == 200);
  CHECK(reader.whole().body == "ok");
}

TEST_CASE("headers are found by name, whatever its case, and told without the space around them") {
  const std::string_view text =
      "HTTP/1.1 200 OK\r\nETag:\t\"7\" \r\nX-ETag: \"8\"\r\nEmpty:\r\nContent-Length: 8\r\nETag: \"9\"\r\n\r\nlast: no";
  response_reader reader;
  feed(reader, text, text.size());
  REQUIRE(reader.state() == read_state::complete);
  const answer got = reader.whole();
  CHECK(got.body == "last: no");
  CHECK(got.header("etag") == "\"7\"");
  CHECK(got.header("x-etag") == "\"8\"");
  CHECK(got.header("empty") == "");
  CHECK(got.header("content-length") == "8");
  CHECK(got.header("tag") == std::nullopt);
  CHECK(got.header("last") == std::nullopt);
  CHECK(got.header("idempotency-replayed") == std::nullopt);
}

TEST_CASE("what is not such an answer is refused, and the reader says why") {
  const auto [text, complaint] = GENERATE(table<std::string, std::string>({
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP/1.1 \r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"\r\nContent-Length: 0\r\n\r\n", "bad status line"},
      {"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", "interim answer"},
      {"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"},
      {"HTTP/1.1 200 OK\r\nETag: \"1\"\r\n\r\n", "no Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "two lengths"},
      {"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "bad Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "bad Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "bad Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nx", "bad Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "bad Content-Length"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\ntransfer-encoding: chunked\r\n\r\n", "two lengths"},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nContent-Length: 0\r\n\r\n", "two lengths"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "bad chunk size"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "bad chunk size"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n", "bad chunk size"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0123456789", "bad chunk size"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", "bad end of a chunk"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", "bad end of a chunk"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP", "bytes behind the body"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", "body too long"},
      {"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", "bad header line"},
      {"HTTP/1.1 200 OK\r\n: nameless\r\nContent-Length: 0\r\n\r\n", "bad header line"},
      {"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", "bad header name"},
      {"HTTP/1.1 200 OK\r\nX: a\r\n folded: b\r\nContent-Length: 0\r\n\r\n", "bad header name"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", "bytes behind the body"},
  }));
  CAPTURE(text);
  response_reader reader;
  feed(reader, text, text.size());
  CHECK(reader.state() == read_state::malformed);
  CHECK(reader.complaint() == complaint);
}

TEST_CASE("a surplus shows even where the answer fills the buffer") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  const std::size_t body_bytes = response_reader::head_bytes_max - head.size() - std::string("16000\r\n\r\n").size();
  const std::string text = head + std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'b') + "!";
  REQUIRE(text.size() == response_reader::head_bytes_max + 1);
  response_reader reader;
  feed(reader, std::string_view(text).substr(0, text.size() - 2), text.size());
  feed(reader, std::string_view(text).substr(text.size() - 2), 2);
  CHECK(reader.state() == read_state::malformed);
  CHECK(reader.complaint() == "bytes behind the body");
}

TEST_CASE("a head without an end and a body without measure are refused") {
  response_reader reader(100);
  CHECK(feed(reader, "HTTP/1.1 200 OK\r\nX: " + std::string(2 * response_reader::head_bytes_max, 'x'), 1000) ==
        response_reader::head_bytes_max);
  CHECK(reader.state() == read_state::malformed);
  CHECK(reader.complaint() == "head too long");

  reader.reset();
  const auto longest = answer_text(std::string(100, 'b'));
  feed(reader, longest, longest.size());
  CHECK(reader.state() == read_state::complete);

  reader.reset();
  const auto longer = answer_text(std::string(101, 'b'));
  feed(reader, longer, longer.size());
  CHECK(reader.state() == read_state::malformed);
  CHECK(reader.complaint() == "body too long");
}

}  // namespace
}  // namespace ordem::bench
