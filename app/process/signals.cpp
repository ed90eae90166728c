#include "app/process/signals.hpp"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace ordem::app {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int each : signals) sigaddset(&set, each);
  return set;
}

const std::initializer_list<int> stops = {SIGTERM, SIGINT};
const std::initializer_list<int> awaited = {SIGTERM, SIGINT, SIGHUP};
const std::initializer_list<int> ignored = {SIGUSR1, SIGUSR2, SIGALRM};
// All that must not end a server.
const std::initializer_list<int> blocked = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};

void change_mask(int how, std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

void block_signals() {
  change_mask(SIG_BLOCK, blocked);
}

void unblock_signals() {
  change_mask(SIG_UNBLOCK, blocked);
}

void ignore_other_signals() {
  for (const int each : {SIGPIPE, SIGXFSZ}) std::signal(each, SIG_IGN);
  for (const int each : ignored) std::signal(each, SIG_IGN);
}

bool is_stop_pending() {
  sigset_t pending;
  sigpending(&pending);
  for (const int each : stops) {
    if (sigismember(&pending, each) == 1) return true;
  }
  return false;
}

std::optional<signal_request> wait_for_signal(std::chrono::milliseconds timeout) {
  const sigset_t set = set_of(awaited);
  const auto whole = std::chrono::floor<std::chrono::seconds>(timeout);
  const timespec longest{whole.count(), std::chrono::nanoseconds(timeout - whole).count()};
  const int signal = sigtimedwait(&set, nullptr, &longest);
  if (signal < 0) return std::nullopt;
  if (signal == SIGHUP) return signal_request::reload;
  return signal == SIGINT ? signal_request::interrupt : signal_request::terminate;
}

void unblock_stop_signals() {
  std::signal(SIGHUP, SIG_IGN);
  change_mask(SIG_UNBLOCK, stops);
}

}  // namespace ordem::app
