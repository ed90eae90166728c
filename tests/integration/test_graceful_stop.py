"""A stop answers every request on an open connection, and the last response of a connection has `Connection: close`."""

import os
import signal
import threading

import pytest

from support import settings
from support.batches import BATCH, CHUNKED, TYPE, OpenBatch, assert_created, batch_bytes, line_of, lines_of, new_creates
from support.captures import allocation_bytes, assert_empty, assert_error, new_key
from support.concurrency import Threads, poll_until
from support.http_client import Connection, ConnectionEnded, request_bytes
from support.orders import accepted_order, assert_problem, create

PING = request_bytes("GET", "/-/ping")
BUSY_CONNECTIONS = 16
PIPELINED = 50
BACKLOG = 40


class Busy:
    """A client that sends its next request as soon as it has a response."""

    def __init__(self, port, make_request):
        self.warm = threading.Event()
        self.answers = []
        self.unanswered = None
        self._connection = Connection(port)
        self._make_request = make_request

    def run(self):
        with self._connection:
            while not self.answers or not self.answers[-1].closes:
                try:
                    self.answers.append(self._connection.exchange(self._make_request()))
                except ConnectionEnded as end:
                    self.unanswered = end
                    return
                if len(self.answers) == 20:
                    self.warm.set()


@pytest.mark.parametrize("kind", ["order", "capture", "read"])
def test_no_busy_connection_is_cut_off(launch, kind):
    """Breaks if a connection is closed between two requests: its client would send one more and read an end of file."""
    server = launch()
    make = {"order": lambda: create().to_bytes(), "capture": lambda: allocation_bytes(new_key()),
            "read": lambda: PING}[kind]
    clients = [Busy(server.port, make) for _ in range(BUSY_CONNECTIONS)]
    threads = Threads([client.run for client in clients])
    for client in clients:
        assert client.warm.wait(settings.THREADS_SECONDS_MAX)
    server.signal_stop()
    threads.join()
    assert [client.unanswered for client in clients if client.unanswered] == []
    expected = {"order": 201, "capture": 202, "read": 200}[kind]
    assert {answer.status for client in clients for answer in client.answers} == {expected}
    assert server.wait_exit() == 0


def test_an_idle_connection_is_closed_and_holds_nothing_up(launch):
    """Breaks if a stop waits for idle clients, or sends them an unsolicited response."""
    server = launch()
    used, unused = server.connect(), server.connect()
    assert used.exchange(PING).status == 200
    server.signal_stop()
    assert used.read_end() == b"" and unused.read_end() == b""
    assert server.wait_exit(settings.QUICK_ANSWER_SECONDS_MAX) == 0


def halt(server):
    """Suspends the server (SIGSTOP). When it resumes, it sees everything that happened in the meantime at once."""
    os.kill(server.pid, signal.SIGSTOP)
    poll_until(lambda: open(f"/proc/{server.pid}/stat", encoding="ascii").read().split(")")[1].split()[0] == "T", "the server is suspended")


@pytest.mark.parametrize("used", [True, False], ids=["open connections", "connections that the kernel has accepted"])
def test_requests_that_are_here_when_the_stop_comes(launch, used):
    """Breaks if an idle connection is closed with an unread request in its socket, or the listener with waiting connections."""
    server = launch()
    if used:
        connections = [server.connect() for _ in range(BACKLOG)]
        for connection in connections:
            assert connection.exchange(PING).status == 200
    halt(server)
    if not used:
        connections = [server.connect() for _ in range(BACKLOG)]
    writes = [create() for _ in connections]
    server.signal_stop()
    for connection, write in zip(connections, writes):
        connection.send(write.to_bytes())
    os.kill(server.pid, signal.SIGCONT)
    answers = [connection.read_response() for connection in connections]
    for answer in answers:
        accepted_order(answer, 201)
    for connection in connections:
        connection.close()
    assert server.wait_exit() == 0


def test_pipelined_requests_are_all_answered(launch):
    """Breaks if the first response of a pipeline closes the connection, or the last one lacks `Connection: close`."""
    server = launch()
    connection = server.connect()
    assert connection.exchange(PING).status == 200
    halt(server)
    server.signal_stop()
    writes = [create() for _ in range(PIPELINED)]
    connection.send(b"".join(write.to_bytes() + PING for write in writes))
    os.kill(server.pid, signal.SIGCONT)
    answers = [connection.read_response() for _ in range(2 * PIPELINED)]
    assert [answer.status for answer in answers] == [201, 200] * PIPELINED
    assert not any(answer.closes for answer in answers[:-1])
    assert answers[-1].closes and connection.read_end() == b""
    connection.close()
    assert server.wait_exit() == 0


def test_a_client_that_pipelines_without_end_gets_a_close(launch):
    """Breaks if a client that always has a request in flight can delay the stop for the whole --drain-timeout."""
    server = launch("--drain-timeout=1h")
    connection = server.connect()
    connection.send(PING * PIPELINED)
    assert connection.read_response().status == 200
    server.signal_stop()
    answer = None
    while not answer or not answer.closes:
        connection.send(PING)
        answer = connection.read_response()
    connection.close()
    assert server.wait_exit() == 0


def test_after_a_batch_the_next_answer_ends_the_connection(launch):
    """Breaks if the connection of a batch that started before the stop is closed without a complete response."""
    server = launch()
    with OpenBatch(server.port) as batch:
        write, = new_creates(1)
        batch.send(line_of(write))
        assert_created([batch.read_verdict()], [write])
        server.begin_stop()
        batch.send(line_of(new_creates(1)[0]))
        assert batch.read_verdict().status == 503
        batch.finish()
        assert batch.read_verdict() is None
        answer = batch.connection.exchange(PING)
        assert answer.status == 200 and answer.closes
        assert batch.connection.read_end() == b""
    assert server.wait_exit() == 0


def test_a_batch_that_comes_during_the_stop_is_not_begun(launch):
    """Breaks if a stopping server starts a request of unknown duration, or omits Retry-After."""
    server = launch()
    late = batch_bytes(lines_of(new_creates(3)))
    with server.connect() as connection:
        connection.send(PING + late[:20])
        assert connection.read_response().status == 200
        server.begin_stop()
        connection.send(late[20:])
        answer = connection.read_response()
        assert_problem(answer, 503, "draining")
        assert answer.closes and connection.read_end() == b""
    assert server.wait_exit() == 0


@pytest.mark.parametrize("begun", ["order", "capture", "batch"])
def test_what_has_not_come_whole_at_the_end_is_refused(launch, begun):
    """Breaks if a request that arrives too late is cut off without a response."""
    server = launch("--drain-timeout=1s")
    data = {
        "order": create().to_bytes()[:-1],
        "capture": allocation_bytes(new_key())[:-1],
        "batch": request_bytes("POST", BATCH, [TYPE, CHUNKED]),
    }[begun]
    with server.connect() as connection:
        connection.send(PING + data)
        assert connection.read_response().status == 200
        server.signal_stop()
        answer = connection.read_response()
        if begun == "capture":
            assert_error(answer, 503)
            assert answer.header("Retry-After")
        else:
            assert_problem(answer, 503, "draining")
        assert answer.closes and connection.read_end() == b""
    assert server.wait_exit() == 0


def test_a_capture_and_its_lease_outlive_the_stop(launch):
    """Breaks if a write that is acknowledged during a stop is not durable."""
    server = launch()
    key = new_key()
    connection = server.connect()
    assert connection.exchange(PING).status == 200
    halt(server)
    server.signal_stop()
    connection.send(allocation_bytes(key))
    os.kill(server.pid, signal.SIGCONT)
    answer = connection.read_response()
    assert_empty(answer, 202)
    connection.close()
    assert server.wait_exit() == 0
    assert_empty(launch().client().exchange(allocation_bytes(key)), 409)
