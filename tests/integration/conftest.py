"""Servers whose health is checked after each test."""

import pytest

from support import settings
from support.ordem_server import start_server
from support.process_facts import rss_bytes


def assert_well(server, rss_before):
    """The server is alive, answers a new connection, and its memory is within bounds."""
    assert server.is_running(), f"the server has ended:\n{server.stderr()}"
    with server.client() as client:
        assert client.get("/-/ping").json() == {"message": "pong"}
    growth = rss_bytes(server.pid) - rss_before
    assert growth < settings.RSS_GROWTH_BYTES_MAX, f"the server grew by {growth} bytes"


class _Slot:
    """A server with default flags that tests share. It is restarted if a test has ended it."""

    def __init__(self, make_folder):
        self._make_folder = make_folder
        self.server = None
        self.rss_before = 0

    def running(self):
        if self.server is None or not self.server.is_running():
            self.server = start_server(self._make_folder("shared") / "data")
            self.rss_before = rss_bytes(self.server.pid)
        return self.server

    def stop(self):
        if self.server and self.server.is_running():
            self.server.stop()


@pytest.fixture(scope="module")
def _slot(tmp_path_factory):
    slot = _Slot(tmp_path_factory.mktemp)
    yield slot
    slot.stop()


@pytest.fixture
def server(_slot):
    """A server with default flags, shared by the tests of one file; checked after each of them."""
    running = _slot.running()
    yield running
    assert_well(running, _slot.rss_before)


@pytest.fixture
def client(server):
    with server.client() as connected:
        yield connected


@pytest.fixture
def launch_watched(launch):
    """Like `launch`; checks at the end that the server is healthy."""
    watched = []

    def start(*flags):
        running = launch(*flags)
        watched.append((running, rss_bytes(running.pid)))
        return running

    yield start
    for running, rss_before in watched:
        assert_well(running, rss_before)
