"""More messages than the server can execute: some are refused, and nothing else suffers."""

import ssl

import pytest

from support import settings
from support.batches import assert_created, batch_bytes, lines_of, new_creates, verdicts_of
from support.certificates import Authority
from support.concurrency import poll_until
from support.ordem_client import OrdemConnection
from support.orders import accepted_order, assert_problem, create, order_path

CROWD = 64
IN_FLIGHT_MAX = 16
ROUNDS_MAX = 500
REFUSED_BY_DELAY = 'ordem_http_overload_refusals_total{reason="delay"}'
REFUSED_BY_BOUND = 'ordem_http_overload_refusals_total{reason="in_flight"}'


def metric(client, name):
    for line in client.get("/metrics").body.decode().splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def send_all(connections, writes):
    for connection, write in zip(connections, writes, strict=True):
        connection.send(write.to_bytes())


class Crowd:
    """A server that has 16 messages in flight at most, and more connections than that."""

    def __init__(self, launch, flags, tls):
        self.server = launch(f"--max-in-flight={IN_FLIGHT_MAX}", "--io-threads=1", *flags)
        self.client = OrdemConnection(self.server.port, tls=tls)
        self.connections = [OrdemConnection(self.server.port, tls=tls) for _ in range(CROWD)]

    def close(self):
        for connection in (self.client, *self.connections):
            connection.close()


@pytest.fixture(params=["plain", "TLS"])
def crowd(request, launch, tmp_path):
    flags, tls = [], None
    if request.param == "TLS":
        authority = Authority(tmp_path / "authority", "Test CA")
        pair = authority.issue("server", "/CN=localhost", names="DNS:localhost,IP:127.0.0.1")
        flags = [f"--tls-certificate={pair.certificate}", f"--tls-key={pair.key}"]
        tls = ssl.create_default_context(cafile=authority.certificate)
    made = Crowd(launch, flags, tls)
    yield made
    made.close()


def overload(client, connections):
    """Sends a create on every connection at once, again and again, until some were refused for either reason. Returns the writes
    that were refused last, with the connections that they came by, and an order that was created."""
    for _ in range(ROUNDS_MAX):
        writes = [create() for _ in connections]
        send_all(connections, writes)
        refused, created = [], None
        for connection, write in zip(connections, writes, strict=True):
            response = connection.read_response("POST")
            if response.status == 503:
                assert_problem(response, 503, "overloaded")
                assert response.header("Connection") is None
                refused.append((connection, write))
            else:
                created = accepted_order(response, 201)
        if refused and created and metric(client, REFUSED_BY_BOUND) and metric(client, REFUSED_BY_DELAY):
            return refused, created
    raise AssertionError("nothing was refused")


def executed_response(connection, write):
    response = write.send(connection)
    return None if response.status == 503 else response


def test_refused_messages_can_be_repeated_on_their_connections(crowd):
    """Breaks if a refusal is recorded, closes the connection, or leaves a connection that is held back without a response."""
    client, connections = crowd.client, crowd.connections
    refused, _ = overload(client, connections)
    for connection, write in refused:
        response = poll_until(lambda c=connection, w=write: executed_response(c, w), "the message to be executed")
        accepted_order(response, 201)
        assert response.header("Idempotency-Replayed") is None


def test_reads_are_served_on_connections_whose_messages_were_refused(crowd):
    client, connections = crowd.client, crowd.connections
    refused, order = overload(client, connections)
    for connection, _ in refused:
        assert accepted_order(connection.get(order_path(order["order_id"])))["order_id"] == order["order_id"]
        assert connection.get("/-/live").status == 200


def test_the_state_ends_with_the_overload(crowd):
    """Breaks if the server goes on refusing, or forgets a connection that it holds back."""
    client, connections = crowd.client, crowd.connections
    overload(client, connections)
    assert metric(client, "ordem_http_refusal_seconds_count") == metric(client, REFUSED_BY_DELAY)
    poll_until(lambda: metric(client, "ordem_http_overloaded_threads") == 0, "the end of the overload", settings.POLL_SECONDS_MAX)
    assert metric(client, "ordem_http_held_back_connections") == 0
    before = metric(client, REFUSED_BY_DELAY)
    for connection in connections:
        accepted_order(create().send(connection), 201)
    assert metric(client, REFUSED_BY_DELAY) == before


def test_a_batch_is_slower_and_complete(crowd):
    """Breaks if lines of a batch are refused because messages take too long: a batch takes fewer lines instead."""
    client, connections = crowd.client, crowd.connections
    overload(client, connections)
    writes = new_creates(2 * IN_FLIGHT_MAX)
    response = client.exchange(batch_bytes(lines_of(writes)), "POST")
    assert_created(verdicts_of(response), writes)


def test_a_stop_answers_those_that_are_held_back(crowd):
    overload(crowd.client, crowd.connections)
    send_all(crowd.connections, [create() for _ in crowd.connections])
    crowd.server.signal_stop()
    for connection in crowd.connections:
        assert connection.read_response("POST").status in (201, 503)
    crowd.close()
    assert crowd.server.wait_exit() == 0
