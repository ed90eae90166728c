"""A machine clock that a test can set, for servers that are started with its environment.

A preloaded library adds the seconds in a file to the wall clock. Monotonic clocks are unchanged, as when a machine's clock is set.
libfaketime can't be used: it does not start under the program's allocator.
"""

import os
import shutil
import struct
import subprocess

import pytest

LIBRARY = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long* ahead(void) {
  static const long* seconds = NULL;
  if (seconds == NULL) {
    int file = open(getenv("CLOCK_AHEAD_FILE"), O_RDONLY);
    seconds = mmap(NULL, sizeof *seconds, PROT_READ, MAP_SHARED, file, 0);
    close(file);
  }
  return seconds;
}
int clock_gettime(clockid_t clock, struct timespec* at) {
  long result = syscall(SYS_clock_gettime, clock, at);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) at->tv_sec += *ahead();
  return (int)result;
}
time_t time(time_t* at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return at ? (*at = now.tv_sec) : now.tv_sec;
}
int gettimeofday(struct timeval* restrict at, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


class MachineClock:
    """`environment` is the environment for servers that use this clock."""

    def __init__(self, folder):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            pytest.skip("a C compiler is needed to make a clock that can be set")
        library = folder / "clock.so"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-o", str(library), "-xc", "-"], input=LIBRARY, text=True, check=True,
            timeout=60,
        )
        self._file = folder / "ahead"
        self.set_ahead(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "CLOCK_AHEAD_FILE": str(self._file),
            # A sanitizer's runtime has to be the first library.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        }

    def set_ahead(self, seconds):
        """Sets the offset from real time, for all servers at once, including running ones."""
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("l", int(seconds)))
