"""Captures as time passes: leases end, captures expire, and a restart changes nothing of that."""

import time
from collections import Counter

import pytest

from support import settings
from support.captures import (
    NOT_ALLOCATED,
    NOT_RECORDABLE,
    allocate,
    allocation_bytes,
    assert_completed,
    assert_empty,
    assert_error,
    assert_record,
    captured,
    inspect,
    let_captures_expire,
    let_leases_end,
    new_allocation,
    new_record,
    record,
    release,
    seconds_between,
    wait_allocated,
)
from support.http_client import send_at_the_same_moment

SHORT_LEASE = ("--capture-lease=1s",)
SHORT_TTL = ("--capture-lease=1s", "--capture-ttl=1s")
LONG_LEASE = ("--capture-lease=1h",)
SHORT_SECONDS = 1
CLOCKS_DIFFER_SECONDS = 0.05
RESPONSE = captured('{"resource_id": "123"}', 201, (("Content-Type", "application/json"), ("Set-Cookie", "secret")))


# Leases.

def test_lease_ends(launch):
    """Breaks if an allocation may be taken over before its lease has ended, or never, or if a takeover has no lease of its
    own. The server can't have allocated before the first request left, so the time since then is at least that of the leases,
    however slow the machine is."""
    client = launch(*SHORT_LEASE).client()
    began = time.monotonic()
    key = new_allocation(client)
    for takeovers in (1, 2):
        for answer in wait_allocated(client, key):
            assert_empty(answer, 409)
        assert time.monotonic() - began >= takeovers * SHORT_SECONDS - CLOCKS_DIFFER_SECONDS


def test_recording_after_the_lease(launch):
    """Breaks if a response that comes late is thrown away although nobody else has taken over: the request would be executed
    twice for nothing."""
    client = launch(*SHORT_LEASE).client()
    key = new_allocation(client)
    let_leases_end(client)
    assert_empty(record(client, key, RESPONSE), 200)
    assert_completed(client, key, RESPONSE)


def test_late_record_before_that_of_the_new_holder(launch):
    """Breaks if, of two that have executed the request, the first to record does not win, or if the second is not told."""
    client = launch(*SHORT_LEASE).client()
    key = new_allocation(client)
    let_leases_end(client)
    assert_empty(allocate(client, key), 202)
    assert_empty(record(client, key, captured("of the first holder")), 200)
    assert_error(record(client, key, captured("of the second holder")), 403, NOT_RECORDABLE)
    assert_completed(client, key, captured("of the first holder"))


def test_late_record_after_that_of_the_new_holder(launch):
    """Breaks if a late response replaces the one that clients have been given already."""
    client = launch(*SHORT_LEASE).client()
    key = new_allocation(client)
    let_leases_end(client)
    assert_empty(allocate(client, key), 202)
    assert_empty(record(client, key, captured("of the second holder")), 200)
    assert_error(record(client, key, captured("of the first holder")), 403, NOT_RECORDABLE)
    assert_completed(client, key, captured("of the second holder"))


def test_one_of_many_takes_over(launch):
    """Breaks if a lease that has ended lets more than one in. The takeovers are given leases that do not end meanwhile."""
    server = launch(*SHORT_LEASE)
    keys = [new_allocation(server.client()) for _ in range(settings.CAPTURE_ROUNDS)]
    let_leases_end(server.client())
    server.stop()
    server = launch(*LONG_LEASE)
    for key in keys:
        answers = send_at_the_same_moment(server.port, [allocation_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        assert Counter(answer.status for answer in answers) == {202: 1, 409: settings.CAPTURE_CONNECTIONS - 1}


def test_lease_for_ever(launch):
    """Breaks if a lease of 0 ends, with time or with --capture-ttl."""
    client = launch("--capture-lease=0s", "--capture-ttl=1s").client()
    key = new_allocation(client)
    let_captures_expire(client)
    assert_empty(allocate(client, key), 409)
    assert_empty(record(client, key, RESPONSE), 200)
    for answer in wait_allocated(client, key):
        assert_record(answer, key, RESPONSE)


# Expiry.

def test_record_expires(launch):
    """Breaks if a record is forgotten before --capture-ttl, counted from when it was recorded, or is kept for ever."""
    client = launch(*SHORT_TTL).client()
    key = new_allocation(client)
    began = time.monotonic()
    assert_empty(record(client, key, RESPONSE), 200)
    for answer in wait_allocated(client, key):
        assert_record(answer, key, RESPONSE)
    assert time.monotonic() - began >= SHORT_SECONDS - CLOCKS_DIFFER_SECONDS
    assert_empty(record(client, key, captured("anew")), 200)


@pytest.mark.parametrize("make", [new_allocation, lambda client: new_record(client, RESPONSE)], ids=["allocation", "record"])
def test_expired_is_unknown(launch, make):
    """Breaks if something that has expired can still be recorded to, released, or be in anybody's way."""
    client = launch(*SHORT_TTL).client()
    key = make(client)
    let_captures_expire(client)
    assert_error(record(client, key, RESPONSE), 403, NOT_RECORDABLE)
    assert_error(release(client, key), 404, NOT_ALLOCATED)
    assert_empty(allocate(client, key), 202)


def test_takeover_and_record_begin_a_new_life(launch, data_dir):
    """Breaks if a takeover or a record is kept for --capture-ttl since the first allocation, not since it was made."""
    client = launch("--capture-lease=1s", "--capture-ttl=1h").client()
    key = new_allocation(client)
    first = inspect(data_dir, key)
    let_leases_end(client)
    assert_empty(allocate(client, key), 202)
    taken_over = inspect(data_dir, key)
    assert seconds_between(first, "allocated_at", taken_over, "allocated_at") >= SHORT_SECONDS
    assert seconds_between(taken_over, "allocated_at", taken_over, "lease_ends_at") == SHORT_SECONDS
    assert seconds_between(taken_over, "allocated_at", taken_over, "expires_at") == 3600
    let_leases_end(client)
    assert_empty(record(client, key, RESPONSE), 200)
    recorded = inspect(data_dir, key)
    assert recorded["allocated_at"] == taken_over["allocated_at"]
    assert seconds_between(taken_over, "expires_at", recorded, "expires_at") >= SHORT_SECONDS


# After a restart.

ENDS = pytest.mark.parametrize("end", ["stop", "kill"])


@ENDS
@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_captures_outlive_the_process(launch, end, durability):
    """Breaks if an allocation, a record or a release that was acknowledged is lost, changed or brought back by a restart."""
    server = launch(*LONG_LEASE, f"--durability={durability}")
    client = server.client()
    response = captured("\0\u65e5" * 1000, 418, (("Set-Cookie", ["a=1", "b=2"]), ("X-A", "1"), ("X-A", "2")))
    allocated, completed, released = new_allocation(client), new_record(client, response), new_allocation(client)
    assert_empty(release(client, released), 204)
    told = allocate(client, completed)
    getattr(server, end)()

    client = launch(*LONG_LEASE).client()
    assert_empty(allocate(client, allocated), 409)
    assert allocate(client, completed).body == told.body
    assert_completed(client, completed, response)
    assert_error(record(client, completed, RESPONSE), 403, NOT_RECORDABLE)
    assert_error(release(client, released), 404, NOT_ALLOCATED)
    assert_empty(allocate(client, released), 202)
    assert_empty(record(client, allocated, response), 200)
    assert_completed(client, allocated, response)


@ENDS
def test_lease_outlives_the_process(launch, end):
    """Breaks if a restart ends a lease, gives it a new beginning that never ends, or if a lease that was given changes with
    --capture-lease."""
    server = launch(*LONG_LEASE)
    long = new_allocation(server.client())
    getattr(server, end)()
    server = launch(*SHORT_LEASE)
    short = new_allocation(server.client())
    let_leases_end(server.client())
    assert_empty(allocate(server.client(), long), 409)
    short_again = new_allocation(server.client())
    getattr(server, end)()
    client = launch(*LONG_LEASE).client()
    for answer in wait_allocated(client, short_again):
        assert_empty(answer, 409)
    assert_empty(allocate(client, short), 202)
    assert_empty(allocate(client, long), 409)


@ENDS
def test_expiry_outlives_the_process(launch, end):
    """Breaks if a restart brings back what has expired, gives it a new life, or cuts one short that was promised longer."""
    server = launch()
    long = new_record(server.client(), RESPONSE)
    getattr(server, end)()
    server = launch(*SHORT_TTL)
    expired = new_record(server.client(), RESPONSE)
    let_captures_expire(server.client())
    short = new_record(server.client(), RESPONSE)
    getattr(server, end)()
    client = launch().client()
    assert_error(release(client, expired), 404, NOT_ALLOCATED)
    assert_empty(allocate(client, expired), 202)
    for answer in wait_allocated(client, short):
        assert_record(answer, short, RESPONSE)
    assert_completed(client, long, RESPONSE)
