"""Invalid HTTP requests: each gets a clear refusal (or the end of its connection), changes nothing, and does not harm the server. After
each test the fixtures check that the server still answers and that its memory has not grown."""

import json
import socket
import time

import pytest

from support import settings
from support.http_client import ConnectionEnded, request_bytes
from support.orders import (
    JSON_TYPE, ORDERS, accepted_order, assert_problem, create, message_path, new_customer, new_guid, order_content, order_path,
)

MIB = settings.MIB
PING = request_bytes("GET", "/-/ping")
SLUGS = {
    400: "malformed-request",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "body-too-large",
    431: "headers-too-large",
}
CLOSING = (400, 408, 413, 431)
SHORT_REQUEST_TIMEOUT = "--request-timeout=500ms"
TRICKLE_SECONDS = 0.02
GONE = "gone"


def assert_nothing_created(server, customer):
    with server.client() as client:
        assert client.get_orders_of(customer) == []


def assert_single_refusal(connection, statuses):
    """Exactly one response with one of the statuses; after an HTTP error the connection ends without another byte."""
    response = connection.read_response()
    assert response.status in statuses, f"{response.status}: {response.body[:500]!r}"
    if response.status in SLUGS:
        assert_problem(response, response.status, SLUGS[response.status])
    if response.status in CLOSING:
        assert connection.read_end() == b""
    return response


def assert_refused_bytes(server, data, statuses):
    with server.connect() as connection:
        connection.send_until_answered(data)
        return assert_single_refusal(connection, statuses)


def assert_timed_out(connection):
    """408, or a close without an answer."""
    try:
        response = connection.read_response()
    except ConnectionEnded as end:
        assert end.partial == b""
        return
    assert_problem(response, 408, "request-timeout")
    assert connection.read_end() == b""


def create_head(*headers):
    """The head of a create. The caller adds the headers that determine the length of its body."""
    lines = [f"POST {ORDERS} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {JSON_TYPE}",
             f"Idempotency-Key: {new_guid()}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def chunked(body, size):
    chunks = [body[start:start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def content_bytes(customer=None):
    """The body of a valid create."""
    return create(order_content(customer or new_customer())).to_bytes().split(b"\r\n\r\n", 1)[1]


# Requests that end too early, or arrive too slowly.

def request_cut_at(place, customer):
    """A create, truncated."""
    data = create(order_content(customer)).to_bytes()
    body = data.index(b"\r\n\r\n") + 4
    ends = {"first byte": 1, "request line": 9, "header name": data.index(b"Content-Type") + 4,
            "end of headers": body - 2, "before the body": body, "body": body + 20, "last byte": len(data) - 1}
    return data[:ends[place]]


PLACES = ("first byte", "request line", "header name", "end of headers", "before the body", "body", "last byte")


@pytest.mark.parametrize("place", PLACES)
def test_truncated_request_then_half_close(server, place):
    """Breaks if an incomplete request is executed, or if the server waits for the rest after the client's FIN."""
    customer = new_customer()
    with server.connect() as connection:
        connection.send(request_cut_at(place, customer))
        connection.finish_sending()
        try:
            assert connection.read_response().status in (400, 408)
        except ConnectionEnded as end:
            assert end.partial == b""
    assert_nothing_created(server, customer)


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("place", PLACES)
def test_truncated_request_then_gone(server, place, leave):
    """Breaks if a session crashes, or crashes the server, when its client disconnects in the middle of a request."""
    customer = new_customer()
    connection = server.connect()
    connection.send(request_cut_at(place, customer))
    getattr(connection, leave)()
    assert_nothing_created(server, customer)


def test_client_gone_before_its_answer(server):
    """Breaks if a response to a closed connection uses freed memory or raises SIGPIPE, or if the write is lost or executed twice
    because its response was not read."""
    customer = new_customer()
    writes = [create(order_content(customer)) for _ in range(20)]
    for write in writes:
        connection = server.connect()
        connection.send(write.to_bytes())
        connection.reset()
    with server.client() as client:
        for write in writes:
            accepted_order(write.send(client), 201)
        assert len(client.get_orders_of(customer)) == len(writes)


@pytest.mark.parametrize("place", PLACES)
def test_truncated_request_then_silence(launch_watched, place):
    """Breaks if a request may stay incomplete forever: each would occupy a connection and its memory."""
    customer = new_customer()
    server = launch_watched(SHORT_REQUEST_TIMEOUT)
    connection = server.connect()
    connection.send(request_cut_at(place, customer))
    assert_timed_out(connection)
    assert_nothing_created(server, customer)


@pytest.mark.parametrize("part", ["headers", "body"])
def test_slow_sender_is_cut_off(launch_watched, part):
    """Breaks if each byte restarts the request timeout: a slow sender would occupy its connection forever."""
    server = launch_watched(SHORT_REQUEST_TIMEOUT)
    connection = server.connect()
    if part == "headers":
        connection.send(b"GET /-/ping HTTP/1.1\r\nX-Slow: ")
    else:
        connection.send(create_head("Content-Length: 100000"))
    started = time.monotonic()
    for _ in range(2000):
        if connection.has_answer(TRICKLE_SECONDS):
            break
        try:
            connection.send(b"x")
        except ConnectionEnded:
            break
    assert time.monotonic() - started < 5 * settings.SLOW
    assert_timed_out(connection)


def test_byte_by_byte_within_the_timeout(server):
    """Breaks if the parser requires a line, a header or the body to arrive in one piece."""
    with server.connect() as connection:
        for byte in create().to_bytes():
            connection.send(bytes([byte]))
        accepted_order(connection.read_response(), 201)


@pytest.mark.parametrize("used", [False, True], ids=["never used", "used"])
def test_idle_connection_is_closed(launch_watched, used):
    """Breaks if an idle connection is kept beyond --idle-timeout, or gets a response without a request."""
    connection = launch_watched("--idle-timeout=500ms").connect()
    if used:
        assert connection.get("/-/ping").status == 200
    assert connection.read_end() == b""


# Pipelining.

def pipelined_requests(client, customer):
    """Requests of all sorts as (method, bytes, check of the answer)."""
    order = accepted_order(create(order_content(customer)).send(client), 201)

    def created(number):
        def check(response):
            assert accepted_order(response, 201)["attributes"] == {"number": number}
        return "POST", create(order_content(customer, attributes={"number": number})).to_bytes(), check

    def pinged(_):
        return "GET", PING, lambda response: check_json(response, {"message": "pong"})

    def headed(_):
        return "HEAD", request_bytes("HEAD", "/-/ping"), lambda response: check_status(response, 200)

    def unchanged(_):
        data = request_bytes("GET", order_path(order["order_id"]), [("If-None-Match", '"1"')])
        return "GET", data, lambda response: check_status(response, 304)

    def missing(number):
        data = request_bytes("GET", message_path(f"nobody-{number}"))
        return "GET", data, lambda response: assert_problem(response, 404, "message-not-found")

    makers = (created, pinged, headed, unchanged, missing)
    return [makers[n % len(makers)](n) for n in range(settings.PIPELINED_REQUESTS)]


def check_json(response, expected):
    assert (response.status, response.json()) == (200, expected)


def check_status(response, status):
    assert (response.status, response.body) == (status, b"")


def test_pipelined_requests_are_answered_in_order(server, client):
    """Breaks if responses are reordered (a ping needs no commit, a create does), or if the bytes after a request are lost or parsed
    twice."""
    requests = pipelined_requests(client, new_customer())
    with server.connect() as connection:
        connection.send(b"".join(data for _, data, _ in requests))
        for method, _, check in requests:
            check(connection.read_response(method))
        assert connection.get("/-/ping").status == 200


def test_pipelined_repeats_are_one_message(server, client):
    """Breaks if a repeat that follows the original request on the same connection is executed, or waits for itself."""
    customer = new_customer()
    write = create(order_content(customer))
    with server.connect() as connection:
        connection.send(write.to_bytes() * settings.PIPELINED_REQUESTS)
        answers = [connection.read_response() for _ in range(settings.PIPELINED_REQUESTS)]
    assert len({answer.body for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) <= 1
    assert client.get_orders_of(customer) == [accepted_order(answers[0], 201)]


def test_pipelined_good_request_then_garbage(server):
    """Breaks if garbage after a valid request suppresses its response, or is ignored."""
    with server.connect() as connection:
        connection.send(create().to_bytes() + b"\0\1garbage\r\n\r\n")
        accepted_order(connection.read_response(), 201)
        assert_single_refusal(connection, (400,))


def test_pipelined_garbage_then_good_request(server):
    """Breaks if the parser looks for a request after garbage, which allows request smuggling."""
    customer = new_customer()
    with server.connect() as connection:
        connection.send(b"garbage\r\n\r\n" + create(order_content(customer)).to_bytes())
        assert_single_refusal(connection, (400,))
    assert_nothing_created(server, customer)


# Invalid headers.

def get_ping(*lines, version=b"HTTP/1.1"):
    return b"\r\n".join([b"GET /-/ping " + version, b"Host: localhost", *lines]) + b"\r\n\r\n"


def post_with(*lines, body=b"{}"):
    head = b"\r\n".join([b"POST " + ORDERS.encode() + b" HTTP/1.1", b"Host: localhost", b"Content-Type: application/json",
                         b"Idempotency-Key: bad-head", *lines])
    return head + b"\r\n\r\n" + body


HEADS = {
    "one header of 1 MiB": (get_ping(b"X-Large: " + b"x" * MIB), (431,)),
    "header just over the limit": (get_ping(b"X-Large: " + b"x" * (17 * 1024)), (431,)),
    "10,000 headers": (get_ping(*[b"X-%d: v" % n for n in range(10_000)]), (431,)),
    "1 MiB of header name": (get_ping(b"X" * MIB), (400, 431)),
    "target of 1 MiB": (b"GET /" + b"x" * MIB + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (400, 414, 431)),
    "header without colon": (get_ping(b"nonsense"), (400,)),
    "header without name": (get_ping(b": value"), (400,)),
    "space before the colon": (get_ping(b"X-Space : value"), (400,)),
    "space in a header name": (get_ping(b"X Space: value"), (400,)),
    "NUL in a header value": (get_ping(b"X-Nul: a\0b"), (400,)),
    "NUL in a header name": (get_ping(b"X-N\0l: ab"), (400,)),
    "NUL in the target": (b"GET /-/pi\0ng HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
    "carriage return in a value": (get_ping(b"X-Cr: a\rb"), (400,)),
    "folded header": (get_ping(b"X-Fold: a\r\n b"), (200, 400)),
    "method with a bracket": (b"GE(T /-/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
    "unknown method": (b"BREW /-/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", (400, 405, 501)),
    "method in lower case": (b"get /-/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", (400, 405, 501)),
    "no method": (b" /-/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
    "no version": (b"GET /-/ping\r\nHost: localhost\r\n\r\n", (400,)),
    "version 9.9": (get_ping(version=b"HTTP/9.9"), (400, 505)),
    "version in letters": (get_ping(version=b"HTTP/x.y"), (400, 505)),
    "version with a tail": (get_ping(version=b"HTTP/1.1x"), (400, 505)),
    "other protocol": (get_ping(version=b"HTTQ/1.1"), (400, 505)),
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x7f" * 200 + b"\r\n\r\n", (400,)),
    "negative length": (post_with(b"Content-Length: -2"), (400,)),
    "signed length": (post_with(b"Content-Length: +2"), (400,)),
    "length in hexadecimal": (post_with(b"Content-Length: 0x2"), (400,)),
    "length that is no number": (post_with(b"Content-Length: two"), (400,)),
    "empty length": (post_with(b"Content-Length:"), (400,)),
    "length of 2^53 + 1": (post_with(b"Content-Length: 9007199254740993"), (413,)),
    "length beyond 64 bits": (post_with(b"Content-Length: 18446744073709551618"), (400, 413)),
    "length of 400 digits": (post_with(b"Content-Length: " + b"9" * 400), (400, 413)),
    "lengths that differ": (post_with(b"Content-Length: 2", b"Content-Length: 3"), (400,)),
    "list of lengths that differ": (post_with(b"Content-Length: 2, 3"), (400,)),
}


@pytest.mark.parametrize("name", HEADS)
def test_head_that_is_not_http(server, name):
    """Breaks if the head is parsed leniently where two parsers could disagree, or if its size has no bound."""
    data, statuses = HEADS[name]
    assert_refused_bytes(server, data, statuses)


def test_folded_guid(server):
    """Breaks if a folded Idempotency-Key is cut at its line end: two GUIDs would become one."""
    body = content_bytes()
    data = create_head(f"Content-Length: {len(body)}").replace(b"\r\nContent-Length", b"\r\n b\r\nContent-Length") + body
    with server.connect() as connection:
        connection.send(data)
        assert_one_of(connection.read_response(), {"malformed-request": 400, "guid-malformed": 400})


def test_same_length_twice(server):
    """Breaks if a repeated Content-Length confuses the parser. RFC 9112 allows to count it once or to refuse it."""
    body = content_bytes()
    length = f"Content-Length: {len(body)}"
    with server.connect() as connection:
        connection.send(create_head(length, length) + body)
        assert connection.read_response().status in (201, 400)


def test_header_below_the_limit_is_fine(server):
    """Breaks if the effective limit on headers is much lower than --max-header."""
    with server.connect() as connection:
        assert connection.get("/-/ping", [("X-Large", "x" * 15 * 1024)]).status == 200


SMUGGLING = {
    "length, then chunked": ("Content-Length: {all}", "Transfer-Encoding: chunked"),
    "chunked, then length": ("Transfer-Encoding: chunked", "Content-Length: {all}"),
    "chunked and a short length": ("Transfer-Encoding: chunked", "Content-Length: 5"),
    "chunked twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "space before the colon": ("Content-Length: {all}", "Transfer-Encoding : chunked"),
    "vertical tab": ("Content-Length: {all}", "Transfer-Encoding: \x0bchunked"),
    "misspelt chunked": ("Content-Length: {all}", "Transfer-Encoding: xchunked"),
    "identity": ("Content-Length: {all}", "Transfer-Encoding: identity"),
    "misspelt chunked alone": ("Transfer-Encoding: xchunked",),
    "identity alone": ("Transfer-Encoding: identity",),
    "chunked is not the last coding": ("Transfer-Encoding: chunked, gzip",),
    "two lengths": ("Content-Length: {all}", "Content-Length: 5"),
    "two lengths, short first": ("Content-Length: 5", "Content-Length: {all}"),
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_smuggled_request(server, name):
    """Breaks if a request with an ambiguous body length is served: a proxy with the other reading would treat the next bytes as part of
    the body, and this server as the request of another client."""
    customer = new_customer()
    body = b"0\r\n\r\n" + create(order_content(customer)).to_bytes()
    headers = [line.format(all=len(body)) for line in SMUGGLING[name]]
    assert_refused_bytes(server, create_head(*headers) + body, (400, 501))
    assert_nothing_created(server, customer)


# Bodies: their length, their chunks, and Expect.

def test_chunked_body(server, client):
    """Breaks if chunks, chunk extensions or trailers are not parsed."""
    customer = new_customer()
    body = content_bytes(customer)
    data = b"%X;note=\"first\"\r\n%s\r\n" % (10, body[:10]) + chunked(body[10:], 7)[:-2] + b"X-Trailer: t\r\n\r\n"
    with server.connect() as connection:
        connection.send(create_head("Transfer-Encoding: chunked") + data)
        order = accepted_order(connection.read_response(), 201)
        assert connection.get("/-/ping").status == 200
    assert client.get_orders_of(customer) == [order]


BROKEN_CHUNKS = {
    "size in letters": (b"xyz\r\n", (400,)),
    "negative size": (b"-1\r\n", (400,)),
    "empty size": (b"\r\n{}\r\n0\r\n\r\n", (400,)),
    "size with a space in front": (b" 2\r\n{}\r\n0\r\n\r\n", (400,)),
    "size beyond 64 bits": (b"FFFFFFFFFFFFFFFFF\r\n", (400, 413)),
    "size of 2 GiB": (b"80000000\r\n", (400, 413)),
    "size of 1,000 digits": (b"0" * 1000 + b"2\r\n{}\r\n0\r\n\r\n", (400, 413, 415, 422, 431)),
    "no line end after the data": (b"2\r\n{}0\r\n\r\n", (400,)),
    "more data than announced": (b"2\r\n{}{}{}\r\n0\r\n\r\n", (400,)),
    "endless extension": (b"2;" + b"x" * 2 * MIB, (400, 413, 431)),
    "endless trailer": (b"2\r\n{}\r\n0\r\n" + b"X-Trailer: t\r\n" * 100_000, (400, 413, 431)),
}


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_broken_chunks(server, name):
    """Breaks if the chunk parser overflows, guesses, or reads without bound."""
    data, statuses = BROKEN_CHUNKS[name]
    with server.connect() as connection:
        connection.send_until_answered(create_head("Transfer-Encoding: chunked") + data)
        assert connection.read_response().status in statuses


def large_body(form):
    """A body of 2 MiB, and the header that announces it."""
    body = b'{"customer_id":"' + b"x" * 2 * MIB + b'"}'
    if form == "length":
        return f"Content-Length: {len(body)}", body
    if form == "chunked":
        return "Transfer-Encoding: chunked", chunked(body, 65536)
    return "Transfer-Encoding: chunked", chunked(body, len(body))


@pytest.mark.parametrize("form", ["length", "chunked", "one chunk"])
def test_body_over_the_limit(server, form):
    """Breaks if a body is buffered beyond --max-body, or if its sender gets a reset instead of 413."""
    length, body = large_body(form)
    assert_refused_bytes(server, create_head(length) + body, (413,))


def test_expect_continue_is_refused_at_once(server):
    """Breaks if a client that sends `Expect` gets a 100 for a body that will be refused."""
    with server.connect() as connection:
        connection.send(create_head(f"Content-Length: {2 * MIB}", "Expect: 100-continue"))
        assert_problem(connection.read_response(), 413, "body-too-large")


def test_expect_continue_with_large_chunks(server):
    """Breaks if a body without a length exceeds the limit after its 100."""
    length, body = large_body("chunked")
    with server.connect() as connection:
        connection.send(create_head(length, "Expect: 100-continue"))
        assert connection.read_response().status == 100
        connection.send_until_answered(body)
        assert_single_refusal(connection, (413,))


def test_expect_continue_works(server):
    """Breaks if the 100 is not sent: some clients wait for it for a second, others forever."""
    body = content_bytes()
    with server.connect() as connection:
        connection.send(create_head(f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.read_response().status == 100
        connection.send(body)
        accepted_order(connection.read_response(), 201)
        assert connection.get("/-/ping").status == 200


def test_refused_body_is_not_recorded(server, client):
    """Breaks if a 413 makes its GUID unusable."""
    write = create()
    length, body = large_body("length")
    head = "\r\n".join([f"POST {ORDERS} HTTP/1.1", "Host: localhost", f"Content-Type: {JSON_TYPE}",
                        f"Idempotency-Key: {write.guid}", length]).encode() + b"\r\n\r\n"
    assert_refused_bytes(server, head + body, (413,))
    answer = write.send(client)
    accepted_order(answer, 201)
    assert not answer.replayed


# Targets.

UNKNOWN_ID = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
TARGETS = {
    "percent without digits": (f"{ORDERS}/%", {"malformed-request": 400}),
    "percent with one digit": (f"{ORDERS}/%2", {"malformed-request": 400}),
    "percent with other letters": (f"{ORDERS}/%zz", {"malformed-request": 400}),
    "percent garbage in a message": ("/api/v1/messages/a%g1", {"malformed-request": 400}),
    "percent garbage in a query": (f"{ORDERS}?customer_id=%zz", {"malformed-request": 400, "malformed-query": 400}),
    "encoded NUL": (f"{ORDERS}/%00", {"order-not-found": 404, "malformed-request": 400}),
    "encoded bytes that are not UTF-8": (f"{ORDERS}/%ff%fe", {"order-not-found": 404, "malformed-request": 400}),
    "encoded slashes": (f"{ORDERS}/..%2f..%2fetc%2fpasswd", {"order-not-found": 404, "not-found": 404}),
    "dots": ("/problems/../../etc/passwd", {"not-found": 404}),
    "unknown problem": ("/problems/nothing", {"not-found": 404}),
    "no UUID": (f"{ORDERS}/42", {"order-not-found": 404}),
    "unknown order": (f"{ORDERS}/{UNKNOWN_ID}", {"order-not-found": 404}),
    "versions of an unknown order": (f"{ORDERS}/{UNKNOWN_ID}/versions", {"order-not-found": 404}),
    "unknown path": ("/api/v1/nothing", {"not-found": 404}),
    "unknown message": ("/api/v1/messages/nobody", {"message-not-found": 404}),
    "message name too long": ("/api/v1/messages/" + "x" * 300, {"message-not-found": 404, "guid-malformed": 400}),
    "limit 0": (f"{ORDERS}?customer_id=c&limit=0", {"malformed-query": 400}),
    "limit 1001": (f"{ORDERS}?customer_id=c&limit=1001", {"malformed-query": 400}),
    "negative limit": (f"{ORDERS}?customer_id=c&limit=-1", {"malformed-query": 400}),
    "limit with a tail": (f"{ORDERS}?customer_id=c&limit=10x", {"malformed-query": 400}),
    "limit beyond 64 bits": (f"{ORDERS}?customer_id=c&limit={2**64 + 1}", {"malformed-query": 400}),
    "cursor that is no cursor": (f"{ORDERS}?customer_id=c&cursor=banana!", {"malformed-query": 400}),
    "time that is no time": (f"{ORDERS}?created_after=2026-13-01T00:00:00Z", {"malformed-query": 400}),
    "time with a space": (f"{ORDERS}?created_before=2026-11-22T10:15:30+01:00", {"malformed-query": 400}),
    "status that is none": (f"{ORDERS}?status=New", {"malformed-query": 400}),
    "external id with a control character": (f"{ORDERS}?external_id=a%c2%85", {"malformed-query": 400}),
    "a parameter twice": (f"{ORDERS}?customer_id=c&customer_id=c", {"malformed-query": 400}),
    "customer in Latin-1": (f"{ORDERS}?customer_id=caf%e9", {"malformed-query": 400}),
    "unknown parameter of the metrics": ("/metrics?name=x", {"malformed-query": 400}),
    "unknown parameter": (f"{ORDERS}?customer_id=c&colour=red", {"malformed-query": 400}),
}


@pytest.mark.parametrize("name", TARGETS)
def test_bad_target(client, name):
    """Breaks if a path or query is decoded leniently, or if a misspelt query parameter is ignored."""
    target, allowed = TARGETS[name]
    assert_one_of(client.get(target), allowed)


RAW_CHARACTERS = ("acme|17", "m\u00fcller", "{a}", "[a]", "a^b", "a`b", '"a"', "a\\b", "<a>")


@pytest.mark.parametrize("text", RAW_CHARACTERS)
def test_raw_characters_in_a_target_are_data(server, text):
    """Breaks if a request is refused, or its connection closed, because of characters that browsers, curl and Node do not encode."""
    customer = f"{text}-{new_customer()}"
    with server.connect() as connection:
        order = accepted_order(connection.exchange(create(order_content(customer)).to_bytes()), 201)
        for target in (f"{ORDERS}?customer_id={customer}", f"http://h{ORDERS}/?customer_id={customer}"):
            connection.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = connection.read_response()
            assert (answer.status, answer.json()["orders"]) == (200, [order])
        connection.send(f"GET /api/v1/messages/{text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert_problem(connection.read_response(), 404, "message-not-found")


@pytest.mark.parametrize("target, named", [(f"{ORDERS}?customer_id=100%", "'%'"), ("/-/ping#top", "'#'"), ("*", "path")])
def test_target_that_is_none_leaves_the_connection_open(server, target, named):
    """Breaks if the refusal does not name the invalid character, or fails other requests of the connection."""
    with server.connect() as connection:
        connection.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() + PING)
        assert named in assert_problem(connection.read_response(), 400, "malformed-request")["detail"]
        assert connection.read_response().status == 200


@pytest.mark.parametrize("byte", [0x00, 0x01, 0x09, 0x0A, 0x0D, 0x1F, 0x7F])
def test_control_character_in_a_target(server, byte):
    """Breaks if a byte that could end or split a line is accepted as data."""
    assert_refused_bytes(server, b"GET /-/ping?a%cb HTTP/1.1\r\nHost: localhost\r\n\r\n" % byte, (400,))


def test_slash_at_the_end_of_a_path(client):
    """Breaks if a path with a trailing slash is treated as another path, or offers the methods of another path."""
    customer = new_customer()
    headers = [("Content-Type", JSON_TYPE), ("Idempotency-Key", new_guid())]
    order = accepted_order(client.request("POST", f"{ORDERS}/", headers, content_bytes(customer)), 201)
    assert client.get(f"{ORDERS}/?customer_id={customer}").json()["orders"] == [order]
    assert client.get(f"{order_path(order['order_id'])}/").json()["order"] == order
    assert client.request("DELETE", f"{ORDERS}/").header("Allow") == client.request("DELETE", ORDERS).header("Allow")
    assert client.get("/problems").body == client.get("/problems/").body
    assert_problem(client.get(f"{ORDERS}//"), 404, "not-found")


def assert_one_of(response, allowed):
    """The answer is one of the problems in `allowed`, a dict of slug and status."""
    slug = response.json().get("type", "").removeprefix("/problems/")
    assert slug in allowed, f"{response.status}: {response.body[:500]!r}"
    assert_problem(response, allowed[slug], slug)


@pytest.mark.parametrize("query, name", [("colour=red", "colour"), ("limit=0", "limit"), ("cursor=banana!", "cursor")])
def test_bad_query_is_named(client, query, name):
    """Breaks if the detail does not name the wrong query parameter."""
    order = accepted_order(create().send(client), 201)
    for target in (f"{order_path(order['order_id'])}/versions?{query}", f"{ORDERS}?customer_id=c&{query}"):
        assert name in assert_problem(client.get(target), 400, "malformed-query")["detail"]


@pytest.mark.parametrize("query", ["dry_run=true", "version=1", "limit=1", "a"])
def test_write_with_a_query_is_not_executed(client, query):
    """Breaks if an unknown query parameter is ignored: a dry run would be executed."""
    customer = new_customer()
    order = accepted_order(create(order_content(customer)).send(client), 201)
    path = order_path(order["order_id"])
    for method, target, members in (
        ("POST", ORDERS, order_content(customer)),
        ("PUT", path, {"version": 1, **order_content(customer, currency="USD")}),
        ("PATCH", path, {"version": 1, "currency": "USD"}),
        ("POST", f"{path}/status", {"version": 1, "status": "confirmed"}),
    ):
        guid = new_guid()
        headers = [("Content-Type", JSON_TYPE), ("Idempotency-Key", guid)]
        answer = client.request(method, f"{target}?{query}", headers, json.dumps(members).encode())
        assert query.partition("=")[0] in assert_problem(answer, 400, "malformed-query")["detail"]
        assert client.get(message_path(guid)).status == 404
    line = json.dumps({"idempotency_key": new_guid(), "order": order_content(customer)}).encode()
    answer = client.request("POST", f"{ORDERS}/batch?{query}", [("Content-Type", "application/x-ndjson")], line)
    assert_problem(answer, 400, "malformed-query")
    assert client.get_orders_of(customer) == [order]


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "01x", str(2**64)])
def test_unknown_version(client, number):
    """Breaks if a version number is parsed leniently or wraps around."""
    order = accepted_order(create().send(client), 201)
    response = client.get(f"{order_path(order['order_id'])}/versions/{number}")
    assert_one_of(response, {"version-not-found": 404, "not-found": 404})


@pytest.mark.parametrize("name", ["/-/ping", ORDERS, "/-/ready", "/metrics", f"{ORDERS}/{UNKNOWN_ID}/status"])
def test_wrong_method(client, name):
    """Breaks if a known path with a wrong method is anything but 405 with Allow."""
    response = client.request("DELETE", name)
    assert_problem(response, 405, "method-not-allowed")
    assert response.header("Allow")


def test_many_short_connections(server):
    """Breaks if closed connections leak a resource that later ones need."""
    for _ in range(500):
        with server.connect() as connection:
            connection.send(PING)
            assert connection.read_response().status == 200


def test_listener_survives_a_port_scan(server):
    """Breaks if connections that send nothing and disconnect disturb the listener."""
    for _ in range(200):
        socket.create_connection(("127.0.0.1", server.port)).close()
