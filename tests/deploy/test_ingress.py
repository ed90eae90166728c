"""The server behind an nginx with the configuration of ingress-nginx for the chart's Ingresses: what passes, what is retried, and that
clients do not notice a kill."""

import base64
import json
import os
import random
import subprocess

import pytest
import yaml

from support import settings
from support.batches import OpenBatch, batch_bytes, line_of, lines_of, new_creates, verdicts_of
from support.captures import CAPTURES, allocation_bytes, captured, new_key, record_bytes
from support.concurrency import poll_until
from support.helm import CHART, ROOT, render
from support.http_client import Client, request_bytes
from support.ordem_server import run_ordem
from support.ingress_nginx import CONTROLLER_VALUES, IngressNginx
from support.oracle import Oracle, assert_server_agrees
from support.orders import JSON_TYPE, ORDERS, create, merge, new_customer, new_guid, order_content
from support.scripted_server import HANG_UP, ScriptedServer, answer_bytes
from support.workload import REUSE_CUSTOMER, Load, Worker
from test_chart import helped_options

INGRESS = {"enabled": True, "captures": True}
SMALL = {"max-body": "64KiB", "capture-max": "4KiB"}
BODY_BYTES_MAX = 64 * 1024
CAPTURE_BODY_BYTES_MAX = max(BODY_BYTES_MAX, 6 * 4096 + 64 * 1024)
WAIT_SECONDS = 15

CREATED = answer_bytes(201, body=b"{}")
REFUSED = answer_bytes(503, [("Retry-After", "1")], b"refused")
CREATE = create()
PATCH = merge("0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f", 1, {})


@pytest.fixture
def ingress(tmp_path):
    """A function that starts an nginx with the configuration for the chart's values, in front of a port."""
    running = []

    def start(port, values=None):
        folder = tmp_path / f"nginx-{len(running)}"
        folder.mkdir()
        running.append(IngressNginx(folder, render(values or {"ingress": INGRESS})))
        running[-1].set_engine(port)
        return running[-1].wait_listening()

    yield start
    for nginx in running:
        nginx.stop()


@pytest.fixture
def small(launch, tmp_path, ingress):
    """A server with small limits that its Ingress matches: its port, and that of the nginx in front of it."""
    values = {"config": SMALL, "ingress": INGRESS, "auth": {"mode": "none"}}
    configuration = tmp_path / "ordem.conf"
    configuration.write_text(render(values).configuration())
    server = launch("--config", configuration, "--operations-port=0")
    return server.port, ingress(server.port, values)


# Requests that pass.


def test_the_smoke_test(launch, ingress):
    port = ingress(launch().port).port
    result = subprocess.run(["bash", CHART / "files/smoke_test.bash", "127.0.0.1", str(port)], env={**os.environ, "IDENTITY": "none"},
                            capture_output=True, text=True, check=False, timeout=settings.COMMAND_SECONDS_MAX)
    assert result.returncode == 0, result.stderr


def test_the_smoke_test_of_the_page(launch, ingress, tmp_path):
    """The commands of docs/deploy.md, with another address, and a kubectl that only has the Secret with the key."""
    key = run_ordem("key", "create", "--keys", tmp_path / "keys", "--name=trial", "--scopes=orders:read,orders:write").stdout.strip()
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\necho {base64.b64encode(key.encode()).decode()}\n")
    kubectl.chmod(0o755)
    page = (ROOT / "docs/deploy.md").read_text()
    commands = page.partition("## Smoke test through the ingress")[2].partition("```sh\n")[2].partition("```")[0]
    assert "http://orders.example" in commands
    port = launch("--keys", tmp_path / "keys").port
    here = commands.replace("http://orders.example", f"http://127.0.0.1:{ingress(port).port}")
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", here], env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
                            capture_output=True, text=True, check=False, timeout=settings.COMMAND_SECONDS_MAX)
    assert result.returncode == 0, result.stderr
    created, read, updated, repeated, stale, updated_again = map(json.loads, result.stdout.splitlines())
    assert (created["code"], read["code"], repeated) == (201, 200, created) and read["order"] == created["order"]
    assert (updated["message"], updated["order"]["version"]) == ("order updated", 2)
    assert (stale["code"], stale["message"]) == (3043, "data is out of date")
    assert (updated_again["message"], updated_again["order"]["version"]) == ("order updated", 3)


@pytest.mark.parametrize("path", ["/metrics", "/-/ready", "/-/position"])
def test_what_is_not_for_clients_stays_inside(launch, ingress, path):
    with Client(ingress(launch().port).port) as client:
        assert client.get(path).status == 404
        assert client.get("/openapi.yaml").status == 200
        assert client.get("/openapi.json").status == 200
        assert client.get("/problems/stale-version").status == 200


def create_of(size):
    """A create with a body of this size."""
    headers = [("Content-Type", JSON_TYPE), ("Idempotency-Key", new_guid())]
    return request_bytes("POST", ORDERS, headers, json.dumps(order_content()).encode().ljust(size))


def passed_on(nginx):
    """Whether the engine received the one request that nginx got."""
    (*_, tries), = poll_until(nginx.requests, "nginx logs the request")
    return tries != ["-"]


@pytest.mark.parametrize("more, status", [(0, 201), (1, 413)])
def test_orders_are_bounded_as_by_the_engine(small, more, status):
    engine_port, nginx = small
    for port in (engine_port, nginx.port):
        with Client(port) as client:
            assert client.exchange(create_of(BODY_BYTES_MAX + more)).status == status
    assert passed_on(nginx) is (more == 0)


@pytest.mark.parametrize("more, status", [(0, 202), (1, 413)])
def test_captures_are_bounded_as_by_the_engine(small, more, status):
    engine_port, nginx = small
    for port in (engine_port, nginx.port):
        body = b'{"idempotency_key":"%s"}' % new_key().encode()
        with Client(port) as client:
            assert client.request("PUT", CAPTURES, (), body.ljust(CAPTURE_BODY_BYTES_MAX + more)).status == status
    assert passed_on(nginx) is (more == 0)


def test_batches_have_no_bound(small):
    writes = new_creates(1000)
    assert len(lines_of(writes)) > 2 * BODY_BYTES_MAX
    with Client(small[1].port) as client:
        assert len(verdicts_of(client.exchange(batch_bytes(lines_of(writes))))) == len(writes)


def test_batches_stream_both_ways(launch, ingress):
    """Breaks if nginx buffers a request or a response."""
    with OpenBatch(ingress(launch().port).port) as batch:
        for write in new_creates(3):
            batch.send(line_of(write))
            assert batch.read_verdict().status == 201
        batch.finish()
        assert batch.read_verdict() is None


def test_the_controller_fits_the_engine():
    """Breaks if nginx may use a connection that the engine is about to close, or refuses a header that the engine accepts."""
    options, controller = helped_options(), yaml.safe_load(CONTROLLER_VALUES.read_text())["controller"]["config"]
    assert options["idle-timeout"] == "1m" and int(controller["upstream-keepalive-timeout"]) < 60
    assert options["max-header"] == "16KiB" and controller["large-client-header-buffers"].endswith(" 16k")


# Requests that are retried.


@pytest.mark.parametrize("write", [CREATE, PATCH], ids=["POST", "PATCH"])
@pytest.mark.parametrize("failure", [HANG_UP, REFUSED], ids=["hang up", "503"])
def test_writes_of_orders_are_sent_again(ingress, write, failure):
    with ScriptedServer(failure, failure, CREATED) as server, Client(ingress(server.port).port) as client:
        assert write.send(client).status == 201
        assert server.requests == [write.method] * 3


def test_what_the_engine_goes_on_refusing_comes_to_the_client(ingress):
    with ScriptedServer(REFUSED) as server, Client(ingress(server.port).port) as client:
        answer = CREATE.send(client)
        assert (answer.status, answer.body, answer.header("Retry-After")) == (503, b"refused", "1")
        assert len(server.requests) == 3


ALLOCATE = allocation_bytes(new_key())
RECORD = record_bytes(new_key(), captured())


@pytest.mark.parametrize("data, method", [(ALLOCATE, "PUT"), (RECORD, "POST")], ids=["PUT", "POST"])
@pytest.mark.parametrize("failure, status, count", [(HANG_UP, 502, 1), (REFUSED, 201, 2)], ids=["hang up", "503"])
def test_captures_are_sent_again_only_if_they_were_refused(ingress, data, method, failure, status, count):
    """Breaks if an allocation whose response was lost is retried: its client would get 409."""
    with ScriptedServer(failure, CREATED) as server, Client(ingress(server.port).port) as client:
        assert client.exchange(data).status == status
        assert server.requests == [method] * count


@pytest.mark.parametrize("failure, status", [(HANG_UP, 502), (REFUSED, 503)], ids=["hang up", "503"])
def test_batches_are_not_sent_again(ingress, failure, status):
    with ScriptedServer(failure, CREATED) as server, Client(ingress(server.port).port) as client:
        assert client.exchange(batch_bytes(lines_of(new_creates(1)))).status == status
        assert len(server.requests) == 1


def test_who_waits_for_restarts_is_refused_at_once(ingress):
    """nginx does not wait between tries: it would retry a request to an overloaded engine immediately."""
    waiting = {"ingress": {**INGRESS, "restartWaitSeconds": WAIT_SECONDS}}
    with ScriptedServer(REFUSED, CREATED) as server, Client(ingress(server.port, waiting).port) as client:
        assert CREATE.send(client).status == 503
        assert len(server.requests) == 1


# A kill under load.


def write_while_killed(nginx, oracle, launch, server):
    """Clients write while the server is killed repeatedly, each time after a number of further writes. Returns the last server, and the
    customers of the orders."""
    customers = [new_customer() for _ in range(3)]
    workers = [Worker(oracle, nginx.port, random.Random(f"{settings.SEED}/{number}"), customers)
               for number in range(settings.INGRESS_WORKERS)]
    with Load(oracle, workers) as load:
        for _ in range(settings.INGRESS_KILLS):
            load.wait_for(settings.INGRESS_WRITES_BETWEEN_KILLS)
            server.kill()
            server = launch()
            nginx.set_engine(server.port)
        load.wait_for(settings.INGRESS_WRITES_BETWEEN_KILLS)
    return server, [*customers, REUSE_CUSTOMER]


def test_clients_do_not_notice_that_the_server_is_killed(launch, ingress):
    """Breaks if a client sees a lost connection or a 5xx, if an acknowledged write is lost, or if one is executed twice."""
    print(f"ORDEM_SEED={settings.SEED}")
    server = launch()
    nginx = ingress(server.port, {"ingress": {**INGRESS, "restartWaitSeconds": WAIT_SECONDS}})
    oracle = Oracle(passed_on_again=True)
    server, customers = write_while_killed(nginx, oracle, launch, server)

    failed = [request for request in nginx.requests() if request[0] >= "500"]
    assert not failed, f"ORDEM_SEED={settings.SEED}: {failed}"
    assert any(len(tries) > 1 for *_, tries in nginx.requests()), "no request met a kill"
    with server.client() as client:
        assert_server_agrees(client, oracle, random.Random(settings.SEED), customers, oracle.recorded_guids(), oracle.known_orders())
