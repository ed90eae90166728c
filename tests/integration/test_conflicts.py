"""Updates against an old version: what they are told, and how they are merged."""

import copy
import json

from support.batches import COMMANDS, batch_bytes, commands_of, verdicts_of
from support.http_client import send_at_the_same_moment
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


# --- on_conflict: merge ---

MERGES = {"on_conflict": "merge"}


def merging(order_id, version, patch, **more):
    return merge(order_id, version, {**patch, **MERGES}, **more)


def with_header(write, name, value):
    line, rest = write.to_bytes().split(b"\r\n", 1)
    return b"\r\n".join((line, f"{name}: {value}".encode(), rest))


def test_two_clerks_with_disjoint_edits_both_get_theirs(client):
    """Breaks if a merge loses an edit, makes more than one version, or does not name both versions that it is made of."""
    items = [{"sku": sku, "quantity": 1, "unit_price": 100} for sku in ("a", "b", "c")]
    order = new_order(client, items=items, attributes={"gift": {"wrap": True, "note": "hi"}, "channel": "web"})
    order_id = order["order_id"]
    first = merge(order_id, 1, {"currency": "USD", "items": [items[0], {**items[1], "quantity": 5}, items[2]],
                                "attributes": {"gift": {"wrap": False}}})
    accepted_order(first.send(client))
    content = {name: order[name] for name in ("customer_id", "currency", "items", "attributes")}
    second = replace(order_id, 1, {**content, "items": items[1:] + [{"sku": "d", "quantity": 2, "unit_price": 7}],
                                   "attributes": {"gift": {"wrap": True, "note": "ho"}, "channel": "web"}, **MERGES})
    answer = second.send(client)
    merged = accepted_order(answer)
    assert answer.header("Preference-Applied") == "merge"
    assert (merged["version"], merged["merged_from"]) == (3, 1)
    assert merged["currency"] == "USD"
    assert merged["items"] == [{**items[1], "quantity": 5}, items[2], {"sku": "d", "quantity": 2, "unit_price": 7}]
    assert merged["total"] == 614
    assert merged["attributes"] == {"channel": "web", "gift": {"note": "ho", "wrap": False}}
    assert recorded_part(second.send(client)) == recorded_part(answer)
    versions = client.get(f"{order_path(order_id)}/versions").json()["versions"]
    assert [(each["version"], each.get("merged_from")) for each in versions] == [(3, 1), (2, None), (1, None)]
    request = client.get(message_path(second.guid)).json()["request"]
    assert (request["method"], request["body"]["on_conflict"], request["body"]["version"]) == ("PUT", "merge", 1)
    assert accepted_order(set_status(order_id, 3, "confirmed").send(client)).get("merged_from") is None


def test_overlapping_edits_are_told_which_fields_clash(client):
    order = new_order(client, attributes={"channel": "web", "note": "a"})
    order_id = order["order_id"]
    accepted_order(merge(order_id, 1, {"currency": "USD", "attributes": {"note": "b"},
                                       "items": [{**order["items"][0], "quantity": 9}]}).send(client))
    clashing = merging(order_id, 1, {"currency": "CHF", "attributes": {"note": None, "channel": "app"},
                                     "items": [{**order["items"][0], "quantity": 8}]}, version_in="if-match")
    refused = clashing.send(client)
    assert_stale(refused, clashing, 2)
    assert refused.header("Preference-Applied") == "merge"
    problem = refused.json()
    assert problem["conflicts"] == [{"pointer": "/currency"}, {"pointer": "/items", "sku": "A-1"}, {"pointer": "/attributes/note"}]
    assert_changes_lead_to_the_current_version(client, problem, order_id)
    accepted_order(merge(order_id, 2, {"currency": "EUR", "attributes": {"note": "a"}}).send(client))
    assert recorded_part(clashing.send(client)) == recorded_part(refused)
    assert client.get(message_path(clashing.guid)).json()["response"]["body"] == problem
    assert "conflicts" not in merge(order_id, 1, {"currency": "CHF"}).send(client).json()


def test_header_and_body_ask_for_the_same(client):
    """Breaks if Prefer: merge is not the same request as on_conflict, or if it changes a write that cannot be merged."""
    order_id = new_order(client)["order_id"]
    accepted_order(merge(order_id, 1, {"currency": "USD"}).send(client))
    write = merge(order_id, 1, {"customer_id": "c-header"})
    answer = client.exchange(with_header(write, "Prefer", "respond-async, Merge;q=1"))
    assert accepted_order(answer)["merged_from"] == 1
    in_body = merging(order_id, 1, {"customer_id": "c-header"}, guid=write.guid).send(client)
    assert in_body.replayed and recorded_part(in_body) == recorded_part(answer)
    assert write.send(client).status == 422  # without it the same key is another request
    status = client.exchange(with_header(set_status(order_id, 1, "confirmed"), "Prefer", "merge"))
    assert status.json()["code"] == 3043 and status.header("Preference-Applied") is None
    created = client.exchange(with_header(create(), "Prefer", "merge"))
    accepted_order(created, 201)
    assert created.header("Preference-Applied") is None
    unknown = merge(order_id, 3, {"on_conflict": "overwrite"}).send(client)
    assert unknown.status == 422 and unknown.json()["errors"] == [{"pointer": "/on_conflict", "detail": "must be merge"}]


def test_merge_keeps_the_rules_of_an_order(client):
    """Breaks if a merge changes a closed order, makes an invalid content, or is recorded although it was refused."""
    items = [{"sku": sku, "quantity": 1, "unit_price": 100} for sku in ("a", "b")]
    order_id = new_order(client, items=items)["order_id"]
    accepted_order(merge(order_id, 1, {"items": items[:1]}).send(client))
    empty = merging(order_id, 1, {"items": items[1:]})
    assert empty.send(client).status == 422
    accepted_order(set_status(order_id, 2, "confirmed").send(client))
    confirmed = accepted_order(merging(order_id, 1, {"currency": "USD"}).send(client))
    assert (confirmed["status"], confirmed["merged_from"], confirmed["version"]) == ("confirmed", 1, 4)
    accepted_order(set_status(order_id, 4, "shipped").send(client))
    assert merging(order_id, 1, {"customer_id": "c-late"}).send(client).json()["code"] == 3045


def test_lines_of_a_batch_are_merged(client):
    order_id = new_order(client)["order_id"]
    writes = [merge(order_id, 1, {"currency": "USD"}), merging(order_id, 1, {"customer_id": "c-line"}), merging(order_id, 1, {"currency": "CHF"})]
    line = json.loads(commands_of([merge(order_id, 1, {"attributes": {"by": "line"}})]))
    body = commands_of(writes) + json.dumps({**line, **MERGES}).encode() + b"\n"
    verdicts = verdicts_of(client.exchange(batch_bytes(body, path=COMMANDS)))
    assert [verdict.status for verdict in verdicts] == [200, 200, 409, 200]
    assert verdicts[1].order["merged_from"] == verdicts[3].order["merged_from"] == 1
    assert verdicts[2].problem["conflicts"] == [{"pointer": "/currency"}]
    assert verdicts[2].problem["current_version"] == 3


def test_race_of_32_clients_keeps_every_accepted_edit(server):
    """Breaks if a merge that was accepted is lost, if versions have a gap, or if of those that clash more than one is accepted."""
    clients = 32
    with server.client() as client:
        order_id = new_order(client, attributes={})["order_id"]
        own = [merging(order_id, 1, {"attributes": {f"clerk-{number}": number}}) for number in range(clients)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in own])
        versions = sorted(accepted_order(answer)["version"] for answer in answers)
        assert versions == list(range(2, clients + 2))
        current = client.get(order_path(order_id)).json()["order"]
        assert current["version"] == clients + 1
        assert current["attributes"] == {f"clerk-{number}": number for number in range(clients)}
        same = [merging(order_id, 1, {"attributes": {"shared": number}}) for number in range(clients)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in same])
        [accepted] = [answer for answer in answers if answer.status == 200]
        for answer, write in zip(answers, same):
            if answer is not accepted:
                assert_stale(answer, write, clients + 2)
                assert answer.json()["conflicts"] == [{"pointer": "/attributes/shared"}]
        history = client.get(f"{order_path(order_id)}/versions?limit=1000").json()["versions"]
        assert [each["version"] for each in history] == list(range(clients + 2, 0, -1))
        for newer, older in zip(history, history[1:]):  # each version adds one edit to the one before it
            added = newer["attributes"].items() - older["attributes"].items()
            assert len(added) == 1 and older["attributes"].items() <= newer["attributes"].items()


def test_merged_version_survives_a_kill(launch):
    """Breaks if the log, or the fold of it at the start, loses that a version is a merge, or what a rejected merge asked for."""
    server = launch()
    with server.client() as client:
        order_id = new_order(client)["order_id"]
        accepted_order(merge(order_id, 1, {"currency": "USD"}).send(client))
        merged, clashing = merging(order_id, 1, {"customer_id": "c-kept"}), merging(order_id, 1, {"currency": "CHF"})
        answers = [write.send(client) for write in (merged, clashing)]
        assert [answer.status for answer in answers] == [200, 409]
        before = client.get(f"{order_path(order_id)}/versions").body
    server.kill()
    with launch().client() as client:
        assert client.get(f"{order_path(order_id)}/versions").body == before
        for write, answer in zip((merged, clashing), answers):
            repeated = write.send(client)
            assert repeated.replayed and recorded_part(repeated) == recorded_part(answer)
