"""Growth: the create rate, the cost of a create, the disk and the memory, while the store fills.

Windows of creates run one after the other on one server. At the start, half-way and at the end they alternate with windows on empty
stores, each on a new server. The grown server is suspended meanwhile (SIGSTOP), so that its background work does not disturb them
and is measured in its own windows.
"""

import os
import shutil
import signal
import sys

from figures import costs_between, window_between
from measured_server import create, fill, sample
from support.ordem_server import start_server


def measured_window(server, options):
    before = sample(server)
    figures = create(server, options)
    window = {**window_between(before, sample(server), figures), "body_bytes": figures["body_bytes"]}
    print(f"  {window['stored']:,} messages: {window['creates_per_s']:,.0f} creates/s", file=sys.stderr)
    return window


def rate_on_empty(folder, options):
    with start_server(folder, "--durability", options.durability) as server:
        rate = create(server, options)["requests_per_s"]
    shutil.rmtree(folder)
    return rate


def rate_on_empty_beside(grown, folder, options):
    os.kill(grown.pid, signal.SIGSTOP)
    try:
        return rate_on_empty(folder, options)
    finally:
        os.kill(grown.pid, signal.SIGCONT)


def compare(grown, folder, options, windows):
    """Returns pairs of rates on an empty store and on the grown one; appends the windows of the latter."""
    pairs = []
    for number in range(options.pairs):
        pair = {}
        for which in ("empty", "grown") if number % 2 == 0 else ("grown", "empty"):
            if which == "empty":
                pair[which] = rate_on_empty_beside(grown, folder / "empty", options)
            else:
                windows.append(measured_window(grown, options))
                pair[which] = windows[-1]["creates_per_s"]
        pairs.append(pair)
    return {"stored": windows[-1]["stored"], "pairs": pairs}


def measure_growth(folder, options):
    windows, comparisons = [], []
    with start_server(folder / "grown", "--durability", options.durability) as grown:
        rate_on_empty_beside(grown, folder / "warm-up", options)  # the warm-up, which does not count
        begin = sample(grown)
        for goal in (0, options.messages // 2, options.messages):
            windows += fill(grown, goal, options, measured_window)
            comparisons.append(compare(grown, folder, options, windows))
        whole = costs_between(begin, sample(grown), windows[-1]["body_bytes"])
    shutil.rmtree(folder / "grown")
    return {"windows": windows, "whole": whole, "comparisons": comparisons}
