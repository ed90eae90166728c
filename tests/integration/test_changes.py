"""The change feed: its three forms, filters, tenants, resuming, and what bounds it."""

import time

import pytest

from support import settings
from support.concurrency import poll_until
from support.feed import CHANGES, EVENT_STREAM, LINES, Stream, changes_path, page, read_all
from support.http_client import HOST, request_bytes
from support.ordem_server import run_ordem
from support.orders import (JSON_TYPE, accepted_order, assert_problem, create, merge, new_customer, order_content,
                            replace, set_status)
from support.process_facts import rss_bytes

FORMS = (LINES, EVENT_STREAM)


def position_of(response):
    return int(response.header("Ordem-Position"))


def make_order(client, customer=None):
    """Creates an order; returns it and the write."""
    write = create(order_content(customer or new_customer()))
    return accepted_order(write.send(client), 201), write


def make_orders(client, count, customer=None):
    return [make_order(client, customer)[0] for _ in range(count)]


def end_of(client):
    """Returns the position of the end of the feed."""
    return page(client)["next"]


def ids_of(events):
    return [event["data"]["order"]["order_id"] for event in events]


# --- pages ---


def test_a_page_has_each_change_once_in_order_and_nothing_else(client):
    before = end_of(client)
    created, write = make_order(client)
    order_id = created["order_id"]
    assert write.send(client).replayed
    update = merge(order_id, 1, {"currency": "CHF"})
    updated = accepted_order(update.send(client))
    assert merge(order_id, 1, {"currency": "USD"}).send(client).status == 409  # recorded, but no change
    client.captures.allocate("key-of-changes")
    moved = set_status(order_id, 2, "confirmed")
    confirmed = accepted_order(moved.send(client))
    put = replace(order_id, 3, order_content(created["customer_id"]))
    replaced = accepted_order(put.send(client))

    read = page(client, after=before)
    assert [event["type"] for event in read["events"]] == [
        "order.created", "order.updated", "order.status_changed", "order.updated"]
    assert [event["data"]["order"] for event in read["events"]] == [created, updated, confirmed, replaced]
    assert [event["data"]["message"] for event in read["events"]] == [each.guid for each in (write, update, moved, put)]
    assert read["events"][-1]["data"]["order"] == client.get_order(order_id)
    assert read["next"] == before + 6
    assert page(client, after=read["next"])["events"] == []


def test_a_write_is_on_the_page_that_is_asked_for_after_its_response(server, client):
    """Also while another reader has the feed run, which renders blocks a moment later."""
    with Stream(server.port, LINES):
        for _ in range(50):
            before = end_of(client)
            order, _ = make_order(client)
            assert ids_of(page(client, after=before)["events"]) == [order["order_id"]]


def test_without_a_position_a_page_begins_at_the_end(client):
    make_orders(client, 3)
    read = page(client)
    assert read["events"] == []
    order, _ = make_order(client)
    assert ids_of(page(client, after=read["next"])["events"]) == [order["order_id"]]


def test_pages_of_any_size_have_the_same_events(client):
    before = end_of(client)
    orders = make_orders(client, 25)
    for limit in (1, 7, 25, 1000):
        events, _ = read_all(client, after=before, limit=limit)
        assert ids_of(events) == [order["order_id"] for order in orders]
    assert len(page(client, after=before, limit=7)["events"]) == 7


def test_filters_by_customer_and_type_leave_no_gap(client):
    before = end_of(client)
    mine, other = new_customer(), new_customer()
    orders = []
    for number in range(12):
        order, _ = make_order(client, mine if number % 3 == 0 else other)
        orders.append(order)
    accepted_order(set_status(orders[0]["order_id"], 1, "confirmed").send(client))
    end = end_of(client)

    of_mine, reached = read_all(client, after=before, customer_id=mine)
    assert ids_of(of_mine) == ids_of_orders(orders[0::3]) + [orders[0]["order_id"]] and reached == end
    moves, reached = read_all(client, after=before, type="order.status_changed")
    assert ids_of(moves) == [orders[0]["order_id"]] and reached == end
    both, _ = read_all(client, after=before, customer_id=mine, type="order.created,order.status_changed", limit=2)
    assert both == of_mine
    nothing = page(client, after=before, customer_id=new_customer())
    assert nothing["events"] == [] and nothing["next"] == end


def ids_of_orders(orders):
    return [order["order_id"] for order in orders]


def test_a_page_waits_for_an_event_that_it_would_have(server, client):
    customer = new_customer()
    before = end_of(client)
    waiting = server.connect()
    waiting.send(request_bytes("GET", changes_path(after=before, wait=60, customer_id=customer)))
    make_order(client)
    assert not waiting.has_answer(0.2)
    order, _ = make_order(client, customer)
    body = waiting.read_response().json()
    assert ids_of(body["events"]) == [order["order_id"]]
    assert page(client, after=body["next"], wait=1)["events"] == []


def test_a_position_behind_the_end_waits_for_what_comes_there(server, client):
    end = end_of(client)
    ahead = page(client, after=end + 2)
    assert ahead["events"] == [] and ahead["next"] == end + 2
    with Stream(server.port, EVENT_STREAM, after=end + 2) as stream:
        orders = make_orders(client, 3)
        assert ids_of(stream.take(1)) == [orders[2]["order_id"]]


@pytest.mark.parametrize("query", [
    "after=", "after=-1", "after=x", "after=01", "after=99999999999999999999", "limit=0", "limit=1001", "limit=x",
    "wait=61", "wait=x", "type=", "type=order.deleted", "type=order.created,", "customer_id=", "cursor=1",
    "after=1&after=2",
])
def test_bad_parameters_are_refused(client, query):
    assert_problem(client.get(f"{CHANGES}?{query}"), 400, "malformed-query")


def test_the_bounds_of_a_page_are_none_of_a_stream(client):
    for query in ("limit=5", "wait=5"):
        assert_problem(client.get(f"{CHANGES}?{query}", [("Accept", EVENT_STREAM)]), 400, "malformed-query")


def test_a_bad_last_event_id_is_refused(client):
    headers = [("Accept", EVENT_STREAM), ("Last-Event-ID", "abc")]
    assert_problem(client.get(CHANGES, headers), 400, "malformed-query")


def test_accept_selects_the_form(server, client):
    for accept in (None, "*/*", "application/json", "text/html", "application/*;q=0.5, text/plain",
                   f"{EVENT_STREAM};q=0.2, application/json"):
        response = client.get(CHANGES, [("Accept", accept)] if accept else [])
        assert response.header("Content-Type") == JSON_TYPE, accept
    for form in FORMS:
        Stream(server.port, form).close()
    head = client.request("HEAD", CHANGES, [("Accept", EVENT_STREAM)])
    assert (head.status, head.header("Content-Type"), head.body) == (200, EVENT_STREAM, b"")


def test_http_1_0_gets_pages_alone(server):
    with server.connect() as connection:
        connection.send(f"GET {CHANGES} HTTP/1.0\r\nHost: {HOST}\r\nAccept: {LINES}\r\n\r\n".encode())
        assert_problem(connection.read_response(), 400, "malformed-request")


# --- streams ---


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_shows_what_was_and_what_comes(server, client, form):
    before = end_of(client)
    orders = make_orders(client, 5)
    with Stream(server.port, form, after=before) as stream:
        assert ids_of(stream.take(5)) == ids_of_orders(orders)
        for _ in range(20):
            order, _ = make_order(client)
            assert ids_of(stream.take(1)) == [order["order_id"]]


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_from_the_end_tells_where_it_begins(server, client, form):
    make_orders(client, 2)
    with Stream(server.port, form) as stream:
        assert stream.next() is None and stream.position == end_of(client)
        order, _ = make_order(client)
        assert ids_of(stream.take(1)) == [order["order_id"]]


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_that_is_resumed_again_and_again_has_each_event_once(server, client, form):
    before = end_of(client)
    orders = make_orders(client, 40)
    got, position = [], before
    while len(got) < 40:
        with Stream(server.port, form, after=position) as stream:
            got += stream.take(min(7, 40 - len(got)))
            position = got[-1]["data"]["position"]
    assert ids_of(got) == ids_of_orders(orders)


def test_last_event_id_beats_the_query(server, client):
    before = end_of(client)
    orders = make_orders(client, 4)
    with Stream(server.port, EVENT_STREAM, after=before) as stream:
        second = stream.take(2)[1]["data"]["position"]
    with Stream(server.port, EVENT_STREAM, last_event_id=second, after=before) as stream:
        assert ids_of(stream.take(2)) == ids_of_orders(orders[2:])


@pytest.mark.parametrize("form", FORMS)
def test_a_filtered_stream_has_what_it_asks_for_and_goes_on(server, client, form):
    mine, before = new_customer(), end_of(client)
    old = make_orders(client, 2, mine)
    make_orders(client, 5)
    with Stream(server.port, form, after=before, customer_id=mine, type="order.created,order.status_changed") as stream:
        assert ids_of(stream.take(2)) == ids_of_orders(old)
        make_orders(client, 5)
        accepted_order(merge(old[0]["order_id"], 1, {"currency": "CHF"}).send(client))
        accepted_order(set_status(old[0]["order_id"], 2, "confirmed").send(client))
        new, _ = make_order(client, mine)
        events = stream.take(2)
        assert [event["type"] for event in events] == ["order.status_changed", "order.created"]
        assert ids_of(events) == [old[0]["order_id"], new["order_id"]]


def test_a_stream_whose_filter_takes_nothing_tells_how_far_it_is(server, client):
    with Stream(server.port, EVENT_STREAM, customer_id=new_customer()) as stream:
        stream.next()
        began = stream.position
        make_orders(client, 3)
        end = end_of(client)
        assert stream.take_until(end) == [] and stream.position == end > began


def test_large_orders_pass_through_every_form(server, client):
    """An event that is larger than a block, and pages that end early."""
    before = end_of(client)
    items = [{"sku": f"S-{number:060}", "quantity": 1, "unit_price": 1} for number in range(500)]
    content = order_content(attributes={"text": "\u00e4\n" * 4000})
    written = [accepted_order(create({**content, "items": items}).send(client), 201) for _ in range(30)]
    events, _ = read_all(client, after=before, limit=1000)
    assert [event["data"]["order"] for event in events] == written
    assert len(page(client, after=before, limit=1000)["events"]) < 30
    for form in FORMS:
        with Stream(server.port, form, after=before) as stream:
            assert [event["data"]["order"] for event in stream.take(30)] == written


def test_many_readers_behind_and_at_the_end_agree(server, client):
    before = end_of(client)
    customers = [new_customer() for _ in range(4)]
    with_filter = [Stream(server.port, LINES, after=before, customer_id=each) for each in customers]
    without = [Stream(server.port, form, after=before) for form in FORMS for _ in range(4)]
    orders = [make_order(client, customers[number % 4])[0] for number in range(200)]
    for number, stream in enumerate(with_filter):
        assert ids_of(stream.take(50)) == ids_of_orders(orders[number::4])
    for stream in without:
        assert ids_of(stream.take(200)) == ids_of_orders(orders)
    for stream in (*with_filter, *without):
        stream.close()


# --- tenants ---


def test_a_tenant_sees_its_own_changes_alone(launch, tmp_path):
    keys = tmp_path / "keys"
    secrets = {}
    for name, tenant, scopes in (("a", "shop", "orders:read,orders:write"), ("b", "stall", "orders:read,orders:write"),
                                 ("c", "shop", "orders:write")):
        made = run_ordem("key", "create", "--keys", keys, "--name", name, "--tenant", tenant, "--scopes", scopes)
        secrets[name] = made.stdout.split()[0]
    server = launch(f"--keys={keys}")
    clients = {}
    for name, secret in secrets.items():
        clients[name] = server.client()
        clients[name].key = secret
    customer = new_customer()
    shop = Stream(server.port, EVENT_STREAM, key=secrets["a"], after=0)
    stall = Stream(server.port, LINES, key=secrets["b"], after=0, customer_id=customer)
    orders = {name: make_orders(clients[name], 10, customer) for name in "ab"}
    assert ids_of(shop.take(10)) == ids_of_orders(orders["a"])
    assert ids_of(stall.take(10)) == ids_of_orders(orders["b"])
    for name in "ab":
        for filtered in ({}, {"customer_id": customer}):
            events, _ = read_all(clients[name], limit=3, **filtered)
            assert ids_of(events) == ids_of_orders(orders[name])
            assert {event["data"]["actor"] for event in events} == {name}
    assert_problem(clients["c"].get(CHANGES), 403, "forbidden")
    assert_problem(server.client().get(CHANGES), 401, "unauthenticated")
    shop.close()
    stall.close()


# --- bounds ---


def test_what_the_log_no_longer_keeps_is_gone(launch):
    server = launch("--log-entries=1", "--write-buffer=4MiB")
    client = server.client()
    content = order_content(attributes={"text": "x" * 16_000})
    refused = None
    for _ in range(100):
        for _ in range(100):
            assert create(content).send(client).status == 201
        refused = client.get(changes_path(after=0))
        if refused.status == 410:
            break
    oldest = assert_problem(refused, 410, "position-trimmed")["oldest_position"]
    assert oldest > 0
    assert page(client, after=oldest, limit=1)["events"][0]["data"]["position"] == oldest + 1
    for form in FORMS:
        response = client.get(changes_path(after=oldest - 1), [("Accept", form)])
        assert assert_problem(response, 410, "position-trimmed")["oldest_position"] >= oldest


def test_readers_over_the_bound_are_refused_until_one_leaves(launch):
    server = launch("--feed-readers=2")
    client = server.client()
    first, second = (Stream(server.port, form) for form in FORMS)
    for accept in (JSON_TYPE, LINES, EVENT_STREAM):
        assert_problem(client.get(CHANGES, [("Accept", accept)]), 503, "overloaded")
    assert client.metric("ordem_feed_readers") == 2 and client.metric("ordem_feed_refused_total") == 3
    first.close()
    poll_until(lambda: client.get(CHANGES).status == 200, "a place is free")
    second.close()
    poll_until(lambda: client.metric("ordem_feed_readers") == 0, "no reader is left")


def test_a_slow_reader_is_cut_off_and_holds_no_memory(launch):
    """Readers that take nothing while megabytes of events pass are cut off once no byte has moved for --request-timeout. Each goes
    on from where it was."""
    server = launch("--request-timeout=2s")
    client = server.client()
    content = order_content(attributes={"text": "x" * 16_000})
    customer = content["customer_id"]
    slow = [Stream(server.port, form, narrow=True, after=0, customer_id=filtered) for form in FORMS
            for filtered in (None, customer) for _ in range(5)]
    fast = Stream(server.port, LINES, after=0)
    for _ in range(100):
        assert create(content).send(client).status == 201
    assert len(fast.take(100)) == 100
    before = rss_bytes(server.pid)
    events = []
    for _ in range(30):  # in parts that the kernels hold, so that this reader is not a slow one
        for _ in range(50):
            assert create(content).send(client).status == 201
        events += fast.take(50)
    assert client.get("/-/ping").status == 200
    poll_until(lambda: cuts(client, "stalled") == len(slow), "all slow readers are cut off")
    # Of 24 MB of events the newest 8 MiB are kept, and each order once more in the view: far less than a copy for each reader.
    assert rss_bytes(server.pid) - before < settings.RSS_GROWTH_BYTES_MAX
    for stream in slow:
        got, complete = stream.read_end()
        assert not complete and len(got) < 1600
    resumed = Stream(server.port, slow[0].form, after=slow[0].position)
    assert resumed.take_until(events[-1]["data"]["position"])[-1]["id"] == events[-1]["id"]
    for stream in (resumed, fast):
        stream.close()


def test_metrics_say_how_far_the_slowest_stream_is_behind(launch):
    server = launch()
    client = server.client()
    content = order_content(attributes={"text": "x" * 16_000})
    lag = lambda: client.metric("ordem_feed_slowest_lag_entries")
    assert lag() == 0
    with Stream(server.port, LINES, narrow=True, after=0) as slow:
        poll_until(lambda: create(content).send(client).status == 201 and lag() > 50, "the stream is behind")
        slow.take_until(end_of(client))
        poll_until(lambda: lag() == 0, "the stream has got everything")


def cuts(client, reason):
    name = f'ordem_feed_cut_off_total{{reason="{reason}"}}'
    line = next(each for each in client.get("/metrics").body.decode().splitlines() if each.startswith(name))
    return float(line.split()[-1])


@pytest.mark.parametrize("form", FORMS)
def test_a_stop_ends_streams_whole(launch, form):
    server = launch()
    client = server.client()
    order, _ = make_order(client)
    stream = Stream(server.port, form, after=0)
    assert ids_of(stream.take(1)) == [order["order_id"]]
    waiting = server.connect()
    waiting.send(request_bytes("GET", changes_path(wait=60)))
    poll_until(lambda: client.metric("ordem_feed_readers") == 2, "the page waits")
    server.signal_stop()
    assert stream.read_end() == ([], True)
    assert waiting.read_response().json()["events"] == []
    assert server.wait_exit() == 0
    stream.close()


def test_a_stop_does_not_wait_for_a_reader_that_takes_nothing(launch):
    server = launch("--drain-timeout=60s")
    client = server.client()
    content = order_content(attributes={"text": "x" * 16_000})
    slow = Stream(server.port, LINES, narrow=True, after=0)
    for _ in range(200):
        assert create(content).send(client).status == 201
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < settings.HANGING_STOP_SECONDS_MAX
    slow.close()


def test_the_feed_goes_on_after_a_restart(launch, data_dir):
    server = launch()
    orders = make_orders(server.client(), 5)
    events, end = read_all(server.client())
    server.stop()
    server = launch(folder=data_dir)
    assert read_all(server.client()) == (events, end)
    assert ids_of(events) == ids_of_orders(orders)
    order, _ = make_order(server.client())
    with Stream(server.port, EVENT_STREAM, last_event_id=end) as stream:
        assert ids_of(stream.take(1)) == [order["order_id"]]


def test_a_thousand_readers_get_each_event_of_their_customer(launch):
    server = launch("--feed-readers=1000")
    client = server.client()
    customers = [new_customer() for _ in range(100)]
    streams = [Stream(server.port, FORMS[number % 2], customer_id=customers[number % 100]) for number in range(1000)]
    for stream in streams:
        stream.next()
    orders = [make_order(client, customers[number % 100])[0] for number in range(500)]
    for number, stream in enumerate(streams):
        assert ids_of(stream.take(5)) == ids_of_orders(orders[number % 100::100])
    assert client.metric("ordem_feed_readers") == 1000 and client.metric("ordem_feed_events_total") == 5000
    for stream in streams:
        stream.close()
    poll_until(lambda: client.metric("ordem_feed_readers") == 0, "no reader is left")
