"""Captures for operators: settings, metrics, `ordem inspect capture`."""

import re

import pytest

from support.captures import assert_empty, captured, new_key, seconds_between
from support.ordem_server import assert_clean_failure, assert_does_not_start, inspect_capture, run_ordem

RESPONSE = captured('{"resource_id": "123"}', 201, (("Content-Type", "application/json"), ("Set-Cookie", "secret")))


# Metrics and inspection.

VERDICTS = ("allocated", "in_flight", "completed", "recorded", "not_recordable", "released", "not_releasable", "unknown")


def counted(client):
    """ordem_captures_total by verdict."""
    found = re.findall(r'^ordem_captures_total\{verdict="(\w+)"\} (\S+)$', client.get("/metrics").body.decode(), re.M)
    return {verdict: float(value) for verdict, value in found}


def test_metrics(launch):
    """Breaks if a verdict is not counted, is counted as another one, or has no metric before its first occurrence."""
    client = launch().client()
    assert counted(client) == dict.fromkeys(VERDICTS, 0)
    key, other = new_key(), new_key()
    for _ in range(3):
        client.captures.allocate(key)
    for _ in range(5):
        client.captures.record(key, RESPONSE)
    for _ in range(6):
        client.captures.allocate(key)
    for _ in range(7):
        client.captures.release(key)
    client.captures.allocate(other)
    for _ in range(9):
        client.captures.release(other)
    client.captures.allocate("malformed")
    expected = {"allocated": 2, "in_flight": 2, "completed": 6, "recorded": 1, "not_recordable": 4, "released": 1,
                "not_releasable": 7, "unknown": 8}
    assert counted(client) == expected


def assert_inspect_shows(data_dir, allocated, completed):
    shown = inspect_capture(data_dir, allocated)
    assert (shown["idempotency_key"], shown["state"]) == (allocated, "allocated")
    assert seconds_between(shown, "allocated_at", shown, "lease_ends_at") == 2 * 3600
    assert seconds_between(shown, "allocated_at", shown, "expires_at") == 3 * 3600
    assert shown.get("response") is None
    shown = inspect_capture(data_dir, completed)
    assert (shown["idempotency_key"], shown["state"]) == (completed, "completed")
    assert seconds_between(shown, "allocated_at", shown, "expires_at") >= 3 * 3600
    assert shown["response"] == RESPONSE


@pytest.mark.parametrize("end", ["stop", "kill", None], ids=["stopped", "killed", "running"])
def test_inspect(launch, data_dir, end):
    """Breaks if inspect differs from the server's state, requires a clean stop, or disturbs a running server."""
    flags = ("--capture-lease=2h", "--capture-ttl=3h")
    server = launch(*flags)
    allocated, completed = server.client().captures.new_allocation(), server.client().captures.new_record(RESPONSE)
    if end:
        getattr(server, end)()
    assert_inspect_shows(data_dir, allocated, completed)
    client = (launch(*flags) if end else server).client()
    assert_empty(client.captures.allocate(allocated), 409)
    client.captures.assert_completed(completed, RESPONSE)


def test_inspect_a_lease_for_ever(launch, data_dir):
    """Breaks if inspect prints an end for an endless lease."""
    server = launch("--capture-lease=0s")
    key = server.client().captures.new_allocation()
    shown = inspect_capture(data_dir, key)
    assert (shown["state"], shown["lease_ends_at"], shown["expires_at"]) == ("allocated", None, None)


def test_inspect_a_key_that_looks_like_an_option(launch, data_dir):
    """Breaks if a key that begins with a dash (one in 64) can't be inspected."""
    assert_empty(launch().client().captures.allocate("--dashes"), 202)
    assert inspect_capture(data_dir, "--dashes")["idempotency_key"] == "--dashes"


@pytest.mark.parametrize("key", ["nobodyhere", "no key"])
def test_inspect_what_is_not_there(launch, data_dir, key):
    """Breaks if inspect prints an empty object or nothing for an unknown key, and succeeds."""
    server = launch()
    assert_empty(server.client().captures.allocate("nobodyhere"), 202)
    assert_empty(server.client().captures.release("nobodyhere"), 204)
    server.stop()
    result = run_ordem("inspect", "capture", key, "--data-dir", data_dir)
    assert_clean_failure(result.returncode, result.stderr, [key])
    assert result.stdout.strip() == ""


# Settings.

@pytest.mark.parametrize("flags, words", [
    (("--capture-lease=2s", "--capture-ttl=1s"), ("capture-ttl", "capture-lease")),
    (("--capture-ttl=59s",), ("capture-ttl", "capture-lease")),
    (("--capture-lease=25h",), ("capture-ttl", "capture-lease")),
    (("--capture-ttl=0s",), ("capture-ttl",)),
    (("--capture-lease=-1s",), ("capture-lease",)),
    (("--capture-lease=60",), ("capture-lease",)),
    (("--capture-max=0B",), ("capture-max",)),
    (("--capture-max=1MB",), ("capture-max",)),
], ids=lambda value: " ".join(value) if value[0].startswith("--") else "")
def test_settings_that_make_no_sense(data_dir, flags, words):
    """Breaks if the server starts with contradictory or invalid settings: an allocation that expires before its lease ends would permit
    a second execution."""
    assert_does_not_start(data_dir, *flags, words=words)
    assert not data_dir.exists()


def test_settings_at_their_bounds(launch, tmp_path):
    """Breaks if a lease as long as the ttl, or an endless lease, is refused."""
    for number, flags in enumerate((("--capture-lease=1m", "--capture-ttl=1m"), ("--capture-lease=0s", "--capture-ttl=1s"))):
        launch(*flags, folder=tmp_path / str(number)).client().captures.new_allocation()
