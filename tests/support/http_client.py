"""A small HTTP/1.1 client over raw sockets.

Tests need control over bytes: when they are sent, in how many pieces, and whether they are valid HTTP. Answers are checked
strictly: one that is not a well-formed, self-delimiting HTTP/1.1 response raises MalformedAnswer.
"""

import json
import re
import select
import socket
import time
from dataclasses import dataclass

from support import settings

HOST = "127.0.0.1"
RECEIVE_BYTES = 65536
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [^\r\n]*")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")


class ConnectionEnded(Exception):
    """The server closed or reset the connection before a complete response. `partial` is the part that arrived."""

    def __init__(self, partial):
        super().__init__(f"connection ended after {len(partial)} bytes of an answer: {partial[:200]!r}")
        self.partial = partial


class MalformedAnswer(AssertionError):
    """The server sent an invalid HTTP/1.1 response."""


@dataclass(frozen=True)
class Response:
    """One response. Header names are lower case, in the order of arrival."""

    status: int
    headers: tuple
    body: bytes

    def header(self, name):
        """Returns the value of a header that may occur once; None if it is absent."""
        values = [value for key, value in self.headers if key == name.lower()]
        if len(values) > 1:
            raise MalformedAnswer(f"{name} appears {len(values)} times: {values}")
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        return (self.header("Connection") or "").lower() == "close"

    @property
    def replayed(self):
        return self.header("Idempotency-Replayed") == "true"


def free_port():
    """An unused port of this machine."""
    with socket.create_server((HOST, 0)) as taken:
        return taken.getsockname()[1]


def request_bytes(method, target, headers=(), body=None):
    """One request. `headers` are (name, value) pairs; Host and, with a body, Content-Length are added."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class _Exchanges:
    """Requests, for a class with `exchange`."""

    def request(self, method, target, headers=(), body=None):
        return self.exchange(request_bytes(method, target, headers, body), method)

    def get(self, target, headers=()):
        return self.request("GET", target, headers)


class Connection(_Exchanges):
    """One TCP connection. For one thread at a time. A `narrow` one takes so little ahead of its reader, in small segments,
    that the kernels on both sides hold some tens of kilobytes between them, not megabytes. `source`: the address to connect from. `tls`: an
    ssl.SSLContext; then an end of file without a close_notify is an ssl.SSLEOFError. After `seconds` without a byte it is a TimeoutError."""

    def __init__(self, port, host=HOST, narrow=False, source=None, tls=None, seconds=settings.ANSWER_SECONDS_MAX):
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.settimeout(seconds)
        if narrow:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if source:
            self._socket.bind((source, 0))
        self._socket.connect((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost", suppress_ragged_eofs=False)
        self._received = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def reset(self):
        """Closes with a TCP reset instead of a FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()

    def finish_sending(self):
        """Half-closes: the server sees the end of the input, and can still answer."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # The server has already closed. Its output can still be read.
            pass

    def send(self, data):
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise ConnectionEnded(bytes(self._received)) from None

    def send_until_answered(self, data):
        """Sends `data`; stops when the server responds or closes, as a well-behaved client does with a large body."""
        view = memoryview(data)
        while view:
            events = self._wait(select.POLLIN | select.POLLOUT, settings.ANSWER_SECONDS_MAX)
            if events != select.POLLOUT:
                return
            try:
                view = view[self._socket.send(view[:RECEIVE_BYTES]):]
            except (BrokenPipeError, ConnectionResetError):
                return

    def can_send(self, seconds):
        """Whether the kernel accepts more bytes within `seconds`."""
        return bool(self._wait(select.POLLOUT, seconds) & select.POLLOUT)

    def send_some(self, data):
        """Sends as much as the kernel accepts without blocking; returns the number of bytes, or 0 if the server has closed."""
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except (BrokenPipeError, ConnectionResetError):
            return 0

    def has_answer(self, seconds):
        """Whether a response or an end of file can be read within `seconds`."""
        return bool(self._received) or bool(self._wait(select.POLLIN, seconds))

    def peek_status(self):
        """Returns the status of the next response, after reading only its first bytes."""
        assert self.has_answer(settings.ANSWER_SECONDS_MAX)
        return int(self._socket.recv(12, socket.MSG_PEEK).split()[1])

    def read_response(self, method="GET"):
        """Reads one response to a request of `method`. An interim response (100) is returned like any other."""
        head_end = self._find(b"\r\n\r\n", 0)
        status, headers = _parse_head(bytes(self._received[:head_end]))
        body, end = self._read_body(method, status, headers, head_end + 4)
        del self._received[:end]
        return Response(status, headers, body)

    def read_head(self):
        """Reads the header of a response whose body comes in chunks, which read_chunk() reads one by one."""
        head_end = self._find(b"\r\n\r\n", 0)
        status, headers = _parse_head(bytes(self._received[:head_end]))
        del self._received[:head_end + 4]
        return Response(status, headers, b"")

    def read_chunk(self):
        """Returns the next chunk; b"" for the last."""
        line_end = self._find(b"\r\n", 0)
        end = line_end + 2 + int(bytes(self._received[:line_end]), 16)
        self._need(end + 2)
        chunk = bytes(self._received[line_end + 2:end])
        if bytes(self._received[end:end + 2]) != b"\r\n":
            raise MalformedAnswer("a chunk does not end as announced")
        del self._received[:end + 2]
        return chunk

    def read_end(self):
        """Reads until the server closes; returns the bytes before the end, normally none."""
        try:
            while True:
                self._fill()
        except ConnectionEnded as end:
            return end.partial

    def exchange(self, data, method="GET"):
        self.send(data)
        return self.read_response(method)

    def _wait(self, events, seconds):
        """Returns the poll events within `seconds`; 0 if there is none."""
        poll = select.poll()  # select() cannot watch more than 1024 descriptors.
        poll.register(self._socket, events)
        happened = poll.poll(seconds * 1000)
        return happened[0][1] if happened else 0

    def _read_body(self, method, status, headers, start):
        lengths = [value for name, value in headers if name == "content-length"]
        encodings = [value for name, value in headers if name == "transfer-encoding"]
        if len(lengths) + len(encodings) > 1:
            raise MalformedAnswer(f"more than one message length: {lengths} {encodings}")
        if method == "HEAD" or status < 200 or status in (204, 304):
            return b"", start
        if encodings:
            return self._read_chunks(start)
        if not lengths or not lengths[0].isdecimal():
            raise MalformedAnswer(f"status {status} has neither a Content-Length nor chunks: {headers}")
        end = start + int(lengths[0])
        self._need(end)
        return bytes(self._received[start:end]), end

    def _read_chunks(self, start):
        body = b""
        while True:
            line_end = self._find(b"\r\n", start)
            size = int(bytes(self._received[start:line_end]).split(b";")[0], 16)
            data = line_end + 2
            self._need(data + size + 2)
            if bytes(self._received[data + size:data + size + 2]) != b"\r\n":
                raise MalformedAnswer("a chunk (or the trailer) does not end as announced")
            body += bytes(self._received[data:data + size])
            start = data + size + 2
            if size == 0:
                return body, start

    def _find(self, mark, start):
        while (position := self._received.find(mark, start)) < 0:
            self._fill()
        return position

    def _need(self, size):
        while len(self._received) < size:
            self._fill()

    def _fill(self):
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ConnectionEnded(bytes(self._received))
        self._received += data


def _parse_head(head):
    first, *rest = head.split(b"\r\n")
    match = STATUS_LINE.fullmatch(first)
    if not match:
        raise MalformedAnswer(f"not a status line: {first!r}")
    return int(match[1]), tuple(_parse_header(line) for line in rest)


def _parse_header(line):
    match = HEADER_LINE.fullmatch(line)
    if not match or b"\0" in line:
        raise MalformedAnswer(f"not a header line: {line!r}")
    return match[1].decode("ascii").lower(), match[2].decode("latin-1")


class Client(_Exchanges):
    """A keep-alive client: one connection, which is replaced only after a response with `Connection: close`, or if it was not used for
    longer than clients should keep one: the server closes it after --idle-timeout, a minute."""

    def __init__(self, port, host=HOST, tls=None):
        self._place = (port, host)
        self._tls = tls
        self._connection = None
        self._used_at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def connect(self):
        if not self._connection:
            self._connection = Connection(*self._place, tls=self._tls)
            self._used_at = time.monotonic()

    def exchange(self, data, method="GET"):
        if time.monotonic() > self._used_at + settings.IDLE_SECONDS_MAX:
            self.close()
        self.connect()
        response = self._connection.exchange(data, method)
        self._used_at = time.monotonic()
        if response.closes:
            self.close()
        return response


def send_at_the_same_moment(port, requests):
    """Sends each request on its own connection: first all but the last byte of each, then the last bytes, so that the server receives
    them complete at the same moment. Returns the responses in the order of the requests."""
    connections = [Connection(port) for _ in requests]
    try:
        for connection, data in zip(connections, requests):
            connection.send(data[:-1])
        for connection, data in zip(connections, requests):
            connection.send(data[-1:])
        return [connection.read_response() for connection in connections]
    finally:
        for connection in connections:
            connection.close()
