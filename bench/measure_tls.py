#!/usr/bin/python3
"""The cost of TLS: the rate of a server with TLS against that of one without it, in alternating pairs on kept-alive connections.

ordem-load checks every answer. It encrypts, too, on the same cores. Run it by `scripts/bench tls`, which has the options.
"""

import argparse
import json
import shutil
import statistics
import sys

from harness import circumstances, load, work_folder  # before support: it adds support to the path
from support.certificates import Authority
from support.ordem_server import start_server


class Bench:
    def __init__(self, options, folder):
        self._options = options
        self._folder = folder
        self._authority = Authority(folder / "authority", "Bench CA")
        self._pair = self._authority.issue("server", "/CN=localhost", names="DNS:localhost,IP:127.0.0.1")

    def rate(self, with_tls):
        """Returns requests per second."""
        flags = [f"--tls-certificate={self._pair.certificate}", f"--tls-key={self._pair.key}"] if with_tls else []
        client = ["--tls-ca", self._authority.certificate] if with_tls else []
        server = start_server(self._folder / "data", *flags)
        figures = load(server.port, self._options.scenario, self._options.connections, self._options.seconds, *client)
        server.stop()
        shutil.rmtree(server.data_dir)
        return figures["requests_per_s"]

    def pairs(self):
        self.rate(True)  # the warm-up, which does not count
        pairs = []
        for number in range(self._options.pairs):
            order = (True, False) if number % 2 else (False, True)
            rates = {with_tls: self.rate(with_tls) for with_tls in order}
            pairs.append({"plain": rates[False], "tls": rates[True]})
            print(f"  pair {number + 1}: {pairs[-1]}", file=sys.stderr)
        return pairs


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench tls", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs (5)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement (5)")
    parser.add_argument("--connections", type=int, default=256, help="keep-alive connections (256)")
    parser.add_argument("--scenario", default="create", help="of ordem-load (create)")
    options = parser.parse_args()
    with work_folder("tls") as folder:
        pairs = Bench(options, folder).pairs()
    ratios = [pair["tls"] / pair["plain"] for pair in pairs]
    print(json.dumps({**circumstances(), **vars(options), "pairs": pairs}))
    print(f"{options.scenario}, {options.connections} connections: {statistics.median(ratios):.3f} of the rate without TLS "
          f"({min(ratios):.3f} .. {max(ratios):.3f}); {statistics.median(pair['tls'] for pair in pairs):,.0f}/s "
          f"instead of {statistics.median(pair['plain'] for pair in pairs):,.0f}/s")


if __name__ == "__main__":
    main()
