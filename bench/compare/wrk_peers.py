"""Ordem and the bare Beast server, driven by one thread of wrk, a load generator that is not part of this project.

The scripts in wrk/ make the requests and check every response. Ordem and bare Beast get the same requests, so each row has its own
measurement of bare Beast. A file lists the orders that a script repeats, reads or updates: for Ordem they are created first.
"""

import json
import re
import shutil
import urllib.request
import uuid

import figures
from harness import BUILD, WARMUP_SECONDS
from peers import ORDERS_UPDATED
from programs import HERE, RUN_SECONDS_MAX, STOP_SECONDS_MAX, ServedByOne, run_counted
from support.http_client import free_port
from support.ordem_server import start_server
from support.process_facts import cpu_seconds

ROWS = ("create", "get", "update", "replay")
ORDERS_READ = 10_000
BATCH_LINES = 10_000
# How long a response may take. wrk counts a later one as an error.
TIMEOUT_SECONDS = 10
# As in wrk/requests.lua.
CONTENT = {
    "customer_id": "c-1001", "currency": "EUR", "items": [{"sku": "A-1", "quantity": 2, "unit_price": 1999}],
    "attributes": {"channel": "web"}}  # fmt: skip


def orders_of(row):
    return {"create": 0, "update": ORDERS_UPDATED}.get(row, ORDERS_READ)


def create_orders(port, keys):
    """Returns the ids of new orders, created in batches."""
    ids = []
    for first in range(0, len(keys), BATCH_LINES):
        part = keys[first : first + BATCH_LINES]
        lines = "".join(json.dumps({"idempotency_key": key, "order": CONTENT}) + "\n" for key in part)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/orders/batch", lines.encode(), {"Content-Type": "application/x-ndjson"})
        with urllib.request.urlopen(request, timeout=RUN_SECONDS_MAX) as response:
            found = dict(re.findall(r'"idempotency_key":"([^"]+)","status":201,.*"order_id":"([^"]+)"', response.read().decode()))
        ids += [found[key] for key in part]
    return ids


def run_wrk(port, pid, row, answers, orders, connections, seconds):
    """Returns the figures of one run. Raises an error if a response was wrong."""
    before = cpu_seconds(pid)
    output, own_seconds = run_counted(
        "wrk", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s", "--script",
        f"{row}.lua", f"http://127.0.0.1:{port}", "--", answers, uuid.uuid4().int % 2**31, orders, cwd=HERE / "wrk",
        seconds_max=seconds + RUN_SECONDS_MAX)
    return figures.of_wrk(output, connections, own_seconds, cpu_seconds(pid) - before)


class OrdemByWrk:
    """Ordem; with `io_threads` instead of its default number."""

    def __init__(self, row, io_threads=None):
        self.name = f"ordem {row} by wrk" + ("" if io_threads is None else f", --io-threads {io_threads}")
        self._row = row
        self._flags = () if io_threads is None else ("--io-threads", io_threads)
        self._server = None

    def start(self, folder):
        self._server = start_server(folder, *self._flags)
        self._orders = folder / "orders-for-wrk"
        keys = [str(uuid.uuid4()) for _ in range(orders_of(self._row))]
        ids = create_orders(self._server.port, keys)
        self._orders.write_text("".join(f"{key} {order}\n" for key, order in zip(keys, ids, strict=True)))

    def measure(self, connections, seconds):
        # An update in the warm-up would leave orders at versions that the measured run does not know.
        self._run("create" if self._row == "update" else self._row, connections, WARMUP_SECONDS)
        return self._run(self._row, connections, seconds)

    def stop(self):
        if self._server is None:
            return
        self._server.stop(STOP_SECONDS_MAX)
        shutil.rmtree(self._server.data_dir)
        self._server = None

    def _run(self, row, connections, seconds):
        return run_wrk(self._server.port, self._server.pid, row, "ordem", self._orders, connections, seconds)


class BareBeastByWrk(ServedByOne):
    """The ceiling of this HTTP stack with one thread: it takes the requests of a row and answers a constant."""

    def __init__(self, row):
        super().__init__()
        self.name = f"bare Beast {row} by wrk"
        self._row = row

    def start(self, folder):
        self._port = free_port()
        self._serve(folder, BUILD / "bench/bare-beast", "--port", self._port, "--io-threads", 1)
        self._server.wait_port(self._port)
        self._orders = folder / "orders-for-wrk"
        self._orders.write_text("".join(f"{uuid.uuid4()} {uuid.uuid4()}\n" for _ in range(orders_of(self._row))))

    def measure(self, connections, seconds):
        self._run(connections, WARMUP_SECONDS)
        return self._run(connections, seconds)

    def _run(self, connections, seconds):
        return run_wrk(self._port, self._server.pid, self._row, "constant", self._orders, connections, seconds)


def contestants(rows):
    """Returns the measurements of a round, row by row."""
    return [peer for row in ROWS if row in rows for peer in (BareBeastByWrk(row), OrdemByWrk(row), OrdemByWrk(row, io_threads=1))]
