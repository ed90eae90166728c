#include "app/commands/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

namespace ordem::app {
namespace {

constexpr std::uint64_t bar_width = 40;

}  // namespace

progress_bar::progress_bar(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), on_terminal_(::isatty(STDERR_FILENO) == 1) {
  show();
}

progress_bar::~progress_bar() {
  if (on_terminal_) std::cerr << "\n";
}

void progress_bar::advance(std::uint64_t count) {
  done_ += count;
  const std::uint64_t percent = total_ == 0 ? 100 : std::min<std::uint64_t>(100, done_ * 100 / total_);
  const std::uint64_t step = on_terminal_ ? 1 : 10;
  if (percent < shown_percent_ + step) return;
  shown_percent_ = percent;
  show();
}

void progress_bar::show() const {
  if (!on_terminal_) {
    std::cerr << what_ << ": " << shown_percent_ << " % of " << total_ << "\n";
    return;
  }
  const std::uint64_t filled = shown_percent_ * bar_width / 100;
  std::cerr << "\r" << what_ << " [" << std::string(filled, '#') << std::string(bar_width - filled, ' ') << "] "
            << shown_percent_ << " % of " << total_ << std::flush;
}

}  // namespace ordem::app
