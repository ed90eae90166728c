#include "http-edge/server/loop_probe.hpp"

#include <sys/eventfd.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

namespace ordem::http_edge {
namespace {

constexpr auto interval = std::chrono::milliseconds(2);

int make_event() {
  const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0) throw boost::system::system_error(errno, boost::system::system_category(), "eventfd");
  return made;
}

}  // namespace

loop_probe::loop_probe(boost::asio::io_context& loop, listener on_measured)
    : event_(loop, make_event()), on_measured_(std::move(on_measured)) {}

void loop_probe::begin(clock::time_point now) {
  if (under_way_ || now < next_) return;
  under_way_ = true;
  began_ = now;
  event_.async_wait(descriptor::wait_read, [this](boost::system::error_code ec) {
    if (!ec) end();
  });
  ::eventfd_write(event_.native_handle(), 1);
}

void loop_probe::end() {
  eventfd_t ignored = 0;
  ::eventfd_read(event_.native_handle(), &ignored);
  const auto now = clock::now();
  under_way_ = false;
  next_ = now + interval;
  on_measured_(now, now - began_);
}

loop_probe::clock::duration loop_probe::late(clock::time_point now) const noexcept {
  return under_way_ ? now - began_ : clock::duration::zero();
}

}  // namespace ordem::http_edge
