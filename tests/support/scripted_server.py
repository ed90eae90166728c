"""An HTTP server that handles each request as its script says and records the requests, for tests of proxies and clients."""

import socket
import threading

from support import settings
from support.http_client import HOST

HANG_UP = None


def answer_bytes(status, headers=(), body=b""):
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def serve_each(listening, serve):
    """Calls `serve` with each connection, in a thread of its own, until the socket is shut down."""

    def accept():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # The socket was shut down.
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


class ScriptedServer:
    """`script`: for each request the bytes of its response, or HANG_UP; the last one also applies to all later requests. `requests`:
    the methods of all requests. A context manager."""

    def __init__(self, *script):
        self._script = list(script)
        self._lock = threading.Lock()
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self.requests = []

    def __enter__(self):
        serve_each(self._listening, self._serve)
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self, connection):
        connection.settimeout(settings.ANSWER_SECONDS_MAX)
        with connection, connection.makefile("rb") as incoming:
            while (first := incoming.readline()) not in (b"", b"\r\n"):
                headers = dict(line.decode().rstrip("\r\n").split(": ", 1) for line in iter(incoming.readline, b"\r\n"))
                incoming.read(int(headers.get("Content-Length", 0)))
                with self._lock:
                    self.requests.append(first.decode().split(" ")[0])
                    answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                if answer is HANG_UP:
                    return
                connection.sendall(answer)
                if headers.get("Connection") == "close":
                    return
