"""The programs of a comparison: those that end by themselves, and servers, which are ended by their pid."""

import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
from pathlib import Path

from harness import run
from support.concurrency import poll_until

HERE = Path(__file__).resolve().parent
STOP_SECONDS_MAX = 30
START_SECONDS_MAX = 20
# The time that a program may take in addition to the measured time.
RUN_SECONDS_MAX = 60


def run_counted(*command, seconds_max, **options):
    """Returns the standard output of a program, and the CPU seconds that it used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = run(*command, seconds_max=seconds_max, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Server:
    """A process that serves until it is stopped. Its output goes to a file in its folder."""

    def __init__(self, name, folder, *command, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self._name = name
        self._output = folder / f"{Path(command[0]).name}.output"
        with open(self._output, "wb") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self._process.pid

    def wait_port(self, port):
        def takes_connections():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        self.wait_until(takes_connections, "takes connections")

    def wait_printed(self, pattern):
        """Waits until the output matches the pattern; returns the pattern's group."""
        self.wait_until(lambda: re.search(pattern, self._printed()), f"prints {pattern}")
        return re.search(pattern, self._printed())[1]

    def wait_until(self, happens, what):
        def happens_while_it_runs():
            assert self._process.poll() is None, f"{self._name} has ended:\n{self._printed()[-1000:]}"
            return happens()

        poll_until(happens_while_it_runs, f"{self._name} {what}", START_SECONDS_MAX)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _printed(self):
        return self._output.read_text(errors="replace")


class ServedByOne:
    """A peer that is one server process with its data in one folder: `_serve` starts it, `stop` ends it."""

    def __init__(self):
        self._server = None

    def _serve(self, folder, *command):
        self._folder = folder
        self._server = Server(self.name, folder, *command)

    def stop(self):
        if self._server is None:
            return
        self._server.stop()
        self._server = None
        shutil.rmtree(self._folder)
