"""Starts, watches and ends the server binary.

Every process is ended by its process id. Whatever ends it, its stderr may hold no sanitizer report, each log line must
be JSON with time, level and message, and the exit code must be the expected one; otherwise the test fails.
"""

import json
import os
import select
import signal
import subprocess
import threading
import time

from support import settings
from support.concurrency import poll_until
from support.ordem_client import OrdemClient, OrdemConnection

SANITIZER_MARKS = ("Sanitizer", "runtime error:")
LOG_MEMBERS = ("time", "level", "message")
SHOWN_LINES = 40
SIGNALLED_EXIT = 128


class ServerDidNotStart(Exception):
    """The process ended before it listened."""

    def __init__(self, code, stderr):
        super().__init__(f"the server ended with exit code {code} before it listened:\n{stderr}")
        self.code = code
        self.stderr = stderr


def binary():
    path = os.environ.get("ORDEM_BINARY", "")
    assert path, "set ORDEM_BINARY to the path of the ordem binary"
    return os.path.abspath(path)


NO_LEAK_SEARCH = {"ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + ":detect_leaks=0"} if "ASAN_OPTIONS" in os.environ else {}


def clean_environment(extra=None):
    """Returns the environment without the ORDEM_ variables of the tests, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDEM_")}
    return {**kept, **(extra or {})}


def assert_no_sanitizer_report(text):
    assert not any(mark in text for mark in SANITIZER_MARKS), f"a sanitizer reports:\n{text}"


def run_ordem(*arguments, environment=None, folder=None):
    """Runs a command that ends by itself, in a folder; returns exit code, stdout and stderr. Leaks are looked for in servers only: a search
    takes longer than most commands."""
    result = subprocess.run(
        [binary(), *map(str, arguments)],
        env={**clean_environment(environment), **NO_LEAK_SEARCH},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=settings.COMMAND_SECONDS_MAX,
        check=False,
    )
    assert_no_sanitizer_report(result.stderr)
    return result


def inspect_capture(data_dir, key):
    """Returns the capture that `ordem inspect capture` prints."""
    result = run_ordem("inspect", "capture", "--data-dir", data_dir, "--", key)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def plain(text):
    """Lower case with hyphens, so that message-ttl, message_ttl and ORDEM_MESSAGE_TTL are one name."""
    return str(text).lower().replace("_", "-")


def assert_clean_failure(code, stderr, words):
    """Checks that a process exited with an error, not by a signal or an abort, and printed a message that contains each of the words."""
    assert 0 < code < SIGNALLED_EXIT, f"exit code {code}:\n{stderr}"
    assert stderr.strip() and "terminate called" not in stderr, stderr
    for word in words:
        assert plain(word) in plain(stderr), f"{str(word)!r} is not in: {stderr}"


class _Lines:
    """The lines of one pipe, read by a thread."""

    def __init__(self, pipe):
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        self._changed = threading.Condition()
        self._lines = []
        self._unfinished = b""
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        readable = select.poll()
        readable.register(self._pipe, select.POLLIN)
        while not self._ended:
            readable.poll()
            self.snapshot()
        self._pipe.close()

    def _take(self):
        """Takes what the pipe has. The caller holds the lock."""
        while not self._ended:
            try:
                data = os.read(self._pipe.fileno(), 65536)
            except BlockingIOError:
                return
            *whole, self._unfinished = (self._unfinished + data).split(b"\n")
            self._ended = not data
            if self._ended and self._unfinished:
                whole.append(self._unfinished)
            self._lines += [line.decode("utf-8", "backslashreplace") for line in whole]
            self._changed.notify_all()

    def snapshot(self):
        """Returns all that was written before the call."""
        with self._changed:
            self._take()
            return list(self._lines)

    def wait_for(self, accept, seconds):
        """Returns the first result of `accept` for a line that is not None; None if the pipe ends without one."""
        deadline = time.monotonic() + seconds
        position = 0
        with self._changed:
            while True:
                for line in self._lines[position:]:
                    if (value := accept(line)) is not None:
                        return value
                position = len(self._lines)
                if self._ended:
                    return None
                assert self._changed.wait(deadline - time.monotonic()), (
                    f"nothing within {seconds} s; so far:\n" + "\n".join(self._lines)
                )

    def wait_end(self, seconds):
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, seconds), "the pipe stays open after the process ended"


class OrdemServer:
    """One server process on one data folder. As a context manager it is stopped and checked at the end. `program`: the command that
    runs ordem, if it is not the binary. `output`: a descriptor for its standard output, which is otherwise read."""

    def __init__(self, data_dir, *flags, environment=None, program=None, output=None):
        self.data_dir = data_dir
        self.port = None
        self._ended = False
        self._closing = []
        self._process = subprocess.Popen(
            [
                *(program or [binary()]), "serve", "--address", "127.0.0.1", "--port", "0", "--data-dir", str(data_dir),
                "--log-format", "json", *map(str, flags),
            ],
            env=clean_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
        )
        self._stdout = _Lines(self._process.stdout or open(os.devnull, "rb"))
        self._stderr = _Lines(self._process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.finish()
        elif self.is_running():
            self.kill()

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process.poll() is None

    def wait_listening(self):
        """Waits for the log line `listening`. Raises ServerDidNotStart if the process ends instead."""
        try:
            self.port = self._stderr.wait_for(_listening_port, settings.START_SECONDS_MAX)
        except AssertionError:
            self._process.kill()
            raise
        if self.port is None:
            raise ServerDidNotStart(self.wait_exit(), self.stderr())
        return self

    def connect(self):
        """A raw connection; closed when the server has ended."""
        return self._close_at_end(OrdemConnection(self.port))

    def client(self):
        """A keep-alive client; closed when the server has ended."""
        return self._close_at_end(OrdemClient(self.port))

    def signal_stop(self):
        self._process.send_signal(signal.SIGTERM)

    def begin_stop(self):
        """Sends SIGTERM and waits until every connection drains."""
        self.signal_stop()
        poll_until(lambda: any(line["message"] == "draining" for line in self.logs()), "the server drains")

    def wait_exit(self, seconds=settings.STOP_SECONDS_MAX):
        """Waits for the end of the process, checks its output, and returns the exit code."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(settings.STOP_SECONDS_MAX)
            raise AssertionError(f"the server still ran after {seconds} s:\n{self.stderr()}") from None
        self._ended = True
        self._stderr.wait_end(settings.STOP_SECONDS_MAX)
        self._stdout.wait_end(settings.STOP_SECONDS_MAX)
        for closing in self._closing:
            closing.close()
        assert_no_sanitizer_report("\n".join(self._stderr.snapshot()))
        return code

    def stop(self, seconds=settings.STOP_SECONDS_MAX):
        """Sends SIGTERM. The server has to exit with code 0, and every log line has to be well-formed."""
        self.signal_stop()
        code = self.wait_exit(seconds)
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.stderr()}"
        self.logs()

    def finish(self):
        """Stops the server, unless its end was already awaited. A server that has crashed before fails here."""
        if not self._ended:
            self.stop()

    def kill(self):
        """Sends SIGKILL. REQUIRES: the server is running."""
        self._process.kill()
        code = self.wait_exit()
        assert code == -signal.SIGKILL, f"the server had ended by itself with exit code {code}:\n{self.stderr()}"

    def stderr(self):
        """Returns the last lines of its output, for error messages."""
        return "\n".join(self._stderr.snapshot()[-SHOWN_LINES:])

    def printed(self):
        """Returns the output so far on both pipes."""
        return "\n".join(self._stdout.snapshot() + self._stderr.snapshot())

    def stdout_lines(self):
        """Returns the complete lines of its standard output so far."""
        return self._stdout.snapshot()

    def logs(self):
        """Returns the log lines as dicts; fails if one does not have the JSON format."""
        return [_parse_log_line(line) for line in self._stderr.snapshot()]

    def _close_at_end(self, closing):
        self._closing.append(closing)
        return closing


def _parse_log_line(line):
    try:
        entry = json.loads(line)
    except ValueError:
        raise AssertionError(f"a log line is not JSON: {line!r}") from None
    assert isinstance(entry, dict) and all(name in entry for name in LOG_MEMBERS), f"a log line lacks members: {line!r}"
    return entry


def _listening_port(line):
    if '"listening"' not in line:
        return None
    entry = _parse_log_line(line)
    return entry["port"] if entry["message"] == "listening" else None


def start_server(data_dir, *flags, environment=None, program=None, output=None):
    """Starts a server and waits until it listens."""
    return OrdemServer(data_dir, *flags, environment=environment, program=program, output=output).wait_listening()


def assert_does_not_start(data_dir, *flags, words=(), environment=None):
    """Checks that the start fails with an error message; returns stderr."""
    try:
        server = start_server(data_dir, *flags, environment=environment)
    except ServerDidNotStart as refusal:
        assert_clean_failure(refusal.code, refusal.stderr, words)
        return refusal.stderr
    server.kill()
    raise AssertionError(f"the server started with {flags or 'default flags'} on {data_dir}")
