"""Engines over one log in NATS: nodes of a cluster, each with a data folder, on this machine.

    cluster = Cluster(folder, nats_urls)      makes the log
    cluster.start()                           starts a, b and c, and waits until requests reach an owner by way of each
    cluster.owner()                           the server that owns the log
    cluster["a"], cluster.others(server)      servers
    cluster.pause(server), .resume(server)    SIGSTOP, SIGCONT
    cluster.restart("a")                      starts it again on its folder
    cluster.remove()
    ClusterClient(cluster)                    asks one node after the other until it is answered
"""

import itertools
import os
import signal
import time
import uuid
from pathlib import Path

from support import settings
from support.concurrency import poll_until
from support.http_client import ConnectionEnded
from support.ordem_client import OrdemClient, OrdemConnection
from support.ordem_server import OrdemServer, run_ordem

NODES = ("a", "b", "c")


class Cluster:
    """`urls_of`: the URLs of NATS for nodes that do not have `nats_urls`."""

    def __init__(self, folder, nats_urls, nodes=NODES, flags=(), replicas=3, urls_of=None):
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self.nats_urls = nats_urls
        self._folder = Path(folder)
        self._nodes = nodes
        self._flags = ("--cluster", self.name, *flags)
        self._urls = urls_of or {}
        self._servers = {}
        self._all = []
        made = run_ordem("cluster", "init", "--cluster", self.name, "--nats", nats_urls, "--max-bytes", "64MiB", "--replicas", replicas)
        assert made.returncode == 0, made.stderr

    def __getitem__(self, node):
        return self._servers[node]

    def __iter__(self):
        return iter(self._servers.values())

    @property
    def nodes(self):
        return self._nodes

    def folder_of(self, node):
        return self._folder / node

    def name_of(self, server):
        return next(node for node, each in self._servers.items() if each is server)

    def others(self, server):
        return [each for each in self if each is not server]

    def begin_start(self, node):
        """Starts the process of a node."""
        self._servers[node] = OrdemServer(self.folder_of(node), *self._flags, "--nats", self._urls.get(node, self.nats_urls), "--node", node)
        self._all.append(self._servers[node])

    def restart(self, node):
        self.begin_start(node)
        return self.wait_ready(self._servers[node])

    def start(self):
        for node in self._nodes:
            self.begin_start(node)
        for server in self:
            self.wait_ready(server)

    def wait_ready(self, server):
        server.wait_listening()
        server.client().wait_ready()
        return server

    def state(self, server):
        """Returns what /-/state has about the cluster."""
        with server.client() as client:
            return client.get("/-/state").json()["cluster"]

    def owner(self, among=None, seconds=settings.POLL_SECONDS_MAX):
        """Waits until exactly one of the servers says that it owns the log, and returns it."""
        def found():
            owners = [each for each in among or self if self.state(each)["role"] == "owner"]
            return owners[0] if len(owners) == 1 else None

        return poll_until(found, "one node owns the log", seconds)

    def wait_level(self, servers=None):
        """Waits until reads of all show the same position of the same epoch, and returns it. REQUIRES: nothing is written meanwhile."""
        def level():
            states = [self.state(each) for each in servers or self]
            same = {(state["position"], state["epoch"]) for state in states}
            return [states[0]["position"]] if len(same) == 1 else None

        return poll_until(level, "all nodes have the same log")[0]

    @staticmethod
    def pause(server):
        os.kill(server.pid, signal.SIGSTOP)

    @staticmethod
    def resume(server):
        os.kill(server.pid, signal.SIGCONT)

    def finish(self):
        """Stops all that run, and checks their ends."""
        for server in self:
            server.finish()

    def remove(self):
        for server in self._all:
            if server.is_running():
                self.resume(server)
                server.kill()


class ClusterClient(OrdemClient):
    """A client behind a load balancer: it sends each request to the nodes in turn, over a connection of its own, until one answers it with
    something else than 503."""

    def __init__(self, cluster, first=0):
        super().__init__(port=None)
        self._cluster = cluster
        nodes = list(cluster.nodes)
        self._nodes = itertools.cycle(nodes[first % len(nodes):] + nodes[:first % len(nodes)])

    def exchange(self, data, method="GET"):
        deadline = time.monotonic() + settings.CLUSTER_SECONDS_MAX
        last = None
        while True:
            response = self._attempt(data, method)
            if response and response.status != 503 and not _is_in_flight(response):
                return response
            last = response or last
            assert time.monotonic() < deadline, f"no answer in {settings.CLUSTER_SECONDS_MAX} s, the last one: {last}"
            time.sleep(settings.CLUSTER_RETRY_SECONDS)

    def _attempt(self, data, method):
        port = self._cluster[next(self._nodes)].port
        if port is None:  # it starts
            return None
        try:
            with OrdemConnection(port, seconds=settings.CLUSTER_ATTEMPT_SECONDS) as connection:
                return connection.exchange(data, method)
        except (ConnectionEnded, OSError):
            return None


def _is_in_flight(response):
    return response.status == 409 and response.json().get("type") == "/problems/request-in-flight"
