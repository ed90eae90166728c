"""Makes the table of scripts/bench from its results.

The results are lines of JSON: first the circumstances, then for each measurement either
{"server": "bare" | "ordem", "pair": N, "figures": {...}} or {"fsync": "before" | "after", "figures": {...}},
with figures as ordem-load prints them. Pair 0 is the warm-up and is left out.
"""

import argparse
import json
from statistics import median

SERVERS = ("bare", "ordem")


def cpu_cores(figures):
    return figures["generator_cpu_s"] / figures["duration_s"]


def summarise_server(runs):
    rates = [run["requests_per_s"] for run in runs]
    latencies = [run["latency_us"] for run in runs]
    return {
        "requests_per_s": {"median": median(rates), "min": min(rates), "max": max(rates)},
        "p50_us": median(latency["p50"] for latency in latencies),
        "p99_us": median(latency["p99"] for latency in latencies),
        "generator_cpu_cores": round(median(map(cpu_cores, runs)), 3),
        "answer_body_bytes": median(run["answer_body_bytes_mean"] for run in runs),
    }


def summarise_round(connections, pairs):
    """pairs: a list of {"bare": figures, "ordem": figures}, in the order measured."""
    ratios = [pair["ordem"]["requests_per_s"] / pair["bare"]["requests_per_s"] for pair in pairs]
    return {
        "connections": connections,
        "generator_threads": pairs[0]["ordem"]["threads"],
        "body_bytes": pairs[0]["ordem"]["body_bytes"],
        "duration_s": pairs[0]["ordem"]["duration_s"],
        **{server: summarise_server([pair[server] for pair in pairs]) for server in SERVERS},
        "ratios": [round(ratio, 4) for ratio in ratios],
        "ratio_median": round(median(ratios), 4),
    }


def summarise(lines):
    circumstances, *measurements = lines
    rounds = {}
    for line in measurements:
        if "server" in line and line["pair"] > 0:
            pairs = rounds.setdefault(line["figures"]["connections"], {})
            pairs.setdefault(line["pair"], {})[line["server"]] = line["figures"]
    return {
        **circumstances,
        "fsync_latency_us": {line["fsync"]: line["figures"]["latency_us"] for line in measurements if "fsync" in line},
        "rounds": [
            summarise_round(connections, [pairs[number] for number in sorted(pairs)])
            for connections, pairs in rounds.items()
        ],
    }


def table(summary):
    cores = summary["cores"]
    yield f"revision {summary['revision']}, {cores} cores, load average before the run {summary['load_before']}"
    yield f"durability {summary['durability']}, file system {summary['file_system']}"
    for when, latency in summary["fsync_latency_us"].items():
        yield f"append and fdatasync of 4 KiB, {when}: p50 {latency['p50'] / 1000:.3f} ms, p99 {latency['p99'] / 1000:.3f} ms"
    for one in summary["rounds"]:
        yield ""
        yield (
            f"{one['connections']} connections, {len(one['ratios'])} pairs of {one['duration_s']:g} s, medians; "
            f"request body {one['body_bytes']} bytes; closed loop, generator threads: {one['generator_threads']}"
        )
        yield f"{'':8}{'requests/s':>12}{'(min .. max)':>22}{'p50 ms':>10}{'p99 ms':>10}{'generator CPU':>18}"
        for server in SERVERS:
            figures = one[server]
            rate = figures["requests_per_s"]
            spread = f"({rate['min']:.0f} .. {rate['max']:.0f})"
            cpu = f"{figures['generator_cpu_cores']:.2f} of {cores} cores"
            yield (
                f"{server:8}{rate['median']:12.0f}{spread:>22}{figures['p50_us'] / 1000:10.3f}"
                f"{figures['p99_us'] / 1000:10.3f}{cpu:>18}"
            )
        ratios = " ".join(f"{ratio:.3f}" for ratio in one["ratios"])
        yield f"ordem / bare, pair by pair: {ratios}; median {one['ratio_median']:.3f}"


def main():
    parser = argparse.ArgumentParser(description="Makes the table of scripts/bench from its results.")
    parser.add_argument("results", help="lines of JSON")
    parser.add_argument("--json", metavar="FILE", help="also write the summary and all results there")
    arguments = parser.parse_args()
    with open(arguments.results, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    summary = summarise(lines)
    print("\n".join(table(summary)))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"summary": summary, "results": lines[1:]}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
