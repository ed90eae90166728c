"""Every response names its request in X-Request-Id, as the client did or by a generated id."""

import re

import pytest

from support.batches import batch_bytes, lines_of, new_creates, verdicts_of
from support.captures import CAPTURES, allocation_payload, new_key, payload_bytes
from support.http_client import request_bytes
from support.orders import ORDERS, accepted_order, create, message_path, order_path

GENERATED = re.compile(r"[0-9a-f]{32}")
OWN = "client/1:\"quoted\",with-comma~"


def with_id(data, *values):
    line, rest = data.split(b"\r\n", 1)
    return b"\r\n".join((line, *(b"X-Request-Id: " + value.encode("latin-1") for value in values), rest))


def id_of(answer):
    value = answer.header("X-Request-Id")
    assert value is not None, answer
    return value


def assert_generated(answer):
    assert GENERATED.fullmatch(id_of(answer)), id_of(answer)


def every_kind(client):
    """Requests whose responses are made in different places: by routing, before it, by orders, captures and operations."""
    order = accepted_order(create().send(client), 201)
    yield 201, create().to_bytes(), "POST"
    yield 422, create({"currency": "EUR"}).to_bytes(), "POST"
    yield 200, request_bytes("GET", order_path(order["order_id"])), "GET"
    yield 200, request_bytes("HEAD", order_path(order["order_id"])), "HEAD"
    yield 304, request_bytes("GET", order_path(order["order_id"]), [("If-None-Match", '"1"')]), "GET"
    yield 200, request_bytes("GET", f"{ORDERS}?customer_id=c"), "GET"
    yield 404, request_bytes("GET", message_path("unknown")), "GET"
    yield 202, payload_bytes("PUT", allocation_payload(new_key())), "PUT"
    yield 405, request_bytes("GET", CAPTURES), "GET"
    yield 404, request_bytes("GET", "/nowhere"), "GET"
    yield 405, request_bytes("DELETE", ORDERS), "DELETE"
    yield 400, request_bytes("GET", "/%zz"), "GET"
    yield 200, request_bytes("GET", "/metrics"), "GET"
    yield 200, request_bytes("GET", "/problems/"), "GET"
    yield 200, batch_bytes(lines_of(new_creates(3))), "POST"
    yield 417, request_bytes("GET", "/-/ping", [("Expect", "the-unexpected")]), "GET"
    yield 431, request_bytes("GET", "/-/ping", [("X-Long", "x" * 20_000)]), "GET"
    yield 413, request_bytes("POST", ORDERS, [("Content-Type", "application/json")], b"x" * (1 << 20) + b"x"), "POST"


def test_every_response_has_the_id_of_its_request(client):
    """Breaks if a response is made without the id, or with that of the request before on the connection."""
    for number, (status, data, method) in enumerate(every_kind(client)):
        own = f"{OWN}{number}"
        answer = client.exchange(with_id(data, own), method)
        assert answer.status == status and id_of(answer) == own, answer
        assert_generated(client.exchange(data, method))


def test_generated_ids_differ(client):
    seen = {id_of(client.get("/-/ping")) for _ in range(100)}
    assert len(seen) == 100


def test_a_batch_has_one_id(client):
    answer = client.exchange(with_id(batch_bytes(lines_of(new_creates(3))), OWN))
    assert id_of(answer) == OWN and len(verdicts_of(answer)) == 3


@pytest.mark.parametrize("values", [("",), ("two words",), ("tab\there",), ("x" * 129,), ("caf\xe9",), ("one", "two"), ("same", "same")],
                         ids=repr)
def test_other_ids_are_replaced(client, values):
    """Breaks if a response repeats what is no plain id, or joins two."""
    assert_generated(client.exchange(with_id(request_bytes("GET", "/-/ping"), *values)))


def test_the_longest_id_is_kept(client):
    longest = "x" * 128
    assert id_of(client.exchange(with_id(request_bytes("GET", "/-/ping"), longest))) == longest


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /-/ping HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\x1b[31m\r\n\r\n"], ids=repr)
def test_what_is_not_http_gets_a_generated_id(server, data):
    with server.connect() as connection:
        answer = connection.exchange(data)
        assert answer.status == 400
        assert_generated(answer)


def test_a_request_that_does_not_arrive_in_time(launch):
    """Breaks if a 408 lacks the id that had arrived."""
    with launch("--request-timeout", "100ms").connect() as connection:
        connection.send(with_id(request_bytes("GET", "/-/ping"), OWN)[:-2])
        answer = connection.read_response()
        assert answer.status == 408 and id_of(answer) == OWN


def test_a_connection_too_many(launch):
    """Breaks if the response to a connection, which has sent no request, lacks the id."""
    server = launch("--max-connections", "1", "--io-threads", "1")
    with server.connect() as served:
        assert served.get("/-/ping").status == 200
        with server.connect() as refused:
            answer = refused.read_response()
            assert answer.status == 503
            assert_generated(answer)
