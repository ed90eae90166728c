"""The results, the table and the plot that scripts/bench overload makes of its measurements. No I/O:
tests/bench/overload_figures_test.py checks it against numbers calculated by hand.

`surge` is the object of that name in the results of ordem-load: three phases, and slots of a quarter of a second.
"""

from statistics import median

from markdown_tables import table
from plots import COLOURS, HEIGHT, LEFT, TOP, WIDTH, linear_axis, plot

GOODPUT_AIM = 0.90  # of the peak
P99_AIM = 3  # times that at half the peak
REFUSAL_MS_AIM = 1  # of the server's time
RECOVERY_SECONDS_AIM = 1
REFUSAL_BUCKET = 'ordem_http_refusal_seconds_bucket{le="'


def refusal_buckets(metrics):
    """Returns {bound in seconds: refusals up to it} of the server's metrics, the text of Prometheus."""
    found = {}
    for line in metrics.splitlines():
        if line.startswith(REFUSAL_BUCKET):
            bound, count = line.removeprefix(REFUSAL_BUCKET).split('"} ')
            found[float(bound)] = float(count)
    return found


def share_within(buckets, seconds):
    """Returns the share of the refusals that took at most `seconds`, which must be a bound. None without refusals."""
    total = max(buckets.values(), default=0)
    return buckets[seconds] / total if total else None


def bound_of_share(buckets, share):
    """Returns the least bound, in seconds, within which that share of the refusals were answered; None without refusals."""
    total = max(buckets.values(), default=0)
    return min((bound for bound, count in buckets.items() if count >= share * total), default=None) if total else None


def recovery_seconds(surge):
    """Returns the time from the end of the surge to the end of the first slot that is normal: its p99 is at most the greatest one of
    the slots before the surge, and hardly anything (1 %) that was due in it was refused or not sent. None if there is none."""
    before = round(surge["phases"]["before"]["length_s"] / surge["slot_s"])
    first = before + round(surge["phases"]["during"]["length_s"] / surge["slot_s"])
    slots = surge["slots"]
    usual = max(slot["p99_us"] for slot in slots[:before])
    for number, slot in enumerate(slots[first:]):
        if slot["p99_us"] <= usual and slot["refused"] + slot["not_sent"] <= slot["due"] / 100:
            return (number + 1) * surge["slot_s"]
    return None


def phase_figures(phase):
    seconds = phase["length_s"]
    return {
        "due_per_s": phase["due"] / seconds,
        "sent_per_s": (phase["due"] - phase["not_sent"]) / seconds,
        "refused_per_s": phase["refused"] / seconds,
        "goodput_per_s": phase["answered"] / seconds,
        "p50_ms": phase["accepted_since_sent_us"]["p50"] / 1000,
        "p99_ms": phase["accepted_since_sent_us"]["p99"] / 1000,
        "due_p99_ms": phase["accepted_since_due_us"]["p99"] / 1000,
        "refused_p50_ms": phase["refused_since_sent_us"]["p50"] / 1000,
        "refused_p99_ms": phase["refused_since_sent_us"]["p99"] / 1000,
    }


def summary(measured):
    """`measured`: {"peaks_before", "peaks_after": creates per second of closed loops, "open": results of ordem-load, "metrics"}."""
    surge = measured["open"]["surge"]
    phases = {name: phase_figures(phase) for name, phase in surge["phases"].items()}
    buckets = refusal_buckets(measured["metrics"])
    peak = median(measured["peaks_before"] + measured["peaks_after"])
    return {
        "peak_per_s": peak,
        "goodput_to_peak": phases["during"]["goodput_per_s"] / peak,
        "p99_to_half": phases["during"]["p99_ms"] / phases["before"]["p99_ms"],
        "refusals_within_1_ms": share_within(buckets, REFUSAL_MS_AIM / 1000),
        "refusal_p99_bound_ms": None if not buckets else (bound_of_share(buckets, 0.99) or 0) * 1000,
        "recovery_s": recovery_seconds(surge),
        "phases": phases,
    }


def met(yes):
    return "met" if yes else "missed"


def report(measured):
    """Yields the lines of the report, as Markdown."""
    found = summary(measured)
    during = found["phases"]["during"]
    peaks = [f"{min(rates):,.0f} .. {max(rates):,.0f}" for rates in (measured["peaks_before"], measured["peaks_after"])]
    within, bound, recovery = found["refusals_within_1_ms"], found["refusal_p99_bound_ms"], found["recovery_s"]
    yield from table(
        ["what", "figure", "aim", ""],
        [
            ["peak: closed loop, creates a second before and after", f"{found['peak_per_s']:,.0f} ({peaks[0]}; {peaks[1]})", "", ""],
            ["goodput in the surge, of the peak", f"{found['goodput_to_peak']:.2f}", f"{GOODPUT_AIM:.2f}",
             met(found["goodput_to_peak"] >= GOODPUT_AIM)],
            ["p99 of what was accepted, to that at half the peak",
             f"{found['p99_to_half']:.1f} ({during['p99_ms']:.1f} ms, {found['phases']['before']['p99_ms']:.1f} ms)", f"{P99_AIM}",
             met(found["p99_to_half"] <= P99_AIM)],
            ["server time of a refusal: 99 % within, and share within 1 ms",
             "no refusals" if within is None else f"{bound:.3g} ms, {100 * within:.2f} %", f"{REFUSAL_MS_AIM} ms",
             met(within is not None and within >= 0.99)],
            ["back to normal after", "not within the run" if recovery is None else f"{recovery:.2f} s", f"{RECOVERY_SECONDS_AIM} s",
             met(recovery is not None and recovery <= RECOVERY_SECONDS_AIM)],
        ])  # fmt: skip
    yield ""
    names = {"before": "half the peak, before", "during": "the surge", "after": "half the peak, after"}
    yield from table(
        ["a second, and latency since sending", "due", "sent", "accepted", "refused", "p50", "p99", "p99 since due", "refused p50", "p99"],
        [
            [names[name], *(f"{phase[key]:,.0f}" for key in ("due_per_s", "sent_per_s", "goodput_per_s", "refused_per_s")),
             *(f"{phase[key]:,.1f} ms" for key in ("p50_ms", "p99_ms", "due_p99_ms", "refused_p50_ms", "refused_p99_ms"))]
            for name, phase in found["phases"].items()
        ])  # fmt: skip


def legend(names):
    for number, name in enumerate(names):
        x = LEFT + 12 + 190 * number
        yield f'<line x1="{x}" x2="{x + 24}" y1="{TOP + 10}" y2="{TOP + 10}" stroke="{COLOURS[number]}" stroke-width="3"/>'
        yield f'<text x="{x + 30}" y="{TOP + 14}">{name}</text>'


def picture(plots):
    """Stacks plots, each an SVG and the names of its lines, into one SVG that needs no style of a page."""
    style = (
        "text{font:12px system-ui,sans-serif;fill:#4a5566}.title{font-size:13px;fill:#1c2430}.grid{stroke:#e3e7ed;stroke-width:1}"
    )
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(plots)}">', f"<style>{style}</style>",
             f'<rect width="{WIDTH}" height="{HEIGHT * len(plots)}" fill="#fff"/>']  # fmt: skip
    for number, (svg, names) in enumerate(plots):
        lines = svg.splitlines()[1:-1]
        parts += [f'<g transform="translate(0 {number * HEIGHT})">', *lines, *legend(names), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def overload_plot(measured):
    """Returns an SVG: rates over time above, and p99 of what was accepted below."""
    surge = measured["open"]["surge"]
    slot_s, slots = surge["slot_s"], surge["slots"]
    peak = summary(measured)["peak_per_s"]
    middles = [(number + 0.5) * slot_s for number in range(len(slots))]
    time = linear_axis(len(slots) * slot_s, "seconds")

    def line(key):
        return [(at, slot[key] / slot_s) for at, slot in zip(middles, slots, strict=True)]

    lines = [line("answered"), line("refused"), [(0, peak), (middles[-1], peak)]]
    rates = plot(time, linear_axis(max(y for each in lines for _, y in each), "creates a second"), lines,
                 "creates accepted and refused a second over time, beside the peak")  # fmt: skip
    latency = [(at, slot["p99_us"] / 1000) for at, slot in zip(middles, slots, strict=True)]
    latencies = plot(time, linear_axis(max(y for _, y in latency), "p99, ms"), [latency], "p99 of the creates that were accepted, over time")
    return picture([(rates, ("accepted", "refused", "peak, closed loop")), (latencies, ("p99 of what was accepted",))])
