// Lines into a pipe whose reader is slow, or gone.

#include "app/observability/line_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace ordem::app {
namespace {

struct line_writer_test {
  std::array<int, 2> ends{};  // to read from, to write to
  std::optional<line_writer> writer;

  line_writer_test() {
    REQUIRE(::pipe(ends.data()) == 0);
    writer.emplace(ends[1]);
  }
  ~line_writer_test() {
    close_reader();
    close_writer();
  }
  line_writer_test(const line_writer_test&) = delete;
  line_writer_test& operator=(const line_writer_test&) = delete;

  void close_reader() {
    if (const int end = std::exchange(ends[0], -1); end >= 0) ::close(end);
  }
  void close_writer() {
    writer.reset();
    if (const int end = std::exchange(ends[1], -1); end >= 0) ::close(end);
  }
  // Reads up to the end of the pipe.
  std::string read_all() const {
    std::string text;
    std::array<char, 65536> part;
    for (ssize_t count = 0; (count = ::read(ends[0], part.data(), part.size())) > 0;)
      text.append(part.data(), static_cast<std::size_t>(count));
    return text;
  }
};

TEST_CASE_METHOD(line_writer_test, "lines are written in order, and what waits is written at the end") {
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + " {} %v";
    expected += line + '\n';
    writer->add(line);
  }
  close_writer();
  CHECK(read_all() == expected);
}

TEST_CASE_METHOD(line_writer_test, "a reader that has stopped delays no one, and what it misses is counted") {
  constexpr std::size_t added = 4 * line_writer::lines_max;
  const std::string line(100, 'x');  // more than the pipe and the writer hold
  for (std::size_t i = 0; i < added; ++i) writer->add(line);
  const auto dropped = writer->dropped();
  CHECK(dropped > 0);
  std::string text;
  std::thread reader([&] { text = read_all(); });
  close_writer();
  reader.join();
  const auto written = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  CHECK(written + dropped == added);
  CHECK(text.size() == written * (line.size() + 1));
}

TEST_CASE_METHOD(line_writer_test, "lines to a reader that is gone are counted as dropped") {
  std::signal(SIGPIPE, SIG_IGN);
  close_reader();
  writer->add("a line");
  while (writer->dropped() == 0) std::this_thread::yield();
  CHECK(writer->dropped() == 1);
}

}  // namespace
}  // namespace ordem::app
