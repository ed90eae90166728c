"""Clients that write randomly to a shared set of orders, drawn from a seed, and report everything to an oracle."""

import dataclasses
import threading

from support import settings
from support.concurrency import Threads, poll_until
from support.http_client import ConnectionEnded
from support.oracle import Oracle
from support.ordem_client import OrdemClient
from support.orders import create, merge, order_content, replace, set_status

HOT_ORDERS = 10
CUSTOMERS = [f"c-{number}" for number in range(settings.CRASH_CUSTOMERS)]
REUSE_CUSTOMER = "c-reuse"
STATUSES = ("confirmed", "shipped", "delivered", "cancelled", "new")
ACTIONS = {"create": 25, "update": 50, "stale update": 8, "repeat": 10, "reuse": 4, "bad": 3}


def random_guid(rng):
    return f"{rng.getrandbits(128):032x}"


EXTERNAL_IDS = ("PO-1", "PO-2", "ü \"7\"")


def random_items(rng):
    return [{"sku": f"s-{rng.randrange(1000)}", "quantity": rng.randint(1, 9), "unit_price": rng.randrange(100_000)}
            for _ in range(rng.randint(1, 4))]


def random_content(rng, customer_id):
    content = order_content(customer_id, currency=rng.choice(("EUR", "USD", "GBP")), items=random_items(rng))
    content["attributes"] = {"label": rng.getrandbits(32), "filler": "x" * rng.choice((0, 10, 2000))}
    if rng.random() < 0.2:
        del content["attributes"]
    if rng.random() < 0.3:
        content["external_id"] = rng.choice(EXTERNAL_IDS)
    return content


def random_patch(rng):
    return rng.choice((
        {"currency": rng.choice(("EUR", "USD"))},
        {"items": random_items(rng)},
        {"attributes": None},
        {"external_id": None},
        {"external_id": rng.choice(EXTERNAL_IDS)},
        {"attributes": {"label": rng.getrandbits(32), "filler": None, "deep": {"a": rng.random()}}},
    ))


def random_update(rng, order, version):
    """An update of an order that expects `version`."""
    order_id, guid = order["order_id"], random_guid(rng)
    version_in = rng.choice(("body", "if-match", "both"))
    kind = rng.choices(("replace", "merge", "status"), (40, 40, 20))[0]
    if kind == "replace":
        return replace(order_id, version, random_content(rng, order["customer_id"]), guid, version_in)
    if kind == "merge":
        return merge(order_id, version, random_patch(rng), guid, version_in)
    return set_status(order_id, version, rng.choice(STATUSES), guid, version_in)


class Kill:
    """The moment of a kill, as an event: after a number of recorded writes."""

    def __init__(self, oracle, recorded_count):
        self.reached = threading.Event()
        self._oracle = oracle
        self._recorded_count = recorded_count

    def progress(self):
        if self._oracle.recorded_count >= self._recorded_count:
            self.reached.set()


class Worker:
    """One client thread. It sends until its connection ends, and reports everything to the oracle."""

    client_class = OrdemClient

    def __init__(self, oracle, port, rng, customers, kill=None):
        self._oracle = oracle
        self._client = self.client_class(port)
        self._rng = rng
        self._customers = customers
        self._kill = kill

    def run(self):
        with self._client:
            try:
                for _ in range(settings.CRASH_REQUESTS_PER_WORKER_MAX):
                    self._act()
                    if self._kill:
                        self._kill.progress()
            except (ConnectionEnded, ConnectionRefusedError, ConnectionResetError):
                return
        raise AssertionError("the server was never killed")

    def run_until(self, stopped):
        """Sends until an event is set. REQUIRES: the server is running until then."""
        with self._client:
            while not stopped.is_set():
                self._act()

    def _act(self):
        action = self._rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        known = self._oracle.known_orders()
        if action == "create" or not known:
            self._write(create(random_content(self._rng, self._rng.choice(self._customers)), random_guid(self._rng)))
        elif action == "update":
            self._update(known)
        elif action == "stale update":
            self._stale_update(known)
        elif action == "repeat":
            self._repeat()
        elif action == "reuse":
            self._reuse()
        else:
            self._write(create({"currency": "EUR"}, random_guid(self._rng)))

    def _write(self, write):
        self._oracle.sending(write)
        self._oracle.answered(write.guid, write.send(self._client))

    def _update(self, known):
        """Updates the newest version that was acknowledged or read; a read may return the version of an unanswered write."""
        order_id = self._rng.choice(known[-HOT_ORDERS:] if self._rng.random() < 0.7 else known)
        order = self._client.get_order(order_id) if self._rng.random() < 0.3 else self._oracle.latest(order_id)
        self._write(random_update(self._rng, order, order["version"]))

    def _stale_update(self, known):
        order = self._oracle.latest(self._rng.choice(known))
        if order["version"] > 1:
            write = random_update(self._rng, order, self._rng.randrange(1, order["version"]))
            if write.kind != "status" and self._rng.random() < 0.5:
                write = dataclasses.replace(write, body={**write.body, "on_conflict": "merge"})
            self._write(write)

    def _repeat(self):
        guid = self._rng.choice(self._oracle.recorded_guids())
        self._oracle.repeated(guid, self._oracle.write(guid).send(self._client))

    def _reuse(self):
        guid = self._rng.choice(self._oracle.recorded_guids())
        other = create(random_content(self._rng, REUSE_CUSTOMER), guid)
        self._oracle.reused(guid, other.send(self._client))


class Load:
    """Workers that write until the end of the block. `oracle` has their responses."""

    def __init__(self, oracle, workers):
        self.oracle = oracle
        self._workers = workers
        self._stopped = threading.Event()
        self._threads = None

    def __enter__(self):
        self._threads = Threads([lambda worker=worker: worker.run_until(self._stopped) for worker in self._workers])
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._threads.join()

    def wait_for(self, count, seconds=settings.THREADS_SECONDS_MAX):
        """Waits until `count` more writes are recorded."""
        target = self.oracle.recorded_count + count

        def reached():
            self._threads.check()
            return self.oracle.recorded_count >= target

        poll_until(reached, f"{count} more writes are recorded", seconds)


def load_on(server, rng, oracle=None):
    """Returns a Load with clients of a server."""
    oracle = oracle or Oracle()
    return Load(oracle, [Worker(oracle, server.port, type(rng)(rng.getrandbits(64)), CUSTOMERS) for _ in range(settings.LOAD_CLIENTS)])


def load(server, rng, count, oracle=None):
    """Runs clients until `count` more writes are recorded; returns the oracle."""
    with load_on(server, rng, oracle) as running:
        running.wait_for(count)
    return running.oracle
