"""A client of checkr/idempotent-requests: what that project's OpenAPI document says, and nothing that Ordem adds to it.

It is the judge of "drop-in": whatever it needs beyond that document a client of that service would have to change. Like
the Kong plugin of that project, the only client that there is, it sends no Content-Type.
"""

import base64
import http.client
import json
from dataclasses import dataclass

from support import settings
from support.concurrency import poll_until

HOST = "127.0.0.1"
CAPTURES = "/api/v2/captures"
PING = "/-/ping"
READY = "/-/ready"
ALLOCATED, COMPLETED, IN_FLIGHT = 202, 200, 409


def encoded_key(raw):
    """The key that stands for a client's own: base64url without padding."""
    return base64.urlsafe_b64encode(raw if isinstance(raw, bytes) else raw.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class CheckrClient:
    """One keep-alive connection. For one thread at a time."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection(HOST, port, timeout=settings.ANSWER_SECONDS_MAX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()

    def ping(self):
        return self._send("GET", PING)

    def wait_ready(self):
        """Returns once the server says that it is ready."""
        poll_until(lambda: self._send("GET", READY).status == 200, "the server is ready")
        return self

    def allocate(self, key):
        """Asks for the execution of a request: ALLOCATED, IN_FLIGHT, or COMPLETED with its record."""
        return self._send("PUT", CAPTURES, {"idempotency_key": key})

    def record(self, key, response):
        """Hands in the response of an execution: 200, or 403 if there is nothing to record it to."""
        return self._send("POST", CAPTURES, {"idempotency_key": key, "response": response})

    def send_text(self, method, text):
        """Sends a body as it is."""
        return self._exchange(method, CAPTURES, text.encode())

    def _send(self, method, path, payload=None):
        return self._exchange(method, path, None if payload is None else json.dumps(payload).encode())

    def _exchange(self, method, path, body):
        self._connection.request(method, path, body)
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
