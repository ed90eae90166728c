"""The request log: a JSON line on standard output for each request, whatever its client sends."""

import contextlib
import json
import os
import re
import threading

import pytest

from support import settings
from support.batches import BATCH, batch_bytes, lines_of, new_creates, verdicts_of
from support.captures import CAPTURES, allocation_payload, new_key, payload_bytes
from support.concurrency import poll_until
from support.http_client import request_bytes
from support.ordem_server import run_ordem, start_server
from support.orders import JSON_TYPE, ORDERS, accepted_order, create, message_path, new_guid, order_content, order_path, replace

# lines_max in app/observability/line_writer.hpp.
LINES_MAX = 8192
JSON = ("Content-Type", JSON_TYPE)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def request_lines(server):
    """Returns the lines of the request log so far; fails if one is not JSON, or has a character that a terminal obeys."""
    lines = server.stdout_lines()
    for line in lines:
        assert not UNSAFE.search(line), repr(line)
    return [json.loads(line) for line in lines]


def line_of(server, request_id):
    """Waits for the line of a request."""
    return poll_until(lambda: [line for line in request_lines(server) if line["request_id"] == request_id], f"a line of {request_id}")[0]


def exchange_named(client, data, request_id, method="GET"):
    first, rest = data.split(b"\r\n", 1)
    return client.exchange(b"\r\n".join((first, b"X-Request-Id: " + request_id.encode(), rest)), method)


def posted(body, headers=(), key=None, target=ORDERS, content_type=JSON):
    keys = [("Idempotency-Key", key or new_guid())]
    return request_bytes("POST", target, [*([content_type] if content_type else []), *keys, *headers], body)


def refused_requests(client):
    """A request for each problem that a client of a healthy server without identities can provoke: (slug, status, method, data)."""
    content = json.dumps(order_content()).encode()
    order = accepted_order(create().send(client), 201)
    path = order_path(order["order_id"])
    used = create()
    accepted_order(used.send(client), 201)
    closed = accepted_order(create().send(client), 201)
    put = [JSON, ("Idempotency-Key", new_guid())]
    cancel = json.dumps({"status": "cancelled", "version": 1}).encode()
    assert client.exchange(posted(cancel, target=f"{order_path(closed['order_id'])}/status")).status == 200
    yield "guid-missing", 400, request_bytes("POST", ORDERS, [JSON], content)
    yield "guid-malformed", 400, posted(content, key="a b")
    yield "guid-mismatch", 400, posted(json.dumps({**order_content(), "guid": "other"}).encode())
    yield "guid-reused", 422, posted(content, key=used.guid)
    yield "version-required", 428, request_bytes("PUT", path, put, content)
    yield "version-malformed", 400, request_bytes("PUT", path, [*put, ("If-Match", "*")], content)
    yield "version-mismatch", 400, request_bytes("PUT", path, [*put, ("If-Match", '"1"')], json.dumps({**order_content(), "version": 2}).encode())
    yield "stale-version", 412, request_bytes("PUT", path, [*put, ("If-Match", '"7"')], content)
    yield "status-not-allowed", 409, posted(b'{"status":"delivered","version":1}', target=f"{path}/status")
    yield "order-closed", 409, replace(closed["order_id"], 2, order_content()).to_bytes()
    yield "malformed-json", 400, posted(b"{")
    yield "not-ndjson", 400, batch_bytes(b"[{}]")
    yield "invalid-order", 422, posted(b"{}")
    yield "malformed-query", 400, request_bytes("GET", f"{ORDERS}?color=red")
    yield "unsupported-media-type", 415, posted(content, content_type=("Content-Type", "text/html"))
    yield "body-too-large", 413, request_bytes("POST", ORDERS, put + [("Content-Length", str(1 << 30))])
    yield "order-not-found", 404, request_bytes("GET", order_path("nowhere"))
    yield "version-not-found", 404, request_bytes("GET", f"{path}/versions/99")
    yield "message-not-found", 404, request_bytes("GET", message_path("unknown"))
    yield "not-found", 404, request_bytes("GET", "/nowhere")
    yield "method-not-allowed", 405, request_bytes("DELETE", ORDERS)
    yield "malformed-request", 400, request_bytes("GET", "/%zz")
    yield "expectation-failed", 417, request_bytes("GET", "/-/ping", [("Expect", "more")])
    yield "headers-too-large", 431, request_bytes("GET", "/-/ping", [("X-Long", "x" * 20_000)])
    yield "forbidden-origin", 403, posted(content, [("Sec-Fetch-Site", "cross-site")])
    yield "backup-refused", 422, posted(b'{"to":"copy"}', target="/-/backup")
    yield "misdirected-request", 421, posted(content).replace(b"Host: 127.0.0.1", b"Host: evil.example")


# The others need a server in another state. Each of them has a line by the same function, session::respond().
ELSEWHERE = {"request-in-flight", "request-timeout", "unauthenticated", "forbidden", "rate-limited", "recovering", "overloaded",
             "too-many-connections", "read-only", "storage-failed", "persistence-behind", "no-owner", "draining", "backup-running", "position-trimmed"}


def test_every_refusal_has_a_line(launch):
    """Breaks if a refused request has no line in the log of errors, or one without its reason."""
    server = launch("--request-log", "errors", "--log-level", "debug")
    client = server.client()
    seen = set()
    for slug, status, data in refused_requests(client):
        answer = exchange_named(client, data, slug)
        assert answer.status == status, (slug, answer)
        line = line_of(server, slug)
        assert (line["status"], line["problem"]) == (status, slug), line
        assert line["detail"] and line["method"] and line["address"] == "127.0.0.1" and line["bytes_out"] > 0, line
        seen.add(slug)
    pages = client.get("/problems/").body.decode()
    assert seen | ELSEWHERE == set(re.findall(r'href="/problems/([a-z-]+)"', pages))

    def debug_lines():
        found = {line["request_id"]: line for line in server.logs() if line["message"] == "request refused"}
        return seen <= set(found) and found

    for slug, line in poll_until(debug_lines, "a line at the level debug for each refusal").items():
        assert line["level"] == "debug" and line["problem"] == slug and line["reason"], line


def test_a_request_that_the_server_gives_up(launch):
    server = launch("--request-log", "errors", "--request-timeout", "100ms", "--max-connections", "1", "--io-threads", "1")
    with server.connect() as connection:
        connection.send(b"GET /-/ping HTTP/1.1\r\nX-Request-Id: late\r\nHost: a\r\n")
        assert connection.read_response().status == 408
    assert line_of(server, "late")["problem"] == "request-timeout"
    with server.connect() as connection:
        assert connection.get("/-/ping").status == 200
        with server.connect() as refused:
            assert refused.read_response().status == 503
    poll_until(lambda: any(line.get("problem") == "too-many-connections" for line in request_lines(server)), "the line of the connection")


def test_denied_requests_have_lines(launch, tmp_path):
    """Breaks if a request without a valid identity or scope, or over its rate, is not in the log."""
    keys = tmp_path / "keys"
    made = run_ordem("key", "create", "--keys", keys, "--name", "till-7", "--tenant", "shop", "--scopes", "orders:write")
    server = launch("--request-log", "all", "--keys", keys, "--tenant-rate", "1")
    client = server.client()
    assert exchange_named(client, request_bytes("GET", order_path("x")), "no-key").status == 401
    client.key = made.stdout.strip()
    assert exchange_named(client, request_bytes("GET", order_path("x")), "no-scope").status == 403
    accepted_order(create().send(client), 201)
    statuses = []
    poll_until(lambda: statuses.append(exchange_named(client, create().to_bytes(), f"over-{len(statuses)}", "POST").status) or 429 in statuses,
               "a request over the rate")
    assert line_of(server, "no-key")["problem"] == "unauthenticated"
    assert line_of(server, "no-scope")["problem"] == "forbidden"
    assert line_of(server, f"over-{len(statuses) - 1}")["problem"] == "rate-limited"
    [created] = [line for line in request_lines(server) if line["status"] == 201][:1]
    assert (created["tenant"], created["actor"]) == ("shop", "till-7")


def test_the_parts_of_a_line(launch):
    server = launch("--request-log", "all")
    client = server.client()
    write = create()
    data = write.to_bytes().replace(b"\r\n", f"\r\ntraceparent: {PARENT}\r\n".encode(), 1)
    answer = exchange_named(client, data, "create", "POST")
    assert answer.status == 201
    line = line_of(server, "create")
    assert line["route"] == ORDERS and line["method"] == "POST" and line["status"] == 201 and line["level"] == "info"
    assert line["trace_id"] == PARENT.split("-")[1]
    assert line["bytes_in"] == len(data) + len("X-Request-Id: create\r\n")
    assert line["bytes_out"] > len(answer.body)
    assert 0 < line["engine_us"] <= line["total_us"]
    assert line["receive_us"] + line["engine_us"] + line["send_us"] <= line["total_us"]
    assert "problem" not in line and "tenant" not in line and "cut" not in line
    order_id = answer.json()["order"]["order_id"]
    assert exchange_named(client, request_bytes("GET", f"{order_path(order_id)}/versions/1?"), "read").status == 200
    assert line_of(server, "read")["route"] == "/api/v1/orders/{id}/versions/{n}"
    assert line_of(server, "read")["engine_us"] == 0
    key = new_key()
    assert exchange_named(client, payload_bytes("PUT", allocation_payload(key)), "capture").status == 202
    assert line_of(server, "capture")["route"] == CAPTURES and line_of(server, "capture")["engine_us"] > 0


def test_a_batch_has_one_line(launch):
    server = launch("--request-log", "errors")
    client = server.client()
    whole = batch_bytes(lines_of(new_creates(20)))
    assert len(verdicts_of(exchange_named(client, whole, "whole"))) == 20
    partly = lines_of(new_creates(5)) + b"{}\nnot json\n"
    answer = exchange_named(client, batch_bytes(partly, path=BATCH), "partly")
    assert len(verdicts_of(answer)) == 7
    line = line_of(server, "partly")
    assert (line["status"], line["lines"], line["lines_refused"], line["route"]) == (200, 7, 2, BATCH)
    assert line["bytes_in"] > len(partly) and line["bytes_out"] > len(answer.body)
    assert not any(line["request_id"] == "whole" for line in request_lines(server))


def test_errors_leave_out_what_succeeds(launch):
    server = launch("--request-log", "errors")
    client = server.client()
    assert exchange_named(client, request_bytes("GET", "/-/ping"), "good").status == 200
    assert exchange_named(client, request_bytes("GET", "/nowhere"), "bad").status == 404
    line_of(server, "bad")
    assert [line["request_id"] for line in request_lines(server)] == ["bad"]


def test_without_the_setting_nothing_is_logged(launch):
    server = launch()
    client = server.client()
    assert client.get("/nowhere").status == 404
    server.stop()
    assert server.stdout_lines() == [] and not any(line["message"] == "request refused" for line in server.logs())


HOSTILE = b"\x1b]0;owned\x07\x1b[31m\xc2\x9b31m\x7f\xff\xfe\xe2\x80\xae"


@pytest.mark.parametrize("name, data", [
    ("header", b"GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s\r\n\r\n" % HOSTILE),
    ("content type", b"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: a\r\nContent-Type: %s\r\nContent-Length: 0\r\n\r\n"
     % HOSTILE.replace(b"\x1b", b"").replace(b"\x07", b"").replace(b"\x7f", b"")),
    ("path", b"GET /api/v1/orders/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % b"%0d%0a%1b%5b31m%00%c2%9b%ff"),
    ("raw path", b"GET /api/v1/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % b"\xc2\x9b\xff\xfe\xe2\x80\xae"),
    ("query", b"GET /api/v1/orders?%s=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % b"%0d%0a%1b%5b31m%00%c2%9b%ff%e2%80%ae"),
    ("method", b"%s / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % (b"M" * 5000)),
    ("control in a path", b"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("NUL", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a lone line feed", b"GET / HTTP/1.1\nX-Request-Id: a\n\n"),
    ("the name of a member", posted(b'{"\\u001b[31m\\u0085\\u202e":1}')),
    ("JSON in an id", b'GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: ","status":200,"x":"\\\r\n\r\n'),
], ids=lambda value: value if isinstance(value, str) else "")
def test_clients_cannot_break_a_line(launch, name, data):
    """Breaks if text from a client ends a line, adds a member, or reaches a terminal as a control sequence."""
    server = launch("--request-log", "all", "--log-level", "debug")
    with server.connect() as connection:
        answer = connection.exchange(data)
    assert answer.status >= 400, name
    line = line_of(server, answer.header("X-Request-Id"))
    assert line["status"] == answer.status, line
    assert len(request_lines(server)) == 1
    poll_until(lambda: any(entry["message"] == "request refused" for entry in server.logs()), "the line at the level debug")
    assert not any(UNSAFE.search(entry) for entry in server.printed().splitlines())


def test_a_client_that_leaves_has_a_line(launch):
    """Breaks if a request without a response is missing in the log."""
    server = launch("--request-log", "errors")
    connection = server.connect()
    connection.send(b"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: gone\r\nContent-Length: 10\r\n\r\n{")
    connection.reset()
    line = line_of(server, "gone")
    assert line["status"] is None and line["cut"] is True


@pytest.fixture
def pipe():
    """The descriptors of a pipe, to read from and to write to. Closed at the end; a test may close them before."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def test_a_reader_that_stops_delays_no_answer(data_dir, pipe):
    """Breaks if a full pipe blocks a thread that serves connections, or lines are lost without being counted."""
    reader, writer = pipe
    requests = 2 * LINES_MAX
    with start_server(data_dir, "--request-log", "all", output=writer) as server:
        os.close(writer)
        with server.connect() as connection:
            for _ in range(requests // settings.PIPELINED_REQUESTS):
                connection.send(request_bytes("GET", "/-/ping") * settings.PIPELINED_REQUESTS)
                for _ in range(settings.PIPELINED_REQUESTS):
                    assert connection.read_response().status == 200
            assert connection.metric("ordem_request_log_dropped_total") > 0
        written = []

        def read():
            with open(reader, "rb", closefd=False) as lines:
                written.extend(lines)

        reading = threading.Thread(target=read)
        reading.start()
        server.stop()
        reading.join()
    assert LINES_MAX <= len(written) < requests and all(json.loads(line) for line in written)


def test_a_log_that_nothing_reads_stops_nothing(data_dir, pipe):
    """Breaks if the server ends, or keeps what it cannot write, once its standard output is closed at the other end."""
    reader, writer = pipe
    os.close(reader)
    with start_server(data_dir, "--request-log", "all", output=writer) as server:
        with server.client() as client:
            poll_until(lambda: client.metric("ordem_request_log_dropped_total") > 0, "the lost lines are counted")
            assert client.get("/-/ping").status == 200
