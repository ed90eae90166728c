"""Many connections, and clients that do not read: bounded, and without harm for the others."""

import resource
import time

import pytest

from support import settings
from support.concurrency import poll_until
from support.http_client import Client, Connection, ConnectionEnded, request_bytes
from support.orders import accepted_order, assert_problem, create, get_order, new_customer, order_content, order_path
from support.process_facts import open_files, rss_bytes

SPARE_FILES = 1000
FREED_FILES_SLACK = 64
BATCH = 500


def allow_open_files(count):
    """Raises the limit of this process; the servers that it starts from now on inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"needs {count} open files, the hard limit (ulimit -Hn) is {hard}")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def open_idle_connections(port, count):
    """Connections that have each had one answer, so that the server has certainly accepted them."""
    ping = request_bytes("GET", "/-/ping")
    connections = []
    while len(connections) < count:
        batch = [Connection(port) for _ in range(min(BATCH, count - len(connections)))]
        connections += batch
        for connection in batch:
            connection.send(ping)
        for connection in batch:
            assert connection.read_response().status == 200
    return connections


def test_ten_thousand_idle_connections(launch_watched):
    """Breaks if an idle connection costs a thread or a large buffer, slows the others down, or is not freed."""
    allow_open_files(settings.IDLE_CONNECTIONS + SPARE_FILES)
    server = launch_watched("--idle-timeout=1h", "--request-timeout=1h")
    files_before, rss_before = open_files(server.pid), rss_bytes(server.pid)
    connections = open_idle_connections(server.port, settings.IDLE_CONNECTIONS)
    assert open_files(server.pid) >= settings.IDLE_CONNECTIONS
    assert rss_bytes(server.pid) - rss_before < settings.RSS_GROWTH_BYTES_MAX

    started = time.monotonic()
    with Client(server.port) as client:
        order = accepted_order(create(order_content(new_customer())).send(client), 201)
        assert get_order(client, order["order_id"]) == order
    assert time.monotonic() - started < settings.QUICK_ANSWER_SECONDS_MAX
    for connection in connections[::1000]:
        assert connection.get("/-/ping").status == 200

    for connection in connections[::2]:
        connection.close()
    for connection in connections[1::2]:
        connection.reset()
    poll_until(lambda: open_files(server.pid) <= files_before + FREED_FILES_SLACK, "closed connections are freed")


def try_to_connect(port):
    """Whether one more connection is served. A refusal is 503 too-many-connections, or a close without an answer."""
    with Connection(port) as connection:
        try:
            response = connection.get("/-/ping")
        except ConnectionEnded as end:
            assert end.partial == b""
            return False
        if response.status == 200:
            return True
        assert_problem(response, 503, "too-many-connections")
        assert connection.read_end() == b""
        return False


def test_more_connections_than_allowed(launch_watched):
    """Breaks if --max-connections is not a bound, if the refused ones hurt the served ones, or if a connection that has
    gone keeps its place."""
    server = launch_watched(f"--max-connections={settings.FEW_CONNECTIONS}")
    connections = open_idle_connections(server.port, settings.FEW_CONNECTIONS)
    for _ in range(2 * settings.FEW_CONNECTIONS):
        assert not try_to_connect(server.port)
    for connection in connections:
        assert connection.get("/-/ping").status == 200
    for connection in connections:
        connection.close()
    poll_until(lambda: try_to_connect(server.port), "a place becomes free")


def test_an_answer_larger_than_the_kernel_takes_at_once(server, client):
    """Breaks if the rest of an answer is lost, or comes twice, where a part of it has left at once."""
    customer = new_customer()
    content = order_content(customer, attributes={"large": "x" * 16_000})
    orders = [accepted_order(create(content).send(client), 201) for _ in range(1000)]
    response = client.get(f"/api/v1/orders?customer_id={customer}&limit={len(orders)}")
    assert response.status == 200
    assert response.json()["orders"] == sorted(orders, key=lambda order: order["order_id"], reverse=True)
    assert client.get("/-/ping").status == 200


def test_client_that_does_not_read_its_answers(launch_watched):
    """Breaks if answers pile up for a client that sends requests and never reads: the server has to stop reading
    instead. Each answer is more than a hundred times as large as its request."""
    server = launch_watched()
    content = order_content(new_customer(), attributes={"large": "x" * 15_000})
    order = accepted_order(create(content).send(server.client()), 201)
    requests = request_bytes("GET", order_path(order["order_id"])) * 1000
    deaf = server.connect()
    sent = 0
    while sent < settings.UNREAD_REQUEST_BYTES_MAX and deaf.can_send(1.0):
        taken = deaf.send_some(requests[sent % len(requests):])
        if taken == 0:
            break
        sent += taken
    started = time.monotonic()
    assert server.connect().get("/-/ping").status == 200
    assert time.monotonic() - started < settings.QUICK_ANSWER_SECONDS_MAX
