"""Clients of Ordem: a Client and a Connection of http_client.py with the calls of its API.

    client.get_order(order_id)                an order, after checking the response
    client.captures.allocate(key)             the response, whatever it is
    client.metric("ordem_orders")             the value of a metric
    client.wait_persisted()                   returns once Postgres has everything that is durable now
    client.key = "ordem_..."                  sends it with every request from now on

The writes of orders are values with a method `send` (orders.py), because tests repeat, compare and tear them.
"""

import re

from support import settings
from support.captures import Captures
from support.concurrency import poll_until
from support.http_client import Client, Connection
from support.orders import ORDERS, accepted_order, get_pages, order_path


class _Calls:
    """The calls, for a class with `exchange` and `get`."""

    @property
    def captures(self):
        return Captures(self)

    # Orders.

    def get_order(self, order_id):
        return accepted_order(self.get(order_path(order_id)))

    def get_versions(self, order_id, limit=1000):
        """Returns all versions of an order, newest first."""
        return get_pages(self, f"{order_path(order_id)}/versions", "versions", limit)

    def get_orders_of(self, customer_id, limit=1000):
        """Returns all orders of a customer, newest first."""
        return get_pages(self, f"{ORDERS}?customer_id={customer_id}", "orders", limit)

    # The state of the server.

    def positions(self):
        response = self.get("/-/position")
        assert response.status == 200, response.body
        return response.json()

    def metric(self, name):
        """Returns the value of a metric without labels; None if it is absent."""
        found = re.search(rf"^{name} (\S+)$", self.get("/metrics").body.decode(), re.MULTILINE)
        return float(found[1]) if found else None

    def wait_ready(self):
        poll_until(lambda: self.get("/-/ready").status == 200, "the server is ready", settings.START_SECONDS_MAX)

    def wait_persisted(self, position=None, seconds=settings.POLL_SECONDS_MAX):
        """Waits until Postgres has everything up to `position`, by default up to what is durable now. Returns the position of Postgres."""
        target = self.positions()["durable"] if position is None else position

        def reached():
            persisted = self.positions()["persisted"]
            return persisted is not None and persisted >= target and [persisted]

        return poll_until(reached, f"Postgres has position {target}", seconds)[0]


class OrdemClient(_Calls, Client):
    """A keep-alive client. `key`: the API key that every request of it has."""

    key = None

    def exchange(self, data, method="GET"):
        return super().exchange(with_key(data, self.key) if self.key else data, method)


def with_key(request, key):
    """Returns the bytes of a request with an API key in its header."""
    line, rest = request.split(b"\r\n", 1)
    return b"\r\n".join((line, f"Authorization: Bearer {key}".encode(), rest))


class OrdemConnection(_Calls, Connection):
    """One TCP connection."""
