#!/usr/bin/python3
"""The cost and the speed of replication to Postgres, with a private Postgres on this machine.

  drain       entries per second that reach Postgres while there are no writes
  half peak   the lag of Postgres while orders are created at half the peak rate
  cost        the create rate with Postgres against the rate without it, in alternating pairs

ordem-load checks every answer. Run it by `scripts/bench persistence`, which has the options.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time

from harness import load, load_command, work_folder  # before support: it adds support to the path
from support.ordem_server import run_ordem, start_server
from support.postgres import start_postgres
from support.server_facts import positions

CATCH_UP_SECONDS_MAX = 300
SAMPLE_SECONDS = 0.25


def wait_until_caught_up(client):
    """Returns the elapsed time."""
    begun = time.monotonic()
    while (now := positions(client))["persisted"] != now["durable"]:
        assert time.monotonic() - begun < CATCH_UP_SECONDS_MAX, f"Postgres does not catch up: {now}"
        time.sleep(0.02)
    return time.monotonic() - begun


class Bench:
    def __init__(self, options, folder, postgres):
        self.options = options
        self.folder = folder
        self.postgres = postgres
        self.runs = 0

    def serve(self, with_postgres=True, on_new_database=True):
        self.runs += 1
        flags = []
        if with_postgres:
            if on_new_database:
                self.url = self.postgres.create_database()
                migrated = run_ordem("migrate", "--postgres-url", self.url)
                assert migrated.returncode == 0, migrated.stderr
            flags = ["--postgres-url", self.url]
        return start_server(self.folder / f"data-{self.runs}", *flags)

    def stop(self, server):
        server.stop(CATCH_UP_SECONDS_MAX)
        shutil.rmtree(server.data_dir)

    def drain(self):
        """Returns the entries per second of a backlog that grew while Postgres was stopped."""
        url = self.url = self.postgres.create_database()
        assert run_ordem("migrate", "--postgres-url", url).returncode == 0
        self.postgres.stop()
        server = self.serve(on_new_database=False)
        with server.client() as client:
            load(server.port, "create", self.options.connections, self.options.seconds)
            backlog = positions(client)["durable"]
            self.postgres.start()
            while not positions(client)["persisted"]:
                time.sleep(0.005)
            begun, first = time.monotonic(), positions(client)["persisted"]
            wait_until_caught_up(client)
            rate = (backlog - first) / (time.monotonic() - begun)
        self.stop(server)
        return {"backlog": backlog, "entries_per_second": rate}

    def rate(self, with_postgres):
        server = self.serve(with_postgres)
        figures = load(server.port, "create", self.options.connections, self.options.seconds)
        behind = None
        if with_postgres:
            with server.client() as client:
                now = positions(client)
                behind = now["durable"] - (now["persisted"] or 0)
        self.stop(server)
        return figures["requests_per_s"], behind

    def cost(self):
        """Returns pairs of create rates, and the lag of Postgres at the end."""
        self.rate(True)  # the warm-up, which does not count
        pairs = []
        for number in range(self.options.pairs):
            order = (True, False) if number % 2 else (False, True)
            both = {with_postgres: self.rate(with_postgres) for with_postgres in order}
            pairs.append({"alone": both[False][0], "with_postgres": both[True][0], "behind": both[True][1]})
            print(f"  pair {number + 1}: {pairs[-1]}", file=sys.stderr)
        return pairs

    def half_peak(self, peak):
        server = self.serve()
        command = load_command(
            server.port, "create", self.options.connections, self.options.seconds * 3, "--arrivals", "fixed", "--rate", peak / 2)
        lags = []
        with server.client() as client:
            generator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            while generator.poll() is None:
                now = positions(client)
                if now["persisted"] is not None:
                    lags.append(now["durable"] - now["persisted"])
                time.sleep(SAMPLE_SECONDS)
            figures = json.loads(generator.stdout.read())
            assert generator.returncode == 0, figures
            seconds = wait_until_caught_up(client)
        self.stop(server)
        half = len(lags) // 2
        return {"rate": figures["requests_per_s"], "lag_median_first_half": statistics.median(lags[:half]),
                "lag_median_second_half": statistics.median(lags[half:]), "lag_max": max(lags),
                "catch_up_seconds": seconds}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench persistence", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs for the cost (5)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (5)")
    parser.add_argument("--connections", type=int, default=256, help="keep-alive connections (256)")
    options = parser.parse_args()
    with work_folder("persistence") as folder:
        postgres = start_postgres()
        try:
            bench = Bench(options, folder, postgres)
            drains = [bench.drain() for _ in range(3)]
            pairs = bench.cost()
            peak = statistics.median(pair["alone"] for pair in pairs)
            result = {"drain": drains, "cost": pairs, "half_peak": bench.half_peak(peak)}
        finally:
            postgres.remove()
    ratios = [pair["with_postgres"] / pair["alone"] for pair in pairs]
    print(json.dumps(result, indent=1))
    print(f"drained without writes: {statistics.median(each['entries_per_second'] for each in drains):,.0f} entries/s")
    print(f"create rate with Postgres to without: {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} .. {max(ratios):.2f}); alone {peak:,.0f}/s")
    half = result["half_peak"]
    print(f"at half the peak, {half['rate']:,.0f}/s: behind by {half['lag_median_first_half']:,.0f} entries in the first half, "
          f"{half['lag_median_second_half']:,.0f} in the second, {half['lag_max']:,.0f} at most")


if __name__ == "__main__":
    main()
