"""Three engines over three servers of NATS under faults in a random order: engines and servers are killed, stopped, paused and cut off,
also two at once and all engines, while clients write and read by way of all nodes.

Afterwards each acknowledged write is there once and as it was answered, versions have no gap, and all nodes show the same. No read of an
order showed an older version than one that was acknowledged or read before it began. ORDEM_SEED determines the faults and the requests;
when they happen to each other is not determined. ORDEM_CLUSTER_FAULTS is their number.
"""

import contextlib
import random
import threading
import time

from support import settings
from support.blackhole import DOWN, UP, Blackhole
from support.cluster import NODES, Cluster, ClusterClient
from support.concurrency import poll_until
from support.feed import read_all
from support.nats import NatsServers
from support.oracle import Oracle, assert_server_agrees
from support.orders import accepted_order, order_path
from support.workload import CUSTOMERS, REUSE_CUSTOMER, Load, Worker

READS = 0.4
# So that a run of many faults can be checked: some hundred requests a second.
PAUSE_SECONDS = 0.02


class Reads:
    """Whether reads are linearizable, by the versions that they show. Thread-safe."""

    def __init__(self, oracle):
        self._oracle = oracle
        self._lock = threading.Lock()
        self._seen = {}
        self.violations = []
        self.count = 0

    def read(self, client, order_id):
        least = max(self._seen.get(order_id, 0), self._oracle.latest(order_id)["version"])
        version = accepted_order(client.get(order_path(order_id)))["version"]
        with self._lock:
            self.count += 1
            self._seen[order_id] = max(self._seen.get(order_id, 0), version)
            if version < least:
                self.violations.append(f"{order_id}: a read shows version {version} after version {least} was known")


class ClusterWorker(Worker):
    """A client of all nodes, which reads, too."""

    def __init__(self, oracle, reads, times, cluster, number, rng):
        super().__init__(oracle, None, rng, CUSTOMERS)
        self._client = ClusterClient(cluster, number)
        self._reads = reads
        self._times = times

    def _act(self):
        known = self._oracle.known_orders()
        if known and self._rng.random() < READS:
            self._reads.read(self._client, self._rng.choice(known[-10:]))
        else:
            super()._act()
            self._times.append(time.monotonic())
        time.sleep(PAUSE_SECONDS)


class Machines:
    """The cluster, its NATS and the network between them, and what can happen to them."""

    def __init__(self, folder, rng):
        self._rng = rng
        self._stack = contextlib.ExitStack()
        self.nats = NatsServers(folder / "nats", len(NODES))
        self._stack.callback(self.nats.remove)
        self.nats.start()
        ports = [server.port for server in self.nats]
        self._network = {node: [self._stack.enter_context(Blackhole(port)) for port in ports] for node in NODES}
        urls_of = {node: ",".join(f"nats://127.0.0.1:{each.port}" for each in ways) for node, ways in self._network.items()}
        self.cluster = Cluster(folder / "engines", self.nats.urls, urls_of=urls_of)
        self._stack.callback(self.cluster.remove)
        self.cluster.start()
        self._faults = {
            "the owner is killed": (3, lambda: self._kill(self._owner())),
            "an engine is killed": (2, lambda: self._kill(self._node())),
            "two engines are killed": (1, lambda: self._kill(*self._rng.sample(NODES, 2))),
            "all engines are killed": (1, lambda: self._kill(*NODES)),
            "the owner is stopped": (2, lambda: self._stop(self._owner())),
            "the owner is paused": (3, lambda: self._pause(self._owner())),
            "an engine is paused": (1, lambda: self._pause(self._node())),
            "the owner is cut off": (2, lambda: self._cut_off(self._owner(), UP, DOWN)),
            "the owner does not reach NATS": (1, lambda: self._cut_off(self._owner(), UP)),
            "the owner does not hear NATS": (1, lambda: self._cut_off(self._owner(), DOWN)),
            "an engine is cut off": (1, lambda: self._cut_off(self._node(), UP, DOWN)),
            "a server of NATS is killed": (3, lambda: self._kill_server(self._server())),
            "a server of NATS is paused": (2, lambda: self._pause_server(self._server())),
            "a server of NATS leaves": (1, lambda: self._lame_duck(self._server())),
            "the owner and a server of NATS are killed": (1, lambda: self._kill_both(self._owner(), self._server())),
        }

    def close(self):
        self._stack.close()

    def fault(self):
        """Lets one happen and end; returns its name."""
        names = list(self._faults)
        name = self._rng.choices(names, [weight for weight, _ in self._faults.values()])[0]
        self._faults[name][1]()
        return name

    # Who.

    def _owner(self):
        return self.cluster.name_of(self.cluster.owner(seconds=settings.CLUSTER_SECONDS_MAX))

    def _node(self):
        return self._rng.choice(NODES)

    def _server(self):
        return self._rng.choice(list(self.nats))

    def _wait(self, seconds_max):
        """The length of a fault: an unreachable machine comes back after some time, not after an event."""
        time.sleep(self._rng.uniform(0.1, seconds_max))

    # What.

    def _kill(self, *nodes):
        for node in nodes:
            self.cluster[node].kill()
        self._wait(3)
        for node in nodes:
            self.cluster.begin_start(node)
        for node in nodes:
            self.cluster.wait_ready(self.cluster[node])

    def _stop(self, node):
        self.cluster[node].stop()
        self._wait(1)
        self.cluster.restart(node)

    def _pause(self, node):
        self.cluster.pause(self.cluster[node])
        self._wait(5)
        self.cluster.resume(self.cluster[node])

    def _cut_off(self, node, *ways):
        for each in self._network[node]:
            each.cut(*ways)
        self._wait(8)
        for each in self._network[node]:
            each.open()

    def _kill_server(self, server):
        server.kill()
        self._wait(6)
        server.start()
        self.nats.wait_ready()

    def _pause_server(self, server):
        server.pause()
        self._wait(8)
        server.resume()
        self.nats.wait_ready()

    def _lame_duck(self, server):
        server.lame_duck()
        poll_until(lambda: not server.is_running(), "the server of NATS has left", settings.CLUSTER_SECONDS_MAX)
        server.start()
        self.nats.wait_ready()

    def _kill_both(self, node, server):
        server.kill()
        self.cluster[node].kill()
        self._wait(3)
        server.start()
        self.nats.wait_ready()
        self.cluster.restart(node)


def longest_pause(times, begin):
    """Returns the longest time between two answers to writes, from the last one before `begin` on."""
    moments = sorted(times)
    start = max((each for each in moments if each < begin), default=begin)
    since = [start, *(each for each in moments if each >= begin)]
    return max((later - earlier for earlier, later in zip(since, since[1:])), default=0)


def show_pauses(pauses):
    for name in sorted(pauses):
        all_of = sorted(pauses[name])
        print(f"{name}: {len(all_of)} times, writes paused for {all_of[len(all_of) // 2]:.2f} s (median), {all_of[-1]:.2f} s (most)")


def test_faults_of_a_cluster(tmp_path):
    """Breaks if a cluster loses, changes or doubles what it has acknowledged, shows an older version than before, or does not recover."""
    print(f"ORDEM_SEED={settings.SEED}")
    rng = random.Random(settings.SEED)
    machines = Machines(tmp_path, rng)
    try:
        cluster, oracle, times, pauses = machines.cluster, Oracle(passed_on_again=True), [], {}
        reads = Reads(oracle)
        workers = [ClusterWorker(oracle, reads, times, cluster, number, random.Random(f"{settings.SEED}/{number}"))
                   for number in range(settings.CLUSTER_WORKERS)]
        with Load(oracle, workers) as load:
            load.wait_for(settings.CLUSTER_WRITES_BETWEEN_FAULTS, settings.CLUSTER_SECONDS_MAX)
            for number in range(settings.CLUSTER_FAULTS):
                begin = time.monotonic()
                name = machines.fault()
                try:
                    load.wait_for(settings.CLUSTER_WRITES_BETWEEN_FAULTS, settings.CLUSTER_SECONDS_MAX)
                except AssertionError as error:
                    raise AssertionError(f"ORDEM_SEED={settings.SEED}, after fault {number}, {name}: {error}") from error
                pauses.setdefault(name, []).append(longest_pause(times, begin))
        show_pauses(pauses)
        print(f"{settings.CLUSTER_FAULTS} faults, {oracle.recorded_count} writes, {reads.count} reads")

        assert not oracle.unanswered_guids()
        assert not reads.violations, reads.violations[:10]
        cluster.wait_level()
        with cluster["a"].client() as client:
            assert_server_agrees(client, oracle, rng, [*CUSTOMERS, REUSE_CUSTOMER], oracle.recorded_guids(), oracle.known_orders())
        feeds = [read_all(server.client())[0] for server in cluster]
        assert feeds[0] == feeds[1] == feeds[2]
        cluster.finish()
    finally:
        machines.close()
