"""An HTTP proxy before one server that loses, cuts off and replaces answers, for tests of clients."""

import collections
import random
import socket
import threading

from support import settings
from support.http_client import HOST, ConnectionEnded, Connection
from support.scripted_server import answer_bytes, serve_each

PROBLEM = (("Content-Type", "application/problem+json"), ("Connection", "close"))
IN_FLIGHT = b'{"type":"/problems/request-in-flight","title":"-","status":409,"detail":"-","code":409,"message":"-"}'
OVERLOADED = b'{"type":"/problems/overloaded","title":"-","status":503,"detail":"-","code":503,"message":"-"}'

# What happens to a request.
PASS = "passed"
NO_ANSWER = "executed, the answer lost"
HALF_AN_ANSWER = "executed, the answer cut off"
NO_REQUEST = "lost before the server"
SILENCE = "lost, the connection left open"
ANSWERS = {
    "503": answer_bytes(503, (*PROBLEM, ("Retry-After", "0")), OVERLOADED),
    "409 in flight": answer_bytes(409, (*PROBLEM, ("Retry-After", "0")), IN_FLIGHT),
    "502 of a proxy": answer_bytes(502, (("Content-Type", "text/html"), ("Connection", "close")), b"<html>Bad Gateway</html>"),
}
FAULTS = (NO_ANSWER, HALF_AN_ANSWER, NO_REQUEST, *ANSWERS)
# No request meets more faults than this, so a client that tries ten times gets its answer.
FAULTS_OF_A_REQUEST_MAX = 4
REQUEST_BYTES_MAX = 64 * 1024


class FaultyProxy:
    """A context manager. `counts`: how often each thing happened to a request that has a key; others pass. The first one meets SILENCE, so
    clients need a short timeout."""

    def __init__(self, target_port, seed=settings.SEED):
        self._random = random.Random(seed)
        self._changed = threading.Condition()
        self._target_port = target_port
        self._plan = [SILENCE]
        self._faults = collections.Counter()
        self._requests = 0
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self.counts = collections.Counter()

    def __enter__(self):
        serve_each(self._listening, self._serve)
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def wait_requests(self, count):
        """Returns once `count` requests have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._requests >= count, settings.COMMAND_SECONDS_MAX), f"{self._requests} requests"

    def set_target(self, port):
        with self._changed:
            self._target_port = port
            self._changed.notify_all()

    def _next(self, request, key):
        """Returns what happens to a request."""
        with self._changed:
            self._requests += 1
            self._changed.notify_all()
            if key is None or self._faults[request] >= FAULTS_OF_A_REQUEST_MAX:
                return PASS
            if not self._plan:
                self._plan = [*FAULTS, PASS, PASS, PASS]
                self._random.shuffle(self._plan)
            chosen = self._plan.pop()
            self.counts[chosen] += 1
            self._faults[request] += chosen != PASS
            return chosen

    def _serve(self, connection):
        """Serves one request, and closes the connection."""
        connection.settimeout(settings.ANSWER_SECONDS_MAX)
        try:
            with connection, connection.makefile("rb") as incoming:
                request, key = _read_request(incoming)
                if request is None:
                    return
                chosen = self._next(request, key)
                if chosen == SILENCE:
                    incoming.read(1)  # until the client closes
                elif chosen in ANSWERS:
                    connection.sendall(ANSWERS[chosen])
                elif chosen != NO_REQUEST:
                    answer = self._forward(request)
                    if chosen == NO_ANSWER:
                        return
                    connection.sendall(answer if chosen == PASS else answer[: len(answer) - 20])
        except OSError:  # The client has gone.
            pass

    def _forward(self, request):
        """Returns the server's answer as bytes; nothing if the server ended, after another one has taken its place."""
        with self._changed:
            port = self._target_port
        try:
            with Connection(port) as server:
                response = server.exchange(request, request.split(b" ", 1)[0].decode())
        except (OSError, ConnectionEnded):
            with self._changed:
                self._changed.wait_for(lambda: self._target_port != port, settings.START_SECONDS_MAX)
            return b""
        headers = [(name, value) for name, value in response.headers if name not in ("content-length", "connection")]
        return answer_bytes(response.status, (*headers, ("Connection", "close")), response.body)


def _read_request(incoming):
    """Returns the bytes of a request, with `Connection: close`, and its key; (None, None) if there is none."""
    first = incoming.readline()
    if not first:
        return None, None
    lines = [line for line in iter(incoming.readline, b"\r\n")]
    headers = {name.lower(): value.strip() for name, value in (line.split(b":", 1) for line in lines)}
    length = int(headers.get(b"content-length", 0))
    assert length <= REQUEST_BYTES_MAX, length
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"upgrade:", b"http2-settings:"))]
    return b"".join([first, *kept, b"Connection: close\r\n\r\n", incoming.read(length)]), headers.get(b"idempotency-key")
