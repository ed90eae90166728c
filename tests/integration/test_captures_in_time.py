"""Captures as time passes: leases end, captures expire, and a restart changes neither."""

import time
from collections import Counter

import pytest

from support import settings
from support.captures import Captures, ErrorText, allocation_bytes, assert_empty, assert_error, assert_record, captured, seconds_between
from support.http_client import send_at_the_same_moment
from support.ordem_server import inspect_capture

SHORT_LEASE = ("--capture-lease=1s",)
SHORT_TTL = ("--capture-lease=1s", "--capture-ttl=1s")
LONG_LEASE = ("--capture-lease=1h",)
SHORT_SECONDS = 1
CLOCKS_DIFFER_SECONDS = 0.05
RESPONSE = captured('{"resource_id": "123"}', 201, (("Content-Type", "application/json"), ("Set-Cookie", "secret")))


# Leases.

def test_lease_ends(launch):
    """Breaks if an allocation can be taken over before its lease has ended, or never, or if a takeover has no new lease. The server
    allocates after the test sends the first request, so the elapsed time is at least the length of the leases, however slow the machine
    is."""
    client = launch(*SHORT_LEASE).client()
    began = time.monotonic()
    key = client.captures.new_allocation()
    for takeovers in (1, 2):
        for answer in client.captures.wait_allocated(key):
            assert_empty(answer, 409)
        assert time.monotonic() - began >= takeovers * SHORT_SECONDS - CLOCKS_DIFFER_SECONDS


def test_recording_after_the_lease(launch):
    """Breaks if a late response is refused although no other client has taken over: the request would be executed twice without need."""
    client = launch(*SHORT_LEASE).client()
    key = client.captures.new_allocation()
    client.captures.let_leases_end()
    assert_empty(client.captures.record(key, RESPONSE), 200)
    client.captures.assert_completed(key, RESPONSE)


def test_late_record_before_that_of_the_new_holder(launch):
    """Breaks if, of two clients that have executed the request, the first to record does not win, or the second gets no error."""
    client = launch(*SHORT_LEASE).client()
    key = client.captures.new_allocation()
    client.captures.let_leases_end()
    assert_empty(client.captures.allocate(key), 202)
    assert_empty(client.captures.record(key, captured("of the first holder")), 200)
    assert_error(client.captures.record(key, captured("of the second holder")), 403, ErrorText.NOT_RECORDABLE)
    client.captures.assert_completed(key, captured("of the first holder"))


def test_late_record_after_that_of_the_new_holder(launch):
    """Breaks if a late response replaces the one that clients have already received."""
    client = launch(*SHORT_LEASE).client()
    key = client.captures.new_allocation()
    client.captures.let_leases_end()
    assert_empty(client.captures.allocate(key), 202)
    assert_empty(client.captures.record(key, captured("of the second holder")), 200)
    assert_error(client.captures.record(key, captured("of the first holder")), 403, ErrorText.NOT_RECORDABLE)
    client.captures.assert_completed(key, captured("of the second holder"))


def test_one_of_many_takes_over(launch):
    """Breaks if more than one client can take over a lapsed allocation. The leases of the takeovers do not end during the test."""
    server = launch(*SHORT_LEASE)
    keys = [server.client().captures.new_allocation() for _ in range(settings.CAPTURE_ROUNDS)]
    server.client().captures.let_leases_end()
    server.stop()
    server = launch(*LONG_LEASE)
    for key in keys:
        answers = send_at_the_same_moment(server.port, [allocation_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        assert Counter(answer.status for answer in answers) == {202: 1, 409: settings.CAPTURE_CONNECTIONS - 1}


def test_lease_for_ever(launch):
    """Breaks if an endless lease (0) ends, by itself or with --capture-ttl."""
    client = launch("--capture-lease=0s", "--capture-ttl=1s").client()
    key = client.captures.new_allocation()
    client.captures.let_captures_expire()
    assert_empty(client.captures.allocate(key), 409)
    assert_empty(client.captures.record(key, RESPONSE), 200)
    for answer in client.captures.wait_allocated(key):
        assert_record(answer, key, RESPONSE)


# Expiry.

def test_record_expires(launch):
    """Breaks if a record expires earlier than --capture-ttl after it was recorded, or never."""
    client = launch(*SHORT_TTL).client()
    key = client.captures.new_allocation()
    began = time.monotonic()
    assert_empty(client.captures.record(key, RESPONSE), 200)
    for answer in client.captures.wait_allocated(key):
        assert_record(answer, key, RESPONSE)
    assert time.monotonic() - began >= SHORT_SECONDS - CLOCKS_DIFFER_SECONDS
    assert_empty(client.captures.record(key, captured("anew")), 200)


@pytest.mark.parametrize("make", [Captures.new_allocation, lambda captures: captures.new_record(RESPONSE)], ids=["allocation", "record"])
def test_expired_is_unknown(launch, make):
    """Breaks if an expired capture still accepts a response, can be released, or blocks an allocation."""
    client = launch(*SHORT_TTL).client()
    key = make(client.captures)
    client.captures.let_captures_expire()
    assert_error(client.captures.record(key, RESPONSE), 403, ErrorText.NOT_RECORDABLE)
    assert_error(client.captures.release(key), 404, ErrorText.NOT_ALLOCATED)
    assert_empty(client.captures.allocate(key), 202)


def test_takeover_and_record_begin_a_new_life(launch, data_dir):
    """Breaks if --capture-ttl of a takeover or a record counts from the first allocation."""
    client = launch("--capture-lease=1s", "--capture-ttl=1h").client()
    key = client.captures.new_allocation()
    first = inspect_capture(data_dir, key)
    client.captures.let_leases_end()
    assert_empty(client.captures.allocate(key), 202)
    taken_over = inspect_capture(data_dir, key)
    assert seconds_between(first, "allocated_at", taken_over, "allocated_at") >= SHORT_SECONDS
    assert seconds_between(taken_over, "allocated_at", taken_over, "lease_ends_at") == SHORT_SECONDS
    assert seconds_between(taken_over, "allocated_at", taken_over, "expires_at") == 3600
    client.captures.let_leases_end()
    assert_empty(client.captures.record(key, RESPONSE), 200)
    recorded = inspect_capture(data_dir, key)
    assert recorded["allocated_at"] == taken_over["allocated_at"]
    assert seconds_between(taken_over, "expires_at", recorded, "expires_at") >= SHORT_SECONDS


# After a restart.

ENDS = pytest.mark.parametrize("end", ["stop", "kill"])


@ENDS
@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_captures_outlive_the_process(launch, end, durability):
    """Breaks if a restart loses, changes or reverts an acknowledged allocation, record or release."""
    server = launch(*LONG_LEASE, f"--durability={durability}")
    client = server.client()
    response = captured("\0\u65e5" * 1000, 418, (("Set-Cookie", ["a=1", "b=2"]), ("X-A", "1"), ("X-A", "2")))
    captures = client.captures
    allocated, completed, released = captures.new_allocation(), captures.new_record(response), captures.new_allocation()
    assert_empty(client.captures.release(released), 204)
    told = client.captures.allocate(completed)
    getattr(server, end)()

    client = launch(*LONG_LEASE).client()
    assert_empty(client.captures.allocate(allocated), 409)
    assert client.captures.allocate(completed).body == told.body
    client.captures.assert_completed(completed, response)
    assert_error(client.captures.record(completed, RESPONSE), 403, ErrorText.NOT_RECORDABLE)
    assert_error(client.captures.release(released), 404, ErrorText.NOT_ALLOCATED)
    assert_empty(client.captures.allocate(released), 202)
    assert_empty(client.captures.record(allocated, response), 200)
    client.captures.assert_completed(allocated, response)


@ENDS
def test_lease_outlives_the_process(launch, end):
    """Breaks if a restart ends or restarts a lease, or if --capture-lease changes an existing lease."""
    server = launch(*LONG_LEASE)
    long = server.client().captures.new_allocation()
    getattr(server, end)()
    server = launch(*SHORT_LEASE)
    short = server.client().captures.new_allocation()
    server.client().captures.let_leases_end()
    assert_empty(server.client().captures.allocate(long), 409)
    short_again = server.client().captures.new_allocation()
    getattr(server, end)()
    client = launch(*LONG_LEASE).client()
    for answer in client.captures.wait_allocated(short_again):
        assert_empty(answer, 409)
    assert_empty(client.captures.allocate(short), 202)
    assert_empty(client.captures.allocate(long), 409)


@ENDS
def test_expiry_outlives_the_process(launch, end):
    """Breaks if a restart restores an expired capture, extends its life, or shortens the ttl that was granted."""
    server = launch()
    long = server.client().captures.new_record(RESPONSE)
    getattr(server, end)()
    server = launch(*SHORT_TTL)
    expired = server.client().captures.new_record(RESPONSE)
    server.client().captures.let_captures_expire()
    short = server.client().captures.new_record(RESPONSE)
    getattr(server, end)()
    client = launch().client()
    assert_error(client.captures.release(expired), 404, ErrorText.NOT_ALLOCATED)
    assert_empty(client.captures.allocate(expired), 202)
    for answer in client.captures.wait_allocated(short):
        assert_record(answer, short, RESPONSE)
    client.captures.assert_completed(long, RESPONSE)
