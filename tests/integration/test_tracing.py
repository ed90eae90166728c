"""Traces by OpenTelemetry: what a collector gets of each kind of request, which requests are sampled, and collectors that do not work."""

import contextlib
import hashlib
import secrets
import shutil
import time

import psycopg2
import pytest

from support import settings
from support.captures import allocation_bytes, captured, new_key, record_bytes
from support.concurrency import poll_until
from support.http_client import free_port, request_bytes
from support.ordem_server import OrdemServer, binary, run_ordem
from support.orders import accepted_order, create, merge, new_guid, order_content
from support.otlp_receiver import OtlpReceiver
from support.replica import Replica

CREATE = "POST /api/v1/orders"
UPDATE = "PATCH /api/v1/orders/{id}"
ENGINE = {"dedupe", "decide", "wait for durable"}
ROUNDS = 50


@pytest.fixture(scope="module", autouse=True)
def _needs_tracing():
    version = run_ordem("--version").stdout
    if "without tracing" in version:
        pytest.skip("this binary is built without tracing (ORDEM_OTEL)")
    assert "with tracing" in version, version


@pytest.fixture
def collector():
    with OtlpReceiver() as receiver:
        yield receiver


def hashed(key):
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class Traced:
    """A client's own trace: sends requests with its traceparent."""

    def __init__(self, sampled=True, state=None):
        self.trace_id = secrets.token_hex(16)
        self.span_id = secrets.token_hex(8)
        self._headers = f"traceparent: 00-{self.trace_id}-{self.span_id}-{'01' if sampled else '00'}\r\n"
        if state:
            self._headers += f"tracestate: {state}\r\n"

    def send(self, client, raw, method="POST"):
        line, rest = raw.split(b"\r\n", 1)
        return client.exchange(line + b"\r\n" + self._headers.encode() + rest, method)

    def get(self, client, target):
        return self.send(client, request_bytes("GET", target), "GET")


def assert_family(traced, spans, server_name):
    """One server span below the client's, and the engine's spans below it."""
    server = spans[server_name]
    assert (server.kind, server.parent_id) == ("server", traced.span_id)
    for name, span in spans.items():
        assert span.end_ns >= span.start_ns
        assert name == server_name or span.parent_id == server.span_id, span
    assert len({span.span_id for span in spans.values()}) == len(spans)
    return server


def commit_of(collector, wait):
    """Returns the span of the group commit that a span links to."""
    assert len(wait.links) == 1, wait
    trace_id, span_id = wait.links[0]
    commit = collector.wait_trace(trace_id, {"group commit"})["group commit"]
    assert (commit.span_id, commit.parent_id, commit.links) == (span_id, "", ())
    assert trace_id != wait.trace_id
    return commit


def test_a_create_is_one_trace(launch, collector):
    began_ns = time.time_ns()
    server = launch(environment=collector.environment(OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test%20one"))
    traced = Traced(state="vendor=a1,other=b2")
    write = create(order_content(attributes={"note": "marker-in-the-body"}))
    answer = traced.send(server.client(), write.to_bytes())
    accepted_order(answer, 201)

    spans = collector.wait_trace(traced.trace_id, {CREATE} | ENGINE)
    request = assert_family(traced, spans, CREATE)
    attributes = dict(request.attributes)
    assert attributes.pop("ordem.request_id") == answer.header("X-Request-Id")
    assert attributes == {
        "http.request.method": "POST", "http.route": "/api/v1/orders", "http.response.status_code": 201, "url.scheme": "http",
        "network.protocol.version": "1.1", "server.address": "127.0.0.1", "ordem.key_hash": hashed(write.guid)}
    assert not request.failed
    assert request.trace_state == "vendor=a1,other=b2"
    assert spans["dedupe"].attributes == {"ordem.dedupe": "miss"}
    assert spans["decide"].attributes == {"ordem.verdict": "order_created"}
    assert spans["wait for durable"].attributes == {"ordem.position": 1}
    commit = commit_of(collector, spans["wait for durable"])
    assert commit.attributes["ordem.commit.entries"] == 1
    assert commit.attributes["ordem.commit.groups"] == 1
    assert commit.attributes["ordem.commit.bytes"] > 0
    for span in [*spans.values(), commit]:
        assert began_ns - 10**9 <= span.start_ns <= time.time_ns() + 10**9, "the start is no wall-clock time of this test"
        assert span.resource["service.name"] == "ordem"
        assert span.resource["deployment.environment.name"] == "test one"
    # Neither bodies nor keys leave the server.
    for path, _, body in collector.requests:
        assert path == "/v1/traces"
        assert write.guid.encode() not in body and b"marker-in-the-body" not in body


def test_an_update_and_its_replay_are_traces_of_their_own(launch, collector):
    server = launch(environment=collector.environment(OTEL_TRACES_SAMPLER="parentbased_always_off", OTEL_SERVICE_NAME="orders-eu"))
    client = server.client()
    order = accepted_order(create().send(client), 201)
    update = merge(order["order_id"], 1, {"currency": "USD"})

    first = Traced()
    accepted_order(first.send(client, update.to_bytes(), "PATCH"))
    spans = collector.wait_trace(first.trace_id, {UPDATE} | ENGINE)
    assert_family(first, spans, UPDATE)
    assert spans["decide"].attributes == {"ordem.verdict": "content_changed"}
    assert commit_of(collector, spans["wait for durable"]).attributes["ordem.commit.entries"] == 1
    assert spans[UPDATE].resource["service.name"] == "orders-eu"

    again = Traced()
    assert again.send(client, update.to_bytes(), "PATCH").replayed
    spans = collector.wait_trace(again.trace_id, {UPDATE, "dedupe"})
    assert_family(again, spans, UPDATE)
    assert spans["dedupe"].attributes == {"ordem.dedupe": "hit"}

    # What was not sampled left nothing, and the order's create has no client.
    assert {span.trace_id for span in collector.spans() if span.name != "group commit"} == {first.trace_id, again.trace_id}


def test_a_stale_update_and_a_read_have_their_status(launch, collector):
    server = launch(environment=collector.environment())
    client = server.client()
    order = accepted_order(create().send(client), 201)
    stale, read, missing = Traced(), Traced(), Traced()
    assert stale.send(client, merge(order["order_id"], 7, {"currency": "USD"}).to_bytes(), "PATCH").status == 409
    spans = collector.wait_trace(stale.trace_id, {UPDATE} | ENGINE)
    assert spans["decide"].attributes == {"ordem.verdict": "stale_version"}
    assert spans[UPDATE].attributes["http.response.status_code"] == 409 and not spans[UPDATE].failed

    assert read.get(client, f"/api/v1/orders/{order['order_id']}").status == 200
    collector.wait_trace(read.trace_id, {"GET /api/v1/orders/{id}"})
    assert missing.get(client, "/nowhere/secret-path").status == 404
    span = collector.wait_trace(missing.trace_id, {"GET"})["GET"]
    assert "http.route" not in span.attributes and span.attributes["http.response.status_code"] == 404


def test_captures_are_traced_alike(launch, collector):
    server = launch(environment=collector.environment())
    client = server.client()
    key = new_key()
    allocate, record, again = Traced(), Traced(), Traced()
    assert allocate.send(client, allocation_bytes(key), "PUT").status == 202
    spans = collector.wait_trace(allocate.trace_id, {"PUT /api/v2/captures", "decide", "wait for durable"})
    request = assert_family(allocate, spans, "PUT /api/v2/captures")
    assert request.attributes["ordem.key_hash"] == hashed(key)
    assert spans["decide"].attributes == {"ordem.verdict": "allocated"}
    assert commit_of(collector, spans["wait for durable"]).attributes["ordem.commit.entries"] == 1
    assert record.send(client, record_bytes(key, captured("response-of-another")), "POST").status == 200
    collector.wait_trace(record.trace_id, {"POST /api/v2/captures", "decide", "wait for durable"})
    # A record is returned at once.
    assert again.send(client, allocation_bytes(key), "PUT").status == 200
    collector.wait_trace(again.trace_id, {"PUT /api/v2/captures", "decide"})
    for _, _, body in collector.requests:
        assert key.encode() not in body and b"response-of-another" not in body


def test_a_batch_is_one_span(launch, collector):
    server = launch(environment=collector.environment())
    traced, after = Traced(), Traced()
    client = server.client()
    lines = "\n".join(f'{{"guid":"{new_guid()}","customer_id":"c","currency":"EUR","items":[{{"sku":"a","quantity":1,"unit_price":"1.00"}}]}}' for _ in range(3))
    raw = request_bytes("POST", "/api/v1/orders/batch", [("Content-Type", "application/x-ndjson")], lines.encode())
    assert traced.send(client, raw).status == 200
    after.get(client, "/api/v1/orders?customer_id=c")
    collector.wait_trace(after.trace_id, {"GET /api/v1/orders"})
    assert [span.name for span in collector.trace(traced.trace_id)] == ["POST /api/v1/orders/batch"]


def test_a_write_to_postgres_belongs_to_the_request_even_when_it_comes_later(launch, collector, postgres):
    replica = Replica.create(postgres)
    server = launch(f"--postgres-url={replica}", environment=collector.environment())
    client = server.client()
    client.wait_ready()
    traced = Traced()
    with contextlib.closing(psycopg2.connect(str(replica))) as blocker:
        blocker.cursor().execute("LOCK TABLE message_records IN ACCESS EXCLUSIVE MODE")
        accepted_order(traced.send(client, create().to_bytes()), 201)
        collector.wait_trace(traced.trace_id, {CREATE} | ENGINE)
        blocker.rollback()
    spans = collector.wait_trace(traced.trace_id, {CREATE, "write to Postgres"} | ENGINE)
    write = spans["write to Postgres"]
    assert (write.kind, write.parent_id) == ("client", spans[CREATE].span_id)
    assert write.attributes == {"db.system.name": "postgresql", "ordem.position": 1, "ordem.write.entries": 1}
    assert write.end_ns > spans[CREATE].end_ns


@pytest.mark.parametrize(("sampler", "argument", "sampled", "taken"), [
    ("parentbased_always_on", "", True, True), ("parentbased_always_on", "", False, False),
    ("parentbased_always_off", "", True, True), ("parentbased_traceidratio", "0", True, True),
    ("parentbased_traceidratio", "1", False, False), ("always_on", "", False, True), ("always_off", "", True, False),
    ("traceidratio", "0", True, False), ("traceidratio", "1", False, True)])
def test_the_sampler_decides_with_and_without_the_parent(launch, collector, sampler, argument, sampled, taken):
    server = launch(environment=collector.environment(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument))
    traced = Traced(sampled)
    traced.get(server.client(), "/api/v1/orders?customer_id=c")
    server.stop()  # sends what there is
    assert len(collector.trace(traced.trace_id)) == taken


def test_a_ratio_samples_about_that_share(launch, collector):
    share, requests = 0.2, 2000
    server = launch(environment=collector.environment(OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG=str(share)))
    client = server.client()
    for _ in range(requests):
        client.get("/api/v1/orders?customer_id=c")
    server.stop()
    # Five standard deviations: one failure in a million runs.
    spread = 5 * (requests * share * (1 - share)) ** 0.5
    assert abs(len(collector.spans()) - requests * share) < spread
    assert all(span.parent_id == "" and span.trace_id.strip("0") for span in collector.spans())


def dropped(client, reason):
    return client.metric(f'ordem_trace_spans_dropped_total{{reason="{reason}"}}')


@pytest.mark.parametrize("collector_kind", ["away", "holds", "500", "garbage"])
def test_a_collector_that_does_not_work_costs_answers_nothing(launch, collector_kind):
    """Answers would wait for ever for one that holds the connection. The time limit of an export is longer than that of the stop."""
    answers = {"holds": OtlpReceiver.HOLD, "500": (500, b"broken"), "garbage": (200, b"\xff\xff\xff garbage"), "away": (200, b"")}
    with OtlpReceiver(answers[collector_kind]) as collector:
        environment = collector.environment(OTEL_BSP_MAX_QUEUE_SIZE="10", OTEL_EXPORTER_OTLP_TIMEOUT="60000")
        if collector_kind == "away":
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
        server = launch(environment=environment)
        client = server.client()
        for _ in range(ROUNDS):
            accepted_order(create().send(client), 201)
        if collector_kind in ("holds", "500", "garbage"):
            collector.wait_request()
        if collector_kind == "garbage":  # The status is what counts.
            poll_until(lambda: client.metric("ordem_trace_spans_exported_total"), "spans count as exported")
        else:
            assert client.metric("ordem_trace_spans_exported_total") == 0
            poll_until(lambda: dropped(client, "queue_full"), "spans are dropped")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < settings.STOP_SECONDS_MAX / 2
        if collector_kind in ("500", "away"):
            warnings = [entry for entry in server.logs() if entry["level"] == "warning" and "cannot send spans" in entry["message"]]
            assert len(warnings) == 1, warnings


def test_a_collector_that_comes_back_gets_spans_again(launch):
    with OtlpReceiver((503, b"")) as collector:
        server = launch(environment=collector.environment())
        client = server.client()
        client.get("/api/v1/orders?customer_id=c")
        collector.wait_request()
        poll_until(lambda: dropped(client, "export_failed"), "the failure is counted")
        collector.answer = OtlpReceiver.TAKE
        traced = Traced()
        traced.get(client, "/api/v1/orders?customer_id=c")
        collector.wait_trace(traced.trace_id, {"GET /api/v1/orders"})
        poll_until(lambda: any("sending spans again" in entry["message"] for entry in server.logs()), "the log says so")


def test_headers_are_sent_and_not_shown(launch, collector):
    server = launch(environment=collector.environment(OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20s3cr3t,x-tenant=a"))
    Traced().get(server.client(), "/api/v1/orders?customer_id=c")
    collector.wait_until(lambda spans: spans, "a span")
    headers = {name.lower(): value for name, value in collector.requests[0][1].items()}
    assert headers["authorization"] == "Bearer s3cr3t" and headers["x-tenant"] == "a"
    assert headers["content-type"] == "application/x-protobuf"
    assert "s3cr3t" not in server.printed()


def test_operations_are_not_traced(launch, collector):
    server = launch(environment=collector.environment(OTEL_TRACES_SAMPLER="always_on"))
    client = server.client()
    for target in ("/-/ready", "/-/ping", "/metrics", "/-/position", "/openapi.yaml", "/openapi.json", "/problems/"):
        assert client.get(target).status == 200
    server.stop()
    assert collector.spans() == []


def test_a_program_without_its_module_gives_one_warning(collector, data_dir, tmp_path):
    program = tmp_path / "bin" / "ordem"
    program.parent.mkdir()
    shutil.copy(binary(), program)
    with OrdemServer(data_dir, environment=collector.environment(), program=[program]).wait_listening() as server:
        assert create().send(server.client()).status == 201
        warnings = [entry for entry in server.logs() if entry["level"] == "warning"]
        assert len(warnings) == 1 and "ordem_otlp.so" in warnings[0]["reason"], warnings


def loaded_libraries(server):
    with open(f"/proc/{server.pid}/maps", encoding="utf-8") as maps:
        return "libopentelemetry" in maps.read()


@pytest.mark.parametrize("more", [{}, {"OTEL_SDK_DISABLED": "TRUE"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_without_an_endpoint_or_when_turned_off_nothing_is_loaded(launch, collector, more):
    server = launch(environment=collector.environment(**more) if more else {"OTEL_TRACES_SAMPLER": "always_on"})
    client = server.client()
    Traced().get(client, "/api/v1/orders?customer_id=c")
    assert not loaded_libraries(server)
    assert client.metric("ordem_trace_spans_exported_total") is None
    server.stop()
    assert collector.requests == []
    assert not [entry for entry in server.logs() if entry["level"] == "warning"]


@pytest.mark.parametrize(("name", "value", "words"), [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "no spans are exported"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_always_on is used"),
    ("OTEL_TRACES_SAMPLER_ARG", "1.5", "1 is used"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "2048 is used"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "s3cr3t", "none of them is sent")])
def test_a_bad_value_is_one_warning_and_the_server_runs(launch, collector, name, value, words):
    environment = collector.environment(OTEL_TRACES_SAMPLER="traceidratio")
    environment[name] = value
    server = launch(environment=environment)
    assert create().send(server.client()).status == 201
    warnings = [entry for entry in server.logs() if entry["level"] == "warning"]
    assert len(warnings) == 1 and name in warnings[0]["reason"] and words in warnings[0]["reason"], warnings
    assert "s3cr3t" not in server.printed()
