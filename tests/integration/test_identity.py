"""Identities: who may make which request. The routes and their scopes are those of docs/openapi.yaml."""

import itertools
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from support.batches import BATCH, COMMANDS, NDJSON_TYPE, lines_of, new_creates, verdicts_of
from support.captures import allocation_payload, assert_error, captured, new_key, payload_bytes, record_payload
from support.concurrency import poll_until
from support.http_client import request_bytes
from support.ordem_client import OrdemClient
from support.ordem_server import run_ordem
from support.orders import JSON_TYPE, ORDERS, accepted_order, assert_problem, create, new_customer, order_content, order_path

DOCUMENT = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs/openapi.yaml").read_text())
SCOPES = ("orders:read", "orders:write", "messages:read", "captures", "operations")
METHODS = ("get", "head", "put", "post", "patch", "delete")
NEVER_ISSUED = "ordem_" + "A" * 43 + "00000000"


@dataclass(frozen=True)
class Route:
    """One operation of the document."""

    method: str
    template: str
    scope: str  # "" for one that is open to all

    @property
    def id(self):
        return f"{self.method} {self.template}"

    def path(self, order="0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f", guid="g", key="YQ"):
        values = {"id": order, "n": "1", "guid": guid, "key": key, "slug": "not-found", "file": "app.js"}
        return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], self.template)

    def request(self, token=None, **names):
        """A request that reaches the check of its body, where it has one."""
        headers = [("Authorization", f"Bearer {token}")] if token else []
        if self.method in ("POST", "PUT", "PATCH"):
            is_batch = self.template in (BATCH, COMMANDS)
            headers += [("Content-Type", NDJSON_TYPE if is_batch else JSON_TYPE)]
            return request_bytes(self.method, self.path(**names), headers, b"" if is_batch else b"{}")
        return request_bytes(self.method, self.path(**names), headers)


def _routes():
    for template, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                alternatives = item[method]["security"]
                assert alternatives == [] or alternatives[0].keys() == {"bearer"}, template
                yield Route(method.upper(), template, alternatives[0]["bearer"][0] if alternatives else "")


ROUTES = tuple(_routes())


class Keys:
    """A keys file, and the keys in it."""

    def __init__(self, folder):
        self.file = folder / "keys"
        self.text = {}

    def add(self, name, *scopes, tenant="", more=()):
        result = run_ordem("key", "create", "--keys", self.file, "--name", name, "--scopes", ",".join(scopes),
                           *(["--tenant", tenant] if tenant else []), *more)
        assert result.returncode == 0, result.stderr
        self.text[name] = result.stdout.strip()
        return self.text[name]


class AuthorizedClient(OrdemClient):
    """A client that sends a key with each request."""

    def __init__(self, port, key):
        super().__init__(port)
        self.key = key


@pytest.fixture(scope="module")
def keys_of_each_scope(tmp_path_factory):
    made = Keys(tmp_path_factory.mktemp("keys"))
    for scope in SCOPES:
        made.add(scope.replace(":", "-"), scope, tenant="shop")
    made.add("all", *SCOPES, tenant="shop")
    return made


@pytest.fixture
def keys(keys_of_each_scope, tmp_path):
    """A copy of these for one test, which may change it."""
    copy = Keys(tmp_path)
    shutil.copy(keys_of_each_scope.file, copy.file)
    copy.text.update(keys_of_each_scope.text)
    return copy


@pytest.fixture
def secured(launch, keys):
    """A server with the identities of `keys`."""
    return launch(f"--keys={keys.file}")


def assert_unauthenticated(answer, challenge="Bearer"):
    assert answer.status == 401, f"{answer.status} {answer.body!r}"
    assert answer.header("WWW-Authenticate") == challenge
    assert not {"ordem-position", "idempotency-expires", "allow", "etag", "location"} & {name for name, _ in answer.headers}


def test_every_route_needs_its_scope(secured, keys):
    """Breaks if a route is open that should not be, if one needs another scope than the document says, or if an identity without the
    scope is told anything else."""
    with secured.client() as client:
        for route in ROUTES:
            if not route.scope:
                assert client.exchange(route.request(), route.method).status == 200, route.id
                assert client.exchange(route.request(NEVER_ISSUED), route.method).status == 200, route.id
                continue
            assert_unauthenticated(client.exchange(route.request(), route.method))
            assert_unauthenticated(client.exchange(route.request(NEVER_ISSUED), route.method), 'Bearer error="invalid_token"')
            for scope in SCOPES:
                answer = client.exchange(route.request(keys.text[scope.replace(":", "-")]), route.method)
                if scope == route.scope:
                    assert answer.header("WWW-Authenticate") is None and answer.status != 401, route.id
                    continue
                assert answer.status == 403, (route.id, scope)
                assert answer.header("WWW-Authenticate") == f'Bearer error="insufficient_scope", scope="{route.scope}"'
                if route.method != "HEAD" and route.scope != "captures":
                    assert answer.json()["type"] == "/problems/forbidden" and answer.json()["scope"] == route.scope
            allowed = client.exchange(route.request(keys.text["all"]), route.method)
            assert allowed.header("WWW-Authenticate") is None and allowed.status != 401, route.id


def test_nothing_is_told_without_an_identity(secured, keys):
    """Breaks if a path, a method or an order can be told apart without an identity."""
    with AuthorizedClient(secured.port, keys.text["all"]) as client:
        order = accepted_order(create().send(client), 201)
    with secured.client() as client:
        bodies = set()
        for method, target in itertools.product(("GET", "DELETE", "POST", "OPTIONS"), (order_path(order["order_id"]), "/nowhere", "/%zz", ORDERS, "/metrics")):
            answer = client.request(method, target)
            assert_unauthenticated(answer)
            bodies.add(answer.body)
        assert len(bodies) == 1
        assert_unauthenticated(client.request("GET", "/", [("Authorization", "Basic YTpi")]))
        for scheme in ("bearer", "BEARER"):
            assert_problem(client.request("GET", "/nowhere", [("Authorization", f"{scheme} {keys.text['all']}")]), 404, "not-found")


def test_captures_keep_their_form(secured, keys):
    """Breaks if clients of the server that captures replace get an error in another form."""
    with secured.client() as client:
        answer = client.exchange(payload_bytes("PUT", allocation_payload(new_key())))
        assert answer.status == 401 and list(answer.json()) == ["error"] and answer.header("Content-Type") == JSON_TYPE
    with AuthorizedClient(secured.port, keys.text["captures"]) as client:
        client.captures.new_record(captured("b"))


def test_open_captures(launch, keys):
    """Breaks if --auth-captures none closes captures or opens anything else, or if the log does not say so."""
    server = launch(f"--keys={keys.file}", "--auth-captures=none")
    assert any("--auth-captures none" in line["message"] for line in server.logs() if line["level"] == "warning")
    with server.client() as client:
        client.captures.new_record(captured("b"))
        assert_unauthenticated(client.get(f"{ORDERS}?customer_id=c"))
        assert_error(client.exchange(payload_bytes("POST", record_payload(new_key(), captured()))), 403)


def test_open_captures_on_a_port_of_their_own(launch, keys):
    """Breaks if captures are open on the main port, too, or closed on their own."""
    server = launch(f"--keys={keys.file}", "--auth-captures=none", "--captures-port=0")
    [port] = [line["port"] for line in server.logs() if line["message"] == "listener" and line["name"] == "captures"]
    with OrdemClient(port) as kong:
        kong.captures.new_record(captured("b"))
    with server.client() as client:
        assert client.exchange(payload_bytes("PUT", allocation_payload(new_key()))).status == 401
    with AuthorizedClient(server.port, keys.text["captures"]) as client:
        client.captures.new_record(captured("b"))


def test_loopback_address_is_not_needed_with_identities(launch, keys):
    """Breaks if a server with identities does not start on an address that others reach, or warns that it is open."""
    server = launch(f"--keys={keys.file}", "--address=0.0.0.0")
    assert not [line for line in server.logs() if line["level"] == "warning"]
    with server.client() as client:
        assert_unauthenticated(client.get("/metrics"))


def test_denials_name_no_secret(secured, keys):
    """Breaks if the log has a key or a part of it, lacks the name of a proved identity, or if a denial is not counted."""
    with secured.client() as client:
        for token in (NEVER_ISSUED, keys.text["all"][:-1] + "x", keys.text["captures"]):
            assert client.get("/metrics", [("Authorization", f"Bearer {token}")]).status in (401, 403)
        assert client.get("/metrics").status == 401
        metrics = client.get("/metrics", [("Authorization", f"Bearer {keys.text['operations']}")]).body.decode()
    def logged():
        return [(line["reason"], line["name"], line["address"]) for line in secured.logs() if line["message"] == "request denied"]

    poll_until(lambda: len(logged()) == 4, "every denial is logged")
    denied = logged()
    assert ("insufficient_scope", "captures", "127.0.0.1") in denied and ("missing", "", "127.0.0.1") in denied, denied
    for reason in ("insufficient_scope", "missing"):
        assert f'ordem_auth_denials_total{{reason="{reason}"}} 1\n' in metrics
    printed = secured.printed()
    for token in (*keys.text.values(), NEVER_ISSUED):
        assert token.removeprefix("ordem_")[:12] not in printed


def test_revoked_key(secured, keys):
    """Breaks if a revoked key goes on working on a connection that has used it."""
    with AuthorizedClient(secured.port, keys.text["all"]) as client:
        assert client.get("/metrics").status == 200
        assert run_ordem("key", "revoke", "all", "--keys", keys.file).returncode == 0
        poll_until(lambda: client.get("/metrics").status == 401, "the key is refused")


# Real clients.

def test_curl(secured, keys):
    """Breaks if curl can't send a key, or if it is not told what to send."""
    url = f"http://127.0.0.1:{secured.port}{ORDERS}?customer_id=c"
    denied = subprocess.run(["curl", "-si", url], capture_output=True, text=True, check=True).stdout
    assert denied.startswith("HTTP/1.1 401 Unauthorized") and "\nWWW-Authenticate: Bearer\n" in denied.replace("\r", "")
    allowed = subprocess.run(["curl", "-s", "--oauth2-bearer", keys.text["orders-read"], url], capture_output=True, text=True, check=True)
    assert json.loads(allowed.stdout)["orders"] == []


def test_node(secured, keys):
    """Breaks if the fetch of Node can't create an order with a key, as a page of a server's own process would not do by accident."""
    program = """
      const [url, token, order] = process.argv.slice(1);
      const send = (headers) => fetch(url, { method: 'POST', body: order,
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'node-1', ...headers } }).then(({ status }) => status);
      const Authorization = `Bearer ${token}`;
      console.log(JSON.stringify([await send({}), await send({ Authorization }), await send({ Authorization, Origin: 'http://evil.example' })]));
    """
    url = f"http://127.0.0.1:{secured.port}{ORDERS}"
    result = subprocess.run(["node", "--input-type=module", "-e", program, url, keys.text["orders-write"], json.dumps(order_content("c"))],
                            capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)[:2] == [401, 201]


# Tenants.

@pytest.fixture
def tenants(launch, tmp_path):
    """A server, and clients with all scopes, one for each of three tenants."""
    made = Keys(tmp_path)
    for tenant in ("shop", "depot", ""):
        made.add(f"of-{tenant}", *SCOPES, tenant=tenant)
    server = launch(f"--keys={made.file}")
    clients = {tenant: AuthorizedClient(server.port, made.text[f"of-{tenant}"]) for tenant in ("shop", "depot", "")}
    yield clients
    for client in clients.values():
        client.close()


@dataclass
class Belongings:
    """What a tenant has: an order with two versions, a message, a capture."""

    customer: str
    guid: str
    order: str
    key: str

    @staticmethod
    def make(client):
        customer, key = new_customer(), new_key()
        write = create(order_content(customer))
        order = accepted_order(write.send(client), 201)
        client.captures.complete(key, captured("secret of " + customer))
        return Belongings(customer, write.guid, order["order_id"], key)

    @property
    def texts(self):
        return [text.encode() for text in (self.customer, self.guid, self.order, self.key)]


# What is the same for all tenants.
SHARED = {"/-/ping", "/-/live", "/-/ready", "/-/ready/reads", "/openapi.yaml", "/openapi.json", "/problems/", "/problems/{slug}", "/metrics", "/-/position", "/console/", "/console/{file}"}


@pytest.mark.parametrize("owner, other", itertools.permutations(("shop", "depot", ""), 2), ids=lambda tenant: tenant or "empty")
def test_no_route_leaks_to_another_tenant(tenants, owner, other):
    """Breaks if any route of the document shows or changes what another tenant has, or tells that it exists."""
    theirs = Belongings.make(tenants[owner])
    client = tenants[other]
    names = {"order": theirs.order, "guid": theirs.guid, "key": theirs.key}
    for route in ROUTES:
        if route.template in SHARED:
            continue
        data = route.request(**names)
        if route.template == ORDERS and route.method in ("GET", "HEAD"):
            data = request_bytes(route.method, f"{ORDERS}?customer_id={theirs.customer}")
        answer = client.exchange(data, route.method)
        said = answer.body + repr(answer.headers).encode()
        assert not [text for text in theirs.texts if text in said], (route.id, said)
        if "{" in route.template and route.method in ("GET", "HEAD", "DELETE"):
            assert answer.status == 404, (route.id, answer.status, answer.body)
    # Writes with the names of the other tenant.
    for method, path, body in (("PUT", order_path(theirs.order), {**order_content("c"), "version": 1}),
                               ("POST", order_path(theirs.order) + "/status", {"status": "cancelled", "version": 1})):
        answer = client.request(method, path, [("Content-Type", JSON_TYPE), ("Idempotency-Key", theirs.guid)], json.dumps(body).encode())
        assert_problem(answer, 404, "order-not-found")
    own = create(order_content(new_customer()), guid=theirs.guid)
    assert not own.send(client).replayed and own.send(client).replayed
    (write,) = new_creates(1)
    write = create(write.body, guid=theirs.guid)
    (verdict,) = verdicts_of(client.request("POST", BATCH, [("Content-Type", NDJSON_TYPE)], lines_of([write])))
    assert verdict.status == 422 and theirs.order.encode() not in verdict.line
    assert client.captures.allocate(theirs.key).status == 202
    # The owner still has everything as it was.
    client = tenants[owner]
    assert client.get_order(theirs.order)["version"] == 1
    assert [order["order_id"] for order in client.get_orders_of(theirs.customer)] == [theirs.order]
    client.captures.assert_completed(theirs.key, captured("secret of " + theirs.customer))


def test_flood_of_one_tenant(launch, tmp_path):
    """Breaks if the requests of one tenant use up the rate of another, or if metrics do not name who was refused."""
    made = Keys(tmp_path)
    for tenant in ("loud", "quiet"):
        made.add(tenant, *SCOPES, tenant=tenant)
    server = launch(f"--keys={made.file}", "--tenant-rate=20", "--metrics-tenants=10")
    with AuthorizedClient(server.port, made.text["loud"]) as loud, AuthorizedClient(server.port, made.text["quiet"]) as quiet:
        poll_until(lambda: loud.get("/nowhere").status == 429, "the rate is used up")
        for _ in range(20):
            assert quiet.get("/nowhere").status == 404
        metrics = quiet.get("/metrics").body.decode()
    assert re.search(r'ordem_tenant_refusals_total\{tenant="loud",reason="rate"\} [1-9]', metrics)
    assert 'ordem_tenant_refusals_total{tenant="quiet",reason="rate"} 0\n' in metrics
