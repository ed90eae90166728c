"""Threads whose errors reach the test, and bounded waiting."""

import threading
import time

from support import settings

POLL_PAUSE_SECONDS = 0.01


class Threads:
    """Runs functions in threads. `join` raises the first exception of a thread, or an error if they do not end in time."""

    def __init__(self, functions):
        self._errors = []
        self._threads = [
            threading.Thread(target=self._guard, args=(function,), daemon=True) for function in functions
        ]
        for thread in self._threads:
            thread.start()

    def check(self):
        """Raises the first exception of a thread so far."""
        if self._errors:
            raise self._errors[0]

    def join(self):
        deadline = time.monotonic() + settings.THREADS_SECONDS_MAX
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.check()
        alive = sum(thread.is_alive() for thread in self._threads)
        assert alive == 0, f"{alive} threads still run after {settings.THREADS_SECONDS_MAX} s"

    def _guard(self, function):
        try:
            function()
        except BaseException as error:  # Passed to the thread that joins.
            self._errors.append(error)


def poll_until(condition, what, seconds=settings.POLL_SECONDS_MAX):
    """Calls `condition` until its value is true, and returns that value. For conditions without an event to wait for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL_PAUSE_SECONDS)
