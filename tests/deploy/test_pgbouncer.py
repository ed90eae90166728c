"""Ordem behind a real PgBouncer: it needs no session state beyond a transaction, and leaves none."""

import contextlib
import random
import threading

import pytest

from support import settings
from support.concurrency import Threads, poll_until
from support.ordem_server import assert_clean_failure, run_ordem
from support.pgbouncer import pgbouncer
from support.replica import Replica, migrated
from support.workload import load_on

POOLS = pytest.mark.parametrize("mode, pool_size", [("session", 20), ("transaction", 1), ("transaction", 20)])


@pytest.fixture
def rng():
    return random.Random(settings.SEED)


def assert_nothing_left(postgres, url):
    """No session of the pool has a lock, a temporary table, or a changed setting."""
    assert postgres.run(url, "SELECT * FROM pg_locks WHERE locktype = 'advisory'") == []
    assert postgres.run(url, "SELECT relname FROM pg_class WHERE relpersistence = 't'") == []


def settings_in(postgres, pooled):
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "enable_hashjoin", "client_min_messages", "TimeZone")
    return [postgres.run(pooled, f"SHOW {name}") for name in names]


@contextlib.contextmanager
def others_at_work(postgres, pooled):
    """Other clients of the same pool, whose transactions alternate with those of ordem."""
    stopping = threading.Event()

    def work():
        with postgres.connect(pooled) as connection, connection.cursor() as cursor:
            while not stopping.is_set():
                cursor.execute("BEGIN; SELECT pg_sleep(0.001); COMMIT")

    threads = Threads([work] * 4)
    try:
        yield
    finally:
        stopping.set()
        threads.join()


@POOLS
def test_migrate_serve_verify_and_restore_behind_a_pooler(postgres, database, launch, data_dir, tmp_path, rng, mode, pool_size):
    """Breaks if ordem expects state in a session that another client has by now, or leaves state there."""
    with pgbouncer(postgres, database, mode, pool_size) as pooled:
        before = settings_in(postgres, pooled)
        with others_at_work(postgres, pooled):
            migrated(pooled)
            assert run_ordem("migrate", "status", "--postgres-url", pooled).returncode == 0
            server = launch(f"--postgres-url={pooled}", "--durability=postgres")
            server.client().wait_ready()
            with load_on(server, rng) as running:  # updates too
                running.wait_for(settings.WRITES_BETWEEN_FAILURES * 2)
                if mode == "transaction":
                    assert_nothing_left(postgres, database)
            Replica(postgres, pooled).assert_whole(server.client(), data_dir, running.oracle)
            restored = run_ordem("restore", "--postgres-url", pooled, "--data-dir", tmp_path / "restored")
            assert restored.returncode == 0, restored.stderr
            server.stop()
        Replica(postgres, database).assert_verified(tmp_path / "restored")
        assert_nothing_left(postgres, database)
        assert settings_in(postgres, pooled) == before


@POOLS
def test_two_runs_of_migrate_behind_a_pooler_take_turns(postgres, mode, pool_size):
    """Breaks if the lock of a run belongs to a session that it has only for one statement: two runs would apply the same migration."""
    for _ in range(5):
        url = postgres.create_database()
        with pgbouncer(postgres, url, mode, pool_size) as pooled:
            results = []
            Threads([lambda: results.append(run_ordem("migrate", "--postgres-url", pooled))] * 3).join()  # noqa: B023
        assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 3
        assert_nothing_left(postgres, url)


@POOLS
def test_lock_timeout_holds_behind_a_pooler(postgres, database, mode, pool_size):
    """Breaks if a migration waits for a table forever because the timeout was set in another session."""
    with pgbouncer(postgres, database, mode, pool_size) as pooled:
        with others_at_work(postgres, pooled), Replica(postgres, database).open_transaction("CREATE TABLE orders ()"):
            result = run_ordem("migrate", "--postgres-url", pooled, "--lock-timeout=300ms")
        assert result.returncode == 1 and "300 ms" in result.stderr, result.stderr
        migrated(pooled)


@pytest.mark.parametrize("command", [("migrate",), ("migrate", "status"), ("restore", "--data-dir", "{}"), ("verify", "--data-dir", "{}")],
                         ids=" ".join)
def test_pooler_of_statements_is_refused_with_the_remedy(postgres, database, launch, data_dir, command):
    """Breaks if a pooler that splits transactions is accepted, or the error message does not say what to do."""
    if command[0] == "verify":
        launch().stop()
    with pgbouncer(postgres, database, "statement") as pooled:
        result = run_ordem(*(word.format(data_dir) for word in command), "--postgres-url", pooled)
    assert_clean_failure(result.returncode, result.stderr, ["pool_mode", "sessions or transactions"])
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    assert_nothing_left(postgres, database)


def test_server_behind_a_pooler_of_statements_says_so_in_its_log(postgres, database, launch):
    """Breaks if the server does not log why it can't write to Postgres."""
    migrated(database)
    with pgbouncer(postgres, database, "statement") as pooled:
        server = launch(f"--postgres-url={pooled}")
        poll_until(lambda: "pool_mode" in server.printed(), "the reason is in the log")
        server.stop()
