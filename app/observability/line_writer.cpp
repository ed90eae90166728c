#include "app/observability/line_writer.hpp"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

namespace ordem::app {
namespace {

// Returns whether all bytes were written. Waits while the descriptor takes no more.
bool write_all(int descriptor, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Gathers lines while more of them wait. Used by the writer's thread alone.
class descriptor_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit descriptor_sink(int descriptor) : descriptor_(descriptor) {}

  // REQUIRES: called before the first line. The pool must outlive all lines.
  void use(spdlog::details::thread_pool& pool) noexcept { pool_ = &pool; }
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (pending_.size() + line.payload.size() + 1 > line_writer::atomic_bytes_max) flush_();
    pending_.append(line.payload.data(), line.payload.size());
    pending_ += '\n';
    ++pending_lines_;
    if (pool_->queue_size() == 0) flush_();
  }
  void flush_() override {
    if (!write_all(descriptor_, pending_)) lost_.fetch_add(pending_lines_, std::memory_order_relaxed);
    pending_.clear();
    pending_lines_ = 0;
  }

  const int descriptor_;
  spdlog::details::thread_pool* pool_ = nullptr;
  std::string pending_;
  std::uint64_t pending_lines_ = 0;
  std::atomic<std::uint64_t> lost_{0};  // the descriptor did not take them
};

}  // namespace

struct line_writer::parts {
  explicit parts(int descriptor)
      : sink(std::make_shared<descriptor_sink>(descriptor)),
        pool(std::make_shared<spdlog::details::thread_pool>(lines_max, 1)),
        logger(std::make_shared<spdlog::async_logger>("lines", sink, pool,
                                                      spdlog::async_overflow_policy::overrun_oldest)) {
    sink->use(*pool);
  }
  ~parts() {
    logger.reset();
    pool.reset();  // handles the lines that wait, and ends the thread
    sink->flush();
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  std::shared_ptr<descriptor_sink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

line_writer::line_writer(int descriptor) : parts_(std::make_unique<parts>(descriptor)) {}

line_writer::~line_writer() = default;

void line_writer::add(std::string_view line) noexcept {
  parts_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t line_writer::dropped() const noexcept {
  return parts_->pool->overrun_counter() + parts_->sink->lost();
}

}  // namespace ordem::app
