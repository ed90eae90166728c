"""Memory: what a live order takes beyond the order itself.

Two servers do the same work: they take K orders and then updates of them, drawn at random, at a fixed rate. One may keep all of
them live, the other hardly any. What the former has more of anonymous memory, divided by what it has more of live orders, is
what one takes: its actor, mailbox and places in tables, and the order as it is now. The latter's own size is what the
micro-benchmark kept_order counts. Both servers have the least of the caches that they may have, and give freed pages back at
once, so that little else differs.
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
    """The size in memory of an order as ordem-load sends it."""
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
