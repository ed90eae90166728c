"""Records the responses that clients received, and checks the state of a restarted server against them.

Oracle does no I/O: tests/crash/test_oracle.py feeds it invented histories and proves that it detects every kind of error.
assert_server_agrees() reads a server and has an oracle check it.

A write is in one of these states:

  unanswered   it may have been sent, but there was no complete response; it was executed completely or not at all
  recorded     its outcome is known, from its response or from the message that a restarted server returns. An accepted
               outcome creates one version of one order; a rejection (3043, 3044, 3045) creates none
  refused      the response was a refusal, which is not recorded; it must have had no effect

Every version of every order must have been created by exactly one recorded write, and every version of a recorded write must exist.
"""

import threading
from dataclasses import dataclass, field

from support.orders import ORDERS, RECORDED_REJECTIONS, Write, get_pages, message_path, order_path, recorded_part

CONTENT = ("customer_id", "external_id", "currency", "items", "attributes")


@dataclass(frozen=True)
class Outcome:
    """The recorded response to a write. `exact` is the response that a repeat has to return byte for byte; it is None while only the
    message has been seen."""

    status: int
    body: dict
    exact: tuple = None

    @property
    def order(self):
        """The order version that it created; None for a rejection."""
        return self.body["order"] if self.status in (200, 201) else None


@dataclass
class Observation:
    """The state of a restarted server.

    `messages`: the record, or None for 404, of each requested GUID (including all unanswered ones).
    `histories`: all versions, newest first, of each requested order; empty for 404.
    `listed`: all orders of each customer.
    """

    messages: dict = field(default_factory=dict)
    histories: dict = field(default_factory=dict)
    listed: dict = field(default_factory=dict)


class Oracle:
    """Thread-safe. `violations` collects errors in single responses. `passed_on_again`: whether a proxy may retry a write, so that a
    client's first response may be a replay."""

    def __init__(self, passed_on_again=False):
        self._passed_on_again = passed_on_again
        self.violations = []
        self.recorded_count = 0
        self._lock = threading.RLock()
        self._writes = {}
        self._outcomes = {}
        self._unanswered = set()
        self._refused = set()
        self._claims = {}
        self._latest = {}

    # Reports of clients.

    def sending(self, write):
        """REQUIRES: the first byte of the write has not been sent."""
        with self._lock:
            assert write.guid not in self._writes, f"{write.guid} is not new"
            self._writes[write.guid] = write
            self._unanswered.add(write.guid)

    def answered(self, guid, response):
        """Reports the first complete response to an unanswered write."""
        with self._lock:
            self._unanswered.discard(guid)
            if response.replayed and not self._passed_on_again:
                self._blame(guid, "its first answer says that it is a repeat")
            body = response.json()
            if response.status in (200, 201) or body.get("code") in RECORDED_REJECTIONS:
                self._record(guid, Outcome(response.status, body, recorded_part(response)))
            else:
                self._refused.add(guid)

    def repeated(self, guid, response):
        """Reports the response to a repeat of a write."""
        with self._lock:
            outcome = self._outcomes.get(guid)
            if outcome is None:
                self.answered(guid, response)
                return
            if not response.replayed:
                self._blame(guid, f"its repeat was executed: {response.status} {response.body!r}")
            elif outcome.exact is None:
                self._compare(guid, (outcome.status, outcome.body), (response.status, response.json()))
                self._outcomes[guid] = Outcome(outcome.status, outcome.body, recorded_part(response))
            else:
                self._compare(guid, outcome.exact, recorded_part(response))

    def reused(self, guid, response):
        """Reports the response to another request with the GUID of a recorded write."""
        with self._lock:
            if response.status != 422 or response.json().get("type") != "/problems/guid-reused":
                self._blame(guid, f"another request under its GUID got {response.status} {response.body!r}")

    # Queries of workloads and checks.

    def write(self, guid):
        return self._writes[guid]

    def outcome(self, guid):
        """Returns the recorded outcome of a write."""
        with self._lock:
            return self._outcomes[guid]

    def latest(self, order_id):
        """Returns the newest recorded version of an order."""
        with self._lock:
            return self._latest[order_id]

    def known_orders(self):
        with self._lock:
            return list(self._latest)

    def recorded_guids(self):
        """Returns the GUIDs in the order in which they were recorded."""
        with self._lock:
            return list(self._outcomes)

    def unanswered_guids(self):
        with self._lock:
            return sorted(self._unanswered)

    def refused_guids(self):
        with self._lock:
            return sorted(self._refused)

    # Checks of a restarted server.

    def resolve_unanswered(self, seen):
        """Records the outcomes of unanswered writes that have a message. A write without one stays unanswered, and its next response
        must not be a replay."""
        with self._lock:
            for guid in self.unanswered_guids():
                message = seen.messages[guid]
                if message is not None:
                    self._unanswered.discard(guid)
                    self._record(guid, _outcome_of(message))

    def check(self, seen):
        """Returns all errors in the state of a restarted server; an empty list if there is none. REQUIRES: resolve_unanswered() was
        called with this state."""
        with self._lock:
            problems = list(self.violations)
            for guid, message in seen.messages.items():
                problems += self._check_message(guid, message)
            for order_id, history in seen.histories.items():
                problems += self._check_history(order_id, history)
            for customer_id, orders in seen.listed.items():
                problems += self._check_list(customer_id, orders)
            return problems

    def _check_message(self, guid, message):
        outcome = self._outcomes.get(guid)
        if outcome is None:
            return [f"{guid}: a message without an outcome is kept: {message}"] if message is not None else []
        if message is None:
            return [f"{guid}: the message of an acknowledged write is lost"]
        recorded = _outcome_of(message)
        order = outcome.order or {"version": None, "order_id": message["order_id"]}
        if (recorded.status, recorded.body) != (outcome.status, outcome.body):
            return [f"{guid}: the message has another outcome: {recorded} instead of {outcome}"]
        if (message["order_id"], message["version"]) != (order["order_id"], order["version"]):
            return [f"{guid}: the message names another order version: {message}"]
        return []

    def _check_history(self, order_id, history):
        problems = []
        numbers = [order["version"] for order in history]
        if numbers != list(range(len(numbers), 0, -1)):
            problems.append(f"{order_id}: versions with a gap or a fork: {numbers}")
        by_version = {order["version"]: order for order in history}
        for version, order in by_version.items():
            claim = self._claims.get((order_id, version))
            if claim is None:
                problems.append(f"{order_id}: no write made version {version}: {order}")
                continue
            if order != self._outcomes[claim].order:
                problems.append(f"{claim}: version {version} is {order} instead of {self._outcomes[claim].order}")
            problems += _misfits(self._writes[claim], by_version, order)
        for version in range(1, self._latest[order_id]["version"] + 1 if order_id in self._latest else 1):
            if version not in by_version:
                problems.append(f"{order_id}: version {version} of {self._claims.get((order_id, version))} is lost")
        return problems

    def _check_list(self, customer_id, orders):
        listed = {order["order_id"]: order for order in orders}
        expected = {order_id: order for order_id, order in self._latest.items() if order["customer_id"] == customer_id}
        problems = [f"{order_id}: no write created it: {listed[order_id]}" for order_id in listed.keys() - expected.keys()]
        problems += [f"{order_id}: the list of {customer_id} lacks it" for order_id in expected.keys() - listed.keys()]
        if len(listed) != len(orders):
            problems.append(f"{customer_id}: {len(orders) - len(listed)} orders are listed twice")
        for order_id in listed.keys() & expected.keys():
            if listed[order_id] != expected[order_id]:
                problems.append(f"{order_id}: is listed as {listed[order_id]} instead of {expected[order_id]}")
        return problems

    # Bookkeeping.

    def _record(self, guid, outcome):
        self._outcomes[guid] = outcome
        self.recorded_count += 1
        order = outcome.order
        if order is None:
            return
        key = (order["order_id"], order["version"])
        if key in self._claims:
            self._blame(guid, f"fork: version {key[1]} of {key[0]} was also made by {self._claims[key]}")
            return
        self._claims[key] = guid
        problem = _wrong_target(self._writes[guid], order)
        if problem:
            self._blame(guid, problem)
        if order["version"] > self._latest.get(order["order_id"], {"version": 0})["version"]:
            self._latest[order["order_id"]] = order

    def _compare(self, guid, expected, got):
        if expected != got:
            self._blame(guid, f"its repeat answers {got} instead of {expected}")

    def _blame(self, guid, what):
        self.violations.append(f"{guid}: {what} ({self._writes[guid]})")


def _outcome_of(message):
    return Outcome(message["response"]["status"], message["response"]["body"])


def _wrong_target(write: Write, order):
    """Whether an accepted write has another order or version than the request."""
    if "merged_from" in order:
        if order["merged_from"] != write.version or order["version"] <= write.version + 1 or write.body.get("on_conflict") != "merge":
            return f"a write against version {write.version} made version {order['version']} as a merge of {order['merged_from']}"
    elif order["version"] != (write.version or 0) + 1:
        return f"a write against version {write.version} made version {order['version']}"
    if write.order_id not in (None, order["order_id"]):
        return f"a write to {write.order_id} changed {order['order_id']}"
    return None


def _misfits(write: Write, history, order):
    """Returns the differences between an order version and the result of its write on the version before it, and for a merge on the
    version that the client had. `history` has the versions of the order by their numbers."""
    previous = history.get(order["version"] - 1)
    base = history.get(write.version) if "merged_from" in order else previous
    if write.kind != "create" and (previous is None or base is None):
        return []  # The gap is reported where it is found.
    content, status = _expected_content(write, base)
    merges = {}
    if "merged_from" in order:
        merges = {"merged_from": write.version}
        try:
            content, status = merged_content(_content_of(base), _content_of(previous), content), previous["status"]
        except Clash as clash:
            return [f"{write.guid}: was merged, but {clash} clashes: {order}"]
    expected = {
        **content,
        **merges,
        "order_id": order["order_id"],
        "version": order["version"],
        "status": status,
        "total": sum(item["quantity"] * item["unit_price"] for item in content["items"]),
        "created_at": previous["created_at"] if previous else order["created_at"],
        "updated_at": order["updated_at"],
    }
    return [] if order == expected else [f"{write.guid}: expected {expected}, found {order}"]


def _expected_content(write: Write, previous):
    """Returns the content and the status that a write produces."""
    if write.kind == "create":
        return write.body, "new"
    body = {name: value for name, value in write.body.items() if name != "on_conflict"}
    if write.kind == "replace":
        return body, previous["status"]
    before = _content_of(previous)
    if write.kind == "merge":
        return merge_patch(before, body), previous["status"]
    return before, body["status"]


def _content_of(order):
    return {member: order[member] for member in CONTENT if member in order}


class Clash(Exception):
    """Both changed this field."""


MISSING = object()


def merged_content(base, now, wanted):
    """The content `now` with what differs between `base` and `wanted`. Raises Clash if a field of that has changed in `now`, too."""
    merged = {name: _merged_items(base, now, wanted) if name == "items" else _merged_value(name, base, now, wanted)
              for name in {*base, *now, *wanted}}
    return {name: value for name, value in merged.items() if value is not MISSING}


def _merged_value(name, base, now, wanted):
    before, current, then = (each.get(name, MISSING) for each in (base, now, wanted))
    if then == before:
        return current
    if current == before:
        return then
    if not (isinstance(current, dict) and isinstance(then, dict) and (before is MISSING or isinstance(before, dict))):
        raise Clash(name)
    before = {} if before is MISSING else before
    merged = {each: _merged_value(each, before, current, then) for each in {*before, *current, *then}}
    return {each: value for each, value in merged.items() if value is not MISSING}


def _merged_items(base, now, wanted):
    before, current, then = (each["items"] for each in (base, now, wanted))
    if then == before:
        return current
    if current == before:
        return then
    skus = [[item["sku"] for item in each] for each in (before, current, then)]
    shared = [[sku for sku in each if sku in skus[0]] for each in skus]
    if any(len(set(each)) != len(each) for each in skus) or any(
            each != [sku for sku in skus[0] if sku in each] for each in shared):
        raise Clash("items")
    old, new, asked = ({item["sku"]: item for item in each} for each in (before, current, then))
    for sku in {*old, *new, *asked}:
        if old.get(sku) != new.get(sku) and old.get(sku) != asked.get(sku):
            raise Clash(sku)
    merged = [asked.get(sku) if asked.get(sku) != old.get(sku) else item for sku, item in new.items()]
    merged = [item for item in merged if item is not None]
    place = 0
    for item in then:
        order = [each["sku"] for each in merged]
        if item["sku"] in order:
            place = order.index(item["sku"]) + 1
        elif item["sku"] not in old:
            merged.insert(place, item)
            place += 1
    return merged


def merge_patch(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def show(problems, lines_max=20):
    """Returns violations as text, the first ones in full."""
    more = f"\n... and {len(problems) - lines_max} more" if len(problems) > lines_max else ""
    return "\n".join(problems[:lines_max]) + more


# Reading a server.

def _get_or_none(client, path):
    response = client.get(path)
    assert response.status in (200, 404), f"{path}: {response.status} {response.body!r}"
    return response.json() if response.status == 200 else None


def _history_of(client, order_id, limit):
    if _get_or_none(client, order_path(order_id)) is None:
        return []
    versions = get_pages(client, f"{order_path(order_id)}/versions", "versions", limit)
    current = _get_or_none(client, order_path(order_id))["order"]
    assert versions[:1] == [current], f"the order is {current}, its newest version {versions[:1]}"
    return versions


def _observe(client, oracle, rng, customers, guids, more_orders):
    """Reads these writes, all unanswered and refused ones, and their orders from the server."""
    limit = rng.choice((10, 100, 1000))
    all_guids = {*guids, *oracle.unanswered_guids(), *oracle.refused_guids()}
    messages = {guid: _get_or_none(client, message_path(guid)) for guid in sorted(all_guids)}
    orders = {message["order_id"] for message in messages.values() if message}
    orders |= {oracle.write(guid).order_id for guid in all_guids} | set(more_orders)
    histories = {order_id: _history_of(client, order_id, limit) for order_id in orders - {None}}
    listed = {customer_id: get_pages(client, f"{ORDERS}?customer_id={customer_id}", "orders", limit)
              for customer_id in customers}
    return Observation(messages, histories, listed)


def assert_server_agrees(client, oracle, rng, customers, guids, more_orders=()):
    """Checks that the server agrees with the responses of its clients."""
    seen = _observe(client, oracle, rng, customers, guids, more_orders)
    oracle.resolve_unanswered(seen)
    problems = oracle.check(seen)
    assert not problems, show(problems)
