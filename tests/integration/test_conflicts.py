"""What an update against an old version is told: the changes since, as a merge patch, the same in each repeat."""

import copy
import json

from support.batches import COMMANDS, batch_bytes, commands_of, verdicts_of
from support.orders import (
    accepted_order, assert_stale, create, merge, message_path, new_guid, order_content, order_path, recorded_part, replace, set_status,
    version_path,
)

CHANGES_BYTES_MAX = 16 * 1024


def apply_merge_patch(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply_merge_patch(result.get(name), value)
    return result


def new_order(client, **content):
    return accepted_order(create(order_content(**content)).send(client), 201)


def order_at(client, order_id, version):
    return client.get(version_path(order_id, version)).json()["order"]


def assert_changes_lead_to_the_current_version(client, problem, order_id):
    had = order_at(client, order_id, problem["supplied_version"])
    current = order_at(client, order_id, problem["current_version"])
    assert apply_merge_patch(copy.deepcopy(had), problem["changes"]) == current
    assert "versions" not in problem


def test_second_clerk_gets_what_the_first_one_changed(client):
    """Breaks if the changes are not those between the clerk's version and the current one."""
    order = new_order(client, attributes={"channel": "web", "gift": {"wrap": True, "note": "hi"}})
    order_id = order["order_id"]
    accepted_order(replace(order_id, 1, order_content(order["customer_id"], currency="USD", attributes={"gift": {"note": "ho"}})).send(client))
    accepted_order(set_status(order_id, 2, "confirmed").send(client))
    for write in (merge(order_id, 1, {"currency": "CHF"}), replace(order_id, 2, order_content(), version_in="if-match"),
                  set_status(order_id, 1, "cancelled")):
        refused = write.send(client)
        assert_stale(refused, write, 3)
        assert_changes_lead_to_the_current_version(client, refused.json(), order_id)
    changes = merge(order_id, 1, {"currency": "CHF"}).send(client).json()["changes"]
    assert changes.pop("updated_at") != order["updated_at"]
    assert changes == {"version": 3, "status": "confirmed", "currency": "USD",
                       "attributes": {"channel": None, "gift": {"note": "ho", "wrap": None}}}


def test_changes_stay_the_same_in_each_repeat(launch):
    """Breaks if a repeat, a message or a verdict shows the changes up to a later version, or none after a restart."""
    server = launch()
    with server.client() as client:
        order_id = new_order(client)["order_id"]
        accepted_order(merge(order_id, 1, {"currency": "USD"}).send(client))
        stale = merge(order_id, 1, {"currency": "CHF"})
        first = stale.send(client)
        accepted_order(merge(order_id, 2, {"currency": "GBP"}).send(client))
        assert recorded_part(stale.send(client)) == recorded_part(first)
        assert first.json()["changes"]["currency"] == "USD"
        assert client.get(message_path(stale.guid)).json()["response"]["body"] == first.json()
        [verdict] = verdicts_of(client.exchange(batch_bytes(commands_of([stale]), path=COMMANDS)))
        assert verdict.problem == first.json() and verdict.replayed
    server.kill()
    with launch().client() as client:
        repeated = stale.send(client)
        assert recorded_part(repeated) == recorded_part(first) and repeated.replayed


def test_long_changes_are_left_to_the_list_of_versions(client):
    """Breaks if the response to a stale write grows with the order, or if it lacks both changes and the way to them."""
    order_id = new_order(client)["order_id"]
    items = [{"sku": f"sku-{number:04}", "quantity": 1, "unit_price": 100} for number in range(500)]
    accepted_order(merge(order_id, 1, {"items": items}).send(client))
    write = merge(order_id, 1, {"currency": "USD"})
    refused = write.send(client)
    assert_stale(refused, write, 2)
    assert len(refused.body) < 1024
    problem = refused.json()
    assert "changes" not in problem
    assert problem["versions"] == f"{order_path(order_id)}/versions"
    assert [each["version"] for each in client.get(problem["versions"]).json()["versions"]] == [2, 1]
    assert recorded_part(write.send(client)) == recorded_part(refused)
    accepted_order(merge(order_id, 2, {"items": items[:100]}).send(client))
    shorter = merge(order_id, 2, {"currency": "USD"}).send(client)
    assert_changes_lead_to_the_current_version(client, shorter.json(), order_id)
    assert len(json.dumps(shorter.json()["changes"], separators=(",", ":"))) <= CHANGES_BYTES_MAX


def test_version_of_the_future_gets_the_list_of_versions(client):
    order_id = new_order(client)["order_id"]
    problem = merge(order_id, 7, {"currency": "USD"}, guid=new_guid()).send(client).json()
    assert problem["code"] == 3043 and "changes" not in problem
    assert problem["versions"] == f"{order_path(order_id)}/versions"
