"""The results and tables that scripts/bench scale computes from its measurements. No I/O: tests/bench/scale_figures_test.py checks it
against numbers calculated by hand.

A sample is the state of a server at one moment: {"stored": messages, "cpu_s", "written_bytes", "disk_bytes", "rss_bytes",
"anon_bytes"}. A window is one run of ordem-load between two samples.
"""

import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from markdown_tables import spread, table  # noqa: E402

MIB = 1 << 20
TABLE_ROWS_MAX = 12


def costs_between(before, after, body_bytes):
    """Returns the cost of each create between two samples; `body_bytes` is the size of its body."""
    created = after["stored"] - before["stored"]
    return {
        "cpu_us_a_create": (after["cpu_s"] - before["cpu_s"]) * 1e6 / created,
        "written_to_body": (after["written_bytes"] - before["written_bytes"]) / (created * body_bytes),
    }


def window_between(before, after, load):
    """`load`: the figures of ordem-load. The cost of a create includes the warm-up; rate and latency do not."""
    return {
        "stored": after["stored"],
        "creates_per_s": load["requests_per_s"],
        "p99_ms": load["latency_us"]["p99"] / 1000,
        "longest_ms": load["latency_us"]["max"] / 1000,
        **costs_between(before, after, load["body_bytes"]),
        "disk_bytes_a_message": after["disk_bytes"] / after["stored"],
        "rss_bytes": after["rss_bytes"],
        "anon_bytes": after["anon_bytes"],
    }


def halves(windows):
    """Returns the windows up to half of the stored messages, and the others. Neither part is empty if there are two windows."""
    middle = windows[-1]["stored"] / 2
    first = [each for each in windows if each["stored"] <= middle] or windows[:1]
    return first, windows[len(first):] or windows[-1:]


def rows_to_show(rows):
    """Returns at most TABLE_ROWS_MAX of the rows, evenly spaced, including the last."""
    step = -(-len(rows) // TABLE_ROWS_MAX)
    return rows[::-1][::step][::-1]


# --- growth ---

def growth_text(growth):
    """growth: {"windows": [window, ...], "whole": costs, "comparisons": [{"stored", "pairs": [{"empty", "grown"}, ...]}, ...]}"""
    yield from table(
        ("messages stored", "creates/s", "p99", "longest", "CPU a create", "written to body", "disk a message", "resident",
         "of it anonymous"),
        ([f"{each['stored']:,}", f"{each['creates_per_s']:,.0f}", f"{each['p99_ms']:.1f} ms", f"{each['longest_ms']:.0f} ms",
          f"{each['cpu_us_a_create']:.1f} us", f"{each['written_to_body']:.1f}", f"{each['disk_bytes_a_message']:.0f} B",
          f"{each['rss_bytes'] / MIB:.0f} MiB", f"{each['anon_bytes'] / MIB:.0f} MiB"] for each in rows_to_show(growth["windows"])))
    yield ""
    yield from table(
        ("messages stored", "creates/s on an empty store", "creates/s on the grown one", "ratio, pair by pair"),
        ([f"{each['stored']:,}", rates(each, "empty"), rates(each, "grown"), spread(ratios(each))] for each in growth["comparisons"]))
    whole = growth["whole"]
    yield ""
    yield (f"all creates: {whole['cpu_us_a_create']:.1f} us of processor time each, "
           f"{whole['written_to_body']:.1f} bytes written for each byte of their bodies")
    first, second = halves(growth["windows"])
    for name, key, unit in (("CPU a create", "cpu_us_a_create", "us"), ("longest stall", "longest_ms", "ms")):
        by_half = [f"{spread([each[key] for each in half], ',.1f')} {unit}" for half in (first, second)]
        yield f"{name}, windows of the first half: {by_half[0]}; of the second: {by_half[1]}"
    yield "most memory, first half: " + "; second: ".join(most_memory(half) for half in (first, second))


def most_memory(windows):
    resident, anonymous = (max(each[key] for each in windows) / MIB for key in ("rss_bytes", "anon_bytes"))
    return f"{resident:.0f} MiB resident, {anonymous:.0f} MiB anonymous"


def rates(comparison, which):
    return spread([pair[which] for pair in comparison["pairs"]], ",.0f")


def ratios(comparison):
    return [pair["grown"] / pair["empty"] for pair in comparison["pairs"]]


# --- memory ---

def live_order_bytes(few, many):
    """Returns the memory of a live order. `few` and `many` are {"live", "anon_bytes"} of two servers after the same work."""
    return (many["anon_bytes"] - few["anon_bytes"]) / (many["live"] - few["live"])


def memory_text(memory):
    """memory: {"order_bytes", "pairs": [{"few", "many"}, ...]}"""
    each = [live_order_bytes(pair["few"], pair["many"]) for pair in memory["pairs"]]
    beyond = [value - memory["order_bytes"] for value in each]
    yield from table(
        ("live orders", "a live order", "its order alone", "beyond it"),
        [(f"{median(pair['many']['live'] for pair in memory['pairs']):,.0f}", f"{spread(each, ',.0f')} B", f"{memory['order_bytes']:.0f} B",
          f"{spread(beyond, ',.0f')} B")])


# --- start ---

def start_text(start):
    """start: {kind: [{"orders", "replayed_bytes", "seconds"}, ...], ...}"""
    rows = []
    for kind, starts in start.items():
        orders, replayed = ([one[key] for one in starts] for key in ("orders", "replayed_bytes"))
        seconds = spread([one["seconds"] for one in starts])
        rows.append((kind, f"{min(orders):,} .. {max(orders):,}", f"{max(replayed) / MIB:.0f} MiB", f"{seconds} s"))
    yield from table(("start after", "orders", "log to replay, at most", "ready after"), rows)
