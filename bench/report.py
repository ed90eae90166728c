#!/usr/bin/python3
"""Makes one HTML page of results of ordem-load: throughput over time, latency by percentile, and a table.

The page is self-contained: it uses no network and no script.

  bench/report.py RESULTS.json... -o report.html
"""

import argparse
import json
import sys
from html import escape
from pathlib import Path

from plots import colour_of, dash_of, linear_axis, log_axis, nines_axis, plot

BUSY = 0.9  # of a core: above it the generator's thread may be the bottleneck
PERCENTILES = (("p50", "p50"), ("p90", "p90"), ("p99", "p99"), ("p99.9", "p99_9"), ("p99.99", "p99_99"), ("max", "max"))

STYLE = """
:root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; color: #1c2430; background: #fff }
body { max-width: 1000px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: #4a5566 } svg .title { font-size: 13px; fill: #1c2430 }
.grid { stroke: #e3e7ed; stroke-width: 1 }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; margin: .3rem 0 }
.legend svg { width: 30px; height: 10px; vertical-align: middle; margin-right: .4rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse } th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #e3e7ed }
th[scope=row], thead th:first-child { text-align: left; font-weight: 500; white-space: nowrap }
td, thead th { font-variant-numeric: tabular-nums; white-space: nowrap }
.warning { background: #fff1e0; border-left: 4px solid #d55e00; padding: .5rem .8rem; margin: .5rem 0 }
.note { color: #4a5566 }
"""


class Result:
    def __init__(self, name, figures):
        self.name, self.figures = name, figures

    def loop(self):
        if self.figures["loop"] == "closed":
            return "closed"
        arrivals = self.figures["arrivals"]
        return f"open, {arrivals['pattern']}, {arrivals['rate_per_s']:,.0f}/s"

    def label(self):
        notes = ", ".join(f"{key} {value}" for key, value in self.figures["notes"].items())
        return f"{self.name}: {self.figures['scenario']}, {self.loop()}" + (f", {notes}" if notes else "")

    def seconds(self):
        """Yields (middle, rate) of each second; the last second may be shorter."""
        duration = self.figures["duration_s"]
        for number, requests in enumerate(self.figures["by_second"]["requests"]):
            length = min(1.0, duration - number)
            if length > 0:
                yield number + length / 2, requests / length

    def percentile_line(self):
        """Returns steps of (share, milliseconds): the share of the requests with at most this latency."""
        count = sum(bucket[1] for bucket in self.figures["histogram_ns"])
        seen = 0
        for upper_ns, requests in self.figures["histogram_ns"]:
            milliseconds = upper_ns / 1e6
            yield seen / count, milliseconds
            seen += requests
            yield min(seen / count, 1 - 1 / max(count, 10)), milliseconds

    def warnings(self):
        figures = self.figures
        if figures["errors"]["total"] > 0:
            yield f"{figures['errors']['total']:,} errors: the figures are of no use"
        if figures.get("late", {}).get("never_sent", 0) > 0:
            yield f"{figures['late']['never_sent']:,} requests were never sent: latencies are lower bounds"
        if figures["generator_busiest_thread_cpu_s"] > BUSY * figures["duration_s"]:
            yield "a thread of the generator was busy nearly all the time: it may be what was slow"


def read_results(paths):
    results = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.strip()]
        for number, figures in enumerate(lines, 1):
            if "histogram_ns" not in figures:
                raise ValueError(f"{path}: no result of ordem-load against a server")
            results.append(Result(Path(path).stem + (f" {number}" if len(lines) > 1 else ""), figures))
    return results


def throughput_plot(results):
    lines = [[(at, rate, f"{each.name}, {at:g} s: {rate:,.0f}/s") for at, rate in each.seconds()] for each in results]
    high = max((point[1] for line in lines for point in line), default=0)
    longest = max(each.figures["duration_s"] for each in results)
    x = linear_axis(longest, "seconds since the warm-up")
    return plot(x, linear_axis(high, "answers a second"), lines, "Answers a second over time")


def latency_plot(results):
    lines = [list(each.percentile_line()) for each in results]
    values = [point[1] for line in lines for point in line]
    if not values:
        return '<p class="note">No latencies.</p>'
    samples = max(each.figures["latency_us"]["samples"] for each in results)
    y = log_axis(max(min(values), 1e-3), max(values), "latency, ms")
    lines = [[(share, max(value, 1e-3)) for share, value in line] for line in lines]
    return plot(nines_axis(samples), y, lines, "Latency by percentile")


def legend(results):
    for number, each in enumerate(results):
        line = f'<line x1="0" x2="30" y1="5" y2="5" stroke="{colour_of(number)}" stroke-width="3" stroke-dasharray="{dash_of(number)}"/>'
        yield f'<li><svg viewBox="0 0 30 10" aria-hidden="true">{line}</svg>{escape(each.label())}</li>'


def milliseconds(microseconds):
    return f"{microseconds / 1000:,.3f}"


def bytes_text(figures):
    return f"{figures['body_bytes']:,.0f}, {figures['answer_body_bytes_mean']:,.0f}"


def late_text(figures, member):
    return f"{figures['late'][member]:,}" if "late" in figures else "-"


ROWS = (
    ("scenario", lambda one: one.figures["scenario"]),
    ("loop", Result.loop),
    ("notes", lambda one: ", ".join(f"{key}={value}" for key, value in one.figures["notes"].items()) or "-"),
    ("connections, generator threads", lambda one: f"{one.figures['connections']}, {one.figures['threads']}"),
    ("measured, warm-up", lambda one: f"{one.figures['duration_s']:g} s, {one.figures['warmup_s']:g} s"),
    ("body bytes of request, of answer", lambda one: bytes_text(one.figures)),
    ("key-hit share", lambda one: f"{one.figures['key_hit_share']:.3f}"),
    ("answers", lambda one: f"{one.figures['requests']:,}"),
    ("of which refused as out of date, rightly", lambda one: f"{one.figures['stale']:,}"),
    ("errors", lambda one: f"{one.figures['errors']['total']:,}"),
    ("answers a second", lambda one: f"{one.figures['requests_per_s']:,.0f}"),
    *(
        (f"{name}, ms", lambda one, key=key: milliseconds(one.figures["latency_us"][key]))
        for name, key in PERCENTILES
    ),
    ("sent late, all connections being busy", lambda one: late_text(one.figures, "requests")),
    ("longest queue", lambda one: late_text(one.figures, "queue_max")),
    ("never sent", lambda one: late_text(one.figures, "never_sent")),
    (
        "generator CPU, cores",
        lambda one: f"{one.figures['generator_cpu_s'] / one.figures['duration_s']:.2f} of {one.figures['cores']}",
    ),
    (
        "its busiest thread",
        lambda one: f"{100 * one.figures['generator_busiest_thread_cpu_s'] / one.figures['duration_s']:.0f} %",
    ),
    ("generator and server on one machine", lambda one: "yes" if one.figures["shares_machine"] else "no"),
)


def table(head, rows):
    yield '<div class="scroll"><table><thead><tr>' + "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    yield "</tr></thead><tbody>"
    for title, *cells in rows:
        yield f'<tr><th scope="row">{escape(title)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def kind_tables(results):
    for each in results:
        kinds = each.figures["by_kind"]
        if len(kinds) < 2:
            continue
        yield f"<h2>{escape(each.name)}, by kind of request</h2>"
        yield from table(
            ["kind", "answers", *(f"{name}, ms" for name, _ in PERCENTILES)],
            [
                [kind, f"{one['requests']:,}", *(milliseconds(one["latency_us"][key]) for _, key in PERCENTILES)]
                for kind, one in kinds.items()
            ],
        )


def page(results):
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Load results</title><style>{STYLE}</style></head><body><h1>Load results</h1>"
    for each in results:
        for text in each.warnings():
            yield f'<p class="warning">{escape(each.name)}: {escape(text)}.</p>'
    yield from ('<ul class="legend">', *legend(results), "</ul>")
    yield from ("<h2>Throughput</h2>", throughput_plot(results))
    yield from ("<h2>Latency</h2>", latency_plot(results))
    yield '<p class="note">In an open loop latency counts from when a request was due, in a closed loop from when it was sent: '
    yield "the two can't be compared.</p><h2>Figures</h2>"
    yield from table(["", *(each.name for each in results)], [[title, *map(value, results)] for title, value in ROWS])
    yield from kind_tables(results)
    yield "</body></html>"


def main():
    parser = argparse.ArgumentParser(
        prog="bench/report.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", help="files that ordem-load wrote with --output or --json")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the page")
    arguments = parser.parse_args()
    try:
        results = read_results(arguments.results)
    except (OSError, ValueError) as error:
        sys.exit(f"bench/report.py: {error}")
    Path(arguments.output).write_text("\n".join(page(results)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
