"""The tables of a Postgres that an engine's log is replicated to: their position, whether they are a prefix of the log, and
whether they agree with the responses that clients received.

    replica = Replica.create(postgres)        a fresh database with the tables
    server = launch(f"--postgres-url={replica}")
    replica.assert_whole(server.client(), data_dir)
"""

import contextlib

import psycopg2.extensions

from support.concurrency import poll_until
from support.oracle import show
from support.ordem_server import run_ordem

TIME_FORMAT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
ORDER_MEMBERS = ("order_id", "version", "status", "customer_id", "currency", "items", "total", "attributes", "external_id", "created_at", "updated_at",
                 "merged_from", "actor")
ORDER_COLUMNS = ", ".join(
    {"order_id": "order_id::text", "created_at": TIME_FORMAT.format("created_at"), "updated_at": TIME_FORMAT.format("updated_at"),
     "actor": "NULLIF(actor, '')"}
    .get(name, name) for name in ORDER_MEMBERS)

# Each query returns a row for every violation in a snapshot at position %(position)s.
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
        SELECT made.order_id, made.version, made.position, message.guid, message.order_id, message.version
        FROM order_versions made
             FULL JOIN (SELECT * FROM message_records WHERE verdict IN ('order_created', 'content_changed', 'status_changed')) message
             ON message.position = made.position
        WHERE (made.order_id, made.version, made.status) IS DISTINCT FROM (message.order_id, message.version, message.status)""",
}


def migrated(url):
    """Runs `ordem migrate`. Returns the URL."""
    result = run_ordem("migrate", "--postgres-url", url)
    assert result.returncode == 0, result.stderr
    return url



# What the response to a stale write says of the versions in between. Postgres has the path of the versions instead.
COMPARISON = {"changes", "versions", "conflicts"}


def without_comparison(body):
    if body.get("code") != 3043:
        return body
    return {name: value for name, value in body.items() if name not in COMPARISON}


class Snapshot:
    """One moment of a replica."""

    def __init__(self, cursor):
        self._cursor = cursor

    def position(self):
        """Returns the position in the table of Postgres."""
        self._cursor.execute("SELECT position FROM engine_positions")
        rows = self._cursor.fetchall()
        return rows[0][0] if rows else 0  # no row before the first engine has connected

    def assert_prefix(self):
        """Checks that the tables hold the log up to their position, and no more. Returns that position."""
        position = self.position()
        for what, sql in PREFIX_RULES.items():
            self._cursor.execute(sql, {"position": position})
            assert not (rows := self._cursor.fetchmany(3)), f"at position {position} {what}: {rows}"
        return position


class Replica:
    """One database of a Postgres. Its text is its URL."""

    def __init__(self, postgres, url):
        self.postgres = postgres
        self.url = url

    @classmethod
    def create(cls, postgres):
        """A fresh database with the tables."""
        return cls(postgres, migrated(postgres.create_database()))

    def __str__(self):
        return self.url

    def run(self, sql, values=None):
        """Runs SQL, each statement in its own transaction; returns the rows."""
        return self.postgres.run(self.url, sql, values)

    def copy(self):
        """A copy of the database, which must have no connections."""
        return Replica(self.postgres, self.postgres.copy_database(self.url))

    def back_up(self):
        """A copy of the database. Its clients lose their connections, and can connect again afterwards."""
        return Replica(self.postgres, self.postgres.back_up(self.url))

    def put_back(self, back_up):
        """Replaces the database with a copy of its back-up. Its clients lose their connections."""
        self.postgres.put_back(self.url, back_up.url)

    def connect(self):
        """A connection in autocommit mode; closed at the end of the block."""
        return self.postgres.connect(self.url)

    # Sessions and locks.

    def sessions(self, condition="true"):
        """Returns the pids of the sessions that ordem has with this database."""
        return [pid for pid, in self.run(f"""
            SELECT pid FROM pg_stat_activity
            WHERE application_name = 'ordem' AND datname = current_database() AND {condition}""")]

    def wait_session_waits_for_lock(self):
        """Waits until a session of ordem waits for a lock held by a test; returns its pid."""
        return poll_until(lambda: self.sessions("wait_event_type = 'Lock'"), "a session waits for a lock")[0]

    @contextlib.contextmanager
    def open_transaction(self, sql):
        """A transaction that has run the SQL and stays open until the end of the block, or until it is killed."""
        with self.connect() as connection:
            connection.autocommit = False
            connection.cursor().execute(sql)
            yield connection

    # Content.

    @contextlib.contextmanager
    def snapshot(self):
        """A Snapshot of this moment, which can be used until the end of the block."""
        with self.connect() as connection:
            connection.autocommit = False
            connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
            with connection.cursor() as cursor:
                yield Snapshot(cursor)
            connection.rollback()

    def position(self):
        """Returns the current position in the table of Postgres."""
        with self.snapshot() as snapshot:
            return snapshot.position()

    def order(self, order_id):
        """Returns an order in the form of the API; None if Postgres does not have it."""
        orders = self._read_orders("orders", "WHERE order_id = %s", (order_id,))
        return orders[0] if orders else None

    def message(self, guid):
        """Returns position, status and body of the response that Postgres has for a GUID; None if there is none."""
        rows = self.run("SELECT position, (response->>'status')::int, response->'body' FROM messages WHERE guid = %s", (guid,))
        assert len(rows) <= 1, f"{guid} is there {len(rows)} times"
        return rows[0] if rows else None

    def _read_orders(self, table, condition="", values=None):
        rows = self.run(f"SELECT {ORDER_COLUMNS} FROM {table} {condition}", values)
        return [{name: value for name, value in zip(ORDER_MEMBERS, row) if value is not None} for row in rows]

    # Checks.

    def differences_from(self, oracle):
        """Waits until Postgres has every acknowledged write; returns the differences between Postgres and the responses of clients."""
        outcomes = {guid: oracle.outcome(guid) for guid in oracle.recorded_guids()}
        rows = self.run("SELECT guid, (response->>'status')::int, response->'body', order_id::text, version FROM messages")
        messages = {guid: row for guid, *row in rows}
        problems = [f"{guid}: {len(rows) - len(messages)} messages are there twice" for guid in list(messages)[:1]
                    if len(rows) > len(messages)]
        problems += [f"{guid}: an acknowledged write is not in Postgres" for guid in outcomes.keys() - messages.keys()]
        problems += [f"{guid}: Postgres has a refused write" for guid in messages.keys() & set(oracle.refused_guids())]
        problems += [f"{guid}: Postgres has the response to a write that was never sent" for guid in messages.keys() - outcomes.keys()
                     - set(oracle.unanswered_guids()) - set(oracle.refused_guids())]
        versions = {(order["order_id"], order["version"]): order for order in self._read_orders("order_versions")}
        for guid in outcomes.keys() & messages.keys():
            status, body, order_id, version = messages[guid]
            outcome = outcomes[guid]
            if (status, without_comparison(body)) != (outcome.status, without_comparison(outcome.body)):
                problems.append(f"{guid}: Postgres has {status} {body} instead of {outcome.status} {outcome.body}")
            if outcome.order and versions.get((order_id, version)) != outcome.order:
                problems.append(f"{guid}: Postgres has {versions.get((order_id, version))} instead of {outcome.order}")
        return problems

    def assert_agrees(self, oracle):
        """Checks that Postgres agrees with the responses of clients, and that no response was wrong."""
        problems = [*oracle.violations, *self.differences_from(oracle)]
        assert not problems, show(problems)

    def verify(self, folder):
        """Runs `ordem verify`; returns its exit code and its output."""
        return run_ordem("verify", "--postgres-url", self.url, "--data-dir", folder)

    def assert_verified(self, folder):
        """Checks that `ordem verify` finds no difference."""
        result = self.verify(folder)
        assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
        assert result.stdout.count("\n") == 1 and ": no difference" in result.stdout, result.stdout

    def assert_whole(self, client, folder, oracle=None):
        """Waits until Postgres has everything that is durable now, and checks that it has it exactly once."""
        client.wait_persisted()
        with self.snapshot() as snapshot:
            snapshot.assert_prefix()
        if oracle:
            self.assert_agrees(oracle)
        self.assert_verified(folder)
