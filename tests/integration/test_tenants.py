"""Tenants that use the same GUIDs, customers and keys of captures: in Postgres, after a restore, and for `verify` and `inspect`."""

import json
import re
import subprocess
from pathlib import Path

import psycopg2
import pytest

from support import settings
from support.ordem_server import assert_clean_failure, binary, run_ordem, start_server
from support.orders import assert_problem, message_path, order_path
from support.replica import Replica

NAMES = 20  # of each tenant; see write_folder()
# Who creates and who changes, by tenant.
ACTORS = {"": ("", ""), "shop": ("till-7", "office"), "stall": ("till-7", "till-7")}
DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def write_folder(folder, step):
    """Writes into the folder by a program that is built with the tests; its source says what each step writes."""
    writer = Path(binary()).parents[1] / "tests" / "ordem_tenant_folder"
    subprocess.run([writer, folder, step], check=True, timeout=settings.COMMAND_SECONDS_MAX)


class Written:
    def __init__(self, postgres, folder):
        self.folder = folder
        self.replica = Replica.create(postgres)
        for step in ("create", "change"):  # the second one updates rows that the first one has made
            write_folder(folder, step)
            with start_server(folder, f"--postgres-url={self.replica}") as server:
                server.client().wait_persisted()


@pytest.fixture(scope="module")
def written(postgres, tmp_path_factory):
    """A folder of three tenants and its database, shared by all tests, which must not change either."""
    return Written(postgres, tmp_path_factory.mktemp("tenants") / "data")


@pytest.fixture
def copy(written):
    """A copy of the database."""
    return written.replica.copy()


@pytest.fixture
def restored(written, copy, data_dir):
    """A folder restored from a copy of the database."""
    result = run_ordem("restore", "--postgres-url", copy, "--data-dir", data_dir)
    assert result.returncode == 0, result.stderr
    return data_dir


def inspect(folder, what, name, tenant):
    """Returns what `ordem inspect` prints; None if it finds nothing."""
    of_tenant = ("--tenant", tenant) if tenant else ()
    result = run_ordem("inspect", what, "--data-dir", folder, *of_tenant, "--", name)
    if result.returncode == 0:
        return json.loads(result.stdout)
    assert f"there is no {what}" in result.stderr and (not tenant or f"'{tenant}'" in result.stderr), result.stderr
    return None


def order_ids(replica, tenant):
    return [order_id for order_id, in replica.run(
        "SELECT order_id::text FROM message_records WHERE tenant = %s AND verdict = 'order_created'", (tenant,))]


# Postgres.

def test_each_row_has_its_tenant_and_its_actor(written):
    """Breaks if a column of Postgres gets another tenant or actor than the log has, or an update changes an order's tenant."""
    run = written.replica.run
    expected = {(tenant, changes, 2, NAMES) for tenant, (_, changes) in ACTORS.items()}
    assert set(run("SELECT tenant, actor, version, count(*) FROM orders GROUP BY 1, 2, 3")) == expected
    expected |= {(tenant, creates, 1, NAMES) for tenant, (creates, _) in ACTORS.items()}
    assert set(run("SELECT tenant, actor, version, count(*) FROM order_versions GROUP BY 1, 2, 3")) == expected
    expected = {(tenant, guid, actor, NAMES) for tenant, (creates, changes) in ACTORS.items()
                for guid, actor in (("guid", creates), ("change", changes), ("stale", creates))}
    for table in ("message_records", "messages"):
        assert set(run(f"SELECT tenant, split_part(guid, '-', 1), actor, count(*) FROM {table} GROUP BY 1, 2, 3")) == expected
    expected = {(tenant, creates, state, NAMES // 2) for tenant, (creates, _) in ACTORS.items() for state in ("allocated", "completed")}
    assert set(run("SELECT tenant, actor, state, count(*) FROM captures GROUP BY 1, 2, 3")) == expected
    bodies = {(tenant, f"{tenant}0") for tenant in ACTORS}
    assert set(run("SELECT tenant, convert_from(response_body, 'UTF8') FROM captures WHERE idempotency_key = 'key0000A'")) == bodies


def test_view_of_messages_shows_what_clients_got(written):
    """Breaks if the response in Postgres lacks the actor of a version, or has one that is empty."""
    for tenant, (creates, changes) in ACTORS.items():
        for guid, actor in (("guid-3", creates), ("change-3", changes)):
            (order,), = written.replica.run(
                "SELECT response->'body'->'order' FROM messages WHERE tenant = %s AND guid = %s", (tenant, guid))
            assert order.get("actor") == (actor or None)
            assert order == inspect(written.folder, "message", guid, tenant)["response"]["body"]["order"]


def test_engine_goes_on_with_its_database_and_drops_captures_of_one_tenant(written, copy, launch, tmp_path):
    """Breaks if an engine does not find its last entries in its database, or a capture that is given up takes those of other tenants
    with it."""
    folder = tmp_path / "data"
    subprocess.run(["cp", "-r", written.folder, folder], check=True)
    client = launch(f"--postgres-url={copy}", folder=folder).client()
    assert client.captures.release("key0000B").status == 204
    client.wait_persisted()
    assert copy.run("SELECT tenant FROM captures WHERE idempotency_key = 'key0000B' ORDER BY 1") == [("shop",), ("stall",)]
    copy.assert_verified(folder)


# Verify.

def test_verify_finds_no_difference_and_names_the_tenant_of_one(written, copy):
    """Breaks if verify compares the rows of one tenant with the records of another, or sorts them otherwise than the folder does."""
    copy.assert_verified(written.folder)
    copy.run("UPDATE message_records SET tenant = 'bazaar' WHERE tenant = 'shop' AND guid = 'guid-3'")
    copy.run("UPDATE captures SET actor = 'x' WHERE tenant = 'stall' AND idempotency_key = 'key0000A'")
    copy.run("DELETE FROM captures WHERE tenant = '' AND idempotency_key = 'key0000B'")
    result = copy.verify(written.folder)
    assert result.returncode == 1
    assert sorted(result.stdout.splitlines()[:-1]) == [
        "capture key0000A of tenant 'stall' differs",
        "capture key0000B is in the data folder only",
        "message guid-3 of tenant 'bazaar' is in Postgres only",
        "message guid-3 of tenant 'shop' is in the data folder only",
    ]


# Restore.

def test_restored_folder_has_every_tenant(written, restored, copy):
    """Breaks if a restore mixes tenants, or loses a tenant or an actor."""
    copy.assert_verified(restored)
    for tenant in ACTORS:
        for guid in ("guid-0", "change-19", "stale-7"):
            assert inspect(restored, "message", guid, tenant) == inspect(written.folder, "message", guid, tenant) is not None
        for key in ("key0000A", "key0000B"):
            assert inspect(restored, "capture", key, tenant) == inspect(written.folder, "capture", key, tenant) is not None
        assert inspect(restored, "capture", "gone", tenant) is None
    assert inspect(restored, "message", "guid-0", "bazaar") is None
    assert inspect(restored, "capture", "key0000A", "bazaar") is None


def assert_serves_the_empty_tenant_only(client, replica):
    assert client.get(message_path("guid-0")).json()["order_id"] in order_ids(replica, "")
    for customer in ("c-0", "c-1", "c-2"):
        listed = client.get(f"/api/v1/orders?customer_id={customer}&limit=1000").json()["orders"]
        assert {order["order_id"] for order in listed} <= set(order_ids(replica, "")) and len(listed) in (6, 7)
        assert not any("actor" in order for order in listed)
    for tenant in ("shop", "stall"):
        order_id = order_ids(replica, tenant)[0]
        for path in (order_path(order_id), order_path(order_id) + "/versions", order_path(order_id) + "/versions/1"):
            assert_problem(client.get(path), 404, "order-not-found")


def test_clients_without_identities_see_the_empty_tenant_only(written, restored, copy, launch):
    """Breaks if a request without an identity reads what belongs to a tenant, from a folder or from a restored one."""
    with start_server(written.folder) as server:
        assert_serves_the_empty_tenant_only(server.client(), copy)
    assert_serves_the_empty_tenant_only(launch(folder=restored).client(), copy)


# Row-level security, as the documentation shows it.

def documented_policies():
    """Returns the SQL that docs/operations.md shows."""
    (sql,) = [block for block in re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.S) if "CREATE POLICY" in block]
    return sql


@pytest.fixture
def shop_reader(postgres, copy):
    """The URL of the database for the role of the documentation."""
    postgres.run(copy.url, documented_policies())
    yield copy.url.replace("//postgres@", "//shop_reader@")
    postgres.run(copy.url, "DROP OWNED BY shop_reader")
    postgres.run(copy.url, "DROP ROLE shop_reader")


def test_role_of_a_tenant_sees_its_rows_only(postgres, copy, shop_reader):
    """Breaks if the documented policies show another tenant's rows, by a table, by the view, by a setting or by a partition."""
    with postgres.connect(shop_reader) as connection, connection.cursor() as cursor:
        for setting in ("", "SET ordem.tenant = 'stall'"):
            if setting:
                cursor.execute(setting)
            for table in ("orders", "order_versions", "message_records", "captures", "messages"):
                cursor.execute(f"SELECT tenant, count(*) > 0 FROM {table} GROUP BY 1")
                assert cursor.fetchall() == [("shop", True)], table
        cursor.execute("SELECT DISTINCT response->'body'->'order'->>'actor' FROM messages WHERE verdict = 'order_created'")
        assert cursor.fetchall() == [("till-7",)]
        partitions = postgres.run(copy.url, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'order_versions'::regclass")
        for partition, in partitions:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"SELECT * FROM {partition}")


def test_restore_and_verify_refuse_a_role_that_sees_a_part(written, copy, shop_reader, data_dir):
    """Breaks if a restore by a role with a policy gives a folder that has only one tenant."""
    copy.run("GRANT SELECT ON engine_positions, ordem_migrations TO shop_reader")
    for result in (run_ordem("restore", "--postgres-url", shop_reader, "--data-dir", data_dir),
                   run_ordem("verify", "--postgres-url", shop_reader, "--data-dir", written.folder)):
        assert_clean_failure(result.returncode, result.stderr, ["row-level security"])
    copy.assert_verified(written.folder)


# Captures of another server.

def test_imported_captures_are_those_of_the_tenant(tmp_path, launch, data_dir, replica):
    """Breaks if an import gives captures to another tenant, or Postgres does."""
    file = tmp_path / "captures.ndjson"
    file.write_text('{"idempotency_key": "key0", "status": "allocated"}\n')
    for tenant in ("shop", "stall"):
        result = run_ordem("import", "captures", file, "--data-dir", data_dir, "--tenant", tenant)
        assert "imported 0 completed and 1 allocated captures; 0 were there already" in result.stdout
    client = launch(f"--postgres-url={replica}").client()
    assert client.captures.allocate("key0").status == 202
    client.wait_persisted()
    assert replica.run("SELECT tenant, actor, state FROM captures ORDER BY 1") == [
        ("", "", "allocated"), ("shop", "", "allocated"), ("stall", "", "allocated")]
    replica.assert_verified(data_dir)
