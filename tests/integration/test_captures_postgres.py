"""Captures in Postgres: replicated from the log, compared by `ordem verify`, recreated by `ordem restore`."""

import random
import shutil

import pytest

from support import settings
from support.captures import captured, new_key
from support.concurrency import Threads, poll_until
from support.ordem_client import OrdemClient
from support.ordem_server import run_ordem
from support.orders import accepted_order, create
from support.postgres import start_postgres
from support.replica import Replica

STRANGE_BODIES = ("", "\0", "a\0b", "\\N", "\\.", "\\x00", "ü€\U0001F600\U0010ffff", "\t\n\r\x01\x7f\x85", "'\"`$$", "{}", "x" * 100_000)
STRANGE_HEADERS = (("Set-Cookie", ["a=1; Path=/", "b=2", ""]), ("X", "y"), ("X", "z"), ("", ""), ("é", []), ("\\N", "\\."), ("{}", "\t"))


def rows(replica):
    """{key: (state, status, body, headers)}"""
    found = replica.run("SELECT idempotency_key, state, response_status, response_body, response_headers FROM captures")
    return {key: (state, status, body if body is None else bytes(body).decode(), headers) for key, state, status, body, headers in found}


def completed_row(response):
    return "completed", response["response_status"], response["response_body"], response["response_headers"]


ALLOCATED_ROW = ("allocated", None, None, None)


def fill(client):
    """Creates captures of every kind. Returns {key: response, or None for an allocation}."""
    responses = {new_key(): captured(body, 200 + at, STRANGE_HEADERS) for at, body in enumerate(STRANGE_BODIES)}
    responses |= {new_key(): captured("x", status) for status in (100, 999)}
    for key, response in responses.items():
        client.captures.complete(key, response)
    for _ in range(3):
        responses[key := new_key()] = None
        assert client.captures.allocate(key).status == 202
    for _ in range(3):  # released: they leave no row
        assert client.captures.allocate(key := new_key()).status == 202
        assert client.captures.release(key).status == 204
    return responses


def assert_rows(replica, responses):
    assert rows(replica) == {key: completed_row(response) if response else ALLOCATED_ROW for key, response in responses.items()}


def test_captures_are_written_as_they_are_at_the_position(replica, launch, data_dir):
    """Breaks if a byte of a body or a header changes, if a released capture stays, or if a position is skipped because captures and
    orders share the log."""
    client = launch(f"--postgres-url={replica}").client()
    responses = fill(client)
    order = create().send(client)
    accepted_order(order, 201)
    client.wait_persisted()
    assert_rows(replica, responses)
    replica.assert_verified(data_dir)
    # Each entry has a position: two for a recorded or released capture, one for an allocation, one for the order.
    recorded = sum(response is not None for response in responses.values())
    assert replica.position() == 2 * recorded + 3 + 6 + 1
    assert int(order.header("Ordem-Position")) == replica.position()


def test_changes_of_one_key_within_one_batch(replica, launch, data_dir):
    """Breaks if only the first of several changes reaches Postgres, or the last one does not."""
    server = launch()
    client = server.client()
    responses = {}
    for turns in range(4):
        key = new_key()
        for _ in range(turns):
            assert client.captures.allocate(key).status == 202
            assert client.captures.release(key).status == 204
        responses[key] = captured(str(turns))
        client.captures.complete(key, responses[key])
    assert client.captures.allocate(released := new_key()).status == 202
    assert client.captures.release(released).status == 204
    server.stop()
    client = launch(f"--postgres-url={replica}").client()
    client.wait_persisted()
    assert_rows(replica, responses)
    replica.assert_verified(data_dir)


def test_with_durability_postgres_an_answer_is_in_postgres_already(replica, launch):
    """Breaks if a response is sent before its transaction is committed."""
    client = launch(f"--postgres-url={replica}", "--durability=postgres").client()
    poll_until(lambda: client.get("/-/ready").status == 200, "the server is ready")
    key, response = new_key(), captured("x")
    assert client.captures.allocate(key).status == 202
    assert rows(replica) == {key: ALLOCATED_ROW}
    assert client.captures.allocate(key).status == 409
    assert client.captures.record(key, response).status == 200
    assert rows(replica) == {key: completed_row(response)}
    client.captures.assert_completed(key, response)


def test_expired_captures_are_dropped(replica, launch, data_dir):
    """Breaks if Postgres keeps expired captures, or deletes others."""
    client = launch(f"--postgres-url={replica}", "--capture-ttl=1s", "--capture-lease=0").client()
    for_ever = new_key()
    assert client.captures.allocate(for_ever).status == 202
    old = {new_key() for _ in range(5)}
    for key in old:
        client.captures.complete(key, captured("x"))

    def dropped():
        client.captures.complete(newest := new_key(), captured("x"))  # the next write deletes the expired captures
        client.wait_persisted()
        found = rows(replica)
        assert {for_ever, newest} <= found.keys()
        return not old & found.keys()

    poll_until(dropped, "the expired captures are deleted")
    replica.assert_verified(data_dir)


@pytest.mark.parametrize("change", [
    "response_body = response_body || 'x'::bytea", "response_status = response_status + 1", "allocated_at = allocated_at - interval '1 ms'",
    "expires_at = expires_at + interval '1 ms'", "actor = actor || 'x'", """response_headers = response_headers || '[{"key": "k", "value": "v"}]'""",
])
def test_verify_names_each_capture_that_differs(replica, launch, data_dir, change):
    """Breaks if verify misses a changed column, a missing row, or an extra row."""
    client = launch(f"--postgres-url={replica}").client()
    changed, missing, same, extra = sorted(new_key() for _ in range(4))
    for key in (changed, missing, same):
        client.captures.complete(key, captured("x"))
    client.wait_persisted()
    replica.assert_verified(data_dir)
    replica.run(f"UPDATE captures SET {change} WHERE idempotency_key = %s", (changed,))
    replica.run("DELETE FROM captures WHERE idempotency_key = %s", (missing,))
    replica.run("INSERT INTO captures SELECT %s, state, allocated_at, lease_ends_at, expires_at, response_status, response_body,"
                      " response_headers, position FROM captures WHERE idempotency_key = %s", (extra, same))
    result = replica.verify(data_dir)
    assert result.returncode == 1, result.stdout
    *reported, last = result.stdout.splitlines()
    assert sorted(reported) == sorted([f"capture {changed} differs", f"capture {missing} is in the data folder only",
                                       f"capture {extra} is in Postgres only"])
    assert ": 3 differences" in last


def test_restored_captures_are_those_that_were_lost(replica, launch, data_dir, tmp_path):
    """Breaks if a restore loses a record, a lease or a position, or brings back an expired capture."""
    server = launch(f"--postgres-url={replica}", "--capture-ttl=30d", "--capture-lease=29d", folder=tmp_path / "lost")
    client = server.client()
    responses = fill(client)
    gone = new_key()
    client.captures.complete(gone, captured("x"))
    position = client.wait_persisted()
    server.stop()
    replica.run("UPDATE captures SET allocated_at = now() - interval '2 s', expires_at = now() - interval '1 s'"
                      " WHERE idempotency_key = %s", (gone,))
    result = run_ordem("restore", "--postgres-url", replica, "--data-dir", data_dir)
    assert f"{len(responses)} captures up to position {position}" in result.stdout, result.stdout + result.stderr
    replica.assert_verified(data_dir)

    client = launch(f"--postgres-url={replica}").client()
    for key, response in responses.items():
        if response:
            client.captures.assert_completed(key, response)
            assert client.captures.record(key, response).status == 403
        else:
            assert client.captures.allocate(key).status == 409
            assert client.captures.record(key, captured("late")).status == 200
    assert client.captures.allocate(gone).status == 202
    client.wait_persisted()
    replica.assert_verified(data_dir)


def test_old_copy_of_a_folder_whose_last_entry_is_a_capture_is_found_out(replica, launch, data_dir, tmp_path):
    """Breaks if an engine continues from a copy of a folder although the log has another entry at the position of Postgres."""
    server = launch(f"--postgres-url={replica}")
    server.client().captures.complete(new_key(), captured("x"))
    server.client().wait_persisted()
    server.stop()
    shutil.copytree(data_dir, tmp_path / "copy")
    server = launch(f"--postgres-url={replica}")
    assert server.client().captures.allocate(new_key()).status == 202
    server.client().wait_persisted()
    server.stop()
    copy = launch(folder=tmp_path / "copy")  # continues without Postgres
    assert copy.client().captures.allocate(new_key()).status == 202
    copy.stop()
    client = launch(f"--postgres-url={replica}", folder=tmp_path / "copy").client()
    poll_until(lambda: client.get("/-/ready").json()["status"] == "read-only", "the copy is read-only")
    assert client.captures.allocate(new_key()).status == 503


def test_captures_while_postgres_and_the_engine_are_killed(launch, data_dir):
    """Breaks if a change of a capture is lost, or written out of order, when a batch is retried."""
    restless = start_postgres()
    try:
        replica = Replica.create(restless)
        rng = random.Random(settings.SEED)
        keys = [new_key() for _ in range(20)]
        for turn in range(3):
            server = launch(f"--postgres-url={replica}")

            def change(seed, port=server.port):
                draw = random.Random(seed)
                with OrdemClient(port) as client:
                    for number in range(settings.WRITES_BETWEEN_FAILURES):
                        key = draw.choice(keys)
                        change_key = draw.choice((
                            client.captures.allocate, client.captures.release,
                            lambda key, number=number: client.captures.record(key, captured(str(number))),
                        ))
                        assert change_key(key).status < 500

            workers = Threads([lambda seed=rng.getrandbits(64): change(seed) for _ in range(4)])
            if turn < 2:
                restless.kill()
                workers.join()
                server.kill()
                restless.start()
            else:
                workers.join()
                server.client().wait_persisted()
                replica.assert_verified(data_dir)
                assert rows(replica)
    finally:
        restless.remove()
