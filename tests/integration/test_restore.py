"""`ordem restore` and `ordem verify` against a real Postgres, with orders that use every permitted value."""

import json
import random
import signal
import subprocess
from urllib.parse import quote

import pytest

from support import settings
from support.concurrency import poll_until
from support.ordem_server import assert_clean_failure, assert_does_not_start, binary, clean_environment, run_ordem, start_server
from support.orders import (
    ORDER_CLOSED, STATUS_NOT_ALLOWED, accepted_order, assert_problem, assert_stale, create, merge, message_path, order_content,
    order_path, recorded_part, replace, set_status,
)
from support.replica import Replica
from support.workload import load

UNICODE = "ü€\U0001F600 e\u0301 \u2028\ufeff\uffff\U0010ffff"
QUOTES = "\"'`$$ '; DROP TABLE orders; --"
BACKSLASHES = "\\ \\\\ \\n \\N \\. \\x00 \\u0041"
CONTROL = "\t\n\r\b\f\v\x01\x1f\x7f\x85"
STRANGE_TEXTS = (UNICODE, QUOTES, BACKSLASHES, CONTROL, "\\N", "\\.", " ", "{}", "{a,b}", "NULL", "ü" * 64)
STRANGE_GUIDS = ("\\N", "\\.", "\\\\", "';--", "{}", "%00", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "x" * 255, "A", "a")
NUMBERS = (1e20, 1e300, -1e300, 1.7976931348623157e308, 5e-324, -5e-324, 2.2250738585072014e-308, -0.0, 0, 9007199254740991,
           -9007199254740991, 9007199254740992.0, 1e16, 1e21, 1e22, 123456789012345680000.0, 0.1, 1 / 3, 1e-7, 1.5, 100.0)
EXOTIC = {
    "numbers": list(NUMBERS), "texts": ["", *STRANGE_TEXTS], "": "empty name", "empty": {}, "nested": [[], [[]], {}, [{}], [[[[]]]]],
    "null": [None, True, False], "deep": {"a": {"b": {"c": [{"d": []}]}}},
    **{text: number for number, text in enumerate(STRANGE_TEXTS)},
}


def restore(replica, folder):
    return run_ordem("restore", "--postgres-url", replica, "--data-dir", folder)


def restored(replica, folder):
    result = restore(replica, folder)
    assert (result.returncode, error_lines(result)) == (0, []), result.stderr
    return result.stdout


def error_lines(result):
    """Returns the lines on standard error except those of the progress."""
    return [line for line in result.stderr.splitlines() if not line.startswith("restoring: ")]


def assert_refused(result, *words):
    """Checks for exit code 1 and one error line that contains the words."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert len(error_lines(result)) == 1, result.stderr
    assert_clean_failure(result.returncode, error_lines(result)[0], words)


def send(client, write):
    """Sends a write in the form in which its GUID may have any character, which a header field does not permit."""
    return client.exchange(write.to_bytes(guid_form="body"))


class Story:
    """The writes of clients and the responses."""

    def __init__(self, client):
        self._client = client
        self.pairs = []

    def send(self, write):
        """Sends a write whose outcome is recorded; returns the answer."""
        answer = send(self._client, write)
        self.pairs.append((write, answer))
        return answer

    def create(self, content, guid=None):
        return accepted_order(self.send(create(content, guid)), 201)

    def update(self, write):
        return accepted_order(self.send(write))


def write_exotic_orders(story):
    order = story.create(order_content("exotic", attributes=EXOTIC))
    assert order["attributes"] == EXOTIC
    order_id = order["order_id"]
    patches = (
        {"attributes": {"": None, "numbers": [-0.0, 1e20], "deep": {"a": None, "b": {"c": 5e-324, "d": None}}, "unknown": None}},
        {"attributes": {}}, {"attributes": None}, {"attributes": None}, {"attributes": {"texts": {"a": None, "b": [None]}}},
        {"items": [{"sku": text, "quantity": 1_000_000, "unit_price": 0} for text in STRANGE_TEXTS], "customer_id": BACKSLASHES},
        {"currency": "XXX", "attributes": {"x": {"y": None}}}, {},
    )
    for version, patch in enumerate(patches, 1):
        story.update(merge(order_id, version, patch, version_in=("body", "if-match", "both")[version % 3]))
    last = len(patches) + 1
    story.update(replace(order_id, last, order_content("exotic")))  # order_content adds the default attributes
    bare = order_content("exotic", items=[{"sku": "x", "quantity": 1, "unit_price": 10**12}] * 500)
    del bare["attributes"]
    story.update(replace(order_id, last + 1, bare))
    for text in STRANGE_TEXTS:
        story.create(order_content(text, attributes={text: text}, items=[{"sku": text, "quantity": 1, "unit_price": 1}]))
    for guid in STRANGE_GUIDS:
        story.create(order_content("guids"), guid)
    for number in NUMBERS:
        story.create(order_content("numbers", attributes={"many": [number] * 500}))
    # Names that jsonb reorders, two of which differ only in case.
    story.create(order_content("names", attributes={name: name for name in ("b", "aa", "B", "aA", "é", "z", "10", "9", "a\tb")}))


def write_rejections(story):
    order_id = story.create(order_content("rejections"))["order_id"]
    story.update(merge(order_id, 1, {"currency": "USD"}))
    for version_in in ("body", "if-match", "both"):
        for stale in (
            merge(order_id, 1, {"attributes": {"gone": None, "text": UNICODE, "number": 1e300}}, version_in=version_in),
            merge(order_id, 1, {"attributes": None, "customer_id": "x"}, version_in=version_in),
            merge(order_id, 1, {}, version_in=version_in),
            replace(order_id, 1, order_content("rejections", attributes=EXOTIC), version_in=version_in),
            set_status(order_id, 1, "confirmed", version_in=version_in),
        ):
            assert_stale(story.send(stale), stale, 2)
    assert_problem(story.send(set_status(order_id, 2, "delivered")), 409, "status-not-allowed", STATUS_NOT_ALLOWED)
    story.update(set_status(order_id, 2, "cancelled", version_in="if-match"))
    for write in (merge(order_id, 3, {"attributes": {"a": None}}), replace(order_id, 3, order_content("x"), version_in="if-match")):
        assert_problem(story.send(write), 409, "order-closed", ORDER_CLOSED)


def read_all(client, pairs):
    """Returns every read of these writes and their orders: status, ETag and body."""
    orders = {}
    for _, answer in pairs:
        if answer.status in (200, 201):
            order = answer.json()["order"]
            orders.setdefault(order["order_id"], set()).add(order["customer_id"])
    paths = {order_path(order_id) for order_id in orders} | {f"{order_path(order_id)}/versions?limit=1000" for order_id in orders}
    paths |= {f"{order_path(order['order_id'])}/versions/{order['version']}" for _, answer in pairs
              if answer.status in (200, 201) for order in [answer.json()["order"]]}
    paths |= {f"/api/v1/orders?limit=1000&customer_id={quote(customer, safe='')}" for all_of in orders.values() for customer in all_of}
    paths |= {message_path(quote(write.guid, safe="")) for write, _ in pairs}
    return {path: (answer.status, answer.header("ETag"), answer.body) for path in paths for answer in [client.get(path)]}


class Origin:
    """A database that an engine has written, that engine's folder, and the responses to its reads."""

    def __init__(self, postgres, folder):
        self.folder = folder
        self.replica = Replica.create(postgres)
        with start_server(folder, f"--postgres-url={self.replica}") as server:
            client = server.client()
            story = Story(client)
            write_exotic_orders(story)
            write_rejections(story)
            self.oracle = load(server, random.Random(settings.SEED), settings.RESTORED_WRITES)
            self.pairs = story.pairs
            for guid in self.oracle.recorded_guids():
                write = self.oracle.write(guid)
                answer = write.send(client)
                self.oracle.repeated(guid, answer)
                self.pairs.append((write, answer))
            self.reads = read_all(client, self.pairs)
            self.last = client.wait_persisted()
        assert not self.oracle.violations


@pytest.fixture(scope="module")
def origin(postgres, tmp_path_factory):
    """Shared by all tests, which must not change its database or its folder."""
    return Origin(postgres, tmp_path_factory.mktemp("origin") / "data")


@pytest.fixture
def copy(origin):
    """A copy of the origin's database."""
    return origin.replica.copy()


# Restore.

def test_restored_engine_is_the_one_that_was_lost(origin, copy, launch, data_dir):
    """Breaks if anything visible to clients changes: a read, the response to a repeat, a version, a list, or a byte of them; or if the
    restored engine does not continue from there."""
    text = restored(copy, data_dir)
    assert f"up to position {origin.last}" in text and text.count("\n") == 1
    copy.assert_verified(data_dir)
    server = launch(f"--postgres-url={copy}")
    client = server.client()
    reads = read_all(client, origin.pairs)
    assert {path: read for path, read in reads.items() if read != origin.reads[path]} == {}
    assert len(reads) == len(origin.reads) > settings.RESTORED_WRITES
    for write, answer in origin.pairs:
        repeated = send(client, write)
        assert repeated.replayed and recorded_part(repeated) == recorded_part(answer), f"{write}: {repeated}"
        other = create(order_content("another request"), write.guid)
        assert_problem(send(client, other), 422, "guid-reused")
    client.wait_persisted()  # the connection to Postgres may come later than the reads
    assert client.positions() == {"decided": origin.last, "durable": origin.last, "persisted": origin.last}

    order = accepted_order(origin.pairs[0][1], 201)
    newest = client.get_order(order["order_id"])
    stale = merge(order["order_id"], 1, {"currency": "USD"})
    assert_stale(stale.send(client), stale, newest["version"])
    update = merge(order["order_id"], newest["version"], {"currency": "CHF"})
    assert accepted_order(update.send(client))["version"] == newest["version"] + 1
    created = create(order_content("exotic"))
    accepted_order(created.send(client), 201)
    copy.assert_whole(client, data_dir)
    assert [copy.message(write.guid)[0] for write in (stale, update, created)] == [
        origin.last + 1, origin.last + 2, origin.last + 3]
    assert copy.order(order["order_id"]) == client.get_order(order["order_id"])


def test_folder_of_the_origin_and_its_database_agree_after_a_restart(origin):
    """Breaks if verify finds differences in identical exotic content."""
    origin.replica.assert_verified(origin.folder)
    with origin.replica.snapshot() as snapshot:
        assert snapshot.assert_prefix() == origin.last


def test_restore_of_a_restored_engine_gives_the_same(origin, copy, launch, data_dir, tmp_path):
    """Breaks if data written by a restored engine can't be restored again."""
    restored(copy, data_dir)
    server = launch(f"--postgres-url={copy}")
    oracle = load(server, random.Random(settings.SEED + 1), 50)
    copy.assert_whole(server.client(), data_dir)
    writes = [(oracle.write(guid), oracle.write(guid).send(server.client())) for guid in oracle.recorded_guids()]
    reads = read_all(server.client(), [*origin.pairs, *writes])
    server.stop()
    restored(copy, tmp_path / "again")
    client = launch(folder=tmp_path / "again").client()
    assert read_all(client, [*origin.pairs, *writes]) == reads


def test_database_without_any_entry_gives_an_empty_engine_with_its_name(replica, launch, data_dir, tmp_path):
    """Breaks if position 0 is invalid, or if a restored engine has another log id than its database."""
    server = launch(f"--postgres-url={replica}", folder=tmp_path / "first")
    server.client().wait_persisted()
    server.stop()
    assert "0 orders" in restored(replica, data_dir)
    assert (data_dir / "FORMAT").read_text() == (tmp_path / "first" / "FORMAT").read_text()
    client = launch(f"--postgres-url={replica}").client()
    accepted_order(create(order_content("first")).send(client), 201)
    replica.assert_whole(client, data_dir)


def test_expired_messages_are_not_restored(replica, launch, data_dir, tmp_path):
    """Breaks if an expired outcome is replayed after a restore, or its order is missing."""
    server = launch(f"--postgres-url={replica}", "--message-ttl=1s", folder=tmp_path / "first")
    client = server.client()
    write = create(order_content("c"))
    order = accepted_order(write.send(client), 201)
    poll_until(lambda: client.get(message_path(write.guid)).status == 404, "the message has expired")
    server.stop()
    assert replica.message(write.guid), "Postgres keeps what has expired"
    assert "1 orders, 1 versions, 0 messages and 0 captures" in restored(replica, data_dir)
    replica.assert_verified(data_dir)
    client = launch(f"--postgres-url={replica}").client()
    assert client.get_order(order["order_id"]) == order
    assert client.get(message_path(write.guid)).status == 404
    again = write.send(client)
    assert not again.replayed and accepted_order(again, 201)["order_id"] != order["order_id"]
    client.wait_persisted()
    replica.assert_verified(data_dir)
    assert replica.run("SELECT count(*) FROM messages WHERE guid = %s", (write.guid,)) == [(2,)]


def test_folder_that_is_not_empty_is_left_alone(origin, launch, data_dir):
    """Breaks if a restore overwrites existing files or adds files to them."""
    server = launch()
    accepted_order(create(order_content("c")).send(server.client()), 201)
    assert_refused(restore(origin.replica, data_dir), data_dir, "not empty")
    server.stop()
    assert_refused(restore(origin.replica, data_dir), data_dir, "not empty")
    assert launch().client().get("/api/v1/orders?customer_id=c").json()["orders"]


@pytest.mark.parametrize("statement, words", [
    ("UPDATE message_records SET request = request || '{\"method\": \"BREW\"}' WHERE verdict = 'stale_version'",
     ["message", "can't have written"]),
    ("UPDATE orders SET items = '[1]' WHERE order_id = (SELECT max(order_id::text)::uuid FROM orders)", ["order", "can't have written"]),
    ("DELETE FROM engine_positions", ["holds no log"]),
    ("DROP TABLE ordem_migrations CASCADE", ["ordem migrate"]),
], ids=["message", "order", "no position", "no tables"])
def test_restore_that_fails_says_why_and_leaves_nothing_that_can_be_served(origin, copy, data_dir, statement, words):
    """Breaks if an incomplete folder can be served: orders would be missing, and GUIDs would be executed a second time."""
    copy.run(statement)
    assert_refused(restore(copy, data_dir), *words)
    if data_dir.exists():
        assert_half_restored(origin, data_dir)
    else:
        restored(origin.replica, data_dir)


def assert_half_restored(origin, folder):
    assert_does_not_start(folder, words=[folder, "restore"])
    assert_does_not_start(folder, f"--postgres-url={origin.replica}", words=[folder, "restore"])
    assert_refused(restore(origin.replica, folder), folder, "not empty")
    assert_refused(origin.replica.verify(folder), folder)
    assert_refused(run_ordem("inspect", "message", "x", "--data-dir", folder), folder)


# The view replaces the table and blocks every reader of its rows. Counting them reads no row.
WAITING_MESSAGES = """
    CREATE FUNCTION after_a_wait(bytea) RETURNS bytea LANGUAGE plpgsql STABLE AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN $1; END $$;
    ALTER TABLE message_records RENAME TO all_message_records;
    CREATE VIEW message_records AS SELECT guid, after_a_wait(fingerprint) AS fingerprint, verdict, order_id, version, status,
        wanted_status, made_against, by_if_match, request, response, created_at, expires_at, position, tenant, actor FROM all_message_records"""


def test_restore_that_was_killed_leaves_nothing_that_can_be_served(origin, copy, data_dir):
    """Breaks if the folder of an interrupted restore is accepted as complete or as new."""
    copy.run(WAITING_MESSAGES)
    with copy.connect() as other:
        other.cursor().execute("SELECT pg_advisory_lock(42)")
        restoring = subprocess.Popen(
            [binary(), "restore", "--postgres-url", copy.url, "--data-dir", data_dir], env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            copy.wait_session_waits_for_lock()
            assert restoring.poll() is None and data_dir.exists()
            assert_refused(restore(origin.replica, data_dir), data_dir, "not empty")
        finally:
            restoring.kill()
            restoring.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert restoring.returncode == -signal.SIGKILL
    assert_half_restored(origin, data_dir)


# Verify.

# Each change gives a column another value than it had, whatever that was.
OTHER_STATUS = "{0} = CASE {0} WHEN 'delivered' THEN 'shipped' ELSE 'delivered' END"
ORDER_CHANGES = (
    OTHER_STATUS.format("status"), "customer_id = customer_id || 'x'", "currency = 'ZZZ'", "items = items || items[0]",
    "total = total + 1", "attributes = '{\"changed\": 1}'", "created_at = created_at - interval '1 ms'",
    "updated_at = updated_at + interval '1 ms'", "tenant = tenant || 'x'", "actor = actor || 'x'",
)
MESSAGE_CHANGES = (
    "fingerprint = decode(repeat('00', 16), 'hex')",
    "verdict = CASE verdict WHEN 'status_changed' THEN 'content_changed' ELSE 'status_changed' END", "version = version + 1",
    "order_id = (SELECT order_id FROM orders other WHERE other.order_id <> message_records.order_id LIMIT 1)",
    OTHER_STATUS.format("status"), OTHER_STATUS.format("wanted_status"), "made_against = coalesce(made_against, 0) + 1000",
    "created_at = created_at - interval '1 ms'", "expires_at = expires_at + interval '1 ms'", "actor = actor || 'x'",
)
CHANGES = {"orders": (*ORDER_CHANGES, "version = version + 1"), "order_versions": ORDER_CHANGES, "message_records": MESSAGE_CHANGES}
KEYS = {
    "orders": ("order_id::text", "order {0}"), "order_versions": ("order_id::text, version", "version {1} of order {0}"),
    "message_records": ('guid COLLATE "C"', "message {0}"),
}


def spread(rows, count):
    """Returns `count` of the rows: the first, the last, and others between them."""
    assert len(rows) > count
    return [rows[number * (len(rows) - 1) // (count - 1)] for number in range(count)]


def some_rows(replica, table, count):
    """Returns (name in verify's lines, condition) of `count` rows."""
    columns, name = KEYS[table]
    rows = replica.run(f"SELECT {columns} FROM {table} ORDER BY {columns}")
    return [(name.format(*row), (f"({columns}) = ({', '.join(['%s'] * len(row))})", row)) for row in spread(rows, count)]


def assert_differences(replica, folder, lines):
    """Checks that verify prints exactly these lines, each once and possibly longer, and their number."""
    result = replica.verify(folder)
    assert (result.returncode, result.stderr) == (1, ""), result.stdout + result.stderr
    *reported, last = result.stdout.splitlines()
    assert f": {len(lines)} differences" in last, result.stdout
    missing = [line for line in lines if not any(one.startswith(line) for one in reported)]
    assert not missing and len(reported) == len(lines), f"not reported: {missing}\n{result.stdout}"


@pytest.mark.parametrize("table", CHANGES)
def test_verify_names_each_row_that_was_changed(origin, copy, table):
    """Breaks if verify overlooks a column, or the first or the last row."""
    rows = some_rows(copy, table, len(CHANGES[table]))
    for change, (_, (condition, key)) in zip(CHANGES[table], rows):
        copy.run(f"UPDATE {table} SET {change} WHERE {condition}", key)
    assert_differences(copy, origin.folder, [f"{name} differs" for name, _ in rows])


def test_verify_compares_the_request_of_a_rejected_message(origin, copy):
    """Breaks if a request that is stored only in its message is not compared."""
    (guid,), = copy.run("""
        UPDATE message_records SET request = jsonb_set(request, '{body,currency}', '"ZZZ"')
        WHERE guid = (SELECT min(guid) FROM messages WHERE verdict = 'stale_version' AND request->>'method' = 'PUT') RETURNING guid""")
    assert_differences(copy, origin.folder, [f"message {guid} differs"])


@pytest.mark.parametrize("table", CHANGES)
def test_verify_names_each_row_that_is_missing(origin, copy, table):
    """Breaks if verify compares only the rows that Postgres has."""
    rows = some_rows(copy, table, 3)
    for _, (condition, key) in rows:
        copy.run(f"DELETE FROM {table} WHERE {condition}", key)
    assert_differences(copy, origin.folder, [f"{name} is in the data folder only" for name, _ in rows])


def insert_changed_copies(replica, table, order_id, *changes):
    """Adds copies of the first row of an order with some columns changed."""
    for change in changes:
        replica.run(f"""
            INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb({table}) || {change})).* FROM {table}
            WHERE order_id = %s ORDER BY version LIMIT 1""", (order_id,))


OTHER_ORDERS = tuple(
    f"jsonb_build_object('order_id', overlay(order_id::text PLACING '{first}' FROM 1 FOR 8))" for first in ("00000000", "ffffffff"))


def test_verify_names_each_row_that_is_too_many(origin, copy):
    """Breaks if verify compares only the records that the data folder has."""
    (first,), = copy.run("SELECT min(order_id::text) FROM orders")
    (versions,), = copy.run("SELECT version FROM orders WHERE order_id = %s", (first,))
    insert_changed_copies(copy, "orders", first, *OTHER_ORDERS)
    insert_changed_copies(copy, "order_versions", first, *OTHER_ORDERS, f"jsonb_build_object('version', {versions + 1})",
        "jsonb_build_object('updated_at', updated_at + interval '1 ms')")
    insert_changed_copies(copy, "message_records", first, *(f"jsonb_build_object('guid', '{guid}')" for guid in ("!", "~~")))
    others = ["00000000" + first[8:], "ffffffff" + first[8:]]
    assert_differences(copy, origin.folder, [
        *(f"order {name} is in Postgres only" for name in others),
        *(f"the history of order {name} is in Postgres only" for name in others),
        f"version {versions + 1} of order {first} is in Postgres only",
        f"version 1 of order {first} is in Postgres twice",
        "message ! is in Postgres only", "message ~~ is in Postgres only",
    ])


def test_verify_can_tell_that_there_is_nothing_to_compare(postgres, origin, copy, tmp_path):
    """Breaks if verify succeeds when one side does not exist."""
    assert_refused(copy.verify(tmp_path / "nowhere"), tmp_path / "nowhere")
    assert_refused(Replica(postgres, postgres.create_database()).verify(origin.folder), "ordem migrate")
    assert_refused(Replica.create(postgres).verify(origin.folder), "no log")
    copy.run("UPDATE engine_positions SET position = position + 1")
    assert_refused(copy.verify(origin.folder), f"position {origin.last + 1}", origin.last)


# Dropped months.

def drop_months(replica, table):
    names = [name for name, in replica.run(f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass")]
    assert names
    for name in names:
        replica.run(f"DROP TABLE {name}")


def test_verify_says_nothing_of_months_that_were_dropped(origin, copy):
    """Breaks if dropped months are reported as differences, or hide one."""
    drop_months(copy, "order_versions")
    copy.assert_verified(origin.folder)
    drop_months(copy, "message_records")
    copy.assert_verified(origin.folder)
    (name, (condition, key)), *_ = some_rows(copy, "orders", 3)
    copy.run(f"UPDATE orders SET total = total + 1 WHERE {condition}", key)
    assert_differences(copy, origin.folder, [f"{name} differs"])


AGE = "interval '93 days'"


def age(replica):
    """Makes everything in the database older, so that its months are in the past and its messages have expired."""
    for table in ("order_versions", "message_records"):
        for moment in (f"now() - {AGE}", f"now() - {AGE} - interval '1 day'"):
            replica.run(f"SELECT ordem_make_month('{table}', {moment})")
    for table in ("orders", "order_versions"):
        replica.run(f"UPDATE {table} SET created_at = created_at - {AGE}, updated_at = updated_at - {AGE}")
    replica.run(f"UPDATE message_records SET created_at = created_at - {AGE}, expires_at = expires_at - {AGE}")


def test_engine_lives_on_without_the_months_that_were_dropped(origin, copy, launch, data_dir, tmp_path):
    """Breaks if orders can't be restored or changed without their old versions, or if verify misses differences in a folder with or
    without these versions."""
    age(copy)
    restored(copy, tmp_path / "with history")
    copy.assert_verified(tmp_path / "with history")
    drop_months(copy, "order_versions")
    drop_months(copy, "message_records")
    assert "0 versions, 0 messages and 0 captures" in restored(copy, data_dir)
    for folder in (tmp_path / "with history", data_dir):
        server = launch(f"--postgres-url={copy}", folder=folder)
        client = server.client()
        client.wait_persisted()
        copy.assert_verified(folder)
        orders = [path for path in origin.reads if path.startswith("/api/v1/orders/") and path.count("/") == 4]
        reads = {path: client.get(path).json()["order"] for path in orders}
        for path, order in reads.items():
            assert order["version"] == json.loads(origin.reads[path][2])["order"]["version"]
            versions = client.get(f"{path}/versions?limit=1000").json()["versions"]
            assert versions[0] == order and len(versions) == (1 if folder == data_dir else order["version"])
        if folder != data_dir:
            server.stop()
    order = next(order for order in reads.values() if order["status"] == "new" and order["version"] > 2)
    for version in (order["version"], order["version"] + 1):
        accepted_order(merge(order["order_id"], version, {"currency": "CHF"}).send(client))
    created = create(order_content("c"))
    accepted_order(created.send(client), 201)
    client.wait_persisted()
    copy.assert_verified(data_dir)
    assert copy.message(created.guid)[0] == origin.last + 3
    assert restored(copy, tmp_path / "again")
    copy.assert_verified(tmp_path / "again")
