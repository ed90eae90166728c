"""Batches: their lines, their verdicts, and a batch that is sent and read incrementally."""

import json
from dataclasses import dataclass

from support.http_client import Connection, Response, request_bytes
from support.orders import JSON_TYPE, PROBLEM_TYPE, create, new_customer, order_content, order_path

BATCH = "/api/v1/orders/batch"
COMMANDS = "/api/v1/batch"
NDJSON_TYPE = "application/x-ndjson"
TYPE = ("Content-Type", NDJSON_TYPE)
CHUNKED = ("Transfer-Encoding", "chunked")
ORDER_MEMBER = b'"order":'
PROBLEM_MEMBER = b'"problem":'


def new_creates(count):
    customer = new_customer()
    return [create(order_content(customer)) for _ in range(count)]


def line_of(write):
    """A create as a line."""
    return json.dumps({"idempotency_key": write.guid, "order": write.body}).encode() + b"\n"


def lines_of(writes):
    return b"".join(line_of(write) for write in writes)


def command_of(write):
    """A write of any kind as a line of COMMANDS."""
    line = {"op": write.kind, "idempotency_key": write.guid}
    if write.kind != "create":
        line |= {"order_id": write.order_id, "version": write.version}
    line |= write.body if write.kind == "status" else {"order": write.body}
    return json.dumps(line).encode() + b"\n"


def commands_of(writes):
    return b"".join(command_of(write) for write in writes)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def batch_bytes(body, headers=(), path=BATCH):
    """A batch as one request with a Content-Length."""
    return request_bytes("POST", path, [TYPE, *headers], body)


def batch_head(*headers, path=BATCH):
    """The header of a batch in chunks."""
    return request_bytes("POST", path, [TYPE, CHUNKED, *headers])


@dataclass(frozen=True)
class Verdict:
    """One line of a response."""

    line: bytes

    def __getattr__(self, name):
        members = json.loads(self.line)
        if name not in members:
            raise AttributeError(name)
        return members[name]

    def as_response(self):
        """The response that a single request would have had, byte for byte if its outcome was recorded."""
        members = json.loads(self.line)
        headers = []
        if "expires_at" in members:
            headers.append(("idempotency-expires", self.expires_at))
        if self.replayed:
            headers.append(("idempotency-replayed", "true"))
        if "problem" in members:
            headers.append(("content-type", PROBLEM_TYPE))
            return Response(self.status, tuple(headers), self._text_of(PROBLEM_MEMBER))
        headers += [("content-type", JSON_TYPE), ("etag", f'"{self.order["version"]}"')]
        message = b"order updated"
        if self.status == 201:
            headers.append(("location", order_path(self.order["order_id"])))
            message = b"order created"
        body = b'{"code":%d,"message":"%s","order":%s}' % (self.status, message, self._text_of(ORDER_MEMBER))
        return Response(self.status, tuple(headers), body)

    def _text_of(self, member):
        """The text of the last member."""
        return self.line[self.line.index(member) + len(member):-1]


def verdicts_in(body):
    assert not body or body.endswith(b"\n"), f"the last verdict is cut off: {body[-100:]!r}"
    return [Verdict(line) for line in body.split(b"\n")[:-1]]


def verdicts_of(response):
    assert response.status == 200, f"{response.status} {response.body!r}"
    assert response.header("Content-Type") == NDJSON_TYPE
    assert response.header("Transfer-Encoding") == "chunked"
    return verdicts_in(response.body)


def assert_created(verdicts, writes):
    assert [(verdict.idempotency_key, verdict.status) for verdict in verdicts] == [(write.guid, 201) for write in writes]
    for verdict, write in zip(verdicts, writes):
        assert {**verdict.order, **write.body} == verdict.order


def slug_of(verdict):
    assert verdict.problem["status"] == verdict.status
    return verdict.problem["type"].removeprefix("/problems/")


class OpenBatch:
    """A batch whose lines are sent and whose verdicts are read one by one. For one thread at a time."""

    def __init__(self, port, path=BATCH, tls=None):
        self.connection = Connection(port, tls=tls)
        self.connection.send(batch_head(path=path))
        self._head = None
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, data):
        self.connection.send(chunk(data))

    def finish(self):
        self.connection.send(b"0\r\n\r\n")

    def read_verdict(self):
        """Returns the next verdict; None at the end of the response."""
        self._head = self._head or self.connection.read_head()
        assert self._head.status == 200, f"{self._head}"
        while b"\n" not in self._received:
            data = self.connection.read_chunk()
            if not data:
                assert not self._received, f"the answer ends within a verdict: {self._received!r}"
                return None
            self._received += data
        line, self._received = self._received.split(b"\n", 1)
        return Verdict(line)

    def read_verdicts(self, count):
        return [self.read_verdict() for _ in range(count)]
