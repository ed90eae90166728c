#!/usr/bin/python3
"""Compares Ordem with its peers, in alternation, on one machine that the load programs share.

Each round starts every peer, measures it and ends it, so that a disturbance of the machine affects all of them. The order of the peers
rotates from round to round. A ratio is taken within one round; the tables show its median, minimum and maximum. Run it by
`scripts/bench compare`, which has the options.

Rows, all about Ordem:
  create     a new order each time                     replay     only repeats of creates
  get        reads of an order                         conflict   only updates with an old version: 3043
  update     updates of 100,000 orders                 hot-order  updates of one order by all
  batch      creates in batches of 1,000, two at a time for any number of connections: orders per second
  batch-update
             updates of 100,000 orders in batches of 1,000, two at a time: orders per second
  open       create, with requests at random times, at half the median rate of `create` in the same run

Peers: bare and nginx return a constant, for every row; postgres and redis do the same work as create and update; restate as create, if
npm has it. wrk is a second load generator, with one thread: it measures the rows create, get, update and replay of Ordem, with the default
I/O threads and with --io-threads 1, and of bare Beast with one thread, which gets the same requests.

For one quick figure: --rows get --peers bare --rounds 3 --connections 64, which takes about a minute. For a row by both load generators:
--rows create --peers bare wrk --rounds 3 --connections 64, which takes about three.

A full run takes about 40 minutes, without wrk 20. After --minutes no further round begins, except one for each number of connections. A
load program that is a minute late ends the run.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import circumstances, work_folder  # noqa: E402  (before the peers: it adds support to the path)
import peers  # noqa: E402
import restate_packages  # noqa: E402
import wrk_peers  # noqa: E402
from tables import all_tables  # noqa: E402

ROWS = (*peers.Ordem.ROWS, "open")
CONSTANT_PEERS = {"bare": peers.BareBeast, "nginx": peers.Nginx}
SAME_JOB_PEERS = {"postgres": peers.PostgresAlone, "redis": peers.Redis, "restate": peers.Restate}
WRK = "wrk"
PEERS = (*CONSTANT_PEERS, *SAME_JOB_PEERS, WRK)


def contestants(rows, names):
    """Returns the measurements of a round, in the order of the table."""
    selected = [row for row in peers.Ordem.ROWS if row in rows or (row == "create" and "open" in rows)]
    return [
        *(peer() for name, peer in CONSTANT_PEERS.items() if name in names),
        *(peers.Ordem(row) for row in selected),
        *(peer(row) for name, peer in SAME_JOB_PEERS.items() if name in names for row in selected if row in peer.ROWS),
        *(wrk_peers.contestants(selected) if WRK in names else ()),
    ]  # fmt: skip


def measured(peer, folder, measure):
    try:
        peer.start(folder)
        return measure(peer)
    finally:
        peer.stop()


def measure_round(all_peers, number, folder, connections, seconds):
    """Returns {name: Figures} in the order of the table. Round 0 is the warm-up."""
    start = number % len(all_peers)
    found = {}
    for peer in all_peers[start:] + all_peers[:start]:
        own_folder = folder / f"{number}-{peer.name.replace(' ', '-')}"
        found[peer.name] = measured(peer, own_folder, lambda each: each.measure(connections, seconds))
        what = f"round {number}" if number else "warm-up"
        print(f"  {connections} connections, {what}: {peer.name} {found[peer.name].rate:,.0f}/s", file=sys.stderr)
    return {peer.name: found[peer.name] for peer in all_peers}


def measure_rounds(all_peers, folder, connections, options, deadline):
    """Runs at least one round, and as many as selected if there is time."""
    measure_round(all_peers, 0, folder, connections, 1)  # the warm-up, which does not count
    rounds = []
    while len(rounds) < options.rounds and (not rounds or time.monotonic() < deadline):
        rounds.append(measure_round(all_peers, len(rounds) + 1, folder, connections, options.seconds))
    if len(rounds) < options.rounds:
        print(f"{connections} connections: the time sufficed for {len(rounds)} of {options.rounds} rounds", file=sys.stderr)
    return rounds


def measure_open_loop(rounds, folder, connections, seconds):
    """Returns the target rate, and one measurement per round."""
    rate = statistics.median(one["ordem create"].rate for one in rounds) / 2
    found = []
    for number in range(len(rounds)):
        found.append(measured(peers.Ordem("create"), folder / f"open-{number}", lambda each: each.measure_open(connections, seconds, rate)))
        print(f"  {connections} connections, open loop, {rate:,.0f}/s: {found[-1].latency_ms}", file=sys.stderr)
    return rate, found


def in_json(here, rounds, open_loops):
    whole = {
        "circumstances": here,
        "rounds": rounds,
        "open_loops": {connections: {"rate": rate, "figures": found} for connections, (rate, found) in open_loops.items()},
    }
    return json.dumps(whole, indent=1, default=dataclasses.asdict)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="scripts/bench compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help="what is measured of Ordem (all)")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER", help="what it is held against, and wrk (all)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each peer, for each number of connections (5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement (4)")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256], help="numbers of connections (64 256)")
    parser.add_argument(
        "--minutes", type=float, default=60, help="after these no further round begins: there are fewer, and that is said (60)")
    parser.add_argument("--json", metavar="FILE", help="also write all results to FILE")
    return parser.parse_args(arguments)


def left_out(names):
    """Returns the peers that can't be measured here, with the reasons."""
    why = restate_packages.install() if "restate" in names else None
    return {"restate": why} if why else {}


def measure(options, folder):
    """Returns the results for all_tables()."""
    without = left_out(options.peers)
    for name, why in without.items():
        print(f"{name} is left out: {why}", file=sys.stderr)
    all_peers = contestants(options.rows, [name for name in options.peers if name not in without])
    rounds, open_loops = {}, {}
    begun = time.monotonic()
    for number, connections in enumerate(options.connections, 1):
        deadline = begun + 60 * options.minutes * number / len(options.connections)
        own_folder = folder / str(connections)
        rounds[connections] = measure_rounds(all_peers, own_folder, connections, options, deadline)
        if "open" in options.rows:
            open_loops[connections] = measure_open_loop(rounds[connections], own_folder, connections, options.seconds)
    return rounds, open_loops


def main():
    options = parse(sys.argv[1:])
    here = circumstances()
    with work_folder("compare") as folder:
        rounds, open_loops = measure(options, folder)
    counts = ", ".join(f"{len(each)} with {connections} connections" for connections, each in rounds.items())
    print(f"Revision {here['revision']}, {here['cores']} cores, load average before the run {here['load_before']:.2f}; durability fsync; "
          f"rounds of {options.seconds} s: {counts}.\n")
    print(all_tables(rounds, open_loops))
    if options.json:
        Path(options.json).write_text(in_json(here, rounds, open_loops) + "\n")


if __name__ == "__main__":
    main()
