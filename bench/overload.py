#!/usr/bin/python3
"""What the server does when more messages arrive than it can execute.

One server on an empty folder. First the peak: creates in a closed loop. Then an open loop (Poisson) over many connections: half the peak,
a surge of three times the peak, and half the peak again. A request that finds no free connection within 10 ms is not sent, as by a
proxy whose connections are all in use. Then the peak again. The peak is the median of all its measurements.

ordem-load checks every answer. Run it by `scripts/bench overload`, which has the options.
"""

import argparse
import json
import resource
import sys
from pathlib import Path

from harness import circumstances, load, work_folder  # before support: it adds support to the path
from overload_figures import overload_plot, report, summary
from support.ordem_server import start_server

PEAK_CONNECTIONS = 256
LATE_MAX = "10ms"
FILES_LEFT = 2000  # of the server, beside its connections


def measure(options, folder):
    server = start_server(folder / "data", f"--max-connections={options.connections + PEAK_CONNECTIONS}")

    def peaks():
        return [
            load(server.port, "create", PEAK_CONNECTIONS, options.peak_seconds)["requests_per_s"] for _ in range(options.peaks)
        ]

    measured = {"circumstances": circumstances(), "connections": options.connections, "times": options.times}
    measured["peaks_before"] = peaks()
    peak = max(measured["peaks_before"]) if options.peaks < 3 else sorted(measured["peaks_before"])[options.peaks // 2]
    seconds = 2 * options.half_seconds + options.seconds
    measured["open"] = load(
        server.port, "create", options.connections, seconds, "--arrivals", "poisson", "--rate", str(peak / 2), "--surge-rate",
        str(options.times * peak), "--surge-from", f"{options.half_seconds}s", "--surge-for", f"{options.seconds}s", "--late-max", LATE_MAX,
        "--allow-refusals", warmup_seconds=2, server_pid=server.pid, seconds_max=seconds + 60)  # fmt: skip
    with server.client() as client:
        measured["metrics"] = client.request("GET", "/metrics").body.decode()
    measured["peaks_after"] = peaks()
    server.stop(60)
    return measured


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench overload", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="length of the surge (60)")
    parser.add_argument("--half-seconds", type=int, default=10, help="time at half the peak before it, and after it (10)")
    parser.add_argument("--times", type=float, default=3, help="the rate of the surge, in peaks (3)")
    parser.add_argument("--connections", type=int, default=16000, help="connections of the open loop (16000)")
    parser.add_argument("--peaks", type=int, default=3, help="measurements of the peak, before and after (3)")
    parser.add_argument("--peak-seconds", type=int, default=4, help="length of each (4)")
    parser.add_argument("--json", type=Path, help="also write all results to this file")
    parser.add_argument("--plot", type=Path, help="also write the plot to this file, as SVG")
    parser.add_argument("--from-json", type=Path, help="measure nothing: report the results in this file")
    options = parser.parse_args()
    if options.from_json:
        measured = json.loads(options.from_json.read_text())
    else:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < options.connections + FILES_LEFT:
            sys.exit(f"overload: {options.connections} connections need {options.connections + FILES_LEFT} open files; the limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with work_folder("overload") as folder:
            measured = measure(options, folder)
    measured["summary"] = summary(measured)
    print("\n".join(report(measured)))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(overload_plot(measured))


if __name__ == "__main__":
    main()
