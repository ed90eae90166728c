"""Who may make a request, as far as it needs no identity: the address, web pages, Host, and the bounds of tenants.
test_identity.py has the identities."""

import time

import pytest

from support import settings
from support.batches import BATCH, OpenBatch, assert_created, batch_bytes, batch_head, chunk, line_of, lines_of, new_creates, verdicts_of
from support.captures import allocation_payload, capture_path, captured, new_key, payload_bytes, record_payload
from support.concurrency import poll_until
from support.http_client import ConnectionEnded, request_bytes
from support.ordem_server import assert_does_not_start
from support.orders import JSON_TYPE, ORDERS, accepted_order, assert_problem, create, message_path, new_guid

EVIL = "http://evil.example"
JSON = ("Content-Type", JSON_TYPE)


# The address.

@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_address_that_other_machines_reach(data_dir, address):
    """Breaks if a server that everyone can reach starts without identities and without being told so, or if the refusal does not name
    the ways out in one line."""
    text = assert_does_not_start(data_dir, f"--address={address}", words=("--keys", "--jwks", "127.0.0.1", "--auth none", address))
    assert len(text.strip().splitlines()) == 1, text
    assert not data_dir.exists()


def test_auth_that_is_required(data_dir):
    """Breaks if a server that must have identities starts without."""
    assert_does_not_start(data_dir, "--auth=required", words=("--auth required", "--keys"))


def test_open_server_says_so(launch, tmp_path):
    """Breaks if nothing in the log says that everyone may read and write."""
    server = launch("--address=0.0.0.0", "--auth=none")
    warnings = [line for line in server.logs() if line["level"] == "warning"]
    assert len(warnings) == 1 and "--auth none" in warnings[0]["message"] and warnings[0]["setting"] == "--address 0.0.0.0", warnings
    accepted_order(create().send(server.client()), 201)
    local = launch(folder=tmp_path / "local")
    assert not [line for line in local.logs() if line["level"] == "warning"]


# What is told to a request that is not authorised. Here it is the Host that is not accepted.

def misdirected(method, target, headers=(), body=None):
    return request_bytes(method, target, headers, body).replace(b"Host: 127.0.0.1", b"Host: evil.example")


def assert_denied(answer, closes=False):
    assert_problem(answer, 421, "misdirected-request")
    assert answer.closes == closes
    told = {name for name, _ in answer.headers}
    assert told - {"connection"} == {"date", "content-length", "content-type", "x-content-type-options", "x-request-id"}, told


def test_denial_comes_before_anything_else(server):
    """Breaks if the size, the type, the method, the path or the framing of a body is told before the request is authorised."""
    with server.connect() as connection:
        for method, target, headers, body in (
            ("GET", ORDERS, [], None), ("GET", "/nowhere", [], None), ("GET", "/%zz", [], None), ("BREW", ORDERS, [], None),
            ("DELETE", ORDERS, [], None), ("POST", ORDERS, [("Content-Type", "text/plain")], b"x"), ("POST", ORDERS, [JSON], b"{"),
            ("POST", f"{ORDERS}?x=1", [JSON], b"{}"), ("GET", "/metrics", [], None), ("GET", "/-/position", [], None),
        ):
            assert_denied(connection.exchange(misdirected(method, target, headers, body), method))
        assert connection.get("/-/ping").status == 200
    for headers in ([("Content-Length", str(2**40))], [("Content-Length", str(2 * settings.MIB))], [("Content-Length", "2"), ("Expect", "100-continue")]):
        with server.connect() as connection:
            assert_denied(connection.exchange(misdirected("POST", ORDERS, [JSON, *headers])), closes=True)
    with server.connect() as connection:
        head = misdirected("POST", ORDERS, [JSON, ("Transfer-Encoding", "chunked")])
        connection.send_until_answered(head + chunk(b"x" * settings.MIB) * 2)
        assert_denied(connection.read_response(), closes=True)
    with server.connect() as connection:
        assert_denied(connection.exchange(misdirected("POST", ORDERS, [JSON, ("Transfer-Encoding", "chunked")]) + b"no chunk\r\n"), closes=True)
    with server.connect() as connection:
        assert_denied(connection.exchange(misdirected("POST", BATCH, [("Transfer-Encoding", "chunked")])), closes=True)


def test_denied_body_that_does_not_come(launch):
    """Breaks if a request that is not authorised gets 408, with a position, because its body is late."""
    with launch("--request-timeout=300ms").connect() as connection:
        assert_denied(connection.exchange(misdirected("POST", ORDERS, [JSON, ("Content-Length", "2")])), closes=True)


def test_names_of_the_server(launch):
    """Breaks if a name of --allowed-hosts is refused, or any other accepted."""
    with launch("--allowed-hosts=orders.example.com,ordem").connect() as connection:
        for host, status in (("orders.example.com:443", 404), ("ORDEM", 404), ("localhost", 404), ("[::1]:80", 404), ("10.0.0.1", 404),
                             ("example.com", 421), ("evil.example", 421), ("localhost.evil.example", 421)):
            answer = connection.exchange(request_bytes("GET", "/nowhere").replace(b"Host: 127.0.0.1", b"Host: " + host.encode()))
            assert answer.status == status, host


def test_denials_are_counted_and_logged_in_bounds(launch):
    """Breaks if a denied request is not counted and logged, or if a flood of them floods the log."""
    server = launch()
    with server.client() as client:
        for _ in range(100):
            assert client.exchange(misdirected("GET", ORDERS)).status == 421
        metrics = client.get("/metrics").body.decode()
    assert 'ordem_auth_denials_total{reason="misdirected_host"} 100\n' in metrics
    left_out = "more requests were denied than are logged"
    poll_until(lambda: any(line["message"] == left_out for line in server.logs()), "the rest is reported")
    lines = [line for line in server.logs() if line["message"] == "request denied"]
    assert 10 <= len(lines) < 100
    assert all((line["reason"], line["address"], line["name"]) == ("misdirected_host", "127.0.0.1", "") for line in lines)
    poll_until(lambda: len(lines) + sum(line["count"] for line in server.logs() if line["message"] == left_out) == 100, "all are told")


# Web pages.

def assert_foreign(answer):
    """The refusal of a call of captures, which tells nothing about them."""
    assert answer.status == 403 and list(answer.json()) == ["error"] and answer.header("Ordem-Position") is None


def test_foreign_page_changes_nothing(client):
    """Breaks if a page of another origin can write, or if the refused GUID or key is used up."""
    write, key = create(guid=new_guid()), new_key()
    foreign = write.to_bytes().replace(b"Host: 127.0.0.1\r\n", b"Host: 127.0.0.1\r\nOrigin: " + EVIL.encode() + b"\r\n")
    assert_problem(client.exchange(foreign), 403, "forbidden-origin")
    assert_problem(client.get(message_path(write.guid)), 404, "message-not-found")
    accepted_order(write.send(client), 201)
    for name, value in (("Origin", EVIL), ("Sec-Fetch-Site", "cross-site")):
        assert_foreign(client.exchange(payload_bytes("PUT", allocation_payload(key), [(name, value)])))
    assert client.captures.allocate(key).status == 202
    assert_foreign(client.exchange(payload_bytes("POST", record_payload(key, captured()), [("Origin", EVIL)])))
    assert_foreign(client.request("DELETE", capture_path(key), [("Origin", EVIL)]))
    assert client.captures.allocate(key).status == 409


def test_headers_against_browsers(client):
    """Breaks if a browser may guess another type for a response, or run anything in a page of problems."""
    for target in ("/-/ping", "/nowhere", "/problems/", "/problems/forbidden", "/metrics", f"{ORDERS}?customer_id=c"):
        answer = client.get(target)
        assert answer.header("X-Content-Type-Options") == "nosniff", target
        policy = answer.header("Content-Security-Policy")
        assert ("default-src 'none'" in policy) if target.startswith("/problems") else policy is None
    batch = client.exchange(batch_bytes(lines_of(new_creates(1))))
    assert batch.header("X-Content-Type-Options") == "nosniff"


# The bounds of a tenant. Without identities every request is of the empty tenant.

def assert_rate_limited(answer):
    assert_problem(answer, 429, "rate-limited")
    assert answer.header("Retry-After") == "1"
    assert answer.header("Ordem-Position") is None


def test_rate_of_a_tenant(launch):
    """Breaks if a tenant gets more than its rate, if a refused write is recorded, or if health and metrics count."""
    rate, count = 5, 16
    with launch(f"--tenant-rate={rate}").client() as client:
        writes = [create() for _ in range(count)]
        began = time.monotonic()
        answers = [write.send(client) for write in writes]
        took = time.monotonic() - began
        accepted = [answer for answer in answers if answer.status == 201]
        assert rate <= len(accepted) <= rate * (1 + took) + 1, (len(accepted), took)
        for answer in answers:
            if answer.status != 201:
                assert_rate_limited(answer)
        for target in ("/-/ready", "/metrics", "/-/position", "/problems/rate-limited"):
            assert client.get(target).status == 200
        assert client.metric("ordem_tenant_requests_total") == len(accepted)
        assert f'ordem_tenant_refusals_total{{reason="rate"}} {count - len(accepted)}\n' in client.get("/metrics").body.decode()
        refused = next(write for write, answer in zip(writes, answers) if answer.status == 429)
        poll_until(lambda: refused.send(client).status == 201, "the refused write is executed")
        position = client.positions()["decided"]
        assert position == len(accepted) + 1


def test_flood_on_a_connection_is_slowed_down(launch):
    """Breaks if a client that does not heed Retry-After is refused as quickly as it sends, or if that delays others, or a stop."""
    server = launch("--tenant-rate=1", "--drain-timeout=20s")
    with server.connect() as flood, server.connect() as other:
        poll_until(lambda: flood.get("/nowhere").status == 429, "the rate is used up")
        began = time.monotonic()
        flood.send(request_bytes("GET", "/nowhere"))
        assert other.get("/nowhere").status in (404, 429)
        assert not flood.has_answer(0)
        assert_rate_limited(flood.read_response())
        assert time.monotonic() - began >= 0.5
        flood.send(request_bytes("GET", "/nowhere"))
        server.signal_stop()
        assert flood.read_response().status in (404, 429)
    assert server.wait_exit() == 0


def test_batch_beyond_the_rate_waits(launch):
    """Breaks if a batch gets more than the rate of its tenant, or if one of its lines is refused for it."""
    rate, count = 100, 250
    with launch(f"--tenant-rate={rate}").client() as client:
        writes = new_creates(count)
        began = time.monotonic()
        verdicts = verdicts_of(client.exchange(batch_bytes(lines_of(writes))))
        took = time.monotonic() - began
        assert_created(verdicts, writes)
        assert took >= (count + 1 - rate) / rate - 0.05, took


def test_requests_in_flight_of_a_tenant(launch):
    """Breaks if a tenant has more requests between header and response than it may have, or if its place is not free afterwards."""
    server = launch("--tenant-in-flight=1")
    write = create()
    data = write.to_bytes()
    with server.connect() as slow, server.client() as client:
        slow.send(data[:-1])
        poll_until(lambda: client.get("/api/v1/messages/g").status == 429, "the request is in flight")
        assert_rate_limited(create().send(client))
        assert client.get("/metrics").status == 200
        slow.send(data[-1:])
        accepted_order(slow.read_response(), 201)
        accepted_order(create().send(client), 201)
        for _ in range(20):
            assert client.get("/nowhere").status == 404
    with server.connect() as gone:
        gone.send(data[:-1])
        with server.client() as client:
            poll_until(lambda: client.get("/nowhere").status == 429, "the request is in flight")
            gone.close()
            poll_until(lambda: client.get("/nowhere").status == 404, "its place is free")


def test_batch_beyond_the_requests_in_flight_waits(launch):
    """Breaks if the lines of a batch are not counted, if a line is refused, or if the batch does not go on."""
    server = launch("--tenant-in-flight=1")
    writes = new_creates(200)
    with server.client() as client:
        assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes)))), writes)
    data = create().to_bytes()
    with server.connect() as slow, OpenBatch(server.port) as batch:
        batch.send(line_of(writes[0]))
        assert batch.read_verdict().replayed
        slow.send(data[:-1])
        with server.client() as client:
            poll_until(lambda: client.get("/nowhere").status == 429, "the request is in flight")
        more = new_creates(3)
        batch.send(lines_of(more))
        slow.send(data[-1:])
        accepted_order(slow.read_response(), 201)
        assert_created(batch.read_verdicts(3), more)
        batch.finish()
        assert batch.read_verdict() is None


def test_broken_batch_frees_its_places(launch):
    """Breaks if the places of a batch whose client has gone stay taken."""
    server = launch("--tenant-in-flight=2")
    with server.client() as client:
        accepted = client.metric("ordem_http_connections_accepted_total")
        for _ in range(3):
            with server.connect() as connection:
                connection.send(batch_head() + chunk(lines_of(new_creates(50))))
                connection.reset()

        def are_gone():
            return (client.metric("ordem_http_connections_accepted_total") == accepted + 3
                    and client.metric("ordem_http_connections") == 1)

        poll_until(are_gone, "the batches have begun, and their connections are closed")
        poll_until(lambda: client.get("/nowhere").status == 404, "the places are free")
        writes = new_creates(20)
        assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes)))), writes)


def test_throttled_batch_ends_with_the_server(launch):
    """Breaks if a batch that waits for its tenant's rate delays a stop."""
    server = launch("--tenant-rate=1", "--drain-timeout=20s")
    with server.connect() as connection:
        connection.send(batch_bytes(lines_of(new_creates(500))))
        with server.client() as client:
            poll_until(lambda: client.positions()["decided"] > 0, "the batch has begun")
        began = time.monotonic()
        server.signal_stop()
        try:
            verdicts = verdicts_of(connection.read_response())
            assert {verdict.status for verdict in verdicts} <= {201, 503} and len(verdicts) == 500
        except ConnectionEnded as ended:
            raise AssertionError(f"the batch has no end: {ended}") from None
        assert server.wait_exit() == 0
        assert time.monotonic() - began < 10 * settings.SLOW
