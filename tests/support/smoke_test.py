"""The smoke test: calls that have to work in every deployment of Ordem."""

from support.orders import accepted_order, assert_stale, create, merge, recorded_part


def run_smoke_test(client):
    """Create, get, update, get; then the first create again, an update with the old version, one with the current version. Returns the
    resulting order."""
    first = create()
    created = first.send(client)
    order_id = accepted_order(created, 201)["order_id"]
    assert client.get_order(order_id)["version"] == 1

    updated = accepted_order(merge(order_id, 1, {"attributes": {"gift": True}}).send(client))
    assert client.get_order(order_id) == updated and updated["version"] == 2

    repeated = first.send(client)
    assert repeated.replayed and recorded_part(repeated) == recorded_part(created)
    stale = merge(order_id, 1, {"currency": "USD"})
    assert_stale(stale.send(client), stale, latest=2)
    return accepted_order(merge(order_id, 2, {"currency": "USD"}).send(client))
