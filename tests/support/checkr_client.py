"""Clients of checkr/idempotent-requests. They use only what that project's OpenAPI document says and nothing that Ordem adds
to it, so they prove that Ordem is a drop-in replacement.

CheckrClient sends requests. Like the Kong plugin of that project, its only known client, it sends no Content-Type.

KongPlugin plays that plugin (kong-plugin-idempotent-requests) in front of an upstream: it sends what the plugin's Lua code
sends for a request with a key, and treats the responses in the same way.
"""

import base64
import gzip
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
IN_PROGRESS = {"message": "Another request with the same idempotency key is in progress"}
EMPTY_TABLE = {}


def encoded_key(raw):
    """Returns the key for a client's Idempotency-Key: base64url without padding."""
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
        """Returns once the server reports that it is ready."""
        poll_until(lambda: self._send("GET", READY).status == 200, "the server is ready")
        return self

    def allocate(self, key):
        """Requests permission to execute: ALLOCATED, IN_FLIGHT, or COMPLETED with its record."""
        return self._send("PUT", CAPTURES, {"idempotency_key": key})

    def record(self, key, response):
        """Records the response of an execution: 200, or 403 if there is no allocation."""
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


@dataclass(frozen=True)
class Proxied:
    """The response to the client of the proxy. `headers`: names to values; a list if a name occurs more than once."""

    status: int
    headers: dict
    body: bytes


class KongPlugin:
    """`upstream` is called for each forwarded request, and returns a Proxied."""

    def __init__(self, port, upstream):
        self._port = port
        self._upstream = upstream
        self.failures = []

    def request(self, raw_key):
        """One request of a client; `raw_key` is its Idempotency-Key header."""
        return self.access(raw_key) or self.execute(raw_key)

    def access(self, raw_key):
        """Called before the upstream. Returns None if the request may be forwarded, else the response."""
        answer = self._send(lambda server: server.allocate(encoded_key(raw_key)))
        if answer.status == COMPLETED:
            captured = answer.json()["response"]
            headers = {header["key"]: header["value"] for header in captured["response_headers"]}
            return Proxied(captured["response_status"], headers, _unpacked(captured["response_body"]))
        if answer.status == ALLOCATED:
            return None
        if answer.status == IN_FLIGHT:
            return Proxied(409, EMPTY_TABLE, json.dumps(IN_PROGRESS).encode())
        return Proxied(answer.status, EMPTY_TABLE, answer.body)

    def execute(self, raw_key):
        answered = self._upstream(raw_key)
        self.response(raw_key, answered)
        return answered

    def response(self, raw_key, answered):
        """Called after the upstream: records its response. A failure is logged, and the client gets the response anyway."""
        payload = {
            "idempotency_key": encoded_key(raw_key),
            "response": {
                "response_status": answered.status,
                "response_body": _packed(answered.body),
                "response_headers": [{"key": key, "value": value} for key, value in answered.headers.items()] or EMPTY_TABLE,
            },
        }
        recorded = self._send(lambda server: server.send_text("POST", _lua_json(payload)))
        if recorded.status != 200:
            self.failures.append(recorded)

    def _send(self, send):
        """Opens a connection; the plugin uses a new one for every request."""
        with CheckrClient(self._port) as server:
            return send(server)


def _lua_json(value):
    """JSON as lua-cjson writes it: slashes escaped, text beyond ASCII as it is, and DEL escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/").replace("\x7f", "\\u007f")


def _packed(body):
    return base64.urlsafe_b64encode(gzip.compress(body)).decode().rstrip("=")


def _unpacked(text):
    return gzip.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
