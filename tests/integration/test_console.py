"""What the console reads besides orders: state, settings, captures, and data by the listener for operations. The console itself is
tested in tests/console."""

import pytest

from support.captures import allocation_bytes, captured, new_key, record_bytes, release_bytes
from support.concurrency import poll_until
from support.http_client import free_port, request_bytes
from support.ordem_client import OrdemClient
from support.ordem_server import run_ordem
from support.orders import ORDERS, accepted_order, assert_problem, create, order_path

CAPTURES = "/api/v2/captures"
SECRET = "hunter-2-and-more"


def port_of(server, name):
    return next(line["port"] for line in server.logs() if line["message"] == "listener" and line["name"] == name)


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


def test_settings_are_those_of_the_start_without_passwords(launch):
    """Breaks if /-/settings shows a password, or other values than the server uses."""
    server = launch(f"--postgres-url=postgresql://ordem:{SECRET}@127.0.0.1:{free_port()}/ordem", "--message-ttl=90m")
    with server.client() as client:
        answer = client.get("/-/settings")
        values = {each["name"]: each["value"] for each in answer.json()["settings"]}
        assert values["message-ttl"] == "90m" and values["port"] == "0"
        assert "127.0.0.1" in values["postgres-url"] and SECRET not in answer.body.decode()
        logged = {line["name"]: line["value"] for line in server.logs() if line["message"] == "setting"}
        assert values == logged


def test_state_has_the_reason_why_postgres_fails(launch):
    """Breaks if the reason is missing, or if it shows a password."""
    port = free_port()
    server = launch(f"--postgres-url=postgresql://ordem:{SECRET}@127.0.0.1:{port}/ordem")
    with server.client() as client:
        accepted_order(create().send(client), 201)

        def failure():
            return client.get("/-/state").json()["postgres"]["failure"]

        poll_until(failure, "the failure is reported")
        assert str(port) in failure()["reason"] and failure()["since"].endswith("Z")
        answer = client.get("/-/state")
        assert SECRET not in answer.body.decode()
        assert answer.json()["status"] == "ready" and answer.json()["write_failure"] is None


def test_state_has_the_reason_why_writes_fail(launch, data_dir):
    """Breaks if a person has to read the log to learn why writes are refused."""
    server = launch()
    with server.client() as client:
        assert client.get("/-/state").json()["write_failure"] is None
        data_dir.rename(data_dir.with_name("moved"))
        assert_problem(create().send(client), 503, "read-only")
        state = client.get("/-/state").json()
        assert state["status"] == "read-only" and state["postgres"] is None
        poll_until(lambda: "removed or replaced" in client.get("/-/state").json()["write_failure"]["reason"], "the reason is reported")


def test_a_capture_can_be_looked_at(launch):
    """Breaks if a look allocates a key, or shows what is not so."""
    key = new_key()
    path = f"{CAPTURES}/{key}"
    with launch().client() as client:
        assert client.get(path).status == 404
        assert client.exchange(allocation_bytes(key), "PUT").status == 202
        look = client.get(path).json()
        assert (look["state"], look["response"], look["idempotency_key"]) == ("allocated", None, key)
        assert look["allocated_at"] < look["lease_ends_at"] < look["expires_at"]
        assert client.exchange(allocation_bytes(key), "PUT").status == 409
        assert client.exchange(record_bytes(key, captured("made")), "POST").status == 200
        assert client.get(path).json()["state"] == "completed"
        assert client.get(path).json()["response"]["response_body"] == "made"
        assert client.exchange(release_bytes(key), "DELETE").status == 403


def test_the_operations_port_serves_data_to_identities_alone(launch, tmp_path):
    """Breaks if whoever reaches the operations port reads orders or settings, or if an identity can write there."""
    keys, texts = tmp_path / "keys", {}
    for name, scopes in (("reader", "orders:read"), ("clerk", "orders:read,orders:write,captures"), ("operator", "operations")):
        result = run_ordem("key", "create", "--keys", keys, "--name", name, "--tenant", "shop", "--scopes", scopes)
        assert result.returncode == 0, result.stderr
        texts[name] = result.stdout.strip()
    # On all addresses, as in a container.
    server = launch(f"--keys={keys}", "--operations-port=0", "--operations-address=0.0.0.0", "--auth-captures=none")
    with server.client() as client:
        client.key = texts["clerk"]
        order = accepted_order(create().send(client), 201)
    path = order_path(order["order_id"])
    with OrdemClient(port_of(server, "operations")) as operations:
        for target in (path, f"{path}/versions", "/-/settings", "/-/state", f"{CAPTURES}/YQ"):
            assert operations.get(target).status == 401, target
        assert operations.get(path, bearer(texts["operator"])).status == 403
        assert operations.get("/-/settings", bearer(texts["reader"])).status == 403
        assert operations.get(path, bearer(texts["reader"])).json()["order"] == order
        assert operations.get("/-/settings", bearer(texts["operator"])).status == 200
        assert operations.get("/metrics").status == 200 and operations.get("/console/").status == 200
        operations.key = texts["clerk"]
        assert_problem(create().send(operations), 404, "not-found")
        foreign = request_bytes("DELETE", f"{CAPTURES}/YQ", [("Origin", "http://evil.example")])
        assert operations.exchange(foreign, "DELETE").status == 403
        assert operations.exchange(release_bytes("YQ"), "DELETE").status == 404


@pytest.mark.parametrize("address, status", [("127.0.0.1", 200), ("0.0.0.0", 404)])
def test_the_operations_port_without_identities(launch, address, status):
    """Breaks if a server without identities, which only this machine reaches, publishes its orders by its port for operations."""
    server = launch("--operations-port=0", f"--operations-address={address}")
    with server.client() as client:
        order = accepted_order(create().send(client), 201)
    with OrdemClient(port_of(server, "operations")) as operations:
        assert operations.get(order_path(order["order_id"])).status == status
        assert operations.get(f"{ORDERS}?customer_id=c").status == status
        assert operations.get("/-/settings").status == status
        assert operations.get("/-/state").status == status
