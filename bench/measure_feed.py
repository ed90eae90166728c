#!/usr/bin/python3
"""What readers of the change feed cost: the CPU time of the server at a rate of creates, with readers and without, in alternating runs.

With --customers each reader has the events of one customer, of as many customers as ordem-load has connections; without it, all events.
The readers are one process that drops what it gets. It and ordem-load run on the same cores. Run it by `scripts/bench feed`.
"""

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from harness import circumstances, load, work_folder  # before support: it adds support to the path
from support.ordem_server import start_server

READERS = Path(__file__).resolve().parent / "feed_readers.py"


class Readers:
    def __init__(self, port, count, customers):
        words = [sys.executable, str(READERS), str(port), str(count), *([str(customers)] if customers else [])]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "reading\n"

    def end(self):
        out, _ = self._process.communicate("end\n")
        return json.loads(out)


def metric(server, name):
    with server.client() as client:
        found = re.search(rf"^{name} (\S+)$", client.get("/metrics").body.decode(), re.MULTILINE)
    return float(found[1])


class Bench:
    def __init__(self, options, folder):
        self._options = options
        self._folder = folder

    def run(self, readers):
        options = self._options
        server = start_server(self._folder / "data", f"--feed-readers={max(readers, 1)}")
        reading = Readers(server.port, readers, options.connections if options.customers else 0) if readers else None
        arrivals = ["--arrivals", "fixed", "--rate", options.rate] if options.rate else []
        figures = load(server.port, "create", options.connections, options.seconds, *arrivals, server_pid=server.pid)
        made = {"requests_per_s": figures["requests_per_s"], "p50_us": figures["latency_us"]["p50"], "p99_us": figures["latency_us"]["p99"],
                "server_cpu_s": figures["server_cpu_s"], "cpu_us_per_create": 1e6 * figures["server_cpu_s"] / figures["requests"]}
        if reading:
            made["events_per_create"] = metric(server, "ordem_feed_events_total") / max(1.0, metric(server, "ordem_log_position"))
            made["lag_entries"] = metric(server, "ordem_feed_lag_entries")
            made["reads_behind"] = metric(server, "ordem_feed_reads_behind_total")
            made["readers"] = reading.end()
        server.stop()
        shutil.rmtree(server.data_dir)
        return made

    def pairs(self):
        pairs = []
        for number in range(self._options.pairs):
            order = (self._options.readers, 0) if number % 2 else (0, self._options.readers)
            runs = {readers: self.run(readers) for readers in order}
            pairs.append({"without": runs[0], "with": runs[self._options.readers]})
            print(f"  pair {number + 1}: {json.dumps(pairs[-1])}", file=sys.stderr)
        return pairs


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench feed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1000, help="readers (1000)")
    parser.add_argument("--customers", action="store_true", help="each reader has the events of one customer")
    parser.add_argument("--rate", type=int, default=25_000, help="creates a second (25000); 0: as many as the server takes")
    parser.add_argument("--connections", type=int, default=256, help="connections of ordem-load, and its customers (256)")
    parser.add_argument("--pairs", type=int, default=3, help="alternating pairs (3)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (5)")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with work_folder("feed") as folder:
        pairs = Bench(options, folder).pairs()
    print(json.dumps({**circumstances(), **vars(options), "pairs": pairs}))

    def median(which, name):
        return statistics.median(pair[which][name] for pair in pairs)

    print(f"{options.readers} readers of {'one customer each' if options.customers else 'all events'}, {median('with', 'requests_per_s'):,.0f} creates/s "
          f"(without {median('without', 'requests_per_s'):,.0f}/s), {median('with', 'events_per_create'):.2f} events sent for each: "
          f"{median('with', 'cpu_us_per_create'):.1f} us of the server's CPU for a create, without readers {median('without', 'cpu_us_per_create'):.1f} us; "
          f"p99 {median('with', 'p99_us'):,.0f} us, without {median('without', 'p99_us'):,.0f} us")


if __name__ == "__main__":
    main()
