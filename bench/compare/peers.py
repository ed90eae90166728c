"""The programs of a comparison: Ordem, row by row, and its peers. Each is started on free loopback ports or a unix socket with its data in
a separate folder, measured, and ended by its pid.

A peer has a name, start(folder), measure(connections, seconds) and stop(). measure() returns Figures. It raises an error if an answer was
wrong, or if the peer's load program reports an error.
"""

import json
import shutil
import urllib.request

import figures
from harness import BUILD, THREADS, WARMUP_SECONDS, check_disk, load, run
from programs import HERE, RUN_SECONDS_MAX, STOP_SECONDS_MAX, ServedByOne, Server, run_counted
from restate_packages import SERVER_BINARY as RESTATE_BINARY
from support.http_client import free_port
from support.ordem_server import start_server
from support.postgres import BINARIES, start_postgres
from support.process_facts import cpu_seconds

# Warm-up for rows whose connections first create the orders that they repeat or update, and for peers that start slowly.
LONG_WARMUP_SECONDS = 3
ORDERS_UPDATED = 100_000
ORDERS_OUT_OF_DATE_EACH = 8
# For rows that expect only repeats, or only rejections: the lowest share of such answers.
EXPECTED_SHARE_MIN = 0.999
# As in create.pgbench.
CONTENT = '{"currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}]}'


def load_in_time(port, scenario, connections, seconds, *flags, **options):
    return load(port, scenario, connections, seconds, *flags, seconds_max=seconds + RUN_SECONDS_MAX, **options)


class Ordem:
    """Ordem, over HTTP. A row is a scenario of ordem-load."""

    ROWS = ("create", "get", "update", "hot-order", "replay", "conflict", "batch", "batch-update")
    # A batch streams in both directions, so a few keep all cores busy.
    BATCHES_MAX = 2

    def __init__(self, row):
        self.name = f"ordem {row}"
        self._row = row
        self._server = None

    def start(self, folder):
        self._server = start_server(folder)

    def measure(self, connections, seconds):
        if self._row.startswith("batch"):
            connections = min(connections, self.BATCHES_MAX)
        flags = self._flags(connections)
        if self._row not in ("replay", "conflict"):
            return figures.of_ordem_load(self._load(connections, seconds, *flags))
        output = self._load(connections, seconds, *flags, warmup_seconds=LONG_WARMUP_SECONDS)
        share = output["key_hit_share"] if self._row == "replay" else output["stale"] / max(1, output["requests"])
        if share < EXPECTED_SHARE_MIN:
            raise RuntimeError(f"{self.name}: only {share:.4f} of the answers are of what is measured")
        return figures.of_ordem_load(output)

    def measure_open(self, connections, seconds, rate):
        """Measures with requests at random times, at an average rate per second."""
        return figures.of_ordem_load(self._load(connections, seconds, "--arrivals", "poisson", "--rate", rate))

    def stop(self):
        if self._server is None:
            return
        self._server.stop(STOP_SECONDS_MAX)
        shutil.rmtree(self._server.data_dir)
        self._server = None

    def _load(self, connections, seconds, *flags, **options):
        return load_in_time(self._server.port, self._row, connections, seconds, *flags, server_pid=self._server.pid, **options)

    def _flags(self, connections):
        return {
            "update": ("--orders", ORDERS_UPDATED),
            "batch-update": ("--orders", ORDERS_UPDATED),
            "replay": ("--replay-share", 1),
            "conflict": ("--conflict-share", 1, "--orders", ORDERS_OUT_OF_DATE_EACH * connections),
        }.get(self._row, ())


class BareBeast(ServedByOne):
    """The ceiling of this HTTP stack: a constant answer, nothing else."""

    name = "bare Beast"

    def start(self, folder):
        self._port = free_port()
        self._serve(folder, BUILD / "bench/bare-beast", "--port", self._port)
        self._server.wait_port(self._port)

    def measure(self, connections, seconds):
        return figures.of_ordem_load(load_in_time(self._port, "bare", connections, seconds, server_pid=self._server.pid))


class Nginx(ServedByOne):
    """nginx with `return 200`: the same bytes in, a constant answer out. It is several processes."""

    name = "nginx return 200"

    def start(self, folder):
        self._port = free_port()
        configuration = (HERE / "nginx.conf").read_text().replace("@PORT@", str(self._port)).replace("@FOLDER@", str(folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        path = folder.parent / "nginx.conf"
        path.write_text(configuration)
        self._serve(folder, shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", path, "-e", "stderr")
        self._server.wait_port(self._port)

    def measure(self, connections, seconds):
        return figures.of_ordem_load(load_in_time(self._port, "bare", connections, seconds))


class PostgresAlone:
    """PostgreSQL with the same work in one SQL function, driven by pgbench over a unix socket, with fsync. It is several processes."""

    ROWS = ("create", "update")
    CONNECTIONS_MAX = 90  # out of its default of 100

    def __init__(self, row):
        self.name = f"PostgreSQL alone {row}"
        self._row = row
        self._postgres = None

    def start(self, folder):
        del folder  # it creates another one, in which its user may write
        self._postgres = start_postgres(connections=100)
        check_disk(self._postgres.folder)
        self._url = self._postgres.create_database()
        self._postgres.run(self._url, (HERE / "orders.sql").read_text())
        if self._row == "update":
            self._postgres.run(self._url, "SELECT make_orders(%s, %s)", (ORDERS_UPDATED, CONTENT))
            self._postgres.run(self._url, "VACUUM ANALYZE")
            self._postgres.run(self._url, "CHECKPOINT")

    def measure(self, connections, seconds):
        # More connections than it accepts would need a pooler, which makes it slower.
        clients = min(connections, self.CONNECTIONS_MAX)
        output, own_seconds = run_counted(
            BINARIES / "pgbench", "--no-vacuum", "--protocol=prepared", "--client", clients, "--jobs", min(THREADS, clients),
            "--time", seconds + WARMUP_SECONDS, "--define", f"orders={ORDERS_UPDATED}", "--file", HERE / f"{self._row}.pgbench", self._url,
            seconds_max=seconds + RUN_SECONDS_MAX)
        answered, measured = figures.of_pgbench(output, clients, own_seconds)
        self._check_kept(answered)
        return measured

    def stop(self):
        if self._postgres is not None:
            self._postgres.remove()
            self._postgres = None

    def _check_kept(self, answered):
        """Checks that every answer is one message, and one order or order version. Two concurrent updates of one order may conflict."""
        [(messages, accepted, orders, versions, history)] = self._postgres.run(
            self._url,
            "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM messages WHERE response->>'code' IN ('200', '201')), "
            "(SELECT count(*) FROM orders), (SELECT sum(version) FROM orders), (SELECT count(*) FROM superseded_versions)")
        made, least = (orders, answered) if self._row == "create" else (versions - ORDERS_UPDATED, answered * EXPECTED_SHARE_MIN)
        assert messages == answered and accepted == made >= least and history == versions - orders, (
            f"{answered} answers, but {messages} messages, {accepted} accepted, {orders} orders, {versions} versions, {history} superseded")


class Redis(ServedByOne):
    """Redis with the same work in one Lua script, every write synced (appendfsync always), driven by redis-benchmark."""

    ROWS = ("create", "update")
    # redis-benchmark is limited by requests, not by time: this is about the number per second on this machine.
    REQUESTS_A_SECOND = 25_000
    NUMBERS_MAX = 2_000_000_000  # the largest range of redis-benchmark

    def __init__(self, row):
        super().__init__()
        self.name = f"Redis {row}"
        self._row = row

    def start(self, folder):
        self._port = free_port()
        self._serve(
            folder, "redis-server", "--port", self._port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
            "--appendfsync", "always", "--save", "", "--daemonize", "no")
        self._server.wait_port(self._port)
        if self._row == "update":
            self._client("eval", (HERE / "make_orders.lua").read_text(), 0, ORDERS_UPDATED, CONTENT)

    def measure(self, connections, seconds):
        script = self._client("script", "load", (HERE / f"{self._row}.lua").read_text())
        # GUIDs and the updated orders are random numbers. A few GUIDs occur twice and count as repeats.
        arguments = {"create": (CONTENT,), "update": ("__rand_int__", ORDERS_UPDATED, CONTENT)}[self._row]
        count = self.REQUESTS_A_SECOND * seconds
        before = cpu_seconds(self._server.pid)
        output, own_seconds = run_counted(
            "redis-benchmark", "-p", self._port, "-c", connections, "-n", count, "--threads", min(THREADS, connections),
            "-r", self.NUMBERS_MAX, "--csv", "evalsha", script, 1, "__rand_int__", *arguments, seconds_max=10 * seconds + RUN_SECONDS_MAX)
        server_seconds = cpu_seconds(self._server.pid) - before
        executed = self._executed()
        assert count * EXPECTED_SHARE_MIN < executed <= count, f"{count} requests, but {executed} executed"
        return figures.of_redis_benchmark(output, connections, count, own_seconds, server_seconds)

    def _executed(self):
        if self._row == "create":
            return int(self._client("get", "orders"))
        return int(self._client("eval", (HERE / "count_updates.lua").read_text(), 0, ORDERS_UPDATED))

    def _client(self, *command):
        return run("redis-cli", "-e", "-p", self._port, *command, seconds_max=RUN_SECONDS_MAX).strip()


class Restate:
    """An order as a virtual object of Restate, served by Node; each create has its Idempotency-Key; driven by restate/load.mjs."""

    ROWS = ("create",)
    # With 256 connections from the start it gave no answer within its first seconds on two cores.
    CONNECTIONS_MAX = 64
    # Faster on few cores than the default of 24.
    PARTITIONS = 4

    def __init__(self, row):
        self.name = f"Restate {row}"
        self._servers = []

    def start(self, folder):
        self._folder = folder
        service = self._serve("node", HERE / "restate/orders.mjs", environment={"RESTATE_LOGGING": "WARN"})
        service_port = service.wait_printed(r"listening on 127\.0\.0\.1:(\d+)\n")
        self._port, admin_port, own_port = free_port(), free_port(), free_port()
        server = self._serve(RESTATE_BINARY, "--no-logo", environment={
            "RESTATE_BASE_DIR": str(folder / "data"), "RESTATE_NODE_NAME": "bench", "RESTATE_DEFAULT_NUM_PARTITIONS": str(self.PARTITIONS),
            "RESTATE_LISTEN_MODE": "tcp", "RESTATE_BIND_IP": "127.0.0.1", "RESTATE_BIND_PORT": str(own_port),
            "RESTATE_INGRESS__BIND_PORT": str(self._port), "RESTATE_ADMIN__BIND_PORT": str(admin_port),
            "RESTATE_LOG_FILTER": "warn", "RESTATE_DISABLE_TELEMETRY": "true", "TMPDIR": str(folder)})
        server.wait_port(admin_port)
        server.wait_port(self._port)
        registration = urllib.request.Request(
            f"http://127.0.0.1:{admin_port}/deployments", json.dumps({"uri": f"http://127.0.0.1:{service_port}"}).encode(),
            {"Content-Type": "application/json"})
        urllib.request.urlopen(registration, timeout=STOP_SECONDS_MAX).close()

    def measure(self, connections, seconds):
        clients = min(connections, self.CONNECTIONS_MAX)
        output = run(
            "node", HERE / "restate/load.mjs", self._port, clients, LONG_WARMUP_SECONDS, seconds, seconds_max=seconds + RUN_SECONDS_MAX)
        return figures.of_restate_load(json.loads(output), clients, seconds)

    def stop(self):
        while self._servers:
            self._servers.pop().stop()
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _serve(self, *command, environment):
        self._servers.append(Server(self.name, self._folder, *command, environment=environment))
        return self._servers[-1]
