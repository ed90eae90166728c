"""A collector of traces for tests: takes OTLP over HTTP (protobuf) on a loopback port, and decodes the few message types that there are.

    with OtlpReceiver() as collector:
        server = launch(environment=collector.environment())
        ...
        spans = collector.wait_trace(trace_id, {"POST /api/v1/orders", "dedupe"})
"""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import settings

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
KINDS = {1: "internal", 2: "server", 3: "client"}
ERROR = 2


def _varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def decode(data):
    """Returns the fields of one message: number -> list of ints or bytes."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        elif kind == BYTES:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size, "a field ends behind its message"
        else:
            raise AssertionError(f"wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _first(message, number, default=b""):
    return message.get(number, [default])[0]


def _text(message, number):
    return _first(message, number).decode()


def _attributes(pairs):
    found = {}
    for each in pairs:
        pair = decode(each)
        value = decode(_first(pair, 2))
        key = _text(pair, 1)
        assert key not in found, f"the attribute {key} is there twice"
        found[key] = _text(value, 1) if 1 in value else _first(value, 3, None)
    return found


@dataclass(frozen=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    trace_state: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: dict
    links: tuple  # (trace id, span id)
    failed: bool
    resource: dict = field(repr=False)


def decode_spans(body):
    """Returns the spans of an ExportTraceServiceRequest."""
    spans = []
    for resource_spans in map(decode, decode(body).get(1, [])):
        resource = _attributes(decode(_first(resource_spans, 1)).get(1, []))
        for scope_spans in map(decode, resource_spans.get(2, [])):
            for span in map(decode, scope_spans.get(2, [])):
                links = tuple((_first(link, 1).hex(), _first(link, 2).hex()) for link in map(decode, span.get(13, [])))
                spans.append(Span(
                    _first(span, 1).hex(), _first(span, 2).hex(), _first(span, 4).hex(), _text(span, 3), _text(span, 5),
                    KINDS[_first(span, 6)], _first(span, 7), _first(span, 8), _attributes(span.get(9, [])), links,
                    _first(decode(_first(span, 15)), 3, 0) == ERROR, resource))
    return spans


class OtlpReceiver:
    """A context manager. Until `answer` is changed it takes all spans. `answer`: a status and a body, or HOLD to not answer at all before
    the end of the test."""

    TAKE = (200, b"")
    HOLD = None

    def __init__(self, answer=TAKE):
        self.answer = answer
        self.requests = []  # (path, headers, body)
        self._spans = []
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more):
        """Variables that send all spans here, without waiting for more of them."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "1", **more}

    def spans(self):
        with self._changed:
            return list(self._spans)

    def trace(self, trace_id):
        return [span for span in self.spans() if span.trace_id == trace_id]

    def wait_until(self, condition, what):
        """Waits until condition(spans) holds; returns its value."""
        with self._changed:
            value = self._changed.wait_for(lambda: condition(self._spans), settings.POLL_SECONDS_MAX)
            assert value, f"{what} is not among: {[(span.trace_id[:6], span.name) for span in self._spans]}"
            return value

    def wait_trace(self, trace_id, names):
        """Waits until the trace has a span of each of these names. Returns its spans by name; there must be one of each."""

        def complete(spans):
            return set(names) <= {span.name for span in spans if span.trace_id == trace_id}

        self.wait_until(complete, f"{trace_id[:6]} {sorted(names)}")
        found = self.trace(trace_id)
        assert sorted(span.name for span in found) == sorted(names), found
        return {span.name: span for span in found}

    def wait_request(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self.requests, settings.POLL_SECONDS_MAX), "no spans were sent"

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver._take(self.path, dict(self.headers), body)
                if answer is receiver.HOLD:
                    receiver._ended.wait()
                    return
                status, content = answer
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        return Handler

    def _take(self, path, headers, body):
        with self._changed:
            answer = self.answer
            self.requests.append((path, headers, body))
            if answer == self.TAKE:
                self._spans += decode_spans(body)
            self._changed.notify_all()
            return answer
