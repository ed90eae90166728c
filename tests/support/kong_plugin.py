"""Plays the Kong plugin of checkr (kong-plugin-idempotent-requests) in front of an upstream: what it sends for a request
with a key and what it makes of the answers, step by step as its Lua does it.
"""

import base64
import gzip
import json
from dataclasses import dataclass

from support.checkr_client import ALLOCATED, COMPLETED, IN_FLIGHT, CheckrClient, encoded_key

IN_PROGRESS = {"message": "Another request with the same idempotency key is in progress"}
EMPTY_TABLE = {}


@dataclass(frozen=True)
class Proxied:
    """What the client of the proxy gets. `headers`: names to values, a list where a name comes more than once."""

    status: int
    headers: dict
    body: bytes


class KongPlugin:
    """`upstream` is called for each request that goes through, and returns a Proxied."""

    def __init__(self, port, upstream):
        self._port = port
        self._upstream = upstream
        self.failures = []

    def request(self, raw_key):
        """One request of a client; `raw_key` is its Idempotency-Key header."""
        return self.access(raw_key) or self.execute(raw_key)

    def access(self, raw_key):
        """Before the upstream: None if the request may go there, else the answer."""
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
        """After the upstream: hands in what it answered. A failure is logged, and the client gets its answer all the same."""
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
        """Every request of the plugin has a connection of its own."""
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
