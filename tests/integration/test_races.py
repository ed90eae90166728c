"""Many clients race to change one order: its versions have no gap and no fork, and no read goes backwards."""

import threading

import pytest

from support import settings
from support.concurrency import Threads
from support.http_client import send_at_the_same_moment
from support.ordem_client import OrdemClient
from support.orders import accepted_order, assert_stale, create, merge, order_content, replace, set_status

WAYS = (("replace", "body"), ("replace", "if-match"), ("merge", "body"), ("merge", "if-match"), ("merge", "both"))


def create_order(client):
    """An order whose attributes have the same members as those of every update, so that a merge equals a replacement."""
    content = order_content(attributes={"label": "created"})
    return accepted_order(create(content).send(client), 201)


def update(order, label, way):
    """An update of `order` as it was read, in one of WAYS. The label makes its content unique."""
    kind, version_in = WAYS[way % len(WAYS)]
    attributes = {"label": label}
    if kind == "merge":
        return merge(order["order_id"], order["version"], {"attributes": attributes}, version_in=version_in)
    content = order_content(order["customer_id"], attributes=attributes)
    return replace(order["order_id"], order["version"], content, version_in=version_in)


class Racer:
    """A client that repeatedly reads the order and updates the version that it has read."""

    def __init__(self, port, order_id, number, start):
        self.won = []
        self.lost = 0
        self._client = OrdemClient(port)
        self._order_id = order_id
        self._number = number
        self._start = start

    def run(self):
        with self._client:
            self._client.connect()
            self._start.wait(settings.THREADS_SECONDS_MAX)
            for attempt in range(settings.RACE_ATTEMPTS):
                self._update_once(attempt)

    def _update_once(self, attempt):
        read = self._client.get_order(self._order_id)
        assert not self.won or read["version"] >= self.won[-1]["version"], "a read does not see the reader's own write"
        write = update(read, f"{self._number}/{attempt}", self._number + attempt)
        answer = write.send(self._client)
        if answer.status != 200:
            assert_stale(answer, write)
            self.lost += 1
            return
        order = accepted_order(answer)
        assert order["version"] == read["version"] + 1
        assert order["attributes"] == write.body["attributes"]
        self.won.append(order)


class Reader:
    """Reads the order until `stop` is set, and checks that versions never go backwards."""

    def __init__(self, port, order_id, stop):
        self.seen = {}
        self._client = OrdemClient(port)
        self._order_id = order_id
        self._stop = stop

    def run(self):
        latest = 0
        with self._client:
            for _ in range(settings.RACE_READS_MAX):
                order = self._client.get_order(self._order_id)
                assert order["version"] >= latest, f"version {order['version']} was read after version {latest}"
                latest = order["version"]
                assert self.seen.setdefault(latest, order) == order, f"version {latest} was read with two contents"
                if self._stop.is_set():
                    return


@pytest.mark.parametrize("flags", [(), ("--shards=1", "--live-orders=1")], ids=["default", "one live order"])
def test_versions_have_no_gap_and_no_fork(launch, flags):
    """Breaks if two updates are decided against the same version, if a version is skipped, if a read returns an uncommitted version
    (one that history lacks later), or if reads go backwards while the order actor is passivated."""
    server = launch(*flags)
    client = server.client()
    first = create_order(client)
    order_id = first["order_id"]
    start, stop = threading.Barrier(settings.RACE_CLIENTS), threading.Event()
    racers = [Racer(server.port, order_id, number, start) for number in range(settings.RACE_CLIENTS)]
    readers = [Reader(server.port, order_id, stop) for _ in range(settings.RACE_READERS)]
    reading = Threads([reader.run for reader in readers])
    try:
        Threads([racer.run for racer in racers]).join()
    finally:
        stop.set()
        reading.join()

    history = client.get_versions(order_id)
    assert [order["version"] for order in history] == list(range(len(history), 0, -1))
    won = sorted((order for racer in racers for order in racer.won), key=lambda order: order["version"])
    assert history[::-1] == [first, *won]
    assert client.get_order(order_id) == history[0]
    assert sum(racer.lost for racer in racers) > 0, "no racer lost: there was no race"
    by_version = {order["version"]: order for order in history}
    for reader in readers:
        for version, order in reader.seen.items():
            assert by_version[version] == order


def test_one_update_wins_each_version(launch):
    """Breaks if the version check and the write are not one step: two updates that arrive at the same moment against
    the same version would both succeed."""
    server = launch()
    client = server.client()
    order = create_order(client)
    history = [order]
    for round_number in range(settings.RACE_ROUNDS):
        writes = [update(order, f"{round_number}/{n}", n) for n in range(settings.RACE_CLIENTS)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in writes])
        won = [answer for answer in answers if answer.status == 200]
        assert len(won) == 1
        for write, answer in zip(writes, answers):
            if answer.status != 200:
                assert_stale(answer, write, latest=order["version"] + 1)
        order = accepted_order(won[0])
        history.insert(0, order)
        assert client.get_order(order["order_id"]) == order
    assert client.get_versions(order["order_id"]) == history


def test_confirm_and_cancel_exclude_each_other(launch):
    """Breaks if the status is decided on any version but that of the request: an order would be both confirmed and cancelled."""
    server = launch()
    client = server.client()
    for _ in range(settings.RACE_ROUNDS):
        order = create_order(client)
        writes = [set_status(order["order_id"], 1, ("confirmed", "cancelled")[n % 2])
                  for n in range(settings.RACE_CLIENTS)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in writes])
        won = [answer for answer in answers if answer.status == 200]
        assert len(won) == 1
        for write, answer in zip(writes, answers):
            if answer.status != 200:
                assert_stale(answer, write, latest=2)
        assert client.get_versions(order["order_id"]) == [accepted_order(won[0]), order]


def test_created_order_is_there_at_once(launch):
    """Breaks if a response is sent before the commit: an order acknowledged on one connection would not be found on another."""
    server = launch()
    for _ in range(settings.RACE_ROUNDS):
        writes = [create() for _ in range(settings.RACE_CLIENTS)]
        answers = send_at_the_same_moment(server.port, [write.to_bytes() for write in writes])
        with server.client() as other:
            for answer in answers:
                order = accepted_order(answer, 201)
                assert other.get_order(order["order_id"]) == order
