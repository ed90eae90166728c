// The progress of a long command on standard error: a bar on a terminal, elsewhere a line for each tenth. For one
// thread.
#pragma once

#include <cstdint>
#include <string>

namespace ordem::app {

class progress_bar {
 public:
  progress_bar(std::string what, std::uint64_t total);
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void advance(std::uint64_t count);

 private:
  void show() const;

  const std::string what_;
  const std::uint64_t total_;
  const bool on_terminal_;
  std::uint64_t done_ = 0;
  std::uint64_t shown_percent_ = 0;
};

}  // namespace ordem::app
