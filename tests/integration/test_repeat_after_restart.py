"""Acknowledged writes and their answers survive the process; a stop loses nothing."""

import threading
from datetime import timedelta

import pytest

from support import settings
from support.concurrency import Threads, poll_until
from support.http_client import ConnectionEnded
from support.ordem_client import OrdemClient
from support.orders import (
    ORDER_CLOSED, STATUS_NOT_ALLOWED, accepted_order, assert_problem, assert_stale, create, expires_at, merge, new_customer, now,
    order_content, parse_time, recorded_part, replace, set_status,
)

DRAIN_SECONDS = 5


def record_outcomes(client):
    """One message of every outcome that is recorded. Returns (write, answer) pairs."""
    customer = new_customer()
    created = create(order_content(customer))
    answers = [created.send(client)]
    order_id = accepted_order(answers[0], 201)["order_id"]
    changed = order_content(customer, currency="USD")
    writes = [
        replace(order_id, 1, changed),
        merge(order_id, 2, {"attributes": None}, version_in="if-match"),
        replace(order_id, 1, changed),
        merge(order_id, 1, {"currency": "GBP"}, version_in="if-match"),
        set_status(order_id, 3, "confirmed"),
        set_status(order_id, 4, "delivered"),
        set_status(order_id, 4, "shipped", version_in="both"),
        replace(order_id, 5, changed),
    ]
    answers += [write.send(client) for write in writes]
    assert_stale(answers[3], writes[2], latest=3)
    assert_stale(answers[4], writes[3], latest=3)
    assert_problem(answers[6], 409, "status-not-allowed", STATUS_NOT_ALLOWED)
    assert_problem(answers[8], 409, "order-closed", ORDER_CLOSED)
    assert [answers[n].status for n in (1, 2, 5, 7)] == [200] * 4
    return list(zip([created, *writes], answers))


class Load:
    """Clients that create orders, each one after the other, until their connection ends."""

    def __init__(self, port):
        self.enough = threading.Event()
        self.customer = new_customer()
        self.acknowledged = []
        self.unanswered = []
        self.refused = []
        self.partial = []
        self._lock = threading.Lock()
        self._port = port

    def run(self):
        with OrdemClient(self._port) as client:
            for _ in range(settings.LOAD_REQUESTS_MAX):
                write = create(order_content(self.customer))
                try:
                    answer = write.send(client)
                except ConnectionEnded as end:
                    self._keep(self.unanswered, write)
                    if end.partial:
                        self._keep(self.partial, end.partial)
                    return
                except ConnectionRefusedError:
                    return
                self._take(write, answer)
        raise AssertionError("the server never stopped answering")

    def _take(self, write, answer):
        if answer.status == 201:
            self._keep(self.acknowledged, (write, answer))
        else:
            assert_problem(answer, 503, "draining")
            self._keep(self.refused, write)

    def _keep(self, entries, entry):
        with self._lock:
            entries.append(entry)
            if len(self.acknowledged) >= settings.LOAD_ANSWERS_BEFORE_STOP:
                self.enough.set()


def test_stop_under_load(launch):
    """Breaks if SIGTERM truncates a response, leaves a request without one, exits with a code other than 0, takes longer than the drain
    timeout, or loses an acknowledged order."""
    server = launch(f"--drain-timeout={DRAIN_SECONDS}s")
    load = Load(server.port)
    clients = Threads([load.run] * settings.LOAD_CLIENTS)
    assert load.enough.wait(settings.THREADS_SECONDS_MAX)
    server.stop(DRAIN_SECONDS + settings.QUICK_ANSWER_SECONDS_MAX)
    clients.join()
    assert load.partial == [] and load.unanswered == [], "an answer was cut off, or never came"

    client = launch().client()
    for write, answer in load.acknowledged:
        order = accepted_order(answer, 201)
        assert client.get_order(order["order_id"]) == order
        repeated = write.send(client)
        assert recorded_part(repeated) == recorded_part(answer)
        assert repeated.replayed
    for write in load.unanswered + load.refused:
        accepted_order(write.send(client), 201)
    guids = len(load.acknowledged) + len(load.unanswered) + len(load.refused)
    assert len(client.get_orders_of(load.customer)) == guids


def test_stuck_clients_do_not_hold_up_the_stop(launch):
    """Breaks if the drain waits for clients that never finish their request or sit on an idle connection."""
    server = launch("--drain-timeout=1s")
    idle, half_sent, waiting = server.connect(), server.connect(), server.connect()
    assert idle.get("/-/ping").status == 200
    half_sent.send(create().to_bytes()[:-1])
    waiting.send(b"GET /-/ping HTTP/1.1\r\nHost: ")
    server.stop(1 + 5 * settings.SLOW)


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_repeats_answer_the_same_after_a_restart(launch, end, durability):
    """Breaks if an outcome, or a field that its answer needs, is not stored with the order version, or if an answer is rendered from
    the order's current state instead of the recorded one."""
    server = launch(f"--durability={durability}")
    recorded = record_outcomes(server.client())
    order_id = accepted_order(recorded[0][1], 201)["order_id"]
    history = server.client().get_versions(order_id)
    getattr(server, end)()

    client = launch().client()
    for write, answer in recorded * 2:
        repeated = write.send(client)
        assert recorded_part(repeated) == recorded_part(answer)
        assert repeated.replayed
    assert client.get_versions(order_id) == history


def test_other_content_is_still_refused_after_a_restart(launch):
    """Breaks if the fingerprint is not stored with the outcome, or is computed with a seed that changes at each start."""
    server = launch()
    write = create()
    answer = write.send(server.client())
    server.stop()

    client = launch().client()
    other = create(guid=write.guid)
    assert_problem(other.send(client), 422, "guid-reused")
    assert recorded_part(write.send(client)) == recorded_part(answer)


def repeat_until_executed(client, write, recorded):
    """Repeats a message until its outcome has expired, and checks that it was replayed until then."""
    expiry = expires_at(recorded)

    def executed():
        answer = write.send(client)
        if answer.replayed:
            assert recorded_part(answer) == recorded_part(recorded)
            return None
        assert now() >= expiry, "an outcome was forgotten before its Idempotency-Expires"
        return answer

    return poll_until(executed, "the outcome expires")


def test_guid_is_fresh_after_its_ttl(launch):
    """Breaks if an outcome expires too early, is replayed forever, or if the order expires with its message."""
    client = launch("--message-ttl=1s").client()
    customer = new_customer()
    write = create(order_content(customer))
    first = write.send(client)
    created_at = parse_time(accepted_order(first, 201)["created_at"])
    assert timedelta(0) < expires_at(first) - created_at <= timedelta(seconds=2)
    second = repeat_until_executed(client, write, first)
    assert expires_at(second) > expires_at(first)
    orders = [accepted_order(answer, 201) for answer in (second, first)]
    assert orders[0]["order_id"] != orders[1]["order_id"]
    assert client.get_orders_of(customer) == orders


def test_expired_update_meets_the_version_check(launch):
    """Breaks if an expired outcome still exempts a repeat from the version check, or if other content is still refused as a reused GUID
    after the outcome has expired."""
    client = launch("--message-ttl=1s").client()
    order = accepted_order(create().send(client), 201)
    write = merge(order["order_id"], 1, {"currency": "USD"})
    first = write.send(client)
    assert_stale(repeat_until_executed(client, write, first), write, latest=2)
    poll_until(lambda: accepts_other_content(client, order["order_id"], write.guid), "the refusal expires")


def accepts_other_content(client, order_id, guid):
    answer = merge(order_id, 2, {"currency": "GBP"}, guid).send(client)
    if answer.status == 422:
        assert_problem(answer, 422, "guid-reused")
        return False
    return accepted_order(answer)["version"] == 3


def test_expiry_outlives_a_restart(launch):
    """Breaks if recovery extends the life of old outcomes, or brings expired ones back."""
    server = launch("--message-ttl=1s")
    write = create()
    first = write.send(server.client())
    server.kill()
    client = launch("--message-ttl=1s").client()
    second = repeat_until_executed(client, write, first)
    assert accepted_order(second, 201) != accepted_order(first, 201)
