// Measures how late an event loop is: the time from an event on a file descriptor to its handler. The kernel hands
// events out in their order, so this is what a request that arrives now has to wait before it is read. Owned by an I/O
// thread, used on that thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <functional>

namespace ordem::http_edge {

class loop_probe {
 public:
  using clock = std::chrono::steady_clock;
  // Takes the time and the measured delay.
  using listener = std::function<void(clock::time_point now, clock::duration delay)>;

  // Takes a file descriptor. Throws boost::system::system_error if there is none. `loop` must outlive the probe.
  loop_probe(boost::asio::io_context& loop, listener on_measured);

  // Begins a measurement unless one is under way or the last one ended less than 2 ms ago. The listener is called at
  // its end.
  void begin(clock::time_point now);
  // Returns how long the measurement under way has taken so far; zero if there is none.
  clock::duration late(clock::time_point now) const noexcept;

 private:
  using descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  void end();

  descriptor event_;
  const listener on_measured_;
  bool under_way_ = false;
  clock::time_point began_;
  clock::time_point next_;
};

}  // namespace ordem::http_edge
