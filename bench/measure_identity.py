#!/usr/bin/python3
"""The cost of identities, and what a flood of one tenant does to another. ordem-load checks every answer.

First the rate with an API key in every request against that of a server without identities, in alternating pairs on kept-alive connections,
of creates and of reads. Then one server with --tenant-rate: the latency of a quiet tenant's creates alone, and beside a tenant that
sends as much as it can over other connections, in alternating pairs. Run it by `scripts/bench identity`, which has the options.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time

from harness import circumstances, load, load_command, run, work_folder  # before support: it adds support to the path
from support.ordem_server import binary, clean_environment, start_server

SCENARIOS = ("create", "get")
FLOOD_LEAD_SECONDS = 1  # how long the flood lasts before the quiet tenant is measured, and after


class Bench:
    def __init__(self, options, folder):
        self._options = options
        self._folder = folder
        self._keys = folder / "keys"

    def make_key(self, tenant):
        """Returns the file with a new key of that tenant."""
        made = run(binary(), "key", "create", "--keys", self._keys, "--name", tenant, "--tenant", tenant,
                   "--scopes", "orders:read,orders:write,operations", env=clean_environment())
        file = self._folder / f"{tenant}.key"
        file.write_text(made.split()[0] + "\n")
        return file

    def serve(self, *flags):
        return start_server(self._folder / "data", *flags)

    def end(self, server):
        server.stop()
        shutil.rmtree(server.data_dir)

    def rate(self, scenario, key):
        """Returns requests per second; `key` is the file of a key, or None: a server without identities."""
        server = self.serve(*([f"--keys={self._keys}"] if key else []))
        flags = ["--api-key-file", key] if key else []
        figures = load(server.port, scenario, self._options.connections, self._options.seconds, *flags)
        self.end(server)
        return figures["requests_per_s"]

    def pairs(self, scenario, key):
        pairs = []
        for number in range(self._options.pairs):
            order = (key, None) if number % 2 else (None, key)
            rates = {bool(file): self.rate(scenario, file) for file in order}
            pairs.append({"none": rates[False], "key": rates[True]})
            print(f"  {scenario}, pair {number + 1}: {pairs[-1]}", file=sys.stderr)
        return pairs

    def latency(self, server, quiet):
        """Returns the figures of the quiet tenant's creates, which are due at a rate far below its bounds."""
        return load(server.port, "create", self._options.quiet_connections, self._options.seconds, "--arrivals", "poisson",
                    "--rate", self._options.quiet_rate, "--api-key-file", quiet)

    def latency_beside_flood(self, server, quiet, flood):
        seconds = self._options.seconds + 2 * FLOOD_LEAD_SECONDS + 1
        command = load_command(server.port, "create", self._options.connections, seconds, "--allow-refusals", "--api-key-file", flood)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flooding:
            time.sleep(FLOOD_LEAD_SECONDS)
            figures = self.latency(server, quiet)
            flooded = json.loads(flooding.communicate()[0])
        return figures, flooded

    def floods(self, quiet, flood):
        server = self.serve(f"--keys={self._keys}", f"--tenant-rate={self._options.tenant_rate}")
        pairs = []
        for number in range(self._options.pairs):
            alone = self.latency(server, quiet)
            beside, flooded = self.latency_beside_flood(server, quiet, flood)
            pairs.append({
                "alone_p99_us": alone["latency_us"]["p99"], "beside_p99_us": beside["latency_us"]["p99"],
                "alone_p50_us": alone["latency_us"]["p50"], "beside_p50_us": beside["latency_us"]["p50"],
                "flood_accepted": flooded["requests_per_s"], "flood_refused": flooded["refused"] / flooded["duration_s"],
            })  # fmt: skip
            print(f"  flood, pair {number + 1}: {pairs[-1]}", file=sys.stderr)
        self.end(server)
        return pairs


def median_of(pairs, name):
    return statistics.median(pair[name] for pair in pairs)


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench identity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs (5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement (4)")
    parser.add_argument("--connections", type=int, default=256, help="kept-alive connections, of the flood too (256)")
    parser.add_argument("--tenant-rate", type=int, default=5000, help="requests a second that a tenant may send (5000)")
    parser.add_argument("--quiet-rate", type=int, default=1000, help="creates a second of the quiet tenant (1000)")
    parser.add_argument("--quiet-connections", type=int, default=64, help="its connections (64)")
    parser.add_argument("--only", choices=("key", "flood"), help="one of the two parts")
    options = parser.parse_args()
    results = {}
    with work_folder("identity") as folder:
        bench = Bench(options, folder)
        quiet, flood = bench.make_key("quiet"), bench.make_key("flood")
        if options.only != "flood":
            bench.rate("create", quiet)  # the warm-up, which does not count
            results = {scenario: bench.pairs(scenario, quiet) for scenario in SCENARIOS}
        if options.only != "key":
            results["flood"] = bench.floods(quiet, flood)
    print(json.dumps({**circumstances(), **vars(options), "pairs": results}))
    for scenario in SCENARIOS:
        if scenario not in results:
            continue
        ratios = [pair["key"] / pair["none"] for pair in results[scenario]]
        print(f"{scenario}, {options.connections} connections: {statistics.median(ratios):.3f} of the rate without identities "
              f"({min(ratios):.3f} .. {max(ratios):.3f}); {median_of(results[scenario], 'key'):,.0f}/s "
              f"instead of {median_of(results[scenario], 'none'):,.0f}/s")
    if "flood" in results:
        pairs = results["flood"]
        ratios = [pair["beside_p99_us"] / pair["alone_p99_us"] for pair in pairs]
        print(f"p99 of a quiet tenant beside a flood: {statistics.median(ratios):.2f} of that alone ({min(ratios):.2f} .. {max(ratios):.2f}); "
              f"{median_of(pairs, 'beside_p99_us') / 1000:.1f} ms instead of {median_of(pairs, 'alone_p99_us') / 1000:.1f} ms; of the flood "
              f"{median_of(pairs, 'flood_accepted'):,.0f}/s were accepted, {median_of(pairs, 'flood_refused'):,.0f}/s refused")


if __name__ == "__main__":
    main()
