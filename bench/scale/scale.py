#!/usr/bin/python3
"""Ordem with much data: growth, memory and start.

  growth   the create rate while the store fills, alternating with the rate on an empty store; the cost of a create in CPU time, writes
           and disk; the longest stall; the resident memory
  memory   the size of a live order beyond the order itself
  start    the time from the program's start to ready, after a clean stop and after kill -9 under full load

ordem-load checks every answer. Run it by `scripts/bench scale`, which has the options.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import circumstances, work_folder  # noqa: E402  (before the parts: it adds support to the path)
from figures import growth_text, memory_text, start_text  # noqa: E402
from growth import measure_growth  # noqa: E402
from measured_server import FREE_DISK_BYTES_MIN, Unfinished  # noqa: E402
from memory import measure_memory  # noqa: E402
from start import measure_start  # noqa: E402

PARTS = {"growth": (measure_growth, growth_text), "memory": (measure_memory, memory_text), "start": (measure_start, start_text)}
SECONDS_MAX = 10
MESSAGES_A_WINDOW_SECOND = 1_000_000
LIVE_ORDERS_MAX = 1_000_000  # the limit of ordem-load
# More than any window needed, including during a compaction.
DISK_BYTES_A_MESSAGE_MAX = 1500

BOUNDS = f"""
With its defaults it takes about 15 minutes on two cores and up to {DISK_BYTES_A_MESSAGE_MAX} bytes of disk for each of --messages: 14 GiB.
It starts only if that much and {FREE_DISK_BYTES_MIN >> 30} GiB more are free. It stops with an error if less than {FREE_DISK_BYTES_MIN >> 30} GiB are left, or if filling a
store takes more than --minutes. For a quick result in two minutes: --messages 200000 --pairs 1. Data folders are created in
$TMPDIR, or in the current folder, and removed.
"""


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench scale", description=__doc__, epilog=BOUNDS, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure (all)")
    parser.add_argument("--messages", type=int, default=10_000_000, help="messages stored at the end of growth (10000000)")
    parser.add_argument("--start-orders", type=int, default=1_000_000, help="orders on disk for start, at most --messages (1000000)")
    parser.add_argument("--live-orders", type=int, default=100_000, help="orders that become live for memory, at most 1000000 (100000)")
    parser.add_argument("--seconds", type=int, help="length of a window of creates (1 for each million of --messages, 1 to 10)")
    parser.add_argument("--pairs", type=int, default=3, help="alternating pairs, of each comparison (3)")
    parser.add_argument("--starts", type=int, default=5, help="starts of each kind (5)")
    parser.add_argument("--connections", type=int, default=256, help="keep-alive connections (256)")
    parser.add_argument("--durability", choices=("fsync", "os"), default="fsync", help="of growth and start (fsync)")
    parser.add_argument("--minutes", type=int, default=30, help="the longest time that filling a store may take (30)")
    parser.add_argument("--json", metavar="FILE", help="also write all results to FILE")
    options = parser.parse_args()
    for name, value in vars(options).items():
        if isinstance(value, int) and value < 1:
            parser.error(f"--{name.replace('_', '-')} takes a number above 0")
    if options.live_orders > LIVE_ORDERS_MAX:
        parser.error(f"--live-orders takes at most {LIVE_ORDERS_MAX}")
    if options.seconds is None:
        options.seconds = min(max(1, options.messages // MESSAGES_A_WINDOW_SECOND), SECONDS_MAX)
    return options


def check_room(folder, options):
    needed = options.messages * DISK_BYTES_A_MESSAGE_MAX + FREE_DISK_BYTES_MIN
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Unfinished(
            f"{folder} has {free >> 20:,} MiB free, and {needed >> 20:,} MiB may be needed: set TMPDIR, or take fewer --messages")


def measure(options):
    here = circumstances()
    print(f"revision {here['revision']}, {here['cores']} cores, load average before the run {here['load_before']:.2f}; "
          f"durability {options.durability}, {options.connections} connections, windows of {options.seconds} s")
    results = {"circumstances": here, "options": vars(options)}
    with work_folder("scale") as folder:
        check_room(folder, options)
        for name in options.only:
            measure_part, text = PARTS[name]
            results[name] = measure_part(folder, options)
            print(f"\n{name}\n", *text(results[name]), sep="\n", flush=True)
    return results


def main():
    options = arguments()
    try:
        results = measure(options)
    except Unfinished as bound:
        sys.exit(f"scale: {bound}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
