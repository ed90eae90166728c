"""Looks at what a server shows after a load, for an oracle to judge."""

from support.oracle import Observation, show
from support.orders import ORDERS, get_pages, message_path, order_path


def get_or_none(client, path):
    response = client.get(path)
    assert response.status in (200, 404), f"{path}: {response.status} {response.body!r}"
    return response.json() if response.status == 200 else None


def history_of(client, order_id, limit):
    if get_or_none(client, order_path(order_id)) is None:
        return []
    versions = get_pages(client, f"{order_path(order_id)}/versions", "versions", limit)
    current = get_or_none(client, order_path(order_id))["order"]
    assert versions[:1] == [current], f"the order is {current}, its newest version {versions[:1]}"
    return versions


def observe(client, oracle, rng, customers, guids, more_orders):
    """What the server shows about these writes, about all unanswered and refused ones, and about their orders."""
    limit = rng.choice((10, 100, 1000))
    asked = {*guids, *oracle.unanswered_guids(), *oracle.refused_guids()}
    messages = {guid: get_or_none(client, message_path(guid)) for guid in sorted(asked)}
    orders = {message["order_id"] for message in messages.values() if message}
    orders |= {oracle.write(guid).order_id for guid in asked} | set(more_orders)
    histories = {order_id: history_of(client, order_id, limit) for order_id in orders - {None}}
    listed = {customer_id: get_pages(client, f"{ORDERS}?customer_id={customer_id}", "orders", limit)
              for customer_id in customers}
    return Observation(messages, histories, listed)


def assert_as_told(client, oracle, rng, customers, guids, more_orders=()):
    """Holds what the server shows against what its clients were told."""
    seen = observe(client, oracle, rng, customers, guids, more_orders)
    oracle.settle(seen)
    problems = oracle.check(seen)
    assert not problems, show(problems)
