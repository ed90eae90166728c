"""Starts, breaks and ends servers of NATS with JetStream: in a temporary folder, on free loopback ports.

    servers = NatsServers(folder, 3)          three servers of a cluster; with 1, a server alone
    servers.start()                           waits until JetStream works on all of them
    servers.urls                              nats://127.0.0.1:PORT,...
    servers["n1"].kill(), .pause(), .resume(), .start(), .lame_duck(), .stop()
    servers.remove()

Every server is ended by its process id. The program is that of scripts/install-nats-server.
"""

import functools
import json
import random
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

from support import settings
from support.concurrency import poll_until

ROOT = Path(__file__).resolve().parents[2]

CONFIGURATION = """
server_name: {name}
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitor_port}
max_payload: {max_payload}
ping_interval: 2s
ping_max: 3
write_deadline: 2s
lame_duck_grace_period: 1s
lame_duck_duration: 30s
jetstream {{ store_dir: "{folder}/{name}", sync_interval: always, max_memory_store: 64MB, max_file_store: 300GB }}
"""
CLUSTER = """
cluster {{ name: tests, listen: 127.0.0.1:{route_port}, no_advertise: true, ping_interval: 1s, ping_max: 3
  routes: [ {routes} ] }}
"""


@functools.cache
def program():
    result = subprocess.run([ROOT / "scripts/install-nats-server"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=settings.IMAGE_SECONDS_MAX, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def _free_ports(count):
    """Returns ports that are free now, below those that the system gives to clients. From a random one on, since tests run at once."""
    taken = []
    first = random.SystemRandom().randrange(20000, 31000)
    for port in range(first, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        taken.append(port)
        if len(taken) == count:
            return taken
    raise AssertionError("no ports are free")


class NatsServer:
    """One server, known by its name."""

    def __init__(self, folder, name, port, monitor_port):
        self._folder = folder
        self.name = name
        self.port = port
        self._monitor_port = monitor_port
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        with open(self._folder / f"{self.name}.out", "ab") as output:
            self._process = subprocess.Popen([program(), "-c", self._folder / f"{self.name}.conf"],
                                             stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def log(self):
        return (self._folder / f"{self.name}.out").read_text(errors="replace")

    def asked(self, path):
        """Returns what the monitoring page says, or None if the server does not answer or is not healthy."""
        assert self._process.poll() is None, f"{self.name} has ended:\n{self.log()[-4000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._monitor_port}/{path}", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return None

    def request(self, subject, body=""):
        """Sends a request by the protocol of clients, and returns the answer, which is JSON."""
        with socket.create_connection(("127.0.0.1", self.port), settings.ANSWER_SECONDS_MAX) as connection:
            stream = connection.makefile("rwb")
            stream.readline()  # INFO
            stream.write(f'CONNECT {{"verbose":false}}\r\nSUB answer 1\r\nPUB {subject} answer {len(body)}\r\n{body}\r\n'.encode())
            stream.flush()
            while not (line := stream.readline()).startswith(b"MSG"):
                assert not line.startswith(b"-ERR"), line
            return json.loads(stream.read(int(line.split()[-1])))

    def set_bytes_max(self, stream, bytes_max):
        """Changes the size that a stream may reach."""
        configuration = self.request(f"$JS.API.STREAM.INFO.{stream}")["config"]
        answer = self.request(f"$JS.API.STREAM.UPDATE.{stream}", json.dumps({**configuration, "max_bytes": bytes_max}))
        assert answer.get("config", {}).get("max_bytes") == bytes_max, answer

    def trim(self, stream, first):
        """Deletes the records of a stream before that sequence."""
        answer = self.request(f"$JS.API.STREAM.PURGE.{stream}", json.dumps({"seq": first}))
        assert answer.get("success"), answer

    def is_ready(self):
        return self.asked("healthz?js-server-only=true") is not None

    def wait_listening(self):
        poll_until(lambda: self.asked("varz"), f"{self.name} listens", settings.START_SECONDS_MAX)

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def lame_duck(self):
        """Asks the server to hand over its leaders and clients, and to end then."""
        self._process.send_signal(signal.SIGUSR2)

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def _end(self, by):
        if self.is_running():
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(by)
            self._process.wait(settings.STOP_SECONDS_MAX)


class NatsServers:
    """Servers n1, n2, ... `more`: text that is added to the configuration of each. `scheme`: of the URLs."""

    def __init__(self, folder, count=3, more="", scheme="nats", host="127.0.0.1", max_payload="8MB"):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        ports = _free_ports(3 * count)
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports[2 * count:])
        self._servers = {}
        for i in range(count):
            name = f"n{i + 1}"
            text = CONFIGURATION.format(name=name, port=ports[i], monitor_port=ports[count + i], folder=folder,
                                        max_payload=max_payload)
            if count > 1:
                text += CLUSTER.format(route_port=ports[2 * count + i], routes=routes)
            (folder / f"{name}.conf").write_text(text + more)
            self._servers[name] = NatsServer(folder, name, ports[i], ports[count + i])
        self.urls = ",".join(f"{scheme}://{host}:{port}" for port in ports[:count])

    def __getitem__(self, name):
        return self._servers[name]

    def __iter__(self):
        return iter(self._servers.values())

    def start(self):
        for server in self:
            if not server.is_running():
                server.start()
        self.wait_ready()

    def wait_ready(self):
        for server in self:
            poll_until(server.is_ready, f"JetStream of {server.name} is ready", settings.START_SECONDS_MAX)
        if len(self._servers) > 1:
            poll_until(self._has_leader, "JetStream has a leader that knows all servers", settings.START_SECONDS_MAX)

    def _has_leader(self):
        groups = {server.name: (server.asked("jsz") or {}).get("meta_cluster") or {} for server in self}
        leaders = {group.get("leader", "") for group in groups.values()}
        if len(leaders) != 1 or leaders == {""}:
            return False
        # It makes no stream on a server that it has not heard of.
        followers = groups[leaders.pop()].get("replicas") or []
        return len(followers) == len(groups) - 1 and all(each["current"] and not each.get("offline") for each in followers)

    def remove(self):
        for server in self:
            server.kill()
