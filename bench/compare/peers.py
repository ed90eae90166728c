"""What Ordem is compared with: each peer is started on free loopback ports or a unix socket with its data in a folder of its own,
measured, and ended by its pid.

A peer has a name, start(folder), measure(connections, seconds) and stop(). measure() returns answers a second; it raises if an answer
was wrong, or if the peer's own load program says that something went wrong.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import BUILD, THREADS, WARMUP_SECONDS, check_disk, load, run  # noqa: E402  (before support: it says where that is)
from support.concurrency import poll_until  # noqa: E402
from support.ordem_server import start_server  # noqa: E402
from support.postgres import BINARIES, start_postgres  # noqa: E402

STOP_SECONDS_MAX = 30
START_SECONDS_MAX = 20
# As in create.pgbench.
CONTENT = '{"currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}]}'


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class _Process:
    """A peer that is one process."""

    def __init__(self):
        self._process = None

    def _start(self, folder, *command):
        folder.mkdir(parents=True)
        self._folder = folder
        with open(folder / "output", "wb") as output:
            self._process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def _wait_port(self, port):
        def takes_connections():
            assert self._process.poll() is None, f"{self.name} has ended:\n{(self._folder / 'output').read_text()[-1000:]}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        poll_until(takes_connections, f"{self.name} takes connections", START_SECONDS_MAX)

    def stop(self):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        shutil.rmtree(self._folder)


class Ordem:
    """Orders over HTTP, as they are served."""

    def __init__(self, scenario):
        self.name = f"ordem {scenario}"
        self._scenario = scenario
        self._server = None

    def start(self, folder):
        self._server = start_server(folder)

    def measure(self, connections, seconds):
        return load(self._server.port, self._scenario, connections, seconds)["requests_per_s"]

    def stop(self):
        if self._server is None:
            return
        self._server.stop(STOP_SECONDS_MAX)
        shutil.rmtree(self._server.data_dir)
        self._server = None


class BareBeast(_Process):
    """The ceiling of this HTTP stack: a constant answer, nothing else."""

    name = "bare Beast"

    def start(self, folder):
        self._port = free_port()
        self._start(folder, BUILD / "bench/bare-beast", "--port", self._port)
        self._wait_port(self._port)

    def measure(self, connections, seconds):
        return load(self._port, "bare", connections, seconds)["requests_per_s"]


class Nginx(_Process):
    """nginx with `return 200`: the same bytes in, a constant answer out."""

    name = "nginx return 200"

    def start(self, folder):
        self._port = free_port()
        configuration = (HERE / "nginx.conf").read_text().replace("@PORT@", str(self._port)).replace("@FOLDER@", str(folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        path = folder.parent / "nginx.conf"
        path.write_text(configuration)
        self._start(folder, shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", path, "-e", "stderr")
        self._wait_port(self._port)

    def measure(self, connections, seconds):
        return load(self._port, "bare", connections, seconds)["requests_per_s"]


class PostgresAlone:
    """PostgreSQL doing the same job in one SQL function, driven by pgbench over a unix socket, fsync on."""

    name = "PostgreSQL alone"
    CONNECTIONS_MAX = 90  # of its default 100

    def __init__(self):
        self._postgres = None

    def start(self, folder):
        del folder  # it makes one of its own, where its user may write
        self._postgres = start_postgres(connections=100)
        check_disk(self._postgres.folder)
        self._url = self._postgres.create_database()
        self._postgres.run(self._url, (HERE / "orders.sql").read_text())

    def measure(self, connections, seconds):
        # More connections than it takes would need a pooler, and make it slower.
        told = run(
            BINARIES / "pgbench", "--no-vacuum", "--protocol=prepared", "--client", min(connections, self.CONNECTIONS_MAX), "--jobs", THREADS,
            "--time", seconds + WARMUP_SECONDS, "--file", HERE / "create.pgbench", self._url)
        assert re.search(r"number of failed transactions: 0\b", told), told
        answered = int(re.search(r"transactions actually processed: (\d+)", told)[1])
        kept = self._postgres.run(self._url, "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM messages)")
        assert kept == [(answered, answered)], f"{answered} answers, but {kept}"
        return float(re.search(r"tps = ([0-9.]+)", told)[1])

    def stop(self):
        if self._postgres is not None:
            self._postgres.remove()
            self._postgres = None


class Redis(_Process):
    """Redis doing the same job in one Lua script, every write synced (appendfsync always), driven by redis-benchmark."""

    name = "Redis"
    # redis-benchmark counts requests, not time: about as many as a second takes here, for each second.
    REQUESTS_A_SECOND = 25_000
    GUIDS_MAX = 2_000_000_000  # as many as redis-benchmark can draw from

    def start(self, folder):
        self._port = free_port()
        self._start(
            folder, "redis-server", "--port", self._port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "always",
            "--save", "", "--daemonize", "no")
        self._wait_port(self._port)

    def measure(self, connections, seconds):
        script = run("redis-cli", "-p", self._port, "script", "load", (HERE / "create.lua").read_text()).strip()
        count = self.REQUESTS_A_SECOND * seconds
        # A GUID is a random number: a few of them come twice, and are answered as repeats.
        told = run(
            "redis-benchmark", "-p", self._port, "-c", connections, "-n", count, "--threads", THREADS, "-r", self.GUIDS_MAX, "--csv", "evalsha", script, "1",
            "__rand_int__", CONTENT)
        orders = int(run("redis-cli", "-p", self._port, "get", "orders"))
        assert orders > count * 0.999, f"{count} requests, but {orders} orders"
        # The command, whose quotes are not escaped; then the rate and six latencies.
        return float(told.splitlines()[-1].rsplit('","', 7)[1])


def all_peers():
    """In the order of the table."""
    return [BareBeast(), Nginx(), Ordem("create"), Ordem("get"), PostgresAlone(), Redis()]


# Which of them are held against which.
RATIOS = (("ordem create", BareBeast.name), ("ordem get", BareBeast.name), ("ordem create", PostgresAlone.name),
          ("ordem create", Redis.name), (BareBeast.name, Nginx.name))
