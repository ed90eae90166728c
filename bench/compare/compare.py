#!/usr/bin/python3
"""Ordem beside its peers, in alternation, on one machine that the load programs share, and the ratios.

Each round starts every peer anew, measures it and ends it, so that what disturbs the machine disturbs all of them; the order of a
round is turned from round to round. A ratio is taken within one round; what is told is its median, with the least and the most. Run by
`scripts/bench compare`, which says how.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from peers import RATIOS, all_peers  # before harness: it says where that is
from harness import circumstances, work_folder


def measure(peer, folder, connections, seconds):
    try:
        peer.start(folder)
        return peer.measure(connections, seconds)
    finally:
        peer.stop()


def measure_round(peers, number, folder, connections, seconds):
    """{name: answers a second}"""
    turned = peers[number % len(peers):] + peers[:number % len(peers)]
    rates = {}
    for peer in turned:
        rates[peer.name] = measure(peer, folder / f"{number}-{peer.name.replace(' ', '-')}", connections, seconds)
        print(f"  {connections} connections, round {number}: {peer.name} {rates[peer.name]:,.0f}/s", file=sys.stderr)
    return rates


def ratio(rounds, name, other):
    """Median, least and most, taken round by round."""
    ratios = [one[name] / one[other] for one in rounds]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"


def show(connections, rounds):
    print(f"\n{connections} connections, {len(rounds)} rounds")
    print(f"{'':20}{'answers/s, median':>18}{'(least .. most)':>24}")
    for name in rounds[0]:
        rates = [one[name] for one in rounds]
        spread = f"({min(rates):,.0f} .. {max(rates):,.0f})"
        print(f"{name:20}{statistics.median(rates):18,.0f}{spread:>24}")
    for name, other in RATIOS:
        print(f"{name} / {other}: {ratio(rounds, name, other)}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each peer, for each number of connections (5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement (4)")
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256], help="numbers of connections (64 256)")
    parser.add_argument("--json", metavar="FILE", help="also write all results to FILE")
    options = parser.parse_args()

    here = circumstances()
    print(f"revision {here['revision']}, {here['cores']} cores, load average before the run {here['load_before']:.2f}; durability fsync")
    peers = all_peers()
    results = {"circumstances": here, "rounds": {}}
    with work_folder("compare") as folder:
        for connections in options.connections:
            measure_round(peers, 0, folder / "warm-up", connections, 1)  # does not count
            rounds = [measure_round(peers, number, folder / str(connections), connections, options.seconds) for number in range(options.rounds)]
            results["rounds"][connections] = rounds
            show(connections, rounds)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
