"""The members `retry` and `retry_reason` of a problem hold: what they say about the key is what happens to it."""

import json

import pytest

from support.http_client import request_bytes
from support.orders import (
    JSON_TYPE, ORDERS, accepted_order, assert_problem, create, new_guid, order_content, order_path, recorded_part, replace, set_status,
)

UNKNOWN_ORDER = "00000000-0000-7000-8000-000000000000"


def advice_of(problem):
    return problem["retry"], problem["retry_reason"]


def request(method, path, key, body, *headers, content_type=JSON_TYPE):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request_bytes(method, path, [("Content-Type", content_type), ("Idempotency-Key", key), *headers], data)


def invalid_requests(order):
    """A request that is refused before it is recorded, by its problem: (status, request with the key)."""
    path, content = order_path(order["order_id"]), order_content()
    return {
        "malformed-json": (400, lambda key: request("POST", ORDERS, key, b"{")),
        "invalid-order": (422, lambda key: request("POST", ORDERS, key, {**content, "items": []})),
        "unsupported-media-type": (415, lambda key: request("POST", ORDERS, key, content, content_type="text/plain")),
        "malformed-query": (400, lambda key: request("POST", f"{ORDERS}?mode=fast", key, content)),
        "version-required": (428, lambda key: request("PUT", path, key, content)),
        "version-malformed": (400, lambda key: request("PUT", path, key, content, ("If-Match", "*"))),
        "version-mismatch": (400, lambda key: request("PUT", path, key, {**content, "version": 1}, ("If-Match", '"2"'))),
        "order-not-found": (404, lambda key: request("PUT", order_path(UNKNOWN_ORDER), key, {**content, "version": 1})),
        "guid-mismatch": (400, lambda key: request("POST", ORDERS, key, {**content, "guid": key + "-other"})),
        "body-too-large": (413, lambda key: request("POST", ORDERS, key, b" " * (2 << 20))),
        "expectation-failed": (417, lambda key: request("POST", ORDERS, key, content, ("Expect", "tea"))),
        "headers-too-large": (431, lambda key: request("POST", ORDERS, key, content, ("X-Long", "x" * 20_000))),
        "malformed-request": (400, lambda key: request("POST", f"{ORDERS}%zz", key, content)),
    }


@pytest.mark.parametrize("slug", sorted(invalid_requests({"order_id": UNKNOWN_ORDER})))
def test_corrected_request_keeps_its_key(client, slug):
    """Breaks if an error that asks for a correction uses up the key of the request."""
    order = accepted_order(create().send(client), 201)
    status, make = invalid_requests(order)[slug]
    key = new_guid()
    for _ in range(2):  # unchanged, it gets the same error
        assert advice_of(assert_problem(client.exchange(make(key), "POST"), status, slug)) == ("same-key", "correct-request")
    executed = create(guid=key).send(client)
    accepted_order(executed, 201)
    assert not executed.replayed


def test_request_without_a_valid_key_gets_one(client):
    body = json.dumps(order_content()).encode()
    without = request_bytes("POST", ORDERS, [("Content-Type", JSON_TYPE)], body)
    assert advice_of(assert_problem(client.exchange(without), 400, "guid-missing")) == ("new-key", "correct-request")
    malformed = request("POST", ORDERS, "two words", body)
    assert advice_of(assert_problem(client.exchange(malformed), 400, "guid-malformed")) == ("new-key", "correct-request")


def used_up_keys(client):
    """Writes that are refused for good under their key, and what succeeds with a new one: (status, slug, code, refused, changed)."""
    order = accepted_order(create().send(client), 201)
    order_id = order["order_id"]
    first = replace(order_id, 1, order_content())
    accepted_order(first.send(client))
    yield 409, "stale-version", 3043, replace(order_id, 1, order_content()), lambda key: replace(order_id, 2, order_content(), key)
    yield 409, "status-not-allowed", 3044, set_status(order_id, 3, "delivered"), lambda key: set_status(order_id, 3, "confirmed", key)
    yield (422, "guid-reused", None, replace(order_id, 4, order_content(), first.guid),
           lambda key: replace(order_id, 4, order_content(), key))


def test_used_key_gets_the_same_answer_and_a_new_one_succeeds(client):
    """Breaks if a problem sends a client back with a key that can only get the problem again."""
    for status, slug, code, refused, changed in used_up_keys(client):
        answers = [refused.send(client) for _ in range(2)]
        for answer in answers:
            assert advice_of(assert_problem(answer, status, slug, code)) == ("new-key", "key-used")
        assert answers[0].body == answers[1].body
        if slug != "guid-reused":
            assert recorded_part(answers[0]) == recorded_part(answers[1]) and answers[1].replayed
            assert assert_problem(changed(refused.guid).send(client), 422, "guid-reused")
        accepted_order(changed(new_guid()).send(client))


def test_final_problem_stays_with_every_key(client):
    order_id = accepted_order(create().send(client), 201)["order_id"]
    accepted_order(set_status(order_id, 1, "cancelled").send(client))
    for _ in range(2):
        refused = replace(order_id, 2, order_content()).send(client)
        assert advice_of(assert_problem(refused, 409, "order-closed", 3045)) == ("never", "final")
    for method, path, status, slug in (("GET", "/nothing", 404, "not-found"), ("DELETE", ORDERS, 405, "method-not-allowed")):
        for _ in range(2):
            refused = client.exchange(request_bytes(method, path, []), method)
            assert advice_of(assert_problem(refused, status, slug)) == ("never", "final")
    page = request("POST", ORDERS, new_guid(), order_content(), ("Origin", "https://elsewhere.example"))
    assert advice_of(assert_problem(client.exchange(page), 403, "forbidden-origin")) == ("never", "final")


def test_refusal_for_a_time_is_followed_by_the_outcome_of_the_same_key(launch):
    """Breaks if a request that was refused because of the load is executed twice, or not at all, when it is repeated."""
    with launch("--tenant-rate=1").client() as client:
        for _ in range(20):
            write = create()
            answer = write.send(client)
            if answer.status == 429:
                break
        assert advice_of(assert_problem(answer, 429, "rate-limited")) == ("same-key", "temporary")
        for _ in range(100):  # its answers come a second later
            repeated = write.send(client)
            if repeated.status != 429:
                break
        assert not repeated.replayed
        accepted_order(repeated, 201)


def test_message_that_is_not_found_may_be_sent_again(client):
    write = create()
    missing = client.get(f"/api/v1/messages/{write.guid}")
    assert advice_of(assert_problem(missing, 404, "message-not-found")) == ("same-key", "outcome-unknown")
    accepted_order(write.send(client), 201)
    assert client.get(f"/api/v1/messages/{write.guid}").status == 200
