"""A GUID is executed once, even if many connections send it at the same moment."""

import pytest

from support import settings
from support.http_client import send_at_the_same_moment
from support.orders import (
    accepted_order, assert_problem, create, merge, new_customer, new_guid, order_content, recorded_part, replace, set_status,
)

ROUNDS = range(settings.ONCE_ROUNDS)
SPELLINGS = (
    {"guid_form": "token"},
    {"guid_form": "string"},
    {"guid_form": "body"},
    {"guid_form": "both", "indent": 2, "reverse": True},
)


def in_all_spellings(write):
    """The same message once for each connection, in every encoding that counts as the same request."""
    return [write.to_bytes(**SPELLINGS[n % len(SPELLINGS)]) for n in range(settings.ONCE_CONNECTIONS)]


def assert_executed_once(answers, status):
    """All answers are the same, and at most one of them is not marked as a replay."""
    assert {answer.status for answer in answers} == {status}, sorted(answer.status for answer in answers)
    assert len({recorded_part(answer) for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) <= 1


def assert_recorded_or_in_flight(answers, status):
    """With --in-flight=conflict: each client gets the recorded answer, or 409 if its request arrived while the first was executing.
    Returns the recorded answer and the number of 409s."""
    recorded = [answer for answer in answers if answer.status == status]
    conflicts = [answer for answer in answers if answer.status != status]
    assert recorded, sorted(answer.status for answer in answers)
    assert_executed_once(recorded, status)
    for answer in conflicts:
        assert_problem(answer, 409, "request-in-flight")
        assert int(answer.header("Retry-After")) >= 0
        assert answer.header("Idempotency-Expires")
    return recorded[0], len(conflicts)


def assert_replays(client, write, recorded):
    """Sends the message again: the response is the recorded answer, marked as a replay."""
    repeated = write.send(client)
    assert recorded_part(repeated) == recorded_part(recorded)
    assert repeated.replayed


def create_order(client, customer=None):
    return accepted_order(create(order_content(customer or new_customer())).send(client), 201)


def updates_of(order):
    """One update of each kind against the current version of the order."""
    order_id, version = order["order_id"], order["version"]
    content = order_content(order["customer_id"], attributes={"changed": "by PUT"})
    return {
        "replace": replace(order_id, version, content),
        "replace if-match": replace(order_id, version, content, version_in="if-match"),
        "merge": merge(order_id, version, {"attributes": {"changed": "by PATCH"}}, version_in="both"),
        "status": set_status(order_id, version, "confirmed"),
    }


UPDATE_KINDS = ("replace", "replace if-match", "merge", "status")


@pytest.mark.parametrize("flags", [(), ("--durability=os",)], ids=["fsync", "os"])
def test_create_is_executed_once(launch, flags):
    """Breaks if two requests with one GUID both pass the dedupe shard, if the joined ones get another answer than the first, or if the
    encoding of the request changes its fingerprint."""
    server = launch(*flags)
    client = server.client()
    for _ in ROUNDS:
        customer = new_customer()
        write = create(order_content(customer))
        answers = send_at_the_same_moment(server.port, in_all_spellings(write))
        assert_executed_once(answers, 201)
        assert client.get_orders_of(customer) == [accepted_order(answers[0], 201)]
        assert_replays(client, write, answers[0])


@pytest.mark.parametrize("kind", UPDATE_KINDS)
def test_update_is_executed_once(launch, kind):
    """Breaks if the repeat of an update that is in flight or has just succeeded is decided again: it would return 3043 or make a third
    version."""
    server = launch()
    client = server.client()
    for _ in ROUNDS:
        order = create_order(client)
        write = updates_of(order)[kind]
        answers = send_at_the_same_moment(server.port, in_all_spellings(write))
        assert_executed_once(answers, 200)
        assert client.get_versions(order["order_id"]) == [accepted_order(answers[0]), order]
        assert_replays(client, write, answers[0])


def test_create_in_flight_conflicts(launch):
    """Breaks if --in-flight=conflict joins, executes twice, returns anything but the recorded answer, or leaves the GUID marked as in
    flight."""
    server = launch("--in-flight=conflict")
    client = server.client()
    conflicts = 0
    for _ in ROUNDS:
        customer = new_customer()
        write = create(order_content(customer))
        answers = send_at_the_same_moment(server.port, in_all_spellings(write))
        recorded, count = assert_recorded_or_in_flight(answers, 201)
        conflicts += count
        assert client.get_orders_of(customer) == [accepted_order(recorded, 201)]
        assert_replays(client, write, recorded)
    assert conflicts > 0, "no repeat met the first request in flight"


@pytest.mark.parametrize("kind", UPDATE_KINDS)
def test_update_in_flight_conflicts(launch, kind):
    """Breaks if an update is executed a second time, or its GUID stays blocked."""
    server = launch("--in-flight=conflict")
    client = server.client()
    conflicts = 0
    for _ in ROUNDS:
        order = create_order(client)
        write = updates_of(order)[kind]
        answers = send_at_the_same_moment(server.port, in_all_spellings(write))
        recorded, count = assert_recorded_or_in_flight(answers, 200)
        conflicts += count
        assert client.get_versions(order["order_id"]) == [accepted_order(recorded), order]
        assert_replays(client, write, recorded)
    assert conflicts > 0, "no repeat met the first request in flight"


def test_one_content_wins_a_guid(launch):
    """Breaks if a request joins or replays the outcome of a different request with the same GUID, or if two contents are both executed
    under one GUID."""
    server = launch()
    client = server.client()
    for _ in ROUNDS:
        customer, guid = new_customer(), new_guid()
        writes = [create(order_content(customer, attributes={"content": n % 8}), guid)
                  for n in range(settings.ONCE_CONNECTIONS)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in writes])
        won = [answer for answer in answers if answer.status == 201]
        assert_executed_once(won, 201)
        winner = accepted_order(won[0], 201)
        for write, answer in zip(writes, answers):
            if write.body["attributes"] == winner["attributes"]:
                assert answer.status == 201
            else:
                assert_problem(answer, 422, "guid-reused")
        assert client.get_orders_of(customer) == [winner]


def test_one_request_wins_a_guid_across_orders(launch):
    """Breaks if the fingerprint omits the method or the order: one GUID sent to two orders, and as a create, would change more than one
    thing."""
    server = launch()
    client = server.client()
    for _ in ROUNDS:
        customer, guid = new_customer(), new_guid()
        first, second = create_order(client, customer), create_order(client, customer)
        content = order_content(customer, attributes={"changed": True})
        candidates = [
            create(content, guid),
            replace(first["order_id"], 1, content, guid),
            merge(first["order_id"], 1, content, guid),
            replace(second["order_id"], 1, content, guid),
        ]
        chosen = [n % len(candidates) for n in range(settings.ONCE_CONNECTIONS)]
        answers = send_at_the_same_moment(server.port, [candidates[n].to_bytes() for n in chosen])
        winners = {n for n, answer in zip(chosen, answers) if answer.status in (200, 201)}
        assert len(winners) == 1
        for n, answer in zip(chosen, answers):
            if n not in winners:
                assert_problem(answer, 422, "guid-reused")
        orders = client.get_orders_of(customer)
        changes = len(orders) - 2 + sum(order["version"] - 1 for order in orders)
        assert changes == 1
