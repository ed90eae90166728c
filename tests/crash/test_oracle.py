"""The oracle of the crash test detects every kind of error, and accepts a correct history."""

import copy
import json

import pytest

from support.http_client import Response
from support.oracle import Observation, Oracle, merge_patch
from support.orders import create, merge, order_content, replace, set_status

ORDER = "order-1"
CUSTOMER = "c-1"
CREATED_AT = "2026-11-22T10:15:30.123Z"


def order_version(version, status="new", order_id=ORDER, **content):
    order = {"order_id": order_id, "version": version, "status": status, **order_content(CUSTOMER, **content),
             "total": 3998, "created_at": CREATED_AT, "updated_at": f"2026-11-22T10:15:3{version}.123Z"}
    return {member: value for member, value in order.items() if value is not None}


def accepted(order, replayed=False):
    """The response that acknowledges an order version."""
    status, text = (201, "order created") if order["version"] == 1 else (200, "order updated")
    return answer(status, {"code": status, "message": text, "order": order}, replayed)


def stale(replayed=False):
    return answer(409, {"code": 3043, "type": "/problems/stale-version", "current_version": 2}, replayed)


def answer(status, body, replayed=False):
    headers = (("idempotency-replayed", "true"),) if replayed else ()
    return Response(status, headers, json.dumps(body).encode())


def message_of(response):
    """The message record that belongs to an answer."""
    body = response.json()
    order = body.get("order", {"order_id": ORDER, "version": None})
    return {"response": {"status": response.status, "body": body},
            "order_id": order["order_id"], "version": order["version"]}


CREATE = create(order_content(CUSTOMER), "create")
PUT = replace(ORDER, 1, order_content(CUSTOMER, currency="USD"), "put")
STALE = replace(ORDER, 1, order_content(CUSTOMER, currency="GBP"), "stale")
PATCH = merge(ORDER, 2, {"attributes": None}, "patch")
CONFIRM = set_status(ORDER, 3, "confirmed", "confirm")
BAD = create({"currency": "EUR"}, "bad")

V1 = order_version(1)
V2 = order_version(2, currency="USD")
V3 = order_version(3, currency="USD", attributes=None)
V4 = order_version(4, "confirmed", currency="USD", attributes=None)


class Story:
    """Create, PUT and a stale PUT are acknowledged, an invalid create is refused, PATCH and the confirmation are unanswered. `seen` is
    the state of a correct server that has executed the PATCH and not the confirmation."""

    def __init__(self):
        self.oracle = Oracle()
        for write, response in ((CREATE, accepted(V1)), (PUT, accepted(V2)), (STALE, stale()), (BAD, answer(422, {}))):
            self.oracle.sending(write)
            self.oracle.answered(write.guid, response)
        self.oracle.sending(PATCH)
        self.oracle.sending(CONFIRM)
        self.seen = Observation(
            messages={"create": message_of(accepted(V1)), "put": message_of(accepted(V2)), "stale": message_of(stale()),
                      "patch": message_of(accepted(V3)), "confirm": None, "bad": None},
            histories={ORDER: [V3, V2, V1]},
            listed={CUSTOMER: [V3]},
        )

    def check(self):
        self.oracle.resolve_unanswered(self.seen)
        return self.oracle.check(self.seen)


@pytest.fixture
def story():
    return Story()


def assert_red(problems, *words):
    assert any(all(word in problem for word in words) for problem in problems), problems


def test_healthy_history_is_green(story):
    """Breaks if the oracle reports a correct server: all the tests below would then prove nothing."""
    assert story.check() == []


def test_unanswered_writes_may_all_be_absent(story):
    """Breaks if the oracle requires that an unanswered write was executed."""
    story.seen.messages["patch"] = None
    story.seen.histories[ORDER] = [V2, V1]
    story.seen.listed[CUSTOMER] = [V2]
    assert story.check() == []


def test_unanswered_writes_may_all_be_there(story):
    """Breaks if the oracle does not accept an unanswered write based on another one."""
    story.seen.messages["confirm"] = message_of(accepted(V4))
    story.seen.histories[ORDER] = [V4, V3, V2, V1]
    story.seen.listed[CUSTOMER] = [V4]
    assert story.check() == []


def test_unanswered_write_may_be_rejected(story):
    """Breaks if the oracle treats the recorded rejection of an unanswered write as a partial write."""
    story.seen.messages["confirm"] = message_of(stale())
    assert story.check() == []


def test_lost_acknowledged_update(story):
    """Breaks if the oracle accepts the loss of an acknowledged version whose message exists."""
    story.seen.messages["patch"] = None
    story.seen.histories[ORDER] = [V1]
    story.seen.listed[CUSTOMER] = [V1]
    problems = story.check()
    assert_red(problems, "version 2 of put is lost")
    assert_red(problems, "is listed as")


def test_lost_acknowledged_create(story):
    """Breaks if the oracle accepts the loss of an acknowledged order."""
    story.seen.histories[ORDER] = []
    story.seen.listed[CUSTOMER] = []
    problems = story.check()
    assert_red(problems, "version 1 of create is lost")
    assert_red(problems, "lacks it")


def test_lost_message(story):
    """Breaks if the oracle accepts the loss of the dedupe record of an acknowledged write: its repeat would be executed."""
    story.seen.messages["put"] = None
    assert_red(story.check(), "put", "lost")


def test_lost_rejection(story):
    """Breaks if the oracle checks only the messages of accepted writes."""
    story.seen.messages["stale"] = None
    assert_red(story.check(), "stale", "lost")


def test_gap(story):
    """Breaks if the oracle does not check version numbers."""
    story.seen.histories[ORDER] = [V3, V1]
    assert_red(story.check(), "gap")


def test_version_shown_twice(story):
    """Breaks if the oracle accepts two entries with one number."""
    story.seen.histories[ORDER] = [V3, V2, V2, V1]
    assert_red(story.check(), "gap or a fork")


def test_acknowledged_fork(story):
    """Breaks if the oracle accepts two acknowledged writes that both made the same version."""
    other = replace(ORDER, 1, order_content(CUSTOMER, currency="GBP"), "other")
    story.oracle.sending(other)
    story.oracle.answered("other", accepted(order_version(2, currency="GBP")))
    assert_red(story.check(), "fork", "put")


def test_unanswered_write_claims_a_taken_version(story):
    """Breaks if the oracle accepts a message that claims the version of an acknowledged write."""
    story.seen.messages["confirm"] = message_of(accepted(order_version(2, "confirmed")))
    assert_red(story.check(), "fork", "confirm")


def test_torn_write_message_without_version(story):
    """Breaks if the oracle accepts a message whose order version is absent."""
    story.seen.histories[ORDER] = [V2, V1]
    story.seen.listed[CUSTOMER] = [V2]
    assert_red(story.check(), "version 3 of patch is lost")


def test_torn_write_version_without_message(story):
    """Breaks if the oracle accepts an order version whose message is absent."""
    story.seen.messages["patch"] = None
    assert_red(story.check(), "no write made version 3")


def test_torn_create_order_without_message(story):
    """Breaks if the oracle accepts an order that no known GUID has created."""
    story.seen.listed[CUSTOMER].append(order_version(1, order_id="order-2"))
    assert_red(story.check(), "order-2", "no write created it")


def test_torn_create_missing_in_the_list(story):
    """Breaks if the oracle accepts an order that can be read but is not listed."""
    story.seen.listed[CUSTOMER] = []
    assert_red(story.check(), "lacks it")


def test_order_listed_twice(story):
    """Breaks if the oracle compares lists as sets only."""
    story.seen.listed[CUSTOMER] = [V3, V3]
    assert_red(story.check(), "listed twice")


def test_changed_acknowledged_content(story):
    """Breaks if the oracle compares versions only by number."""
    changed = copy.deepcopy(V2)
    changed["items"][0]["quantity"] += 1
    story.seen.histories[ORDER] = [V3, changed, V1]
    assert_red(story.check(), "put", "version 2 is")


def test_unanswered_write_with_other_content_than_the_request(story):
    """Breaks if the oracle accepts any content on which message and history agree."""
    wrong = order_version(3, currency="USD", attributes={"channel": "phone"})
    story.seen.messages["patch"] = message_of(accepted(wrong))
    story.seen.histories[ORDER][0] = story.seen.listed[CUSTOMER][0] = wrong
    assert_red(story.check(), "patch", "expected")


def test_message_with_another_outcome(story):
    """Breaks if the oracle checks only that a message exists."""
    story.seen.messages["put"] = message_of(stale())
    assert_red(story.check(), "put", "another outcome")


def test_message_with_another_version(story):
    """Breaks if the oracle does not compare the version in a message."""
    story.seen.messages["put"]["version"] = 7
    assert_red(story.check(), "put", "another order version")


def test_refused_write_left_something(story):
    """Breaks if the oracle accepts the record of a write that was refused."""
    story.seen.messages["bad"] = message_of(stale())
    assert_red(story.check(), "bad", "is kept")


def test_update_of_another_order(story):
    """Breaks if the oracle does not compare the order of an answer with the order of the request."""
    story.oracle.answered("patch", accepted({**V3, "order_id": "order-2"}))
    assert_red(story.oracle.violations, "patch", "changed order-2")


def test_update_skips_a_version(story):
    """Breaks if the oracle does not compare the version of an answer with the version of the request."""
    story.oracle.answered("patch", accepted(order_version(4, currency="USD", attributes=None)))
    assert_red(story.oracle.violations, "patch", "made version 4")


def test_good_repeats_are_green(story):
    """Breaks if the oracle reports correct repeats."""
    story.oracle.resolve_unanswered(story.seen)
    for guid, response in (("create", accepted(V1, True)), ("stale", stale(True)), ("patch", accepted(V3, True)),
                           ("patch", accepted(V3, True)), ("confirm", accepted(V4)), ("confirm", accepted(V4, True))):
        story.oracle.repeated(guid, response)
    assert story.oracle.violations == []


def test_repeat_with_other_bytes(story):
    """Breaks if the oracle compares responses as JSON: they have to be equal byte for byte."""
    spaced = Response(201, (("idempotency-replayed", "true"),), accepted(V1).body.replace(b":", b": "))
    story.oracle.repeated("create", spaced)
    assert_red(story.oracle.violations, "create", "its repeat answers")


def test_repeat_with_another_header(story):
    """Breaks if the oracle compares only bodies."""
    response = accepted(V1, True)
    story.oracle.repeated("create", Response(201, (*response.headers, ("etag", '"2"')), response.body))
    assert_red(story.oracle.violations, "create", "its repeat answers")


def test_repeat_that_was_executed(story):
    """Breaks if the oracle accepts a second execution of an acknowledged create."""
    story.oracle.repeated("create", accepted(order_version(1, order_id="order-2")))
    assert_red(story.oracle.violations, "create", "was executed")


def test_second_execution_that_calls_itself_a_repeat(story):
    """Breaks if the oracle trusts the Idempotency-Replayed header alone."""
    story.oracle.repeated("create", accepted(order_version(1, order_id="order-2"), True))
    assert_red(story.oracle.violations, "create", "its repeat answers")


def test_repeat_differs_from_the_message(story):
    """Breaks if the oracle does not remember the outcome in the message of an unanswered write."""
    story.oracle.resolve_unanswered(story.seen)
    story.oracle.repeated("patch", accepted(order_version(3, currency="USD"), True))
    assert_red(story.oracle.violations, "patch", "its repeat answers")


def test_absent_write_is_replayed(story):
    """Breaks if the oracle accepts the replay of a write that has left no message."""
    story.oracle.resolve_unanswered(story.seen)
    story.oracle.repeated("confirm", accepted(V4, True))
    assert_red(story.oracle.violations, "confirm", "says that it is a repeat")


def test_duplicate_execution_shows_in_the_list(story):
    """Breaks if the oracle does not detect the second order of a create that was executed twice."""
    story.seen.listed[CUSTOMER] = [order_version(1, order_id="order-2"), V3]
    assert_red(story.check(), "order-2", "no write created it")


def test_duplicate_execution_shows_in_the_history(story):
    """Breaks if the oracle does not detect the second version of an update that was executed twice."""
    story.seen.histories[ORDER].insert(0, {**V3, "version": 4})
    assert_red(story.check(), "no write made version 4")


def test_reused_guid_was_executed(story):
    """Breaks if the oracle accepts that another request under a known GUID is answered with success."""
    story.oracle.reused("create", answer(422, {"type": "/problems/guid-reused"}))
    assert story.oracle.violations == []
    story.oracle.reused("create", accepted(V1, True))
    assert_red(story.oracle.violations, "create", "under its GUID")


@pytest.mark.parametrize("target, patch, merged", [
    ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}),
    ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
])
def test_merge_patch(target, patch, merged):
    """Breaks if the oracle implements RFC 7396 wrongly."""
    assert merge_patch(target, patch) == merged


def test_a_first_answer_to_a_repeat_is_right_only_where_writes_are_passed_on_again():
    for passed_on_again, count in ((False, 1), (True, 0)):
        oracle = Oracle(passed_on_again)
        oracle.sending(CREATE)
        oracle.answered(CREATE.guid, accepted(V1, replayed=True))
        assert len(oracle.violations) == count
