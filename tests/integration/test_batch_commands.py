"""Batches of every kind of write: each line has the guarantees of the single request, and lines about one order are executed in order."""

import json
import re

import pytest

from support import settings
from support.batches import (
    BATCH, COMMANDS, NDJSON_TYPE, OpenBatch, assert_created, batch_bytes, chunk, command_of, commands_of, line_of, lines_of, new_creates,
    slug_of, verdicts_of,
)
from support.orders import (
    accepted_order, assert_problem, assert_stale, create, merge, message_path, new_guid, order_content, recorded_part, replace, set_status,
)

MARK = b"\xef\xbb\xbf"
UNKNOWN_ID = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
# More than a batch has in flight.
UPDATES_OF_ONE_ORDER = 1500
SHARDS = "--shards=4"


def send(client, body, path=COMMANDS):
    return verdicts_of(client.exchange(batch_bytes(body, path=path)))


def new_order(client):
    return accepted_order(create().send(client), 201)


def an_update(order, version, number):
    """One kind after the other; each changes the order to something that shows its number."""
    items = [{"sku": "A-1", "quantity": number % 1000 + 1, "unit_price": 1}]
    if number % 2:
        return merge(order["order_id"], version, {"items": items})
    return replace(order["order_id"], version, order_content(order["customer_id"], items=items))


def updates_of(order, count):
    return [an_update(order, version, version) for version in range(order["version"], order["version"] + count)]


def assert_updated(verdicts, updates):
    """Each verdict is that of its line, and each line met the version that it expects."""
    assert [(verdict.idempotency_key, verdict.status) for verdict in verdicts] == [(update.guid, 200) for update in updates]
    for verdict, update in zip(verdicts, updates):
        assert verdict.order["version"] == update.version + 1
        assert {**verdict.order, **update.body} == verdict.order
        assert not verdict.replayed


def test_each_kind_of_line(client):
    """Breaks if a line's verdict or its effect differs from those of the single request."""
    order = new_order(client)
    order_id = order["order_id"]
    new = create()
    writes = [
        new, replace(order_id, 1, order_content(order["customer_id"], currency="USD")), merge(order_id, 2, {"attributes": None}),
        set_status(order_id, 3, "confirmed"), set_status(order_id, 4, "new"), merge(order_id, 3, {"currency": "GBP"}),
        set_status(order_id, 4, "cancelled"), merge(order_id, 5, {"currency": "GBP"}), merge(UNKNOWN_ID, 1, {"currency": "GBP"}),
    ]
    verdicts = send(client, commands_of(writes))
    assert [verdict.idempotency_key for verdict in verdicts] == [write.guid for write in writes]
    assert [verdict.status for verdict in verdicts] == [201, 200, 200, 200, 409, 409, 200, 409, 404]
    assert [slug_of(verdict) for verdict in verdicts if verdict.status >= 400] == [
        "status-not-allowed", "stale-version", "order-closed", "order-not-found"]
    assert_created(verdicts[:1], [new])
    assert_stale(verdicts[5].as_response(), writes[5], latest=4)
    history = [verdict.order for verdict in verdicts[1:] if verdict.status == 200]
    assert client.get_versions(order_id) == [*reversed(history), order]


def test_a_repeat_by_either_way_is_a_replay(client):
    """Breaks if a line's fingerprint, or its recorded response, differs from those of the single request."""
    first, second = new_order(client), new_order(client)

    def writes_on(order):
        order_id = order["order_id"]
        return [replace(order_id, 1, order_content(order["customer_id"])), merge(order_id, 2, {"currency": "USD"}),
                set_status(order_id, 3, "confirmed"), merge(order_id, 1, {"currency": "GBP"})]

    alone, in_batch = writes_on(first), writes_on(second)
    answers = [write.send(client) for write in alone]
    verdicts = send(client, commands_of(in_batch))
    assert [answer.status for answer in answers] == [verdict.status for verdict in verdicts] == [200, 200, 200, 409]
    for verdict, answer in zip(send(client, commands_of(alone)), answers):
        assert verdict.replayed and recorded_part(verdict.as_response()) == recorded_part(answer)
    for write, verdict in zip(in_batch, verdicts):
        again = write.send(client)
        assert again.replayed and recorded_part(again) == recorded_part(verdict.as_response())
    reused = merge(first["order_id"], 4, {"currency": "USD"}, guid=alone[1].guid)
    assert slug_of(send(client, command_of(reused))[0]) == "guid-reused"


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_lines_about_one_order_are_executed_in_order(launch, cold):
    """Breaks if a line is executed before an earlier one about its order: because their GUIDs are of different shards, because they were
    submitted in different turns, or because the order had to be read from disk in between."""
    server = launch(SHARDS)
    with server.client() as client:
        orders = [new_order(client) for _ in range(3)]
    if cold:
        server.stop()
        server = launch(SHARDS, "--live-orders=16")
    hot, *others = orders
    updates = updates_of(hot, UPDATES_OF_ONE_ORDER)
    with server.client() as client:
        assert_updated(send(client, commands_of(updates)), updates)
        mixed = [update for all_three in zip(*(updates_of(client.get_order(order["order_id"]), 100) for order in [*others, hot]))
                 for update in all_three]
        assert_updated(send(client, commands_of(mixed)), mixed)
        assert client.get_order(hot["order_id"])["version"] == UPDATES_OF_ONE_ORDER + 101


def test_lines_that_arrive_one_by_one_are_executed_in_order(launch):
    """Breaks if the order of lines is kept only among those that arrive together."""
    server = launch(SHARDS)
    with server.client() as client:
        order = new_order(client)
    updates = updates_of(order, 200)
    with OpenBatch(server.port, COMMANDS) as batch:
        for update in updates:
            batch.connection.send(chunk(command_of(update)))
        batch.finish()
        assert_updated(batch.read_verdicts(len(updates)), updates)


def test_a_line_that_fails_does_not_hold_up_later_ones(client):
    """Breaks if the lines behind a refused, rejected or repeated one about the same order get no turn."""
    order = new_order(client)
    order_id = order["order_id"]
    good = merge(order_id, 1, {"currency": "USD"})
    writes = [
        merge(order_id, 7, {"currency": "GBP"}), good, good, merge(order_id, 2, {"currency": "CHF"}, guid=good.guid),
        merge(order_id, 2, {"items": [{"sku": "A", "quantity": 1_000_000, "unit_price": 10**12}]}), merge(order_id, 2, {"currency": "CHF"}),
    ]
    verdicts = send(client, commands_of(writes))
    assert [verdict.status for verdict in verdicts] == [409, 200, 200, 422, 422, 200]
    assert [verdict.replayed for verdict in verdicts] == [False, False, True, False, False, False]
    assert verdicts[-1].order["version"] == 3


def test_bad_lines_among_good_ones(client):
    order = new_order(client)
    good = merge(order["order_id"], 1, {"currency": "USD"})
    update = {"order_id": order["order_id"], "version": 2}
    bad = [
        {"idempotency_key": "a", "order": order_content()},
        {"idempotency_key": "b", "op": "delete", **update},
        {"idempotency_key": "c", "op": "merge", "order_id": order["order_id"], "order": {}},
        {"idempotency_key": "d", "op": "merge", **update, "order": {"version": 3}},
        {"idempotency_key": "e", "op": "merge", **update, "order": {"guid": "f"}},
        {"idempotency_key": "g", "op": "merge", **update, "order": {}, "status": "confirmed"},
        {"idempotency_key": "h", "op": "status", **update, "order_id": "no id", "status": "confirmed"},
        {"op": "status", **update, "status": "confirmed"},
    ]
    lines = b"".join(json.dumps(line).encode() + b"\n" for line in bad)
    *verdicts, last = send(client, lines + command_of(good))
    assert [(verdict.idempotency_key, verdict.status, slug_of(verdict)) for verdict in verdicts] == [
        ("a", 422, "invalid-order"), ("b", 422, "invalid-order"), ("c", 428, "version-required"), ("d", 400, "version-mismatch"),
        ("e", 400, "guid-mismatch"), ("g", 422, "invalid-order"), ("h", 404, "order-not-found"), (None, 400, "guid-missing")]
    assert_updated([last], [good])


# --- both endpoints ---

LINES = {BATCH: line_of, COMMANDS: command_of}


@pytest.fixture(params=LINES, ids=["creates", "commands"])
def path(request):
    return request.param


def keyless(path, write):
    line = json.loads(LINES[path](write))
    del line["idempotency_key"]
    return json.dumps(line).encode() + b"\n"


def test_a_line_without_a_key_is_refused_with_the_remedy(client, path):
    write = create()
    verdict, = send(client, keyless(path, write), path)
    assert slug_of(verdict) == "guid-missing" and verdict.idempotency_key is None
    assert "idempotency_key" in verdict.problem["detail"] and "?keys=generated" in verdict.problem["detail"]
    assert client.get_orders_of(write.body["customer_id"]) == []


def test_keys_are_generated_on_request(client, path):
    """Breaks if a generated key is not in the verdict, is not that of a message, or comes twice."""
    write, with_key = create(), create()
    body = keyless(path, write) + LINES[path](with_key) + keyless(path, write)
    found = [send(client, body, f"{path}?keys=generated") for _ in range(2)]
    customer = write.body["customer_id"]
    for first, second, third in found:
        assert [first.status, second.status, third.status] == [201] * 3
        assert second.idempotency_key == with_key.guid
        for verdict in (first, third):
            assert client.get(message_path(verdict.idempotency_key)).json()["order_id"] == verdict.order["order_id"]
    assert found[1][1].replayed
    assert len(client.get_orders_of(customer)) == 4


@pytest.mark.parametrize("query", ["keys=none", "keys=", "keys", "keys=generated&keys=generated", "dry_run=true"])
def test_other_queries_are_refused(client, path, query):
    write = create()
    answer = client.exchange(batch_bytes(LINES[path](write), path=f"{path}?{query}"))
    assert_problem(answer, 400, "malformed-query")
    assert client.get(message_path(write.guid)).status == 404


@pytest.mark.parametrize("before", [b"", b" \r\n\t\n", MARK, MARK + b"\n "])
def test_an_array_is_one_error(server, path, before):
    """Breaks if the lines of an array get verdicts, if one of its orders is created, or if the server waits for the end of the array."""
    write = create()
    array = before + b"[\n" + LINES[path](write)[:-1] + b",\n"
    with server.client() as client:
        refused = client.exchange(batch_bytes(array + LINES[path](write) + b"]", path=path))
        problem = assert_problem(refused, 400, "not-ndjson")
        assert "array" in problem["detail"] and "one JSON object per line" in problem["detail"]
        assert client.get("/problems/not-ndjson").status == 200
    with OpenBatch(server.port, path) as batch:
        for piece in (array[:1], array[1:3], array[3:]):
            if piece:
                batch.send(piece)
        refused = batch.connection.read_response()
        assert_problem(refused, 400, "not-ndjson")
        assert refused.closes
    with server.client() as client:
        assert client.get(message_path(write.guid)).status == 404


def test_a_mark_and_blank_lines_are_skipped(client, path):
    """Breaks if they get verdicts, or if an array behind the first line is taken for the whole body."""
    first, second = new_creates(2)
    body = MARK + b"\n \t\n" + LINES[path](first) + b"   \r\n\t\n" + LINES[path](second) + b" \n "
    assert_created(send(client, body, path), [first, second])
    assert_created(send(client, MARK + LINES[path](first), path), [first])
    assert send(client, MARK, path) == []
    created, array = send(client, LINES[path](first) + b"[]\n", path)
    assert created.replayed and slug_of(array) == "guid-missing"


def test_what_is_refused_as_a_whole(client):
    body = command_of(create())
    assert_problem(client.request("POST", COMMANDS, [("Content-Type", "application/json")], body), 415, "unsupported-media-type")
    for method in ("GET", "PUT", "DELETE"):
        refused = client.request(method, COMMANDS, [("Content-Type", NDJSON_TYPE)], body)
        assert_problem(refused, 405, "method-not-allowed")
        assert refused.header("Allow") == "POST"


def test_lines_are_counted_by_their_status(launch):
    with launch().client() as client:
        order = new_order(client)
        send(client, commands_of([create(), *updates_of(order, 3), merge(order["order_id"], 1, {}), set_status(UNKNOWN_ID, 1, "confirmed")]))
        text = client.get("/metrics").body.decode()
    counted = dict(re.findall(r'ordem_http_batch_lines_total\{status="(.)xx"\} (\d+)', text))
    assert counted == {"2": "4", "4": "2", "5": "0"}


def test_a_drain_executes_the_lines_that_wait_for_their_turn(launch):
    """Breaks if lines behind others about the same order are lost or refused when the server stops."""
    server = launch()
    with server.client() as client:
        order = new_order(client)
    updates = updates_of(order, 500)
    with OpenBatch(server.port, COMMANDS) as batch:
        batch.send(commands_of(updates))
        verdicts = batch.read_verdicts(1)
        server.signal_stop()
        verdicts += batch.read_verdicts(len(updates) - 1)
        batch.finish()
        assert batch.read_verdict() is None
    assert server.wait_exit() == 0
    assert_updated(verdicts, updates)
    with launch().client() as client:
        assert client.get_order(order["order_id"])["version"] == len(updates) + 1


def test_keys_of_different_batches_differ(client):
    """Breaks if two batches with generated keys draw the same ones: the second would be answered with the orders of the first."""
    bodies = [keyless(BATCH, create()) for _ in range(20)]
    keys = [verdict.idempotency_key for body in bodies for verdict in send(client, body, f"{BATCH}?keys=generated")]
    assert len(set(keys)) == len(bodies)


def test_an_update_may_be_repeated_within_a_batch(launch):
    """Breaks if a repeat is submitted while its first is in flight: with --in-flight=conflict it would get 409."""
    server = launch("--in-flight=conflict")
    with server.client() as client:
        order = new_order(client)
        update = merge(order["order_id"], 1, {"currency": "USD"}, guid=new_guid())
        first, second = send(client, commands_of([update, update]))
        assert_updated([first], [update])
        assert second.replayed and second.order == first.order


def test_the_bound_on_lines_holds(launch_watched):
    server = launch_watched("--max-body=1024")
    with server.client() as client:
        order = new_order(client)
        update = merge(order["order_id"], 1, {"currency": "USD"})
        long_line = b'{"op":"merge","order":"' + b"x" * settings.MIB + b'"}\n'
        refused, updated = send(client, long_line + command_of(update))
        assert slug_of(refused) == "body-too-large"
        assert_updated([updated], [update])


def test_lines_of_the_old_endpoint_are_not_commands(client):
    """Breaks if POST /api/v1/orders/batch takes another member than before."""
    write = create()
    verdict, = send(client, command_of(write), BATCH)
    assert slug_of(verdict) == "invalid-order" and verdict.problem["errors"][0]["pointer"] == "/op"
    assert_created(send(client, lines_of([write]), BATCH), [write])
