"""`ordem serve --postgres-url` against a real Postgres: the tables while clients write, and the effect of failures."""

import contextlib
import os
import random
import shutil
import signal
import time

import pytest

from support import settings
from support.concurrency import Threads, poll_until
from support.feed import EVENT_STREAM, LINES, Stream, page, read_all
from support.ordem_server import run_ordem
from support.orders import (
    accepted_order, assert_problem, assert_stale, create, merge, message_path, order_content, order_path, recorded_part, replace,
    set_status,
)
from support.postgres import PASSWORD_ROLE, name_of, start_postgres
from support.replica import Replica, migrated, without_comparison
from support.workload import load, load_on

SECRET = "p@ss/w:rd%Kx9?&"
LOCK_ORDERS = "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"
LOCK_MESSAGES = "LOCK TABLE message_records IN ACCESS EXCLUSIVE MODE"


@pytest.fixture
def rng():
    return random.Random(settings.SEED)


@pytest.fixture(scope="module")
def _restless():
    running = start_postgres(fsync=False)
    yield running
    running.remove()


@pytest.fixture
def restless(_restless):
    """A Postgres that the tests of this file may stop, and whose backends they may kill. It runs before and after each test."""
    if not _restless.is_running():
        _restless.start()
    return _restless


@pytest.fixture
def restless_replica(restless):
    return Replica.create(restless)


def flag(database):
    return f"--postgres-url={database}"


def send_create(client, **changes):
    """Returns the write, its answer and the order."""
    write = create(order_content(**changes))
    answer = write.send(client)
    return write, answer, accepted_order(answer, 201)


def create_some(client, count):
    """(write, answer) pairs."""
    return [send_create(client)[:2] for _ in range(count)]


def assert_persisted_once(replica, pairs):
    for write, answer in pairs:
        _, status, body = replica.message(write.guid)
        assert (status, without_comparison(body)) == (answer.status, without_comparison(answer.json()))


def wait_log(server, level, *words):
    """Waits for a line of the server's log that contains the words."""

    def found():
        return [entry for entry in server.logs() if entry["level"] == level and all(word in str(entry) for word in words)]

    return poll_until(found, f"a line of level {level} with {words} in the log")[0]


def wait_read_only(client):
    poll_until(lambda: client.get("/-/ready").json()["status"] == "read-only", "the server is read-only")


# Postgres has a prefix of the log.

def test_every_moment_of_postgres_is_a_prefix_of_the_log(replica, launch, data_dir, rng):
    """Breaks if the position, the orders, their versions and the messages are inconsistent, an entry is omitted or written twice,
    Postgres goes back, or `ordem verify` finds differences where the engine is only ahead."""
    server = launch(flag(replica))
    server.client().wait_persisted()  # after it has created its months no reader can block it
    # Snapshots stay open and are checked after the load, because a check takes longer than an entry.
    with contextlib.ExitStack() as transactions:
        snapshots, newest = [], 0
        with load_on(server, rng) as running:
            while len(snapshots) < settings.PREFIX_MOMENTS:
                poll_until(lambda: replica.position() != newest, "Postgres has more entries")
                snapshots.append(transactions.enter_context(replica.snapshot()))
                before, newest = newest, snapshots[-1].position()
                assert newest > before, "Postgres has gone back"
                if len(snapshots) % settings.PREFIX_MOMENTS_A_VERIFY == 0:
                    replica.assert_verified(data_dir)
        for snapshot in snapshots:
            snapshot.assert_prefix()
    replica.assert_whole(server.client(), data_dir, running.oracle)
    client = server.client()  # the last check may have taken longer than the idle timeout
    now = client.positions()
    assert now["persisted"] == now["durable"] == now["decided"]
    assert client.metric("ordem_postgres_lag_entries") == client.metric("ordem_postgres_backlog_bytes") == 0


def test_log_from_before_there_was_a_postgres_is_written_too(replica, launch, data_dir, rng):
    """Breaks if entries from before the first use of Postgres are not replicated, or a log longer than one batch is truncated."""
    server = launch()
    assert server.client().positions()["persisted"] is None
    oracle = load(server, rng, settings.LOG_WITHOUT_POSTGRES)
    server.stop()
    server = launch(flag(replica))
    replica.assert_whole(server.client(), data_dir, oracle)


# Ordem-Position.

def test_what_an_answer_speaks_of_is_in_postgres_at_its_position(replica, launch):
    """Breaks if the header has a position before that of the message or of the version in a refusal, or if Postgres has a position
    without its rows."""
    client = launch(flag(replica)).client()

    def check(write, answer, order_id, version):
        position = int(answer.header("Ordem-Position"))
        client.wait_persisted(position)
        assert replica.order(order_id)["version"] >= version
        at, status, body = replica.message(write.guid)
        assert (status, without_comparison(body)) == (answer.status, without_comparison(answer.json()))
        (order_at,), = replica.run("SELECT position FROM order_versions WHERE order_id = %s AND version = %s", (order_id, version))
        assert at <= position and order_at <= position

    for _ in range(settings.POSITION_ROUNDS):
        write, answer, order = send_create(client)
        order_id = order["order_id"]
        check(write, answer, order_id, 1)
        update = merge(order_id, 1, {"currency": "USD"})
        updated = update.send(client)
        accepted_order(updated)
        check(update, updated, order_id, 2)
        status = set_status(order_id, 2, "confirmed")
        check(status, status.send(client), order_id, 3)
        stale = replace(order_id, 1, order_content())
        refused = stale.send(client)
        assert_stale(refused, stale, 3)
        check(stale, refused, order_id, 3)
        for earlier, version in ((write, 1), (update, 2), (stale, 3)):
            repeated = earlier.send(client)
            assert repeated.replayed
            check(earlier, repeated, order_id, version)


def test_batch_of_large_updates_is_written_in_pieces(replica, launch, data_dir):
    """Breaks if one statement writes all changed orders of a batch, however large, or if those of one part are missing."""
    server = launch(flag(replica))
    with server.client() as client:
        ids = [send_create(client)[2]["order_id"] for _ in range(400)]
        client.wait_persisted()
    server.stop()
    server = launch()
    large = {"ü": ["\\\"\n\t{}'%" * 1000, 1e20, None, {"": True}]}  # about 12 KB: 5 MB in all
    with server.client() as client:
        for order_id in ids:
            accepted_order(merge(order_id, 1, {"attributes": large}).send(client))
    server.stop()
    server = launch(flag(replica))
    replica.assert_whole(server.client(), data_dir)


# Durability postgres.

def test_with_durability_postgres_an_answer_is_in_postgres_already(replica, launch, data_dir):
    """Breaks if a response is sent before the transaction of its message is committed."""
    server = launch(flag(replica), "--durability=postgres")
    server.client().wait_ready()

    def write_and_look():
        with server.client() as client, replica.connect() as connection, connection.cursor() as cursor:
            for _ in range(settings.ANSWERED_WRITES):
                write, answer, order = send_create(client)
                update = set_status(order["order_id"], 1, "confirmed")
                accepted_order(update.send(client))
                cursor.execute("SELECT version FROM orders WHERE order_id = %s", (order["order_id"],))
                assert cursor.fetchall() == [(2,)], "an acknowledged update is not in Postgres"
                cursor.execute("SELECT count(*) FROM messages WHERE guid IN (%s, %s)", (write.guid, update.guid))
                assert cursor.fetchall() == [(2,)], "the message of an answer is not in Postgres"
                stale = merge(order["order_id"], 1, {"currency": "USD"})
                assert_stale(stale.send(client), stale, 2)
                cursor.execute("SELECT count(*) FROM messages WHERE guid = %s", (stale.guid,))
                assert cursor.fetchall() == [(1,)], "the message of a recorded refusal is not in Postgres"

    Threads([write_and_look] * settings.ANSWERING_CLIENTS).join()
    replica.assert_whole(server.client(), data_dir)


def test_with_durability_postgres_nothing_shows_that_postgres_lacks(replica, launch, data_dir):
    """Breaks if a read, a list, a message, a refusal or the response to a repeat reveals data that would be lost with this machine."""
    server = launch(flag(replica), "--durability=postgres")
    client = server.client()
    client.wait_ready()
    _, _, order = send_create(client)
    order_id, customer = order["order_id"], order["customer_id"]
    update, another = merge(order_id, 1, {"currency": "USD"}), create(order_content(customer))
    stale = merge(order_id, 1, {"currency": "GBP"})
    before = client.positions()["durable"]
    waiting = [(write, server.connect()) for write in (update, another, update, stale)]
    with replica.open_transaction(LOCK_ORDERS):
        for write, connection in waiting[:2]:
            connection.send(write.to_bytes())
        replica.wait_session_waits_for_lock()
        poll_until(lambda: client.positions()["durable"] >= before + 2, "both writes are on the disk")
        for write, connection in waiting[2:]:  # a repeat joins; the outcome that would refuse it is not durable yet
            connection.send(write.to_bytes())
        poll_until(lambda: client.positions()["durable"] >= before + 3, "the refusal is on the disk")
        assert client.get_order(order_id) == order
        assert client.get_orders_of(customer) == [order]
        assert client.get(f"{order_path(order_id)}/versions/2").status == 404
        for write, connection in waiting:
            assert client.get(message_path(write.guid)).status == 404
            assert not connection.has_answer(0), f"{write} was answered"
        assert client.positions()["persisted"] == before
    updated, created, joined, refused = [connection.read_response() for _, connection in waiting]
    assert accepted_order(updated) == accepted_order(joined)
    assert_stale(refused, stale, 2)
    for write, answer in ((update, updated), (another, created), (stale, refused)):
        status, body = replica.message(write.guid)[1:]
        assert (status, without_comparison(body)) == (answer.status, without_comparison(answer.json()))
        assert client.get(message_path(write.guid)).status == 200
    assert client.get_order(order_id) == accepted_order(updated) == replica.order(order_id)
    assert len(client.get_orders_of(customer)) == 2
    replica.assert_verified(data_dir)


def test_with_durability_postgres_the_feed_has_only_what_postgres_has(replica, launch, data_dir):
    """Breaks if an event reveals a write that would be lost with this machine, or if the feed is not woken once Postgres has it."""
    server = launch(flag(replica), "--durability=postgres")
    client = server.client()
    client.wait_ready()
    _, _, order = send_create(client)
    update, another = merge(order["order_id"], 1, {"currency": "USD"}), create(order_content())
    before = client.positions()["durable"]
    with Stream(server.port, LINES, after=0) as lines, Stream(server.port, EVENT_STREAM, after=0) as event_stream:
        streams = (lines, event_stream)
        assert [stream.take(1)[0]["data"]["order"] for stream in streams] == [order, order]
        waiting = [(write, server.connect()) for write in (update, another)]
        with replica.open_transaction(LOCK_ORDERS):
            for write, connection in waiting:
                connection.send(write.to_bytes())
            replica.wait_session_waits_for_lock()
            poll_until(lambda: client.positions()["durable"] >= before + 2, "both writes are on the disk")
            assert page(client, after=before, wait=1)["events"] == []
            events, end = read_all(client)
            assert ([event["data"]["order"] for event in events], end) == ([order], before)
            assert not any(stream.has_more() for stream in streams)
        answered = [accepted_order(connection.read_response(), status) for (_, connection), status in zip(waiting, (200, 201))]
        expected = sorted(answered, key=lambda each: each["order_id"] != order["order_id"])
        for stream in streams:
            events = stream.take(2)
            shown = [event["data"]["order"] for event in events]
            assert sorted(shown, key=lambda each: each["order_id"] != order["order_id"]) == expected
            assert client.positions()["persisted"] >= stream.position == before + 2
    replica.assert_verified(data_dir)


def test_with_durability_postgres_each_event_is_in_postgres_already(replica, launch, data_dir):
    """Breaks if the feed runs ahead of Postgres while clients write."""
    server = launch(flag(replica), "--durability=postgres")
    server.client().wait_ready()
    with Stream(server.port, LINES, after=0) as stream, replica.connect() as connection, connection.cursor() as cursor:
        writers = Threads([lambda: [send_create(client) for client in [server.client()] for _ in range(settings.ANSWERED_WRITES)]]
                          * settings.ANSWERING_CLIENTS)
        for _ in range(settings.ANSWERED_WRITES * settings.ANSWERING_CLIENTS):
            guid = stream.take(1)[0]["data"]["message"]
            cursor.execute("SELECT count(*) FROM messages WHERE guid = %s", (guid,))
            assert cursor.fetchall() == [(1,)], "the feed shows an event that is not in Postgres"
        writers.join()


def test_with_durability_postgres_nothing_is_served_before_postgres_has_the_whole_log(restless, restless_replica, launch, data_dir):
    """Breaks if a restarted server shows an unacknowledged write that Postgres does not have, or executes it a second time."""
    flags = (flag(restless_replica), "--durability=postgres")
    server = launch(*flags)
    client = server.client()
    client.wait_ready()
    _, _, order = send_create(client)
    update = merge(order["order_id"], 1, {"currency": "USD"})
    with restless_replica.open_transaction(LOCK_ORDERS):
        server.connect().send(update.to_bytes())
        restless_replica.wait_session_waits_for_lock()
        server.kill()
    restless.stop()

    server = launch(*flags)
    client = server.client()
    assert_not_ready(client, "recovering")
    assert_problem(client.get(order_path(order["order_id"])), 503, "recovering")
    assert_problem(update.send(client), 503, "recovering")
    assert_problem(client.get("/-/position"), 503, "recovering")
    wait_log(server, "warning", "cannot connect to Postgres")
    assert_not_ready(client, "recovering")
    restless.start()
    client.wait_ready()
    repeated = update.send(client)
    assert repeated.replayed and accepted_order(repeated)["version"] == 2
    assert restless_replica.order(order["order_id"]) == client.get_order(order["order_id"]) == accepted_order(repeated)
    restless_replica.assert_whole(client, data_dir)


def assert_not_ready(client, status):
    response = client.get("/-/ready")
    assert response.status == 503 and response.header("Retry-After")
    assert response.json()["status"] == status


# Postgres fails.

def test_away_at_the_start(restless, restless_replica, launch, data_dir):
    """Breaks if an engine does not start, accept writes and serve reads without its Postgres, or does not replicate to it later."""
    restless.stop()
    server = launch(flag(restless_replica))
    client = server.client()
    assert client.get("/-/ready").status == 200
    pairs = create_some(client, 20)
    assert client.positions() == {"decided": 20, "durable": 20, "persisted": None}
    poll_until(lambda: client.metric("ordem_postgres_failures_total") >= 2, "the connection is retried")
    assert client.metric("ordem_postgres_connected") == 0
    assert client.metric("ordem_postgres_backlog_bytes") > 0
    wait_log(server, "warning", "cannot connect to Postgres")
    restless.start()
    restless_replica.assert_whole(client, data_dir)
    assert_persisted_once(restless_replica, pairs)
    assert client.metric("ordem_postgres_connected") == 1
    wait_log(server, "info", "writing to Postgres again")


def test_stopped_and_started_under_load(restless, restless_replica, launch, data_dir, rng):
    """Breaks if a stop of Postgres stops writes, or if the entries in flight are lost, repeated or written in part."""
    server = launch(flag(restless_replica))
    client = server.client()
    client.wait_persisted()  # the lag is unknown until the first connection to Postgres
    with load_on(server, rng) as running:
        for _ in range(2):
            running.wait_for(settings.WRITES_BETWEEN_FAILURES)
            restless.stop()
            poll_until(lambda: client.metric("ordem_postgres_connected") == 0, "the engine notices")
            lag = client.metric("ordem_postgres_lag_entries")
            running.wait_for(settings.WRITES_BETWEEN_FAILURES)
            assert client.metric("ordem_postgres_lag_entries") > lag
            assert client.metric("ordem_postgres_lag_seconds") > 0
            restless.start()
            client.wait_persisted()
    restless_replica.assert_whole(client, data_dir, running.oracle)


def test_backend_killed_within_a_transaction(restless, restless_replica, launch, data_dir, rng):
    """Breaks if half of a batch remains, or a committed batch whose connection was lost is written again."""
    server = launch(flag(restless_replica))
    client = server.client()
    with load_on(server, rng) as running:
        for lock in (LOCK_MESSAGES, LOCK_ORDERS):
            running.wait_for(settings.WRITES_BETWEEN_FAILURES)
            with restless_replica.open_transaction(lock):
                restless.kill_backend(restless_replica.wait_session_waits_for_lock())
                poll_until(lambda: client.metric("ordem_postgres_connected") == 0, "the engine notices")
            restless.wait_ready()
            client.wait_persisted()
        for _ in range(5):  # at any moment
            running.wait_for(settings.WRITES_BETWEEN_FAILURES // 5)
            for pid in restless_replica.sessions():
                restless_replica.run("SELECT pg_terminate_backend(%s)", (pid,))
    restless_replica.assert_whole(client, data_dir, running.oracle)


def test_database_without_tables_is_reported_and_waited_for(postgres, database, launch, data_dir):
    """Breaks if an engine that was started before `ordem migrate` ends, logs nothing, or has to be restarted."""
    replica = Replica(postgres, database)
    server = launch(flag(replica))
    client = server.client()
    pairs = create_some(client, 5)
    wait_log(server, "warning", "ordem migrate")
    assert client.positions()["persisted"] is None
    migrated(database)
    replica.assert_whole(client, data_dir)
    assert_persisted_once(replica, pairs)


def test_statement_that_fails_is_tried_again_until_it_does_not(replica, launch, data_dir, rng):
    """Breaks if an entry that Postgres refuses is skipped, if half of its batch remains, or if the log lacks the reason."""
    server = launch(flag(replica))
    client = server.client()
    with load_on(server, rng) as running:
        running.wait_for(settings.WRITES_BETWEEN_FAILURES)
        replica.run("ALTER TABLE message_records ADD CONSTRAINT no_more_stale CHECK (verdict <> 'stale_version') NOT VALID")
        poll_until(lambda: client.metric("ordem_postgres_failures_total") >= 3, "the writes to Postgres keep failing")
        wait_log(server, "warning", "no_more_stale")
        with replica.snapshot() as snapshot:
            stuck = snapshot.assert_prefix()
        running.wait_for(settings.WRITES_BETWEEN_FAILURES)
        assert client.metric("ordem_postgres_lag_entries") >= settings.WRITES_BETWEEN_FAILURES
        assert client.positions()["persisted"] == stuck
        replica.run("ALTER TABLE message_records DROP CONSTRAINT no_more_stale")
        client.wait_persisted()
    wait_log(server, "info", "writing to Postgres again")
    replica.assert_whole(client, data_dir, running.oracle)


def test_backlog_that_reached_its_bound_refuses_writes_until_postgres_is_back(restless, restless_replica, launch, data_dir):
    """Breaks if the log grows beyond its limit, if reads stop together with writes, or if a GUID refused in this way can't be executed
    later, once."""
    restless.stop()
    server = launch(flag(restless_replica), "--persist-backlog-max=4KiB")
    client = server.client()
    pairs, refused = [], []
    while not refused:
        assert len(pairs) < settings.BACKLOG_CREATES_MAX, f"{len(pairs)} creates fit into 4 KiB"
        write = create()
        answer = write.send(client)
        if answer.status == 201:
            pairs.append((write, answer))
        else:
            assert_problem(answer, 503, "persistence-behind")
            refused.append(write)
    update = merge(accepted_order(pairs[0][1], 201)["order_id"], 1, {"currency": "USD"})
    assert_problem(update.send(client), 503, "persistence-behind")
    refused.append(update)
    assert client.get("/-/ready").status == 200
    for write, answer in pairs:
        assert client.get_order(accepted_order(answer, 201)["order_id"]) == accepted_order(answer, 201)
    for write in refused:
        assert client.get(message_path(write.guid)).status == 404

    restless.start()
    client.wait_persisted()
    for write in refused:
        answer = poll_until(lambda: (got := write.send(client)).status != 503 and got, "writes are accepted again")
        accepted_order(answer, 201 if write is refused[0] else 200)
        assert not answer.replayed
        again = write.send(client)
        assert again.replayed and recorded_part(again) == recorded_part(answer)
        pairs.append((write, answer))
    restless_replica.assert_whole(client, data_dir)
    assert_persisted_once(restless_replica, pairs)
    assert client.positions()["durable"] == len(pairs)


# One engine.

def writer(replica, launch, folder, *flags):
    """Returns a server and a client of it, once Postgres has its log."""
    server = launch(flag(replica), *flags, folder=folder)
    client = server.client()
    client.wait_ready()
    client.wait_persisted()
    return server, client


@pytest.fixture
def two_folders(replica, launch, data_dir, tmp_path):
    """A data folder whose log is in Postgres, and a copy of it."""
    server, client = writer(replica, launch, data_dir)
    create_some(client, 5)
    server.stop()
    shutil.copytree(data_dir, tmp_path / "copy")
    return data_dir, tmp_path / "copy"


def test_older_engine_stops_when_a_newer_one_has_taken_over(replica, launch, two_folders):
    """Breaks if two engines alternate in writing one log, or the older one accepts writes that will never reach Postgres."""
    older, older_client = writer(replica, launch, two_folders[0])
    _, newer_client = writer(replica, launch, two_folders[1])
    lost, _, _ = send_create(older_client)  # it has not noticed yet
    wait_read_only(older_client)
    wait_log(older, "error", "no more writes")
    assert "another engine has taken over" in older.printed()
    assert_problem(create().send(older_client), 503, "read-only")
    assert older_client.get(message_path(lost.guid)).status == 200
    pairs = create_some(newer_client, 5)
    replica.assert_whole(newer_client, two_folders[1])
    assert_persisted_once(replica, pairs)
    assert replica.message(lost.guid) is None


def test_older_engine_with_durability_postgres_acknowledges_nothing_after_it_was_superseded(replica, launch, two_folders):
    """Breaks if the engine that lost its Postgres acknowledges even one write, or shows it."""
    older, older_client = writer(replica, launch, two_folders[0], "--durability=postgres")
    _, newer_client = writer(replica, launch, two_folders[1])
    lost = create()
    assert_problem(lost.send(older_client), 503, "read-only")
    assert older_client.get(message_path(lost.guid)).status == 404
    assert_not_ready(older_client, "read-only")
    wait_log(older, "warning", "another engine has taken over")
    create_some(newer_client, 5)
    replica.assert_whole(newer_client, two_folders[1])
    assert replica.message(lost.guid) is None


def test_engine_with_another_log_is_refused(replica, launch, data_dir, tmp_path):
    """Breaks if a second log is mixed into a database, because of a wrong URL or a recreated folder."""
    server, client = writer(replica, launch, data_dir)
    pairs = create_some(client, 5)
    own_id = (data_dir / "FORMAT").read_text().split()[1]
    stranger = launch(flag(replica), folder=tmp_path / "other")
    wait_read_only(stranger.client())
    wait_log(stranger, "warning", "another engine", own_id)
    assert_problem(create().send(stranger.client()), 503, "read-only")
    pairs += create_some(client, 5)
    replica.assert_whole(client, data_dir)
    assert_persisted_once(replica, pairs)
    refused = replica.verify(tmp_path / "other")
    assert refused.returncode == 1 and own_id in refused.stderr, refused.stderr


def test_old_copy_of_the_folder_takes_no_writes(replica, launch, two_folders):
    """Breaks if an engine on an old folder assigns positions a second time: Postgres would keep the rows of the first ones."""
    server, client = writer(replica, launch, two_folders[0])
    create_some(client, 5)
    server.stop()
    old = launch(flag(replica), folder=two_folders[1])
    wait_read_only(old.client())
    wait_log(old, "warning", "old copy")
    assert_problem(create().send(old.client()), 503, "read-only")
    refused = replica.verify(two_folders[1])
    assert refused.returncode == 1 and "position 10" in refused.stderr, refused.stderr
    replica.assert_verified(two_folders[0])
    with replica.snapshot() as snapshot:
        assert snapshot.assert_prefix() == 10


def test_old_copy_that_is_refused_leaves_the_engine_in_charge_alone(replica, launch, two_folders):
    """Breaks if an engine takes over before it has checked that it may: the right one would stop because of the wrong one."""
    _, client = writer(replica, launch, two_folders[0])
    pairs = create_some(client, 5)
    client.wait_persisted()
    old = launch(flag(replica), folder=two_folders[1])
    wait_read_only(old.client())
    wait_log(old, "warning", "old copy")
    pairs += create_some(client, 5)
    replica.assert_whole(client, two_folders[0])
    pairs += create_some(client, 5)
    replica.assert_whole(client, two_folders[0])
    assert_persisted_once(replica, pairs)


def test_superseded_engine_stays_so_when_it_is_started_again(replica, launch, two_folders):
    """Breaks if an engine whose log has diverged from that of Postgres continues: two histories would be mixed."""
    older, older_client = writer(replica, launch, two_folders[0])
    _, newer_client = writer(replica, launch, two_folders[1])
    lost, _, _ = send_create(older_client)
    wait_read_only(older_client)
    older.stop()
    pairs = create_some(newer_client, 1)  # at the position of the lost entry in the other folder
    newer_client.wait_persisted()
    again = launch(flag(replica), folder=two_folders[0])
    wait_read_only(again.client())
    pairs += create_some(newer_client, 5)
    replica.assert_whole(newer_client, two_folders[1])
    pairs += create_some(newer_client, 5)
    replica.assert_whole(newer_client, two_folders[1])
    assert_persisted_once(replica, pairs)
    assert replica.message(lost.guid) is None


# Restored to an earlier state.

DURABILITIES = pytest.mark.parametrize("durability", ["fsync", "postgres"])


def put_back_in_place(replica, position):
    """Acts like a restore into the existing tables: no session is ended. Supports creates only."""
    replica.run(f"""
        BEGIN;
        DELETE FROM orders WHERE position > {position};
        DELETE FROM order_versions WHERE position > {position};
        DELETE FROM message_records WHERE position > {position};
        UPDATE engine_positions SET position = {position};
        COMMIT""")


@DURABILITIES
@pytest.mark.parametrize("moment", ["before any engine came", "before the last start", "since the last start", "in place"])
def test_database_that_is_put_back_under_an_engine_is_filled_again(replica, launch, data_dir, moment, durability):
    """Breaks if an engine treats a database from before its start as another engine's, or if an acknowledged write, older or newer,
    never reaches Postgres; or if with durability postgres a response is sent before all earlier entries are there."""
    back_ups = {"before any engine came": replica.back_up()}
    server, client = writer(replica, launch, data_dir, f"--durability={durability}")
    pairs = create_some(client, 5)
    server.stop()
    back_ups["before the last start"] = replica.back_up()
    server, client = writer(replica, launch, data_dir, f"--durability={durability}")
    pairs += create_some(client, 5)
    client.wait_persisted()
    back_ups["since the last start"] = replica.back_up()
    pairs += create_some(client, 5)
    client.wait_persisted()

    if moment == "in place":
        put_back_in_place(replica, 7)
    else:
        replica.put_back(back_ups[moment])
    pairs += create_some(client, 1)
    if durability == "postgres":
        with replica.snapshot() as snapshot:
            assert snapshot.assert_prefix() == len(pairs), "a write was acknowledged that Postgres does not have"
    replica.assert_whole(client, data_dir)
    pairs += create_some(client, 5)
    replica.assert_whole(client, data_dir)
    assert_persisted_once(replica, pairs)
    position = {"before any engine came": 0, "before the last start": 5, "since the last start": 10, "in place": 7}[moment]
    warning = wait_log(server, "warning", "restored to an earlier state; missing entries are written again")
    assert (warning["position"], warning["position_before"]) == (position, 15)
    assert client.get("/-/ready").status == 200


@DURABILITIES
def test_database_that_was_put_back_before_a_start_is_filled_again(replica, launch, data_dir, durability):
    """Breaks if the log is not written again from the database's position, or if with durability postgres a write is served before it
    is there again."""
    server, client = writer(replica, launch, data_dir)
    pairs = create_some(client, 5)
    client.wait_persisted()
    back_up = replica.back_up()
    pairs += create_some(client, 5)
    server.stop()
    server, client = writer(replica, launch, data_dir)
    server.stop()
    replica.put_back(back_up)
    _, client = writer(replica, launch, data_dir, f"--durability={durability}")
    if durability == "postgres":
        assert replica.position() == 10
    pairs += create_some(client, 5)
    replica.assert_whole(client, data_dir)
    assert_persisted_once(replica, pairs)


@pytest.mark.parametrize("starts", [1, 2], ids=["with the same epoch", "with a lower epoch"])
def test_engine_that_came_after_a_database_was_put_back_supersedes_those_before_it(replica, launch, two_folders, starts):
    """Breaks if an engine compares only the number of its epoch: after a restore of the database that of a later engine may be the
    same, or lower."""
    back_up = replica.copy()
    for _ in range(starts - 1):
        writer(replica, launch, two_folders[0])[0].stop()
    older, older_client = writer(replica, launch, two_folders[0])
    replica.put_back(back_up)
    _, newer_client = writer(replica, launch, two_folders[1])
    lost, _, _ = send_create(older_client)
    wait_read_only(older_client)
    wait_log(older, "warning", "another engine has taken over")
    pairs = create_some(newer_client, 5)
    replica.assert_whole(newer_client, two_folders[1])
    assert_persisted_once(replica, pairs)
    assert replica.message(lost.guid) is None


@DURABILITIES
def test_log_that_does_not_reach_back_to_a_restored_database_is_reported(replica, launch, data_dir, tmp_path, durability):
    """Breaks if the log lacks the cause or the remedy, if an acknowledged write is skipped, or if reads stop too."""
    server, client = writer(replica, launch, data_dir)
    create_some(client, 5)
    client.wait_persisted()
    back_up = replica.back_up()
    _, _, order = send_create(client)
    create_some(client, 4)
    client.wait_persisted()
    server.stop()
    whole = replica.copy()
    folder = tmp_path / "restored"  # its log begins after the restored position
    assert run_ordem("restore", "--postgres-url", replica, "--data-dir", folder).returncode == 0
    server, client = writer(replica, launch, folder, f"--durability={durability}")
    create_some(client, 5)
    client.wait_persisted()

    replica.put_back(back_up)
    lost = create()
    answer = lost.send(client)
    wait_read_only(client)
    if durability == "postgres":
        assert_problem(answer, 503, "read-only")
    else:
        accepted_order(answer, 201)
    wait_log(server, "warning", "up to position 5", "begins at position 11", "put back to an earlier state", "holds position 10")
    assert client.get_order(order["order_id"]) == order
    assert replica.position() == 5
    server.stop()
    refused = replica.verify(folder)
    assert refused.returncode == 1 and "up to position 5" in refused.stderr and "position 11" in refused.stderr, refused.stderr

    replica.put_back(whole)  # the remedy that the log names
    _, client = writer(replica, launch, folder)
    assert_persisted_once(replica, [(lost, lost.send(client))])
    replica.assert_whole(client, folder)


# Stopping.

def test_stop_brings_the_end_of_the_log_to_postgres(replica, launch, data_dir, rng):
    """Breaks if a stop does not replicate the writes just before it."""
    for _ in range(settings.STOPS):
        server = launch(flag(replica))
        server.client().wait_persisted()
        oracle = load(server, rng, 50)
        server.stop()
        last = next(entry["position"] for entry in server.logs() if entry["message"] == "stopped")
        with replica.snapshot() as snapshot:
            assert snapshot.assert_prefix() == last
        assert not any("lacks the end of the log" in entry["message"] for entry in server.logs())
    replica.assert_verified(data_dir)
    assert not oracle.violations


def test_stop_does_not_wait_for_a_postgres_that_hangs(restless_replica, launch, data_dir):
    """Breaks if a stop waits for a Postgres that neither answers nor ends."""
    server = launch(flag(restless_replica), "--drain-timeout=1s")
    create_some(server.client(), 5)
    server.client().wait_persisted()
    hanging, = restless_replica.sessions()
    os.kill(hanging, signal.SIGSTOP)
    try:
        create_some(server.client(), 5)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < settings.HANGING_STOP_SECONDS_MAX
        assert any("lacks the end of the log" in entry["message"] for entry in server.logs())
    finally:
        os.kill(hanging, signal.SIGCONT)
    client = launch(flag(restless_replica)).client()
    restless_replica.assert_whole(client, data_dir)
    assert client.positions()["durable"] == 10


# The password.

@pytest.mark.parametrize("password", [SECRET, SECRET + "-wrong"], ids=["right", "wrong"])
def test_password_is_used_and_never_shown(postgres, replica, launch, data_dir, password):
    """Breaks if the log (the settings at the start, or errors from Postgres) or /metrics contains the unmasked URL."""
    name = name_of(replica.url)
    role = f"engine_of_{name}"
    replica.run(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{SECRET}' IN ROLE {PASSWORD_ROLE}")
    guarded = postgres.url(name, role, password)
    server = launch("--log-level=debug", environment={"ORDEM_POSTGRES_URL": guarded})
    client = server.client()
    create_some(client, 3)
    if password == SECRET:
        replica.assert_whole(client, data_dir)
    else:
        wait_log(server, "warning", "password authentication failed")
    metrics = client.get("/metrics").body.decode()
    server.stop()
    secrets = (password, guarded.split(":")[2].split("@")[0])
    assert f"user={role} password=*** dbname={name}" in server.printed()
    assert not any(secret in text for secret in secrets for text in (server.printed(), metrics))
