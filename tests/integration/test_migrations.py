"""`ordem migrate` against a real Postgres: what it applies, what it refuses, and what the tables enforce."""

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import psycopg2
import pytest

from support import settings
from support.concurrency import poll_until
from support.ordem_server import assert_clean_failure, binary, clean_environment, plain, run_ordem
from support.postgres import PASSWORD_ROLE

FILES = sorted((Path(__file__).parents[2] / "migrations").glob("*.sql"))
NAMES = [file.stem for file in FILES]
TABLES = {"captures", "ordem_migrations", "engine_positions", "orders", "order_versions", "message_records"}
SECRET = "s3cr3t-Kx9"
TWICE_AT_ONCE_ROUNDS = settings.sampled(15)
CHECKSUMS = [hashlib.sha256(file.read_bytes()).hexdigest() for file in FILES]

# The form of the history since the first migration. Do not change it: existing databases have this form.
HISTORY_TABLE = """
    CREATE TABLE ordem_migrations (
        number integer PRIMARY KEY CHECK (number >= 1), name text NOT NULL,
        checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'), applied_at timestamptz NOT NULL)"""


def migrate(url, *flags):
    return run_ordem("migrate", "--postgres-url", url, *flags)


def status(url):
    return run_ordem("migrate", "status", "--postgres-url", url)


def migrated(url):
    result = migrate(url)
    assert (result.returncode, result.stderr) == (0, "")
    return url


def assert_refused(result, *words):
    """Checks for exit code 1 and one error line that contains the words."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert_clean_failure(result.returncode, result.stderr, words)
    assert result.stderr.count("\n") == 1, result.stderr


def history(postgres, url):
    return postgres.run(url, "SELECT number, name, checksum FROM ordem_migrations ORDER BY number")


def tables(postgres, url):
    rows = postgres.run(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')")
    return {name for name, in rows}


def everything(postgres, url):
    """The whole content of the database, in a form that can be compared."""
    return [
        postgres.run(url, "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"),
        postgres.run(url, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"),
        postgres.run(url, """
            SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
            WHERE table_schema = 'public' ORDER BY 1, 2"""),
        postgres.run(url, """
            SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"""),
        postgres.run(url, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
        history(postgres, url),
    ]


def leave_as_older_ordem(postgres, url, count):
    """The database as left by an ordem that had only the first migrations."""
    postgres.run(url, HISTORY_TABLE)
    for number, file in enumerate(FILES[:count], 1):
        postgres.run(url, file.read_text())
        postgres.run(url, "INSERT INTO ordem_migrations VALUES (%s, %s, %s, '2025-02-03 04:05:06.789+00')",
                     (number, file.stem, CHECKSUMS[number - 1]))


# Applying.

def test_empty_database_gets_every_migration_once(postgres, database):
    """Breaks if a migration is omitted, applied out of order, misreported, or applied again by a second run."""
    first = migrate(database)
    assert (first.returncode, first.stdout.splitlines()) == (0, [f"applied {name}" for name in NAMES])
    assert tables(postgres, database) == TABLES
    before = everything(postgres, database)
    second = migrate(database)
    assert (second.returncode, second.stdout) == (0, "nothing to do: every migration is applied\n")
    assert everything(postgres, database) == before


def test_checksum_is_the_one_that_sha256sum_prints(postgres, database):
    """Breaks if the compiled-in files differ from those of the folder, or the format of the history changes."""
    migrated(database)
    assert history(postgres, database) == list(zip(range(1, len(FILES) + 1), NAMES, CHECKSUMS))


@pytest.mark.parametrize("count", range(len(FILES)))
def test_each_older_database_comes_to_the_same(postgres, database, count):
    """Breaks if a migrated database of an earlier version differs from a new one."""
    leave_as_older_ordem(postgres, database, count)
    result = migrate(database)
    assert (result.returncode, result.stdout.splitlines()) == (0, [f"applied {name}" for name in NAMES[count:]])
    assert everything(postgres, database) == everything(postgres, migrated(postgres.create_database()))


def start_migrate(url, stdout=subprocess.PIPE):
    return subprocess.Popen(
        [binary(), "migrate", "--postgres-url", url], env=clean_environment(), stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=subprocess.PIPE, text=True,
    )


def test_two_runs_at_once_apply_each_migration_once(postgres):
    """Breaks if two runs are concurrent: both would apply the same migration, and one would fail."""
    for _ in range(TWICE_AT_ONCE_ROUNDS):
        url = postgres.create_database()
        runs = [start_migrate(url), start_migrate(url)]
        ended = [(*run.communicate(timeout=settings.COMMAND_SECONDS_MAX), run.returncode) for run in runs]
        assert [(stderr, code) for _, stderr, code in ended] == [("", 0)] * 2
        applied = "".join(stdout for stdout, _, _ in ended).replace("nothing to do: every migration is applied\n", "")
        assert sorted(applied.splitlines()) == [f"applied {name}" for name in NAMES]  # one run after the other
        assert len(history(postgres, url)) == len(NAMES)


def test_failed_migration_leaves_nothing_of_itself(postgres, database):
    """Breaks if a migration is not one transaction, or earlier ones are rolled back, or the next run can't continue."""
    postgres.run(database, "CREATE TABLE messages ()")  # the name of a view that the third migration creates at its end
    failed = migrate(database)
    assert_refused(failed, NAMES[2], "messages", "already exists", "nothing of it")
    assert failed.stdout.splitlines() == [f"applied {name}" for name in NAMES[:2]]
    assert "message_records" not in tables(postgres, database)
    assert [name for _, name, _ in history(postgres, database)] == NAMES[:2]
    postgres.run(database, "DROP TABLE messages")
    assert migrate(database).stdout.splitlines() == [f"applied {name}" for name in NAMES[2:]]


def test_failed_first_migration_leaves_an_empty_database(postgres, database):
    """Breaks if the history table remains although nothing was applied."""
    postgres.run(database, "CREATE TABLE engine_positions_only_one ()")
    assert_refused(migrate(database), NAMES[0], "already exists")
    assert tables(postgres, database) == {"engine_positions_only_one"}


# Refusals.

def test_edited_migration_is_refused_by_name(postgres, database):
    """Breaks if a file edited after it was applied is not detected."""
    migrated(database)
    postgres.run(database, "UPDATE ordem_migrations SET checksum = repeat('0', 64) WHERE number = 2")
    before = everything(postgres, database)
    for result in (migrate(database), migrate(database, "--dry-run"), status(database)):
        assert_refused(result, NAMES[1], "edited")
    assert everything(postgres, database) == before


def test_edited_migration_stops_those_that_are_pending(postgres, database):
    """Breaks if pending migrations are applied after a changed one."""
    leave_as_older_ordem(postgres, database, 2)
    postgres.run(database, "UPDATE ordem_migrations SET checksum = repeat('0', 64) WHERE number = 1")
    assert_refused(migrate(database), NAMES[0], "edited")
    assert len(history(postgres, database)) == 2


def test_newer_database_is_refused(postgres, database):
    """Breaks if an older ordem accepts a database that a newer one has migrated."""
    migrated(database)
    postgres.run(database, f"INSERT INTO ordem_migrations VALUES ({len(FILES) + 1}, '0099_from_the_future', repeat('a', 64), now())")
    for result in (migrate(database), migrate(database, "--dry-run"), status(database)):
        assert_refused(result, "0099_from_the_future", "newer ordem")
    assert "0099_from_the_future" in status(database).stdout


def test_gap_is_refused(postgres, database):
    """Breaks if a migration is applied out of order."""
    migrated(database)
    postgres.run(database, "DELETE FROM ordem_migrations WHERE number = 2")
    assert_refused(migrate(database), NAMES[2], "number 2")


# Status and dry run.

def test_dry_run_tells_and_changes_nothing(postgres, database):
    """Breaks if --dry-run applies something, creates the history table, or prints something else than the real run does."""
    dry_run = migrate(database, "--dry-run")
    assert (dry_run.returncode, dry_run.stdout.splitlines()) == (0, [f"would apply {name}" for name in NAMES])
    assert tables(postgres, database) == set()
    leave_as_older_ordem(postgres, database, 1)
    before = everything(postgres, database)
    assert migrate(database, "--dry-run").stdout.splitlines() == [f"would apply {name}" for name in NAMES[1:]]
    assert everything(postgres, database) == before
    migrated(database)
    assert migrate(database, "--dry-run").stdout == "nothing to do: every migration is applied\n"


def test_status_before_and_after(postgres, database):
    """Breaks if `migrate status` does not list applied migrations with their times and pending ones, or if it changes something."""
    first = status(database)
    assert (first.returncode, first.stdout.splitlines()) == (0, [f"{name}  pending" for name in NAMES])
    assert tables(postgres, database) == set()
    leave_as_older_ordem(postgres, database, 1)
    assert status(database).stdout.splitlines() == [
        f"{NAMES[0]}  2025-02-03T04:05:06.789Z", *(f"{name}  pending" for name in NAMES[1:])]
    migrated(database)
    for line, name in zip(status(database).stdout.splitlines(), NAMES, strict=True):
        assert re.fullmatch(re.escape(name) + r"  20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ", line), line


def test_url_from_the_environment(postgres, database):
    """Breaks if ORDEM_POSTGRES_URL is not read, or overrides an argument."""
    environment = {"ORDEM_POSTGRES_URL": database}
    assert "pending" in run_ordem("migrate", "status", environment=environment).stdout
    assert run_ordem("migrate", environment=environment).returncode == 0
    other = postgres.create_database()
    assert "pending" in run_ordem("migrate", "status", "--postgres-url", other, environment=environment).stdout


def test_url_as_a_list_of_words(postgres, database):
    """Breaks if only one of libpq's two forms is accepted."""
    name = database.partition("?")[0].rpartition("/")[2]
    words = f"host = '{postgres.folder}' dbname={name} user=postgres"
    assert migrate(words).returncode == 0
    assert len(history(postgres, database)) == len(NAMES)


# Failures of connections and roles.

@pytest.mark.parametrize("arguments", [("migrate",), ("migrate", "--dry-run"), ("migrate", "status")], ids=" ".join)
@pytest.mark.parametrize("case", ["no such folder", "no such port", "no such database"])
def test_server_that_cannot_be_reached(postgres, arguments, case):
    """Breaks if a failed connection is not reported with its reason and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url, words = {
        "no such folder": (f"postgresql://u:{SECRET}@/x?host=/nonexistent", ["/nonexistent"]),
        "no such port": (f"postgresql://u:{SECRET}@127.0.0.1:{port}/x", ["127.0.0.1", port, "refused"]),
        "no such database": (postgres.url("nowhere", password=SECRET), ["nowhere", "does not exist"]),
    }[case]
    result = run_ordem(*arguments, "--postgres-url", url)
    assert_refused(result, "cannot connect", *words)
    assert SECRET not in result.stdout + result.stderr


def test_server_that_does_not_answer():
    """Breaks if a server that accepts connections and sends nothing blocks the program forever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = migrate(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2")
    assert_refused(result, "cannot connect", "timeout")



def test_role_without_rights(postgres, database):
    """Breaks if a role without the right to create tables gets anything but an error message about it."""
    postgres.run(database, "CREATE ROLE reader LOGIN")
    url = database.replace("//postgres@", "//reader@")
    assert_refused(migrate(url), NAMES[0], "permission denied")
    assert tables(postgres, database) == set()
    migrated(database)
    assert_refused(status(url), "permission denied")


def test_password_is_used_and_never_shown(postgres, database):
    """Breaks if a password does not reach the server, or appears in any output, right or wrong."""
    postgres.run(database, f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}' IN ROLE {PASSWORD_ROLE}")
    name = database.partition("?")[0].rpartition("/")[2]
    assert status(postgres.url(name, "guarded", SECRET)).returncode == 0
    assert_refused(status(postgres.url(name, "guarded")), "password")
    wrong = status(postgres.url(name, "guarded", SECRET + "-wrong"))
    assert_refused(wrong, "password authentication failed", "guarded")
    assert SECRET not in wrong.stdout + wrong.stderr


@pytest.mark.parametrize("url", [
    f"postgres://u:{SECRET}",
    f"postgres://u:{SECRET}/x",
    f"postgres://u:12/{SECRET}@h/x",
    f"postgres://u:a@{SECRET}@h/x",
    f"postgres://u:a?{SECRET}@h/x",
    f"postgres://u:%zz{SECRET}@h/x",
    f"postgres://u@h/x?password={SECRET}&colour=red",
    f"postgres://u@h/x?pass%77ord={SECRET}&colour=red",
    f"host=h password=a {SECRET}",
    f"host=h password='{SECRET}",
    f"host=h password={SECRET} colour=red",
    f"host=h dbname=postgres://u:{SECRET}@h/x",
    f"mysql://u:{SECRET}@h/x",
    SECRET,
])
def test_url_that_is_none_is_a_usage_error_that_does_not_quote_it(url):
    """Breaks if a malformed URL is used, or if the error message contains a part of what may be the password."""
    for result in (migrate(url), status(url), migrate(url, "--dry-run"), run_ordem("migrate", environment={"ORDEM_POSTGRES_URL": url})):
        assert_clean_failure(result.returncode, result.stderr, ["--postgres-url"])
        assert result.returncode == 2
        assert SECRET not in result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [
    ("migrate", f"--postgres-ulr=postgres://u:{SECRET}@h/x"),
    ("migrate", "--postgres-ulr", f"postgres://u:{SECRET}@h/x"),
    ("migrate", f"--postgres-ulr=host=h password={SECRET}"),
    ("migrate", f"--postgres-ulr=password={SECRET}"),
    ("migrate", f"postgres://u:{SECRET}@h/x"),
    ("migrate", "--postgres-url=postgres://h/x", f"password={SECRET}"),
    (f"postgres://u:{SECRET}@h/x",),
    ("migrate", f"--dry-run=postgres://u:{SECRET}@h/x"),
    ("migrate", f"--lock-timeout=postgres://u:{SECRET}@h/x"),
    ("serve", f"--postgres-ulr=postgres://u:{SECRET}@h/x"),
    ("inspect", "order", f"postgres://u:{SECRET}@h/x", "--postgres-url"),
], ids=lambda words: " ".join(words).replace(SECRET, "..."))
def test_mistyped_command_line_does_not_show_the_password(arguments):
    """Breaks if an error message about the command line quotes a URL unmasked."""
    result = run_ordem(*arguments)
    assert_clean_failure(result.returncode, result.stderr, [])
    assert result.returncode == 2
    assert SECRET.lower() not in (result.stdout + result.stderr).lower()


@pytest.mark.parametrize("arguments, word", [
    (("migrate",), "ORDEM_POSTGRES_URL"),
    (("migrate", "status"), "ORDEM_POSTGRES_URL"),
    (("migrate", "--postgres-url="), "--postgres-url"),
    (("migrate", "--postgres-url=postgres://h/x", "--lock-timeout=30"), "--lock-timeout"),
    (("migrate", "--postgres-url=postgres://h/x", "--lock-timeout=25h"), "--lock-timeout"),
    (("migrate", "--dry-run", "status", "--postgres-url=postgres://h/x"), "--dry-run"),
    (("migrate", "status", "--dry-run", "--postgres-url=postgres://h/x"), "--dry-run"),
    (("migrate", "stauts"), "stauts"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_usage_errors(arguments, word):
    """Breaks if an invalid command line is executed."""
    result = run_ordem(*arguments)
    assert result.returncode == 2
    assert_clean_failure(result.returncode, result.stderr, [word])


def test_help():
    """Breaks if an option is missing from the help."""
    text = plain(run_ordem("migrate", "--help").stdout)
    for word in ("--postgres-url", "ORDEM_POSTGRES_URL", "--dry-run", "--lock-timeout", "status", "backup"):
        assert plain(word) in text, f"{word} is not in:\n{text}"
    assert "--postgres-url" in run_ordem("migrate", "status", "--help").stdout


# Waiting.

def waiting_backend(postgres, url):
    """Returns the pid of the session of ordem that waits for a lock; None if no session waits."""
    rows = postgres.run(url, "SELECT pid FROM pg_stat_activity WHERE application_name = 'ordem' AND wait_event_type = 'Lock' "
                             "AND datname = current_database()")
    return rows[0][0] if rows else None


def hold(connection, sql):
    """Opens a transaction that has run the SQL; returns its cursor."""
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor


TAKE_RUN_LOCK = "SELECT pg_advisory_lock(x'6f7264656d'::bigint)"


def test_run_waits_for_another_one_no_longer_than_it_may(postgres, database):
    """Breaks if a hanging run blocks all later ones forever, or if the error is not one line."""
    with postgres.connect(database) as other:
        hold(other, TAKE_RUN_LOCK)
        assert_refused(migrate(database, "--lock-timeout=200ms"), "another ordem migrate", "200 ms")
        assert tables(postgres, database) == set()
    migrated(database)


def test_run_goes_on_when_the_other_one_has_ended(postgres, database):
    """Breaks if a run that waited for the lock uses the state from before it waited."""
    with postgres.connect(database) as other:
        hold(other, TAKE_RUN_LOCK)
        waiting = start_migrate(database)
        poll_until(lambda: waiting_backend(postgres, database), "the second run waits")
        leave_as_older_ordem(postgres, database, 2)
    stdout, stderr = waiting.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert (waiting.returncode, stderr, stdout.splitlines()) == (0, "", [f"applied {name}" for name in NAMES[2:]])


def test_migration_waits_for_a_table_no_longer_than_it_may(postgres, database):
    """Breaks if a lock of another session blocks a migration forever, or a part of the migration remains."""
    leave_as_older_ordem(postgres, database, 2)
    with postgres.connect(database) as other:
        hold(other, "LOCK TABLE ordem_migrations IN SHARE MODE")  # this permits reads, and blocks the row of the third migration
        assert_refused(migrate(database, "--lock-timeout=200ms"), NAMES[2], "200 ms", "locked", "nothing of it")
    assert "message_records" not in tables(postgres, database)
    migrated(database)


def test_run_that_loses_its_connection_as_it_gets_its_turn(postgres, database):
    """Breaks if the loss is not reported, or something is applied anyway."""
    with postgres.connect(database) as other:
        hold(other, TAKE_RUN_LOCK)
        run = start_migrate(database)
        pid = poll_until(lambda: waiting_backend(postgres, database), "the run waits")
        run.send_signal(signal.SIGSTOP)
    terminate_when_idle(postgres, database, pid)  # it holds the lock, and the run has not noticed yet
    run.send_signal(signal.SIGCONT)
    stdout, stderr = run.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert (run.returncode, stdout, stderr) == (1, "", "ordem: the connection to Postgres was lost; nothing was applied\n")
    assert tables(postgres, database) == set()


def terminate_when_idle(postgres, url, pid):
    """Ends a session as soon as it is idle."""
    idle = "SELECT true FROM pg_stat_activity WHERE pid = %s AND state LIKE 'idle%%'"
    poll_until(lambda: postgres.run(url, idle, (pid,)), "the session is idle")
    assert postgres.run(url, "SELECT pg_terminate_backend(%s, 10000)", (pid,)) == [(True,)]


def test_run_that_has_lost_its_lock_does_not_go_on(postgres, database):
    """Breaks if a lost connection is silently replaced: the lock went with it, and another run may be active."""
    reading, writing = os.pipe()
    # A full pipe blocks the run where it prints that the first migration is applied.
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"." * 4096):
            pass
    os.set_blocking(writing, True)
    run = start_migrate(database, stdout=writing)
    os.close(writing)
    sessions = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ordem' AND datname = current_database()"
    poll_until(lambda: "ordem_migrations" in tables(postgres, database), "the first migration is applied")
    ((pid,),) = postgres.run(database, sessions)
    terminate_when_idle(postgres, database, pid)
    with open(reading, "rb") as pipe:
        output = pipe.read().lstrip(b".").decode()
    _, stderr = run.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert (run.returncode, output) == (1, f"applied {NAMES[0]}\n")
    assert "connection to Postgres was lost" in stderr and NAMES[1] in stderr, stderr
    assert [name for _, name, _ in history(postgres, database)] == NAMES[:1]


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_lost_connection_leaves_nothing_of_the_migration(own_postgres, how):
    """Breaks if a run does not notice the end of its session, reconnects without its lock, or leaves a part of the migration."""
    server = own_postgres
    url = server.create_database()
    leave_as_older_ordem(server, url, 2)
    with server.connect(url) as other:
        hold(other, "LOCK TABLE ordem_migrations IN SHARE MODE")
        run = start_migrate(url)
        pid = poll_until(lambda: waiting_backend(server, url), "the run waits")
        if how == "terminated":
            server.run(url, "SELECT pg_terminate_backend(%s)", (pid,))
        else:
            server.kill_backend(pid)
        stdout, stderr = run.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert (run.returncode, stdout) == (1, "")
    assert "connection to Postgres was lost" in stderr and NAMES[2] in stderr and stderr.count("\n") == 1, stderr
    server.wait_ready()
    assert "message_records" not in tables(server, url)
    assert migrate(url).stdout.splitlines() == [f"applied {name}" for name in NAMES[2:]]


# Constraints of the tables.

@pytest.fixture(scope="module")
def schema(postgres):
    """The URL of a migrated database with the partitions of one month. Its tests leave no rows."""
    url = migrated(postgres.create_database())
    for table in ("order_versions", "message_records"):
        postgres.run(url, f"SELECT ordem_make_month('{table}', '2026-11-15 12:00+00')")
    return url


def test_every_table_column_and_function_is_explained(postgres, schema):
    """Breaks if a table or column has no comment."""
    bare_columns = postgres.run(schema, """
        SELECT c.relname, a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)""")
    bare_functions = postgres.run(schema, """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL""")
    assert (bare_columns, bare_functions) == ([], [])


ID = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
TIME = "2026-11-22 10:15:30.123+00"
LATER = "2026-11-22 10:15:31+00"
ITEM = '{"sku": "A-1", "quantity": 2, "unit_price": 1999}'
ORDER = {
    "order_id": ID, "version": 1, "status": "new", "customer_id": "c-1001", "currency": "EUR", "items": f"[{ITEM}]",
    "total": 3998, "attributes": None, "external_id": None, "merged_from": None, "created_at": TIME, "updated_at": TIME, "position": 1,
}
MESSAGE = {
    "guid": "8e03978e-40d5-43e8-bc93-6894a57f9324", "fingerprint": b"\0" * 16, "verdict": "order_created", "order_id": ID,
    "version": 1, "status": "new", "wanted_status": None, "made_against": None, "by_if_match": False, "request": "{}",
    "response": "{}", "created_at": TIME, "expires_at": LATER, "position": 1,
}
POSITION = {"engine_id": ID, "epoch": 1, "position": 0, "claimed_at": TIME, "persisted_at": TIME}
HISTORY = {"number": len(FILES) + 1, "name": "x", "checksum": "0" * 64, "applied_at": TIME}
ALLOCATED = {
    "idempotency_key": "Qk-_", "state": "allocated", "allocated_at": TIME, "lease_ends_at": LATER, "expires_at": LATER,
    "response_status": None, "response_body": None, "response_headers": None, "position": 1,
}
COMPLETED = ALLOCATED | {
    "state": "completed", "lease_ends_at": None, "response_status": 200, "response_body": b"", "response_headers": "[]",
}
GOOD = {
    "orders": ORDER, "order_versions": ORDER, "message_records": MESSAGE, "engine_positions": POSITION, "ordem_migrations": HISTORY,
    "captures": COMPLETED,
}
OF_TENANTS = ("orders", "order_versions", "message_records", "captures")


def insert(postgres, url, table, *rows):
    """Inserts the rows and rolls back; raises the error from Postgres."""
    with postgres.connect(url) as connection:
        connection.autocommit = False
        for row in rows:
            values = ", ".join(["%s"] * len(row))
            connection.cursor().execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", list(row.values()))
        connection.rollback()


ORDER_ALLOWED = [
    {"customer_id": "x"}, {"customer_id": "ü" * 128}, {"items": "[" + ",".join([ITEM] * 500) + "]"}, {"total": 0},
    {"total": 2**53 - 1}, {"attributes": "{}"}, {"updated_at": LATER, "version": 2**63 - 1, "position": 2**63 - 1},
    *({"status": status} for status in ("confirmed", "shipped", "delivered", "cancelled")),
    *({"external_id": text} for text in ("x", "ü" * 128, "two words", "~\u00a0", "\\ 'x' \u2028")),
    {"version": 3, "merged_from": 1}, {"version": 2**63 - 1, "merged_from": 2**63 - 3},
]
TENANT_ALLOWED = [{"tenant": "", "actor": ""}, {"tenant": "x" * 255, "actor": "ü" * 127}]
MESSAGE_ALLOWED = [
    {"guid": "!"}, {"guid": "~" * 255}, {"wanted_status": "shipped", "verdict": "status_not_allowed"}, {"made_against": 1},
    {"expires_at": TIME}, {"request": None, "response": None},
    *({"verdict": verdict} for verdict in ("content_changed", "status_changed", "stale_version", "order_closed")),
]
CAPTURE_ALLOWED = [
    {"idempotency_key": "A"}, {"idempotency_key": "-" * 1024}, {"response_status": 100}, {"response_status": 999},
    {"response_body": b"\0\xff"}, {"expires_at": TIME}, ALLOCATED, ALLOCATED | {"lease_ends_at": None, "expires_at": None},
]


@pytest.mark.parametrize("table, change", [
    *((table, {}) for table in GOOD),
    *((table, change) for table in ("orders", "order_versions") for change in ORDER_ALLOWED),
    *(("message_records", change) for change in MESSAGE_ALLOWED),
    *(("captures", change) for change in CAPTURE_ALLOWED),
    *((table, change) for table in OF_TENANTS for change in TENANT_ALLOWED),
], ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_row_at_the_edge_of_the_rules_is_taken(postgres, schema, table, change):
    """Breaks if Postgres refuses a row that the engine accepts: replication of the log would stop."""
    insert(postgres, schema, table, GOOD[table] | change)


ORDER_REFUSED = [
    {"version": 0}, {"status": "paid"}, {"status": "New"}, {"customer_id": ""}, {"customer_id": "x" * 129},
    {"currency": "eur"}, {"currency": "EURO"}, {"currency": "EU"}, {"currency": "EUR\n"}, {"items": "[]"}, {"items": "{}"},
    {"items": "[" + ",".join([ITEM] * 501) + "]"}, {"total": -1}, {"total": 2**53}, {"attributes": "[]"},
    {"attributes": '"x"'}, {"updated_at": "2026-11-22 10:15:30.122+00"}, {"position": 0},
    {"external_id": ""}, {"external_id": "x" * 129}, *({"external_id": f"x{text}"} for text in "\x01\t\n\x1f\x7f\x80\x9f"),
    {"merged_from": 1}, {"version": 2, "merged_from": 1}, {"version": 3, "merged_from": 0}, {"version": 3, "merged_from": 2},
    *({name: None} for name in ORDER if name not in ("attributes", "external_id", "merged_from")),
]
MESSAGE_REFUSED = [
    {"guid": ""}, {"guid": "x" * 256}, {"guid": "two words"}, {"guid": "ü"}, {"guid": "x\n"}, {"fingerprint": b"\0" * 15},
    {"fingerprint": b"\0" * 17}, {"verdict": "perhaps"}, {"version": 0}, {"status": "paid"}, {"wanted_status": "paid"},
    {"made_against": 0}, {"expires_at": "2026-11-22 10:15:30.122+00"}, {"position": 0},
    {"verdict": "stale_version", "request": None}, {"verdict": "order_closed", "response": None},
    *({name: None} for name in MESSAGE if name not in ("wanted_status", "made_against", "request", "response")),
]
CAPTURE_REFUSED = [
    {"idempotency_key": ""}, {"idempotency_key": "A" * 1025}, {"idempotency_key": "QQ=="}, {"idempotency_key": "ü"}, {"state": "lapsed"},
    {"response_status": 99}, {"response_status": 1000}, {"response_headers": "{}"}, {"position": 0}, {"lease_ends_at": LATER},
    {"expires_at": "2026-11-22 10:15:30.122+00"}, ALLOCATED | {"lease_ends_at": "2026-11-22 10:15:30.122+00"},
    *(ALLOCATED | {name: COMPLETED[name]} for name in ("response_status", "response_body", "response_headers")),
    *({name: None} for name in COMPLETED if name != "lease_ends_at"),
]


@pytest.mark.parametrize("table, change", [
    *((table, change) for table in ("orders", "order_versions") for change in ORDER_REFUSED),
    *(("message_records", change) for change in MESSAGE_REFUSED),
    *(("captures", change) for change in CAPTURE_REFUSED),
    *((table, change) for table in OF_TENANTS for change in (
        {"tenant": None}, {"actor": None}, {"tenant": "x" * 256}, {"actor": "ü" * 128})),
    *(("engine_positions", change) for change in ({"epoch": 0}, {"position": -1}, *({name: None} for name in POSITION))),
    *(("ordem_migrations", change) for change in (
        {"number": 0}, {"checksum": ""}, {"checksum": "0" * 63}, {"checksum": "G" * 64}, *({name: None} for name in HISTORY))),
], ids=lambda value: value if isinstance(value, str) else " ".join(f"{name}={str(text)[:12]}" for name, text in value.items()))
def test_row_beyond_the_rules_is_refused(postgres, schema, table, change):
    """Breaks if Postgres accepts a row that no engine can have decided."""
    with pytest.raises((psycopg2.errors.CheckViolation, psycopg2.errors.NotNullViolation)):
        insert(postgres, schema, table, GOOD[table] | change)


@pytest.mark.parametrize("table, second", [
    ("orders", {"version": 2}),
    ("order_versions", {"position": 2}),
    ("message_records", {"position": 2}),
    ("captures", {"position": 2}),
    ("engine_positions", {"engine_id": "0190b3f2-9f6c-7cc0-8000-000000000000"}),
    ("ordem_migrations", {"name": "y"}),
])
def test_second_row_of_one_name_is_refused(postgres, schema, table, second):
    """Breaks if an order, a version, a message or an engine's position can exist twice."""
    with pytest.raises(psycopg2.errors.UniqueViolation):
        insert(postgres, schema, table, GOOD[table], GOOD[table] | second)


def test_guid_may_come_again_later(postgres, schema):
    """Breaks if a GUID whose first message has expired can't be stored a second time."""
    insert(postgres, schema, "message_records", MESSAGE, MESSAGE | {"created_at": LATER, "position": 2})


@pytest.mark.parametrize("table", ["message_records", "captures"])
def test_two_tenants_may_use_the_same_name(postgres, schema, table):
    """Breaks if a GUID or a key of one tenant is not free for another one."""
    insert(postgres, schema, table, *(GOOD[table] | {"tenant": tenant} for tenant in ("", "shop", "stall")))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        insert(postgres, schema, table, *(GOOD[table] | {"tenant": "shop", "actor": actor} for actor in ("", "till-7")))


def test_rows_from_before_there_were_tenants_are_those_of_the_empty_one(postgres, filled):
    """Breaks if the migration loses rows, or rows that it finds get another tenant."""
    for table in OF_TENANTS:
        assert postgres.run(filled, f"SELECT tenant, actor, count(*) FROM {table} GROUP BY 1, 2") == [("", "", ROWS)]


# Indexes.

ROWS = 20_000
# The last messages, as in README, and the rows after a position, as a job reads them that follows the log.
BY_POSITION = [
    "SELECT guid, verdict, request, response FROM messages ORDER BY position DESC LIMIT 5",
    "SELECT * FROM messages ORDER BY position DESC LIMIT 5",
    *(f"SELECT * FROM {table} WHERE position > {ROWS // 2} ORDER BY position LIMIT 100"
      for table in ("messages", "message_records", "order_versions", "orders", "captures")),
]


@pytest.fixture(scope="module")
def filled(postgres):
    """The URL of a database that had rows in several months before it got indexes by position, and more rows afterwards."""
    url = postgres.create_database()
    leave_as_older_ordem(postgres, url, 4)
    fill(postgres, url, 1, ROWS - 1000)
    assert migrate(url).returncode == 0
    fill(postgres, url, ROWS - 999, ROWS)
    return url


def fill(postgres, url, first, last):
    time = f"timestamptz '2026-09-01 00:00+00' + g * interval '{100 * 86400 // ROWS} s'"
    order_id = "('0190b3f2-9f6c-7cc0-8000-' || lpad(to_hex(g), 12, '0'))::uuid"
    for table in ("order_versions", "message_records"):
        postgres.run(url, f"SELECT ordem_make_month('{table}', {time}) FROM generate_series({first}, {last}, 100) g")
        postgres.run(url, f"SELECT ordem_make_month('{table}', {time}) FROM generate_series({last}, {last}) g")
    for sql in (
        f"INSERT INTO order_versions SELECT {order_id}, 1, 'new', 'c', 'EUR', '[{ITEM}]', 3998, NULL, {time}, {time}, g",
        f"INSERT INTO orders SELECT {order_id}, 1, 'new', 'c', 'EUR', '[{ITEM}]', 3998, NULL, {time}, {time}, g",
        f"INSERT INTO message_records SELECT 'guid-' || g, decode(repeat('00', 16), 'hex'), 'order_created', {order_id}, 1, 'new',"
        f" NULL, NULL, false, NULL, NULL, {time}, {time}, g",
        f"INSERT INTO captures SELECT 'key-' || g, 'allocated', {time}, NULL, NULL, NULL, NULL, NULL, g",
    ):
        postgres.run(url, f"{sql} FROM generate_series({first}, {last}) g")


def plan_nodes(plan):
    return [plan, *(node for child in plan.get("Plans", ()) for node in plan_nodes(child))]


@pytest.mark.parametrize("analyzed", [False, True], ids=["without statistics", "with statistics"])
@pytest.mark.parametrize("query", BY_POSITION)
def test_queries_by_position_use_an_index(postgres, filled, query, analyzed):
    """Breaks if a table or a partition has no index by position, or the planner can't use it through the view messages."""
    if analyzed:
        postgres.run(filled, "ANALYZE")
    ((explained,),) = postgres.run(filled, f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
    nodes = plan_nodes(explained[0]["Plan"])
    read = sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes)
    passed_over = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in nodes)
    assert read + passed_over < 1000, explained
    assert not [node for node in nodes if node["Node Type"] == "Sort"], explained


def test_every_month_has_the_indexes_of_its_table(postgres, filled):
    """Breaks if a month created before or after an index lacks it."""
    rows = postgres.run(filled, """
        SELECT i.inhparent::regclass::text, i.inhrelid::regclass::text, count(*), count(x.inhparent)
        FROM pg_inherits i JOIN pg_index ON pg_index.indrelid = i.inhrelid LEFT JOIN pg_inherits x ON x.inhrelid = indexrelid
        WHERE i.inhparent IN ('order_versions'::regclass, 'message_records'::regclass) GROUP BY 1, 2""")
    assert len(rows) == 8, rows
    assert {(indexes, attached) for _, _, indexes, attached in rows} == {(2, 2)}, rows


# Months.

@pytest.mark.parametrize("table, column", [("message_records", "created_at"), ("order_versions", "updated_at")])
def test_month_is_made_once_in_utc_and_can_be_dropped(postgres, database, table, column):
    """Breaks if a row of a month's first or last moment has no partition, or if creating the month again fails."""
    migrated(database)
    with postgres.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'Pacific/Auckland'")
        for _ in range(2):
            cursor.execute(f"SELECT ordem_make_month('{table}', '2026-12-31 23:59:59.999+00')")
    row = GOOD[table] | {"created_at": "2026-12-01 00:00+00", "expires_at": "2027-01-01 00:00+00"}
    row = {name: value for name, value in row.items() if name in GOOD[table]}
    for moment in ("2026-12-01 00:00+00", "2026-12-31 23:59:59.999+00"):
        insert(postgres, database, table, row | {column: moment})
    for moment in ("2026-11-30 23:59:59.999+00", "2027-01-01 00:00+00"):
        with pytest.raises(psycopg2.errors.CheckViolation, match="no partition"):
            insert(postgres, database, table, row | {"created_at": moment, column: moment})
    assert f"{table}_2026_12" in tables(postgres, database)
    postgres.run(database, f"DROP TABLE {table}_2026_12")
    assert f"{table}_2026_12" not in tables(postgres, database)
