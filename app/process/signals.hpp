// The signals of the program. The three that a server acts on are blocked in every thread, and taken by waiting:
//   SIGTERM, SIGINT   stop
//   SIGHUP            read again what can be read again
#pragma once

#include <cstdint>

namespace ordem::app {

enum class signal_request : std::uint8_t { terminate, interrupt, read_again };

// To be called first in main, before anything starts a thread: none of the signals ends the process from then on.
void hold_signals();
// For what ends as every program does.
void release_signals();

// For a server: clients that have gone and files that may not grow are error codes of a write; and what else would end
// the process by default but asks for nothing that it knows (SIGUSR1, SIGUSR2, SIGALRM) is passed over.
void ignore_other_signals();

// Whether a stop is asked for and has not been waited for.
bool is_stop_pending();
// Blocks until one of the three.
signal_request wait_for_signal();
// From now on the next SIGTERM or SIGINT ends the process at once, and SIGHUP is ignored.
void release_stop_signals();

}  // namespace ordem::app
