"""The results of a comparison as Markdown, ready for docs/performance.md.

`rounds` is {connections: [{name: Figures} of each round]}, `open_loops` is {connections: (target rate, [Figures of each round])}. A
ratio is taken within one round. The tables show the median, minimum and maximum.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from markdown_tables import spread, table  # noqa: E402

BARE = "bare Beast"
# The ratios, and their required minimums.
RATIOS = (
    ("ordem create", BARE, 0.60), ("ordem create", "PostgreSQL alone create", 4), ("ordem create", "Redis create", 1.3),
    ("ordem create", "Restate create", None), ("ordem replay", BARE, 0.80), ("ordem conflict", BARE, 0.80), ("ordem get", BARE, 0.85),
    ("ordem update", BARE, 0.55), ("ordem update", "PostgreSQL alone update", None), ("ordem update", "Redis update", None),
    ("ordem hot-order", BARE, 0.35), (BARE, "nginx return 200", None),
    *((f"ordem {row} by wrk{threads}", f"bare Beast {row} by wrk", None)
      for row in ("create", "replay", "get", "update") for threads in ("", ", --io-threads 1")),
)  # fmt: skip
# Percentiles of the open loop, and their required maximums in milliseconds.
LATENCIES = (("p50", None), ("p99", 5), ("p99_9", 20))
# The share of accepted answers is printed if it is between these: the row then has answers of both kinds.
MIXED_MIN, MIXED_MAX = 0.001, 0.99


def columns(rounds):
    return [f"{connections} connections" for connections in rounds]


def names_of(rounds):
    return list(next(iter(rounds.values()))[0])


def rate_cell(connections, measured):
    cell = spread([one.rate for one in measured], ",.0f")
    if measured[0].connections != connections:
        cell += f", with {measured[0].connections}"
    accepted = statistics.median(one.accepted for one in measured)
    return f"{cell}; {100 * accepted:.1f} % accepted" if MIXED_MIN < accepted < MIXED_MAX else cell


def rates(rounds):
    def cells(name):
        return [rate_cell(connections, [one[name] for one in each]) for connections, each in rounds.items()]

    return table(["answers a second", *columns(rounds)], ([name, *cells(name)] for name in names_of(rounds)))


def ratio_rows(rounds):
    names = names_of(rounds)
    for name, other, aim in RATIOS:
        if name in names and other in names:
            cells = (spread([one[name].rate / one[other].rate for one in each], ".2f") for each in rounds.values())
            yield [f"{name} to {other}", *cells, "" if aim is None else f"{aim:.2f}"]


def ratios(rounds):
    return table(["ratio", *columns(rounds), "aim"], ratio_rows(rounds))


def cpu_cells(measured):
    """CPU time per request: of the load program, with the cores that it used, then of the server."""
    generator = statistics.median(one.generator_us for one in measured)
    cores = statistics.median(one.generator_cores for one in measured)
    servers = [one.server_us for one in measured]
    server = "-" if None in servers else f"{statistics.median(servers):.1f} us"
    return [f"{generator:.1f} us, {cores:.2f} cores", server]


def cpu(rounds):
    def cells(name):
        return [cell for each in rounds.values() for cell in cpu_cells([one[name] for one in each])]

    header = [f"{column}: {what}" for column in columns(rounds) for what in ("load program", "server")]
    return table(["CPU time a request", *header], ([name, *cells(name)] for name in names_of(rounds)))


def open_loop_rows(open_loops):
    yield ["target rate, requests a second", *(f"{rate:,.0f}" for rate, _ in open_loops.values()), ""]
    yield ["requests a second, answered", *(spread([one.rate for one in each], ",.0f") for _, each in open_loops.values()), ""]
    for name, aim in LATENCIES:
        cells = (spread([one.latency_ms[name] for one in each], ".2f") for _, each in open_loops.values())
        yield [f"{name.replace('_', '.')}, ms", *cells, "" if aim is None else f"{aim}"]
    yield ["never sent", *(f"{sum(one.never_sent for one in each)}" for _, each in open_loops.values()), "0"]


def open_loop(open_loops):
    return table(["ordem create, open loop", *columns(open_loops), "aim"], open_loop_rows(open_loops))


def all_tables(rounds, open_loops):
    parts = [rates(rounds)]
    if any(True for _ in ratio_rows(rounds)):
        parts.append(ratios(rounds))
    parts.append(cpu(rounds))
    if open_loops:
        parts.append(open_loop(open_loops))
    return "\n\n".join("\n".join(part) for part in parts)
