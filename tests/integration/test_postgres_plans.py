"""The queries that README, docs/operations.md and docs/console.md show, on filled tables: each is answered by an index."""

import re
from pathlib import Path

import pytest

from support.replica import Replica

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 20_000

# Two months of each table that has months. Nine of ten orders have no external id.
FILL = f"""
    SELECT ordem_make_month(parent, at) FROM unnest(ARRAY['order_versions', 'message_records']) parent,
        unnest(ARRAY['2026-10-01'::timestamptz, '2026-11-01'::timestamptz]) at;
    CREATE TEMPORARY TABLE filler AS
        SELECT n AS position, ('0190b3f2-9f6c-7cc0-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS order_id,
               'c-' || 1000 + n % 300 AS customer_id, CASE WHEN n % 10 = 0 THEN 'PO-2026-' || lpad((n % 200)::text, 4, '0') END AS external_id,
               (ARRAY['new', 'confirmed', 'shipped', 'delivered', 'cancelled'])[1 + n % 5] AS status,
               '2026-10-15'::timestamptz + n * interval '2 minutes' AS at
        FROM generate_series(1, {ORDERS}) n;
    INSERT INTO orders (order_id, version, status, customer_id, currency, items, total, created_at, updated_at, position, external_id)
        SELECT order_id, 1, status, customer_id, 'EUR', '[{{"sku": "A-1", "quantity": 2, "unit_price": 1999}}]', 3998, at, at, position, external_id
        FROM filler;
    INSERT INTO order_versions SELECT * FROM orders;
    INSERT INTO message_records (guid, fingerprint, verdict, order_id, version, status, by_if_match, created_at, expires_at, position)
        SELECT 'guid-' || position, decode(repeat('00', 16), 'hex'), 'order_created', order_id, 1, 'new', false, at, at, position FROM filler;
    INSERT INTO captures (idempotency_key, state, allocated_at, position)
        SELECT 'key' || position, 'allocated', at, position FROM filler;
    ANALYZE orders, order_versions, message_records, captures
"""


def queries_of(document):
    """The (index, query) pairs of a page: each query of an SQL block, with the index that the comment before it names."""
    for block in re.findall(r"```sql\n(.*?)```", (ROOT / document).read_text(), re.DOTALL):
        for index, query in re.findall(r"^-- by (\w+)\n(SELECT .*?);", block, re.DOTALL | re.MULTILINE):
            yield index, query


QUERIES = [pair for document in ("README.md", "docs/operations.md", "docs/console.md") for pair in queries_of(document)]


@pytest.fixture(scope="module")
def filled(postgres):
    replica = Replica.create(postgres)
    with replica.connect() as connection:
        connection.cursor().execute(FILL)
    return replica


def nodes_of(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def test_the_pages_show_queries_of_every_table():
    """Breaks if the queries are not found in the pages, so that the test below would test nothing."""
    assert len(QUERIES) >= 9
    shown = " ".join(query for _, query in QUERIES)
    assert all(re.search(rf"\bFROM {table}\b", shown) for table in ("orders", "order_versions", "messages", "captures"))


@pytest.mark.parametrize("index, query", QUERIES, ids=lambda value: value if value.isidentifier() else None)
def test_query_of_the_pages_is_answered_by_its_index(filled, index, query):
    """Breaks if a query that the pages show reads or sorts a whole table, or uses another index than the page says."""
    (plan,), = filled.run(f"EXPLAIN (FORMAT JSON) {query}")
    nodes = list(nodes_of(plan[0]["Plan"]))
    assert not [node for node in nodes if node["Node Type"] in ("Seq Scan", "Sort", "Incremental Sort", "Hash Join")], plan
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    parents = {name for name, in filled.run(
        "SELECT coalesce(inhparent, c.oid)::regclass::text FROM pg_class c LEFT JOIN pg_inherits ON inhrelid = c.oid WHERE relname = ANY(%s)",
        (list(used),))}
    assert index in parents, plan
    assert filled.run(query), "the query of the page finds nothing in these tables"
