"""Memory: the size of a live order beyond the order itself.

Two servers do the same work: they accept K orders and then random updates of them, at a fixed rate. One may keep all of them live, the
other almost none. The difference in anonymous memory, divided by the difference in live orders, is the size of one: its actor, mailbox
and table entries, and the current order. The micro-benchmark kept_order measures the size of the order itself. Both servers have the
smallest caches and return freed pages at once, so that they differ in little else.
"""

import json
import os
import shutil
import sys

from harness import BUILD, load, run
from measured_server import live_orders, wait_until_quiet
from support.ordem_server import start_server
from support.process_facts import memory_bytes

UPDATES_A_SECOND = 10_000
UPDATES_AN_ORDER = 3  # on average, so that 95 % of the orders get one
FLAGS = ("--durability", "os", "--block-cache", "1MiB", "--write-buffer", "4MiB")
# Settings of jemalloc, in milliseconds.
ENVIRONMENT = {"MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}


def order_bytes():
    """Returns the size in memory of an order of ordem-load."""
    report = json.loads(run(BUILD / "bench/ordem-micro", "--benchmark_filter=^kept_order/small", "--benchmark_format=json"))
    return report["benchmarks"][0]["bytes"]


def measure_one(folder, live_max, options):
    with start_server(folder, "--live-orders", live_max, *FLAGS, environment=ENVIRONMENT) as server:
        seconds = max(1, options.live_orders * UPDATES_AN_ORDER // UPDATES_A_SECOND)
        figures = load(
            server.port, "update", options.connections, seconds, "--orders", options.live_orders,
            "--arrivals", "fixed", "--rate", UPDATES_A_SECOND)
        wait_until_quiet(server)
        found = {"updates": figures["requests"], "live": live_orders(server), "anon_bytes": memory_bytes(server.pid)["RssAnon"]}
    shutil.rmtree(folder)
    return found


def measure_memory(folder, options):
    pairs = []
    for number in range(options.pairs):
        pair = {}
        for which in ("few", "many") if number % 2 == 0 else ("many", "few"):
            # `few` is the minimum, one order per shard. The order shards divide the limit; with `many` no shard reaches its part.
            live_max = os.cpu_count() if which == "few" else options.live_orders * 2
            pair[which] = measure_one(folder / which, live_max, options)
            print("  {updates:,} updates, {live:,} live orders, {anon_bytes:,} bytes".format(**pair[which]), file=sys.stderr)
        pairs.append(pair)
    return {"order_bytes": order_bytes(), "pairs": pairs}
