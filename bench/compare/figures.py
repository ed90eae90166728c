"""The result of one measurement of a peer, from the output of its load program."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    rate: float  # answers per second; for batches, orders per second
    connections: int  # during the measurement
    accepted: float = 1.0  # share of the answers; the others were rejected as out of date
    generator_us: float | None = None  # CPU time of the load program per request
    generator_cores: float | None = None  # the number of cores that it used
    server_us: float | None = None  # CPU time of the server per request, if it is one process
    latency_ms: dict | None = None  # in an open loop: percentiles by name
    never_sent: int = 0  # in an open loop


def of_ordem_load(output):
    """Returns the figures from the JSON of ordem-load. An order is a request, except in batches."""
    orders = output["orders"]
    if not orders:
        raise RuntimeError(f"no answer in the measured time of {output['scenario']}")
    of_server = output.get("server_cpu_s")
    is_open = output["loop"] == "open"
    return Figures(
        rate=output["orders_per_s"],
        connections=output["connections"],
        accepted=1 - output["stale"] / orders,
        generator_us=output["generator_cpu_s"] / orders * 1e6,
        generator_cores=output["generator_cpu_s"] / output["duration_s"],
        server_us=None if of_server is None else of_server / orders * 1e6,
        latency_ms={name: output["latency_us"][name] / 1000 for name in ("p50", "p99", "p99_9")} if is_open else None,
        never_sent=output["late"]["never_sent"] if is_open else 0,
    )


def of_pgbench(output, connections, cpu_seconds):
    """Returns the figures from the output of pgbench, and the number of transactions."""
    if not re.search(r"number of failed transactions: 0\b", output):
        raise RuntimeError(f"transactions have failed:\n{output}")
    answered = int(re.search(r"transactions actually processed: (\d+)", output)[1])
    rate = float(re.search(r"tps = ([0-9.]+)", output)[1])
    return answered, Figures(rate, connections, generator_us=cpu_seconds / answered * 1e6, generator_cores=cpu_seconds * rate / answered)


def of_redis_benchmark(output, connections, requests, cpu_seconds, server_cpu_seconds):
    """Returns the figures from the CSV of redis-benchmark: the command, whose quotes are not escaped, then the rate and six latencies."""
    rate = float(output.splitlines()[-1].rsplit('","', 7)[1])
    return Figures(
        rate, connections, generator_us=cpu_seconds / requests * 1e6, generator_cores=cpu_seconds * rate / requests,
        server_us=server_cpu_seconds / requests * 1e6)


def of_wrk(output, connections, cpu_seconds, server_cpu_seconds):
    """Returns the figures from the output of wrk, with the line that wrk/checks.lua adds to it."""
    counts = re.search(r"^Responses checked: (\d+), wrong: (\d+) ?(.*)", output, re.MULTILINE)
    if not counts:
        raise RuntimeError(f"wrk printed no count of checked responses:\n{output}")
    checked, wrong, first = counts.groups()
    if wrong != "0":
        raise RuntimeError(f"wrk got a wrong response: {first}")
    if errors := re.search(r"Socket errors: .*|Non-2xx or 3xx responses: .*", output):
        raise RuntimeError(f"wrk reports {errors[0]}")
    requests = int(re.search(r"(\d+) requests in ", output)[1])
    if requests == 0 or requests != int(checked):
        raise RuntimeError(f"wrk got {requests} responses, of which {checked} were checked")
    rate = float(re.search(r"Requests/sec: +([0-9.]+)", output)[1])
    return Figures(
        rate, connections, generator_us=cpu_seconds / requests * 1e6, generator_cores=cpu_seconds * rate / requests,
        server_us=server_cpu_seconds / requests * 1e6)


def of_restate_load(output, connections, seconds):
    """Returns the figures from the JSON of restate/load.mjs."""
    requests = output["requests"]
    if not requests:
        raise RuntimeError("no answer in the measured time")
    return Figures(
        output["requests_per_s"], connections, generator_us=output["generator_cpu_s"] / requests * 1e6,
        generator_cores=output["generator_cpu_s"] / seconds)
