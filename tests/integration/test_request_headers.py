"""The header of a request determines its framing, its connection and its body. All of its lines count, trailers do not, and a request
that the header makes invalid is refused before its body is read."""

import gzip

import pytest

from support import settings
from support.batches import BATCH, CHUNKED, NDJSON_TYPE, TYPE, assert_created, batch_bytes, chunk, lines_of, new_creates, verdicts_of
from support.captures import CAPTURES, allocation_payload, assert_empty, assert_error, new_key, payload_bytes
from support.http_client import request_bytes
from support.orders import (
    JSON_TYPE, MERGE_PATCH_TYPE, ORDERS, accepted_order, assert_problem, create, message_path, new_customer, new_guid, order_content,
    order_path,
)

PING = request_bytes("GET", "/-/ping")
MIB = settings.MIB
JSON = ("Content-Type", JSON_TYPE)
EXPECT = ("Expect", "100-continue")


def content_bytes(customer=None):
    return create(order_content(customer or new_customer())).to_bytes().split(b"\r\n\r\n", 1)[1]


def head_of(first_line, *lines):
    return "\r\n".join([first_line, *lines]).encode("latin-1") + b"\r\n\r\n"


def ping(*lines, version="1.1"):
    return head_of(f"GET /-/ping HTTP/{version}", "Host: a", *lines)


def assert_open(connection):
    assert connection.exchange(PING).status == 200


def assert_closes(connection, answer):
    assert answer.closes
    assert connection.read_end() == b""


# Connection.

@pytest.mark.parametrize("lines", [
    ("Connection: TE", "Connection: close"), ("Connection: close", "Connection: TE"), ("Connection: keep-alive", "Connection: close"),
    ("Connection: TE, close",), ("connection: ,CLOSE,",),
], ids=" | ".join)
def test_close_counts_in_every_line(server, lines):
    """Breaks if only the first Connection line is read: the client would wait for a close that does not come."""
    with server.connect() as connection:
        assert_closes(connection, connection.exchange(ping(*lines)))


@pytest.mark.parametrize("lines", [("Connection: TE", "Connection: keep-alive"), ("Connection: Keep-Alive",)], ids=" | ".join)
def test_http_1_0_stays_open_where_a_line_says_so(server, lines):
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.exchange(ping(*lines, version="1.0"))
            assert answer.status == 200 and answer.header("Connection") == "keep-alive"


@pytest.mark.parametrize("lines", [(), ("Connection: TE",), ("Connection: keep-alive, close",), ("Proxy-Connection: keep-alive",)],
                         ids=" | ".join)
def test_http_1_0_is_closed_otherwise(server, lines):
    with server.connect() as connection:
        assert_closes(connection, connection.exchange(ping(*lines, version="1.0")))


# HTTP/1.0.

@pytest.mark.parametrize("lines", [("Transfer-Encoding: chunked",), ("Content-Length: 5", "Transfer-Encoding: identity")], ids=" | ".join)
@pytest.mark.parametrize("path", [ORDERS, BATCH])
def test_http_1_0_with_a_transfer_encoding(server, path, lines):
    """Breaks if a body is accepted whose end a proxy of HTTP/1.0 finds elsewhere: RFC 9112, section 6.1."""
    customer = new_customer()
    body = content_bytes(customer)
    data = head_of(f"POST {path} HTTP/1.0", "Host: a", f"Content-Type: {JSON_TYPE}", f"Idempotency-Key: {new_guid()}",
                   "Connection: keep-alive", *lines) + chunk(body) + b"0\r\n\r\n"
    with server.connect() as connection:
        connection.send(data + PING)
        answer = connection.read_response()
        assert_problem(answer, 400, "malformed-request")
        assert_closes(connection, answer)
    with server.client() as client:
        assert client.get_orders_of(customer) == []


@pytest.mark.parametrize("expectation", ["100-continue", "tea"])
def test_http_1_0_has_no_expectations(server, expectation):
    """Breaks if a client of HTTP/1.0 gets a 100, which it treats as its response: RFC 9110, section 10.1.1."""
    body = content_bytes()
    head = head_of(f"POST {ORDERS} HTTP/1.0", f"Content-Type: {JSON_TYPE}", f"Idempotency-Key: {new_guid()}",
                   f"Content-Length: {len(body)}", f"Expect: {expectation}")
    with server.connect() as connection:
        connection.send(head)
        assert not connection.has_answer(0.2)
        connection.send(body)
        answer = connection.read_response()
        accepted_order(answer, 201)
        assert_closes(connection, answer)


@pytest.mark.parametrize("line, versions", [
    ("Host: a\r\nHost: a", "01"), ("Host: a b", "01"), ("Host: a, b", "01"), ("Host: a/b", "01"), ("Host: a:b", "01"), ("X: none", "1"),
    ("Host:", ""), ("Host: [::1]:8080", ""), ("Host: my_host.ns:8080", ""),
])
def test_host(server, line, versions):
    """Breaks if an ambiguous Host is accepted: RFC 9112, section 3.2. `versions`: the HTTP versions that refuse it."""
    for version in "01":
        with server.connect() as connection:
            answer = connection.exchange(head_of(f"GET /-/ping HTTP/1.{version}", line, "Connection: keep-alive"))
            if version in versions:
                assert_problem(answer, 400, "malformed-request")
                assert_closes(connection, answer)
            else:
                assert answer.status == 200


# Trailers.

def chunked_create(headers, body, trailer):
    return request_bytes("POST", ORDERS, [CHUNKED, *headers]) + chunk(body) + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize("headers, trailer, status, slug", [
    ([JSON], b"Idempotency-Key: {key}\r\n", 400, "guid-missing"),
    ([("Idempotency-Key", "{key}")], b"Content-Type: application/json\r\n", 415, "unsupported-media-type"),
])
def test_a_trailer_gives_no_header(server, headers, trailer, status, slug):
    """Breaks if a trailer field is treated as a header field: a proxy that has checked the header has not seen it."""
    key = new_guid()
    with server.connect() as connection:
        answer = connection.exchange(chunked_create([(name, value.replace("{key}", key)) for name, value in headers], content_bytes(),
                                                    trailer.replace(b"{key}", key.encode())))
        assert_problem(answer, status, slug)
        assert_open(connection)
        assert connection.exchange(request_bytes("GET", message_path(key))).status == 404


def test_a_trailer_gives_no_version(server, client):
    order = accepted_order(create().send(client), 201)
    data = request_bytes("PATCH", order_path(order["order_id"]), [CHUNKED, ("Content-Type", MERGE_PATCH_TYPE), ("Idempotency-Key", new_guid())])
    with server.connect() as connection:
        answer = connection.exchange(data + chunk(b'{"currency":"USD"}') + b'0\r\nIf-Match: "1"\r\n\r\n')
        assert_problem(answer, 428, "version-required")
    assert client.get_order(order["order_id"]) == order


def test_a_trailer_gives_no_host(server):
    head = head_of(f"POST {ORDERS} HTTP/1.1", "Transfer-Encoding: chunked")
    with server.connect() as connection:
        answer = connection.exchange(head + chunk(b"{}") + b"0\r\nHost: a\r\n\r\n")
        assert_problem(answer, 400, "malformed-request")
        assert_closes(connection, answer)


def test_a_trailer_takes_nothing_away(server):
    """Breaks if a trailer duplicates a header, changes how the body is read, or closes the connection."""
    trailer = (b"Host: b\r\nIdempotency-Key: other\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nIf-Match: *\r\n"
               b"Expect: tea\r\nConnection: close\r\n")
    with server.connect() as connection:
        answer = connection.exchange(chunked_create([JSON, ("Idempotency-Key", new_guid())], content_bytes(), trailer))
        accepted_order(answer, 201)
        assert not answer.closes
        writes = new_creates(2)
        connection.send(request_bytes("POST", BATCH, [TYPE, CHUNKED]) + chunk(lines_of(writes)) + b"0\r\n" + trailer + b"\r\n")
        assert_created(verdicts_of(connection.read_response()), writes)
        assert_open(connection)


# Headers that describe the body.

def writes_of(order_id):
    """Every call with the body of an order: method, path, media type."""
    return [("POST", ORDERS, JSON_TYPE), ("PUT", order_path(order_id), JSON_TYPE), ("PATCH", order_path(order_id), MERGE_PATCH_TYPE),
            ("POST", f"{order_path(order_id)}/status", JSON_TYPE), ("POST", BATCH, NDJSON_TYPE)]


@pytest.mark.parametrize("codings", [("gzip",), ("identity", "gzip"), ("identity, br",), ("aes128gcm",)], ids=" | ".join)
def test_a_coded_body(server, client, codings):
    """Breaks if compressed bytes are read as the body: a batch would return a verdict for each newline in them."""
    order = accepted_order(create().send(client), 201)
    lines = [("Content-Encoding", coding) for coding in codings]
    body = gzip.compress(lines_of(new_creates(200)))
    for method, path, media_type in writes_of(order["order_id"]):
        headers = [("Content-Type", media_type), ("Idempotency-Key", new_guid()), ("If-Match", '"1"'), *lines]
        with server.connect() as connection:
            answer = connection.exchange(request_bytes(method, path, headers, body))
            assert_problem(answer, 415, "unsupported-media-type")
            assert answer.header("Accept-Encoding") == "identity"
    for method in ("PUT", "POST"):
        answer = client.request(method, CAPTURES, lines, body)
        assert_error(answer, 415)
        assert answer.header("Accept-Encoding") == "identity"
    assert client.get_order(order["order_id"]) == order


def test_identity_is_no_coding(client):
    identity = [("Content-Encoding", "identity")]
    accepted_order(client.request("POST", ORDERS, [JSON, ("Idempotency-Key", new_guid()), *identity], content_bytes()), 201)
    writes = new_creates(2)
    assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes), identity))), writes)
    assert_empty(client.exchange(payload_bytes("PUT", allocation_payload(new_key()), identity)), 202)


def test_a_part_is_not_taken_for_a_whole(server, client):
    """Breaks if a PUT with Content-Range replaces the whole order: RFC 9110, section 14.5. With other methods the field has no meaning."""
    part = ("Content-Range", "bytes 0-9/20")
    order = accepted_order(create().send(client), 201)
    with server.connect() as connection:
        headers = [JSON, ("Idempotency-Key", new_guid()), ("If-Match", '"1"'), part]
        answer = connection.exchange(request_bytes("PUT", order_path(order["order_id"]), headers, content_bytes()))
        assert_problem(answer, 400, "malformed-request")
        assert_closes(connection, answer)
    with server.connect() as connection:
        assert_error(connection.exchange(payload_bytes("PUT", allocation_payload(new_key()), [part])), 400)
    assert client.get_order(order["order_id"]) == order
    accepted_order(client.request("POST", ORDERS, [JSON, ("Idempotency-Key", new_guid()), part], content_bytes()), 201)


@pytest.mark.parametrize("parameters, status", [
    ("; charset=utf-8", 201), ('; charset="UTF-8"', 201), ("; charset=us-ascii", 201), ("; charset=utf-16", 415),
    ("; charset=iso-8859-1", 415), ("; charset=utf-8; charset=latin1", 415), ("\r\nContent-Type: application/json", 415),
])
def test_a_type_that_is_not_json_in_utf_8(client, parameters, status):
    headers = [("Content-Type", JSON_TYPE + parameters), ("Idempotency-Key", new_guid())]
    answer = client.request("POST", ORDERS, headers, content_bytes())
    accepted_order(answer, 201) if status == 201 else assert_problem(answer, 415, "unsupported-media-type")
    assert not answer.header("Accept-Encoding")
    batch = client.request("POST", BATCH, [("Content-Type", NDJSON_TYPE + parameters.replace(JSON_TYPE, NDJSON_TYPE))],
                           lines_of(new_creates(1)))
    assert batch.status == (200 if status == 201 else 415)


# Expect.

@pytest.mark.parametrize("lines", [("Expect: tea",), ("Expect: 100-continue", "Expect: tea"), ("Expect: 100-continue, tea",)], ids=" | ".join)
@pytest.mark.parametrize("target", ["/-/ping", ORDERS, BATCH])
def test_another_expectation(server, target, lines):
    """Breaks if an expectation that the server can't meet is ignored: RFC 9110, section 10.1.1."""
    with server.connect() as connection:
        answer = connection.exchange(head_of(f"POST {target} HTTP/1.1", "Host: a", "Content-Length: 2", *lines))
        assert_problem(answer, 417, "expectation-failed")
        assert_closes(connection, answer)


def test_another_expectation_of_a_capture(server):
    with server.connect() as connection:
        answer = connection.exchange(payload_bytes("PUT", allocation_payload(new_key()), [("Expect", "tea")]))
        assert_error(answer, 417)
        assert_closes(connection, answer)


def test_expect_in_its_second_line(server):
    body = content_bytes()
    headers = [JSON, ("Idempotency-Key", new_guid()), ("Expect", ""), EXPECT, ("Content-Length", len(body))]
    with server.connect() as connection:
        assert connection.exchange(request_bytes("POST", ORDERS, headers)).status == 100
        connection.send(body)
        accepted_order(connection.read_response(), 201)
        assert_open(connection)


KEY = ("Idempotency-Key", "{key}")
REFUSED_HEADS = {
    "unknown path": ("POST", "/api/v1/nothing", [JSON, KEY], 404, "not-found"),
    "wrong method": ("PUT", ORDERS, [JSON, KEY], 405, "method-not-allowed"),
    "broken target": ("POST", f"{ORDERS}/%zz", [JSON, KEY], 400, "malformed-request"),
    "too large": ("POST", ORDERS, [JSON, KEY, ("Content-Length", 2 * MIB)], 413, "body-too-large"),
    "no media type": ("POST", ORDERS, [KEY], 415, "unsupported-media-type"),
    "wrong media type": ("POST", ORDERS, [("Content-Type", "text/plain"), KEY], 415, "unsupported-media-type"),
    "coded": ("POST", ORDERS, [JSON, KEY, ("Content-Encoding", "gzip")], 415, "unsupported-media-type"),
    "bad key": ("POST", ORDERS, [JSON, ("Idempotency-Key", '"')], 400, "guid-malformed"),
    "two keys": ("POST", ORDERS, [JSON, KEY, KEY], 400, "guid-malformed"),
    "bad version": ("PUT", order_path(new_guid()), [JSON, KEY, ("If-Match", "*")], 400, "version-malformed"),
    "no order": ("PUT", order_path("no-uuid"), [JSON, KEY, ("If-Match", '"1"')], 404, "order-not-found"),
    "a part": ("PUT", order_path(new_guid()), [JSON, KEY, ("Content-Range", "bytes 0-1/2")], 400, "malformed-request"),
    "two hosts": ("POST", ORDERS, [JSON, KEY, ("Host", "b")], 400, "malformed-request"),
    "batch of a wrong type": ("POST", BATCH, [JSON], 415, "unsupported-media-type"),
    "coded batch": ("POST", BATCH, [TYPE, ("Content-Encoding", "gzip")], 415, "unsupported-media-type"),
    "coded capture": ("PUT", CAPTURES, [("Content-Encoding", "gzip")], 415, None),
    "wrong method of captures": ("PATCH", CAPTURES, [], 405, None),
}


@pytest.mark.parametrize("name", REFUSED_HEADS)
def test_no_100_for_what_the_header_refuses(server, name):
    """Breaks if a client gets a 100 for a body that will be refused in any case, or if bytes that it may still send are treated as its
    next request."""
    method, target, headers, status, slug = REFUSED_HEADS[name]
    headers = [(header, str(value).replace("{key}", new_guid())) for header, value in headers]
    if not any(header == "Content-Length" for header, _ in headers):
        headers.append(("Content-Length", 10))
    with server.connect() as connection:
        answer = connection.exchange(request_bytes(method, target, [*headers, EXPECT]))
        assert_problem(answer, status, slug) if slug else assert_error(answer, status)
        assert_closes(connection, answer)


def test_a_refused_request_whose_body_has_come_leaves_the_connection_open(server):
    """Breaks if a client that did not wait for 100 loses its connection, or its body is treated as the next request."""
    body = b"GET /-/nothing HTTP/1.1\r\n\r\n"
    with server.connect() as connection:
        for headers in ([EXPECT], []):
            for path in (ORDERS, BATCH):
                answer = connection.exchange(request_bytes("POST", path, headers, body))
                assert_problem(answer, 415, "unsupported-media-type")
                assert_open(connection)


def test_a_refused_body_costs_no_memory_and_has_its_bound(server):
    """Breaks if a body refused because of its header is buffered, or read without a limit."""
    with server.connect() as connection:
        connection.send(request_bytes("POST", ORDERS, [("Content-Type", "text/plain")], b"x" * MIB))
        assert_problem(connection.read_response(), 415, "unsupported-media-type")
        connection.send_until_answered(request_bytes("POST", ORDERS, [("Content-Type", "text/plain"), CHUNKED]) + chunk(b"x" * MIB) +
                                       chunk(b"x"))
        assert_problem(connection.read_response(), 413, "body-too-large")


# Empty lines before a request.

@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n"])
def test_an_empty_line_before_a_request(server, lines):
    """Breaks if a client that ends its body with a line end loses its connection: RFC 9112, section 2.2."""
    with server.connect() as connection:
        for _ in range(3):
            assert connection.exchange(lines + PING).status == 200
        for byte in lines:
            connection.send(bytes([byte]))
            assert not connection.has_answer(0.02)
        connection.send(PING + lines + PING)
        assert [connection.read_response().status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("data", [b"\r\n" * 5 + PING, b"\n" + PING, b"\r\r\n" + PING, b" \r\n" + PING])
def test_other_bytes_before_a_request(server, data):
    """Breaks if empty lines are skipped without a limit, or other bytes with them."""
    with server.connect() as connection:
        answer = connection.exchange(data)
        assert_problem(answer, 400, "malformed-request")
        assert_closes(connection, answer)


def test_an_empty_line_is_no_request(launch_watched):
    """Breaks if an empty line keeps an idle connection open, or counts as a request that is then late."""
    server = launch_watched("--idle-timeout=500ms", "--request-timeout=100ms")
    with server.connect() as connection:
        connection.send(b"\r\n\r")
        assert connection.read_end() == b""
