"""`GET /api/v1/orders`: every filter against what clients wrote, and pages that are read while others write."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Event
from urllib.parse import quote

import pytest

from support import settings
from support.ordem_server import run_ordem
from support.orders import ORDERS, accepted_order, assert_problem, create, merge, new_guid, order_content, replace, set_status

CUSTOMERS = ("c-1", "c-2", "c-10")
EXTERNAL_IDS = ("PO-1", "PO-10", 'ü "7"')
TENANTS = ("", "shop", "stall")
ORDERS_EACH = 120


class Sender:
    """The clients of a tenant, and the newest version of each order that they wrote."""

    def __init__(self, server, tenant, key):
        self.tenant, self.orders = tenant, {}
        self.client, self.reader = server.client(), server.client()  # for two threads
        self.client.key = self.reader.key = key

    def send(self, write):
        order = accepted_order(write.send(self.client), 201 if write.kind == "create" else 200)
        self.orders[order["order_id"]] = order

    def get(self, target):
        return self.reader.get(target)

    def write_some(self, rng, count):
        for _ in range(count):
            self.send(create(some_content(rng)))
            if rng.random() < 0.6:
                self.send(some_change(rng, rng.choice(list(self.orders.values()))))

    def matching(self, **filters):
        """The orders that match, newest first."""
        return [order for _, order in sorted(self.orders.items(), reverse=True) if matches(order, filters)]


def some_content(rng):
    content = order_content(rng.choice(CUSTOMERS))
    if rng.random() < 0.5:
        content["external_id"] = rng.choice(EXTERNAL_IDS)
    return content


def some_change(rng, order):
    order_id, version = order["order_id"], order["version"]
    if order["status"] == "new" and rng.random() < 0.4:
        return set_status(order_id, version, rng.choice(("confirmed", "cancelled")))
    if order["status"] == "cancelled":
        return create(some_content(rng))
    if rng.random() < 0.5:
        return merge(order_id, version, {"external_id": rng.choice((None, *EXTERNAL_IDS))})
    return replace(order_id, version, some_content(rng))


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def matches(order, filters):
    created = time_of(order["created_at"])
    return all((
        *(order.get(name) == filters[name] for name in ("customer_id", "external_id", "status") if name in filters),
        "created_after" not in filters or created >= time_of(filters["created_after"]),
        "created_before" not in filters or created < time_of(filters["created_before"]),
    ))


def some_filters(rng, times):
    filters = {}
    if rng.random() < 0.4:
        filters["customer_id"] = rng.choice(CUSTOMERS)
    if rng.random() < 0.4:
        filters["external_id"] = rng.choice(EXTERNAL_IDS)
    if rng.random() < 0.4:
        filters["status"] = rng.choice(("new", "confirmed", "cancelled", "shipped"))
    for name in ("created_after", "created_before"):
        if rng.random() < 0.4:
            # At the very time of an order, and a little beside it, in another zone.
            at = time_of(rng.choice(times)) + timedelta(milliseconds=rng.choice((0, 0, -1, 1)))
            filters[name] = at.astimezone(timezone(timedelta(hours=rng.choice((0, 1, -5))))).isoformat(timespec="milliseconds")
    return filters


def pages_of(reader, filters, limit):
    """Yields the orders of each page."""
    query = "".join(f"&{name}={quote(value, safe='')}" for name, value in filters.items())
    cursor, pages = "", 0
    while cursor is not None:
        response = reader.get(f"{ORDERS}?limit={limit}{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert response.status == 200, response.body
        body = response.json()
        assert len(body["orders"]) <= limit
        yield body["orders"]
        cursor, pages = body["next_cursor"], pages + 1
        assert pages < 1000, "pages without end"


def found(reader, filters, limit):
    return [order for page in pages_of(reader, filters, limit) for order in page]


@pytest.fixture
def rng():
    return random.Random(settings.SEED)


@pytest.fixture
def senders(launch, tmp_path):
    """One of each tenant, of one server."""
    file, keys = tmp_path / "keys", []
    for tenant in TENANTS:
        made = run_ordem("key", "create", "--keys", file, "--name", f"till-{tenant}", "--scopes", "orders:read,orders:write",
                         *(["--tenant", tenant] if tenant else []))
        assert made.returncode == 0, made.stderr
        keys.append(made.stdout.strip())
    server = launch(f"--keys={file}")
    return [Sender(server, tenant, key) for tenant, key in zip(TENANTS, keys)]


def write_at_once(senders, rng, count):
    """Creates and changes orders of all tenants at the same time, so that their ids alternate."""
    seeds = [rng.randrange(2**32) for _ in senders]
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender, seed: sender.write_some(random.Random(seed), count), senders, seeds))


def test_filters_find_what_a_client_would_pick_out_itself(senders, rng):
    """Breaks if a filter misses an order, shows one that does not match, one of another tenant, one twice, or one in the wrong place."""
    write_at_once(senders, rng, ORDERS_EACH)
    for sender in senders:
        assert found(sender, {}, 1000) == sender.matching()
        times = [order["created_at"] for order in sender.orders.values()]
        for _ in range(25):
            filters = some_filters(rng, times)
            assert found(sender, filters, rng.choice((1, 7, 100, 1000))) == sender.matching(**filters), filters


def test_windows_of_time_have_each_order_once(senders, rng):
    """Breaks if an order that is created at the end of one window is in none, or in two."""
    write_at_once(senders, rng, 40)
    sender = senders[0]
    times = sorted({order["created_at"] for order in sender.orders.values()})
    edges = [times[0], *sorted(rng.sample(times[1:], 5)), "2100-01-01T00:00:00Z"]
    windows = [found(sender, {"created_after": begin, "created_before": end}, 10) for begin, end in zip(edges, edges[1:])]
    assert [order for window in reversed(windows) for order in window] == sender.matching()


def test_pages_are_whole_while_others_write(senders, rng):
    """Breaks if a reader misses an order that was there when it began, or sees one twice, while orders are created and changed."""
    write_at_once(senders, rng, 40)
    reader, stop = senders[0], Event()
    before = {order["order_id"] for order in reader.orders.values()}

    def write(sender, seed):
        own = random.Random(seed)
        while not stop.is_set():
            sender.write_some(own, 1)

    with ThreadPoolExecutor(len(senders)) as pool:
        writers = [pool.submit(write, sender, rng.randrange(2**32)) for sender in senders]
        try:
            for limit in (1, 3, 10, 10, 100, 1000):
                ids = [order["order_id"] for order in found(reader, {}, limit)]
                assert ids == sorted(set(ids), reverse=True)
                assert before <= set(ids)
        finally:
            stop.set()
        for writer in writers:
            writer.result()
    assert found(reader, {}, 1000) == reader.matching()


def test_a_cursor_of_the_list_by_customer_is_the_id_of_the_last_order(client):
    """Breaks if cursors that clients kept from the release before are refused, or begin elsewhere."""
    made = [accepted_order(create(order_content("c-cursor")).send(client), 201)["order_id"] for _ in range(3)]
    page = client.get(f"{ORDERS}?customer_id=c-cursor&limit=2").json()
    assert page["next_cursor"] == made[1]
    assert [order["order_id"] for order in client.get(f"{ORDERS}?customer_id=c-cursor&cursor={made[1]}").json()["orders"]] == made[:1]


def test_an_external_id_is_given_changed_removed_and_not_unique(client):
    """Breaks if an external id is lost, stays after its removal, or if a second order with it is refused."""
    name = f"PO {new_guid()}"

    def ids():
        return [order["order_id"] for order in client.get(f"{ORDERS}?external_id={quote(name)}").json()["orders"]]

    first, second = (accepted_order(create(order_content(external_id=name)).send(client), 201) for _ in range(2))
    assert first["external_id"] == name and ids() == [second["order_id"], first["order_id"]]
    without = accepted_order(merge(first["order_id"], 1, {"external_id": None}).send(client))
    assert "external_id" not in without and ids() == [second["order_id"]]
    again = accepted_order(merge(first["order_id"], 2, {"external_id": name}).send(client))
    assert again["external_id"] == name and len(ids()) == 2
    accepted_order(replace(second["order_id"], 1, order_content()).send(client))
    assert ids() == [first["order_id"]]
    assert_problem(create(order_content(external_id="a\nb")).send(client), 422, "invalid-order")
