"""Many connections, and clients that do not read: limited, and without harm to others."""

import contextlib
import os
import resource
import subprocess
import time

import pytest

from support import settings
from support.batches import assert_created, batch_bytes, lines_of, verdicts_of
from support.concurrency import poll_until
from support.http_client import Connection, ConnectionEnded, request_bytes
from support.ordem_server import OrdemServer, assert_clean_failure, binary, clean_environment
from support.orders import accepted_order, assert_problem, create, new_customer, order_content, order_path
from support.process_facts import open_files, rss_bytes

SPARE_FILES = 1000
FREED_FILES_SLACK = 64
BATCH = 500
CROWD = 1200
WRITES_IN_A_CROWD = 1000  # enough for some flushes of tables and new log files


def allow_open_files(count):
    """Raises the limit of this process; the servers that it starts from now on inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"needs {count} open files, the hard limit (ulimit -Hn) is {hard}")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def open_idle_connections(port, count):
    """Connections that have each received one response, so that the server has accepted them."""
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
    """Breaks if an idle connection costs a thread or a large buffer, slows down others, or is not freed."""
    allow_open_files(settings.IDLE_CONNECTIONS + SPARE_FILES)
    server = launch_watched("--idle-timeout=1h", "--request-timeout=1h")
    files_before, rss_before = open_files(server.pid), rss_bytes(server.pid)
    connections = open_idle_connections(server.port, settings.IDLE_CONNECTIONS)
    assert open_files(server.pid) >= settings.IDLE_CONNECTIONS
    assert rss_bytes(server.pid) - rss_before < settings.RSS_GROWTH_BYTES_MAX

    started = time.monotonic()
    with server.client() as client:
        order = accepted_order(create().send(client), 201)
        assert client.get_order(order["order_id"]) == order
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
    """Breaks if --max-connections is not enforced, if refused connections harm others, or if a closed connection keeps its permit."""
    server = launch_watched(f"--max-connections={settings.FEW_CONNECTIONS}")
    connections = open_idle_connections(server.port, settings.FEW_CONNECTIONS)
    for _ in range(2 * settings.FEW_CONNECTIONS):
        assert not try_to_connect(server.port)
    for connection in connections:
        assert connection.get("/-/ping").status == 200
    for connection in connections:
        connection.close()
    poll_until(lambda: try_to_connect(server.port), "a connection permit is released")


def limited_to(count):
    """The command that runs ordem with a soft and a hard limit of open files."""
    return ["prlimit", f"--nofile={count}", binary()]


@pytest.mark.parametrize("limit", ["1024:", "1024"], ids=["soft limit", "hard limit"])
def test_no_number_of_connections_takes_the_files_of_the_store(data_dir, limit):
    """Breaks if connections use up the descriptors that the store needs for new files: it would never write again."""
    allow_open_files(CROWD + SPARE_FILES)
    with OrdemServer(data_dir, "--write-buffer=4MiB", program=limited_to(limit)).wait_listening() as server:
        client = server.client()
        assert client.get("/-/ready").status == 200
        content = order_content(attributes={"large": "x" * 15_000})
        with contextlib.ExitStack() as crowd:
            for _ in range(CROWD):
                crowd.enter_context(Connection(server.port))
            orders = [accepted_order(create(content).send(client), 201) for _ in range(WRITES_IN_A_CROWD)]
            assert open_files(server.pid) > CROWD / 3, "the connections are there"
            assert client.get("/-/ready").status == 200
        assert client.get_order(orders[-1]["order_id"]) == orders[-1]
        warnings = [line for line in server.logs() if line["level"] == "warning"]
    if limit == "1024:":
        assert not warnings
    else:
        (warning,) = warnings
        assert warning["limit"] == 1024 and warning["asked"] == 16384 and warning["used"] < 1024
        assert "--max-connections" in warning["message"] and "LimitNOFILE" in warning["message"]


def test_a_limit_of_open_files_that_is_too_low(data_dir):
    """Breaks if a server starts with too few descriptors to serve."""
    result = subprocess.run(
        [*limited_to(100), "serve", "--port=0", "--data-dir", data_dir], env=clean_environment(), capture_output=True, text=True,
        timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    assert_clean_failure(result.returncode, result.stderr, ["100 files", "RLIMIT_NOFILE"])
    assert not data_dir.exists()


@pytest.mark.skipif("UBSAN_OPTIONS" in os.environ, reason="UBSan opens a pipe to look at an object, and calls it invalid if that fails")
def test_running_out_of_descriptors_is_told_and_passes(launch):
    """Breaks if a failed accept is not counted and logged, or if the server stops accepting."""
    server = launch("--io-threads=1")
    client = server.client()
    assert client.get("/-/ready").status == 200
    hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (open_files(server.pid), hard))
    with Connection(server.port) as waiting:
        warnings = poll_until(lambda: [line for line in server.logs() if line["level"] == "warning"], "the log has a warning")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert waiting.get("/-/ping").status == 200
    assert client.metric("ordem_http_accept_failures_total") > 0
    assert len(warnings) == 1 and "Too many open files" in warnings[0]["reason"]


def orders_of_new_customer(client, count, **attributes):
    """Returns a customer with `count` orders, and the orders, newest first."""
    customer = new_customer()
    content = order_content(customer, attributes=attributes or None)
    orders = [accepted_order(create(content).send(client), 201) for _ in range(count)]
    return customer, sorted(orders, key=lambda order: order["order_id"], reverse=True)


def test_an_answer_larger_than_the_kernel_takes_at_once(server, client):
    """Breaks if the rest of a partly written response is lost or sent twice, if a page of large orders exceeds its size limit, or if a
    page lacks an order."""
    customer, orders = orders_of_new_customer(client, 200, large="x" * 16_000)
    with Connection(server.port, narrow=True) as narrow:
        listed, cursor = [], ""
        while cursor is not None:
            response = narrow.get(f"/api/v1/orders?customer_id={customer}&limit=1000{cursor and '&cursor=' + cursor}")
            assert response.status == 200
            assert len(response.body) < settings.PAGE_BYTES_MAX
            page = response.json()
            listed += page["orders"]
            cursor = page["next_cursor"]
        assert listed == orders
        assert narrow.get("/-/ping").status == 200


def hold_answers(server, target, count):
    """Returns the connections that requested a large response and do not read it, and those that were refused. They send their requests
    one after another, because a page takes more memory while it is built than once it is complete."""
    deaf, refused = [], []
    for _ in range(count):
        deaf.append(Connection(server.port, narrow=True))
        deaf[-1].send(request_bytes("GET", target))
        if deaf[-1].peek_status() != 200:
            refused.append(deaf[-1])
    return deaf, refused


def test_answers_that_are_not_read_have_a_common_bound(launch_watched):
    """Breaks if unread responses may take unlimited memory, if the response beyond the limit is not a 503 or is lost, if small
    responses are refused with the large ones, or if the memory is not released."""
    server = launch_watched("--response-memory=4MiB", "--capture-max=1KiB")
    client = server.client()
    customer, orders = orders_of_new_customer(client, 80, large="x" * 16_000)
    page = f"/api/v1/orders?customer_id={customer}&limit=1000"
    deaf, refused = hold_answers(server, page, 16)
    assert 3 <= 16 - len(refused) <= 4
    for connection in refused:
        response = connection.read_response()
        assert_problem(response, 503, "overloaded")
        assert response.header("Retry-After")
        assert "--response-memory" in response.json()["detail"]
        assert connection.get("/-/ping").status == 200
    # A page ends with the order that would make it larger than 1 MiB.
    assert client.metric("ordem_http_response_memory_bytes") > 3 * (settings.MIB - 20_000)
    assert accepted_order(create(order_content(customer)).send(client), 201)
    # The memory is released by clients that read, and by clients that disconnect.
    # Two read: while a page is built it takes more than one that waits to be sent, so there may be no room in place of a single one.
    for reader in [connection for connection in deaf if connection not in refused][:2]:
        page_of_reader = reader.read_response().json()
        assert page_of_reader["orders"] == orders[:len(page_of_reader["orders"])]
    assert refused[0].get(page).status == 200
    for connection in deaf:
        connection.close()
    poll_until(lambda: client.metric("ordem_http_response_memory_bytes") == 0, "all memory is released")


def largest_order(customer):
    """The content of an order whose response is so large, some 170 KB, that the kernel does not take it for a client that does not
    read; each of these is one response, built in one turn."""
    items = [{"sku": "\U0001F4E6" * 64, "quantity": 1, "unit_price": 100_000}] * 500
    return order_content(customer, items=items, attributes={"large": "x" * 16_000})


def use_up_response_memory(server, client):
    """Connections that requested responses and do not read them, until there is no memory left for that of a largest order."""
    order = accepted_order(create(largest_order(new_customer())).send(client), 201)
    held, refused = [], []
    while not refused:
        assert len(held) < 100, "unread responses are held in memory"
        deaf, refused = hold_answers(server, order_path(order["order_id"]), 1)
        held += deaf
    return held


def test_a_write_whose_answer_there_is_no_memory_for(launch_watched):
    """Breaks if the response to such a write is lost, or if its repeat is executed."""
    server = launch_watched("--response-memory=2MiB", "--capture-max=1KiB")
    client = server.client()
    held = use_up_response_memory(server, client)
    customer = new_customer()
    order = create(largest_order(customer))
    response = order.send(client)
    assert_problem(response, 503, "overloaded")
    assert response.header("Idempotency-Expires") and response.header("Retry-After")
    for connection in held:
        connection.close()
    poll_until(lambda: client.metric("ordem_http_response_memory_bytes") == 0, "all memory is released")
    replay = order.send(client)
    accepted_order(replay, 201)
    assert replay.replayed
    assert len(client.get(f"/api/v1/orders?customer_id={customer}").json()["orders"]) == 1


def unfinished(port, target, size, headers):
    """A connection whose request lacks its last bytes."""
    connection = Connection(port)
    body = b" " * size
    if ("Transfer-Encoding", "chunked") in headers:
        body = b"%x\r\n" % (size + 1) + body
    connection.send_until_answered(request_bytes("POST", target, headers) + body)
    return connection


JSON = ("Content-Type", "application/json")
NDJSON = ("Content-Type", "application/x-ndjson")
CHUNKED = ("Transfer-Encoding", "chunked")


@pytest.mark.parametrize("target, size, headers", [
    ("/api/v1/orders", 1_048_000, (JSON, ("Content-Length", "1048576"))),
    ("/api/v1/orders", 1_048_000, (JSON, CHUNKED)),
    ("/api/v1/orders/batch", 1_048_000, (NDJSON, CHUNKED)),
    ("/api/v2/captures", 1_048_000, (CHUNKED,)),
], ids=["with a length", "in chunks", "a line of a batch", "of captures"])
def test_unfinished_bodies_have_a_common_bound(launch_watched, target, size, headers):
    """Breaks if arriving bodies may take unlimited memory together, if the one beyond the limit is not refused with 503 and a close, if
    small bodies are refused with it, or if the memory is not released."""
    server = launch_watched("--body-memory=8MiB")
    hoard = [unfinished(server.port, target, size, headers) for _ in range(24)]
    client = server.client()
    poll_until(lambda: sum(connection.has_answer(0) for connection in hoard) >= 16, "requests beyond the limit are refused")
    assert client.metric("ordem_http_body_memory_bytes") <= 8 * settings.MIB
    refused = [connection for connection in hoard if connection.has_answer(0)]
    for connection in refused:
        response = connection.read_response()
        assert response.status == 503
        assert response.header("Retry-After") and response.closes
        assert "--body-memory" in response.body.decode()
    assert accepted_order(create().send(client), 201)
    for connection in hoard:
        connection.close()
    poll_until(lambda: client.metric("ordem_http_body_memory_bytes") == 0, "all memory is released")
    assert accepted_order(create(order_content(attributes={"a": "x" * 16_000})).send(client), 201)


def test_a_body_that_is_announced_takes_no_memory(launch_watched):
    """Breaks if clients that announce large bodies and send nothing block others."""
    server = launch_watched("--body-memory=8MiB")
    headers = (JSON, ("Content-Length", "1048576"))
    hoard = [unfinished(server.port, "/api/v1/orders", 1000, headers) for _ in range(200)]
    client = server.client()
    assert client.metric("ordem_http_body_memory_bytes") == 0
    assert accepted_order(create(order_content(attributes={"a": "x" * 16_000})).send(client), 201)
    assert not any(connection.has_answer(0) for connection in hoard)


def test_unfinished_headers_have_a_common_bound(launch_watched):
    """Breaks if arriving headers may take unlimited memory together."""
    server = launch_watched("--body-memory=128KiB", "--max-body=1KiB", "--capture-max=1KiB")
    hoard = []
    for _ in range(24):
        hoard.append(Connection(server.port))
        hoard[-1].send_until_answered(b"GET /-/ping HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 12_000)
    poll_until(lambda: sum(connection.has_answer(0) for connection in hoard) >= 16, "most of them are refused")
    response = next(connection for connection in hoard if connection.has_answer(0)).read_response()
    assert_problem(response, 503, "overloaded")
    assert response.closes
    assert server.connect().get("/-/ping").status == 200


def test_a_batch_goes_on_when_other_answers_take_all_memory(launch_watched):
    """Breaks if a batch stops or fails while other clients hold all memory."""
    server = launch_watched("--response-memory=2MiB", "--capture-max=1KiB")
    client = server.client()
    held = use_up_response_memory(server, client)
    customer = new_customer()
    writes = [create(order_content(customer, attributes={"large": "x" * 8_000})) for _ in range(60)]
    assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes)))), writes)
    for connection in held:
        connection.close()


def test_client_that_does_not_read_its_answers(launch_watched):
    """Breaks if responses accumulate for a client that sends requests and never reads: the server has to stop reading. Each response is
    more than a hundred times as large as its request."""
    server = launch_watched()
    content = order_content(attributes={"large": "x" * 15_000})
    order = accepted_order(create(content).send(server.client()), 201)
    requests = request_bytes("GET", order_path(order["order_id"])) * 1000
    deaf = server.connect()
    sent = 0
    while sent < settings.UNREAD_REQUEST_BYTES_MAX and deaf.can_send(settings.STALLED_SECONDS):
        taken = deaf.send_some(requests[sent % len(requests):])
        if taken == 0:
            break
        sent += taken
    started = time.monotonic()
    assert server.connect().get("/-/ping").status == 200
    assert time.monotonic() - started < settings.QUICK_ANSWER_SECONDS_MAX
