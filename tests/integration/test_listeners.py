"""Listeners of their own for operations and for captures, and the connections that one address may have."""

import socket
from pathlib import Path

import pytest

from support.captures import allocation_bytes, new_key
from support.concurrency import poll_until
from support.http_client import Connection, free_port, request_bytes
from support.ordem_client import OrdemClient
from support.ordem_server import assert_clean_failure, assert_does_not_start, run_ordem
from support.orders import ORDERS, accepted_order, assert_problem, create

HEALTH = ("/-/ping", "/-/live", "/-/ready", "/-/ready/reads")
OPERATIONS = ("/-/position", "/-/state", "/-/settings", "/metrics", "/console/", "/console/app.js")
DOCUMENTS = ("/openapi.yaml", "/openapi.json", "/problems", "/problems/stale-version")
LIST = f"{ORDERS}?customer_id=c"
OTHER_ADDRESS = "127.0.0.2"
PER_ADDRESS = 3


def ports_of(server):
    """Returns the ports of the listeners by their names, from the log."""
    return {line["name"]: line["port"] for line in server.logs() if line["message"] == "listener"}


def statuses(port, targets):
    with OrdemClient(port) as client:
        return {target: client.get(target).status for target in targets}


def allocate(port):
    with Connection(port) as connection:
        return connection.exchange(allocation_bytes(new_key()), "PUT").status


def ping_from(port, address="127.0.0.1"):
    """Returns a connection from an address of this machine, and the response to its first request."""
    connection = Connection(port, source=address)
    connection.send(request_bytes("GET", "/-/ping"))
    return connection, connection.read_response()


def test_without_further_listeners_the_main_one_serves_everything(launch):
    """Breaks if a resource leaves the main port of a server that has no other."""
    server = launch()
    assert ports_of(server) == {"main": server.port}
    targets = (*HEALTH, *OPERATIONS, *DOCUMENTS, LIST)
    assert statuses(server.port, targets) == dict.fromkeys(targets, 200)
    assert allocate(server.port) == 202


def test_what_each_listener_serves(launch):
    """Breaks if orders can be written by the port for operations, metrics read by the main one, or anything but captures by that of captures."""
    server = launch("--operations-port=0", "--captures-port=0")
    ports = ports_of(server)
    assert ports.keys() == {"main", "operations", "captures"} and ports["main"] == server.port
    accepted_order(create().send(server.client()), 201)
    for name, served, missing in (
        ("main", (*HEALTH, *DOCUMENTS, LIST), OPERATIONS),
        ("operations", (*HEALTH, *OPERATIONS, *DOCUMENTS, LIST), ()),
        ("captures", HEALTH, (*OPERATIONS, *DOCUMENTS, LIST)),
    ):
        assert statuses(ports[name], served) == dict.fromkeys(served, 200), name
        assert statuses(ports[name], missing) == dict.fromkeys(missing, 404), name
    assert {name: allocate(port) for name, port in ports.items()} == {"main": 202, "operations": 404, "captures": 202}
    with OrdemClient(ports["operations"]) as operations:
        assert_problem(create().send(operations), 404, "not-found")
    assert run_ordem("ready", f"--port={server.port}").returncode == 0


def test_a_stop_answers_on_every_listener(launch):
    """Breaks if a stop forgets a listener: its clients would read an end of file instead of an answer, or it would go on accepting."""
    server = launch("--operations-port=0", "--captures-port=0")
    ports = ports_of(server)
    connections = [Connection(port) for port in ports.values()]
    for connection in connections:
        assert connection.get("/-/ping").status == 200
        connection.send(request_bytes("GET", "/-/ping")[:-1])
    server.begin_stop()
    for connection in connections:
        connection.send(request_bytes("GET", "/-/ping")[-1:])
        response = connection.read_response()
        assert response.status == 200 and response.closes
    assert server.wait_exit() == 0
    for port in ports.values():
        with pytest.raises(ConnectionRefusedError):
            Connection(port)


def test_a_port_that_is_taken(data_dir):
    """Breaks if a server starts without one of its listeners."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert_does_not_start(data_dir, f"--operations-port={port}", words=("cannot listen", port))


@pytest.mark.parametrize("flags, words", [
    (("--port=8080", "--operations-port=8080"), ("--operations-port", "--port")),
    (("--captures-port=70000",), ("--captures-port", "70000")),
    (("--operations-address=0.0.0.0",), ("--operations-port",)),
], ids=lambda value: " ".join(value))
def test_endpoints_that_cannot_be(tmp_path, flags, words):
    """Breaks if a contradiction is found only where the address is bound, or without the names of the settings."""
    result = run_ordem("serve", f"--data-dir={tmp_path / 'data'}", *flags)
    assert_clean_failure(result.returncode, result.stderr, words)
    assert result.returncode == 2


def test_connections_of_one_address(launch):
    """Breaks if one address can take the connections of others, or if a closed connection keeps counting."""
    server = launch(f"--connections-per-address={PER_ADDRESS}", "--operations-port=0")
    held = [ping_from(server.port) for _ in range(PER_ADDRESS)]
    assert [response.status for _, response in held] == [200] * PER_ADDRESS
    for port in ports_of(server).values():
        connection, response = ping_from(port)
        assert_problem(response, 503, "too-many-connections")
        assert "address" in response.json()["detail"] and response.closes
        assert connection.read_end() == b""
    other, response = ping_from(ports_of(server)["operations"], OTHER_ADDRESS)
    assert response.status == 200
    metrics = other.get("/metrics").body.decode()
    assert "\nordem_http_connections_refused_by_address_total 2\n" in metrics
    assert "\nordem_http_connections_refused_total 0\n" in metrics
    for connection, _ in held:
        assert connection.get("/-/ping").status == 200
        connection.close()

    def works_again():
        with ping_from(server.port)[0] as connection:
            return connection.get("/-/ping").status == 200

    poll_until(works_again, "a closed connection no longer counts")


def test_a_flood_from_one_address_leaves_the_connections_of_others(launch):
    """Breaks if connections that are refused because of their address use up --max-connections."""
    server = launch("--connections-per-address=2", "--max-connections=8")
    flood = [Connection(server.port) for _ in range(40)]
    for connection in flood:
        connection.send(request_bytes("GET", "/-/ping")[:-1])
    others = [ping_from(server.port, OTHER_ADDRESS) for _ in range(2)]
    assert [response.status for _, response in others] == [200, 200]
    for connection in flood:
        connection.close()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_addresses_of_both_families_count_apart(launch):
    """Breaks if an IPv4 client counts differently by a listener for both families."""
    server = launch("--address=::", "--auth=none", "--connections-per-address=1")
    with Connection(server.port) as first, Connection(server.port, host="::1") as other:
        assert first.get("/-/ping").status == 200 and other.get("/-/ping").status == 200
        for host in ("127.0.0.1", "::1"):
            with Connection(server.port, host=host) as refused:
                assert refused.get("/-/ping").status == 503
