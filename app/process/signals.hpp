// The signals of the program, for its main thread. The server blocks these in every thread and waits for them:
//   SIGTERM, SIGINT   stop
//   SIGHUP            reload
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace ordem::app {

enum class signal_request : std::uint8_t { terminate, interrupt, reload };

// Blocks the signals, so that none ends the process. REQUIRES: no other thread has been started.
void block_signals();
// Unblocks them again, for a command that signals may end.
void unblock_signals();

// Makes the server ignore the other signals that would end it: SIGPIPE and SIGXFSZ, which a failed write reports as
// error codes, and SIGUSR1, SIGUSR2 and SIGALRM, which have no meaning here.
void ignore_other_signals();

// Returns true if SIGTERM or SIGINT has arrived and wait_for_signal() has not returned it.
bool is_stop_pending();
// Blocks until one of the three signals arrives. Returns nullopt if none does within `timeout`.
std::optional<signal_request> wait_for_signal(std::chrono::milliseconds timeout);
// Makes the next SIGTERM or SIGINT end the process at once, and ignores SIGHUP.
void unblock_stop_signals();

}  // namespace ordem::app
