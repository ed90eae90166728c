"""What Postgres shows of an engine's log: how far it is, whether it is a prefix of the log, and whether it is what clients were told."""

import contextlib

import psycopg2.extensions

from support import settings
from support.concurrency import poll_until
from support.oracle import show
from support.ordem_server import run_ordem
from support.server_facts import positions
from support.workload import load_on

TIME_FORMAT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
ORDER_MEMBERS = ("order_id", "version", "status", "customer_id", "currency", "items", "total", "attributes", "created_at", "updated_at")
ORDER_COLUMNS = ", ".join(
    {"order_id": "order_id::text", "created_at": TIME_FORMAT.format("created_at"), "updated_at": TIME_FORMAT.format("updated_at")}
    .get(name, name) for name in ORDER_MEMBERS)

# Each gives a row for everything that is not as it has to be at a moment whose position is %(position)s.
PREFIX_RULES = {
    "messages are not the positions 1 to the last, each once": """
        SELECT count(*), count(DISTINCT position), min(position), max(position) FROM message_records
        HAVING %(position)s > 0 AND (count(*), count(DISTINCT position), min(position), max(position))
               IS DISTINCT FROM (%(position)s, %(position)s, 1::bigint, %(position)s)
            OR %(position)s = 0 AND count(*) > 0""",
    "orders are not the last of their versions": """
        SELECT orders.order_id, orders.version, orders.position, last.order_id, last.version, last.position
        FROM orders FULL JOIN (SELECT DISTINCT ON (order_id) * FROM order_versions ORDER BY order_id, version DESC) last
             ON last.order_id = orders.order_id
        WHERE to_jsonb(orders) IS DISTINCT FROM to_jsonb(last)""",
    "versions have a gap, are there twice, or do not ascend with the log": """
        SELECT order_id, array_agg((version, position)::text) FROM (
            SELECT order_id, version, position, row_number() OVER (PARTITION BY order_id ORDER BY position) AS place
            FROM order_versions) placed
        WHERE version <> place GROUP BY order_id""",
    "versions are not those of the accepted messages, one to one": """
        SELECT made.order_id, made.version, made.position, told.guid, told.order_id, told.version
        FROM order_versions made
             FULL JOIN (SELECT * FROM message_records WHERE verdict IN ('order_created', 'content_changed', 'status_changed')) told
             ON told.position = made.position
        WHERE (made.order_id, made.version, made.status) IS DISTINCT FROM (told.order_id, told.version, told.status)""",
}


def migrated(url):
    """The URL, once its database has the tables."""
    result = run_ordem("migrate", "--postgres-url", url)
    assert result.returncode == 0, result.stderr
    return url


# How far it is.

def wait_persisted(client, position=None, seconds=settings.POLL_SECONDS_MAX):
    """Waits until Postgres has everything up to that position, by default up to what is durable now. Returns where it is."""
    wanted = positions(client)["durable"] if position is None else position

    def reached():
        now = positions(client)["persisted"]
        return now is not None and now >= wanted and [now]

    return poll_until(reached, f"Postgres has position {wanted}", seconds)[0]


def wait_ready(client):
    poll_until(lambda: client.get("/-/ready").status == 200, "the server is ready", settings.START_SECONDS_MAX)


def sessions_of_ordem(postgres, url, condition="true"):
    """The pids of the sessions that programs of ordem have with this database."""
    return [pid for pid, in postgres.run(url, f"""
        SELECT pid FROM pg_stat_activity
        WHERE application_name = 'ordem' AND datname = current_database() AND {condition}""")]


def wait_session_waits_for_lock(postgres, url):
    """Waits until a session of ordem waits for a lock that a test holds; returns its pid."""
    return poll_until(lambda: sessions_of_ordem(postgres, url, "wait_event_type = 'Lock'"), "a session waits for a lock")[0]


@contextlib.contextmanager
def held(postgres, url, sql):
    """A transaction that has run the SQL and stays open until the end of the block, or until it is killed."""
    with postgres.connect(url) as connection:
        connection.autocommit = False
        connection.cursor().execute(sql)
        yield connection


# Whether it is a prefix.

@contextlib.contextmanager
def snapshot(postgres, url):
    """A cursor that sees one moment."""
    with postgres.connect(url) as connection:
        connection.autocommit = False
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
        with connection.cursor() as cursor:
            yield cursor
        connection.rollback()


def position_of(cursor):
    """How far Postgres says it is at the moment that the cursor sees."""
    cursor.execute("SELECT position FROM engine_positions")
    rows = cursor.fetchall()
    return rows[0][0] if rows else 0  # no row before an engine has come


def persisted_position(postgres, url):
    """How far Postgres says it is now."""
    with snapshot(postgres, url) as cursor:
        return position_of(cursor)


def assert_prefix(cursor):
    """What the cursor sees is the log up to the position that is written there. Returns that position."""
    position = position_of(cursor)
    for what, sql in PREFIX_RULES.items():
        cursor.execute(sql, {"position": position})
        assert not (rows := cursor.fetchmany(3)), f"at position {position} {what}: {rows}"
    return position


def persisted_order(postgres, url, order_id):
    """An order as the API shows it; None if Postgres does not have it."""
    orders = read_orders(postgres, url, "orders", "WHERE order_id = %s", (order_id,))
    return orders[0] if orders else None


def read_orders(postgres, url, table, condition="", values=None):
    rows = postgres.run(url, f"SELECT {ORDER_COLUMNS} FROM {table} {condition}", values)
    return [{name: value for name, value in zip(ORDER_MEMBERS, row) if value is not None} for row in rows]


def persisted_message(postgres, url, guid):
    """Position, status and body of the answer that Postgres holds; None if there is none."""
    rows = postgres.run(
        url, "SELECT position, (response->>'status')::int, response->'body' FROM messages WHERE guid = %s", (guid,))
    assert len(rows) <= 1, f"{guid} is there {len(rows)} times"
    return rows[0] if rows else None


# Whether it is what clients were told.

def differences_from(oracle, postgres, url):
    """What Postgres shows otherwise than clients were told, once it has all that they were told of."""
    told = {guid: oracle.outcome(guid) for guid in oracle.recorded_guids()}
    rows = postgres.run(url, "SELECT guid, (response->>'status')::int, response->'body', order_id::text, version FROM messages")
    messages = {guid: row for guid, *row in rows}
    problems = [f"{guid}: {len(rows) - len(messages)} messages are there twice" for guid in list(messages)[:1] if len(rows) > len(messages)]
    problems += [f"{guid}: an acknowledged write is not in Postgres" for guid in told.keys() - messages.keys()]
    problems += [f"{guid}: Postgres has a refused write" for guid in messages.keys() & set(oracle.refused_guids())]
    problems += [f"{guid}: Postgres has an answer that nobody sent for" for guid in messages.keys() - told.keys()
                 - set(oracle.unanswered_guids()) - set(oracle.refused_guids())]
    versions = {(order["order_id"], order["version"]): order for order in read_orders(postgres, url, "order_versions")}
    for guid in told.keys() & messages.keys():
        status, body, order_id, version = messages[guid]
        outcome = told[guid]
        if (status, body) != (outcome.status, outcome.body):
            problems.append(f"{guid}: Postgres tells {status} {body} instead of {outcome.status} {outcome.body}")
        if outcome.order and versions.get((order_id, version)) != outcome.order:
            problems.append(f"{guid}: Postgres has {versions.get((order_id, version))} instead of {outcome.order}")
    return problems


def assert_as_told(oracle, postgres, url):
    problems = [*oracle.violations, *differences_from(oracle, postgres, url)]
    assert not problems, show(problems)


def verify(url, folder):
    return run_ordem("verify", "--postgres-url", url, "--data-dir", folder)


def assert_verified(url, folder):
    result = verify(url, folder)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    assert result.stdout.count("\n") == 1 and ": no difference" in result.stdout, result.stdout


def assert_whole(postgres, url, client, folder, oracle=None):
    """Postgres catches up with all that is durable now, and shows it, once."""
    wait_persisted(client)
    with snapshot(postgres, url) as cursor:
        assert_prefix(cursor)
    if oracle:
        assert_as_told(oracle, postgres, url)
    assert_verified(url, folder)


def load(server, rng, count, oracle=None):
    """Has clients write until so many writes are recorded; returns the oracle."""
    with load_on(server, rng, oracle) as running:
        running.wait_for(count)
    return running.oracle


