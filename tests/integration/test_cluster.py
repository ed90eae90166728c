"""`ordem serve` as nodes of a cluster: three engines over a log in three real servers of NATS."""

import itertools
import json
import re
import shutil
import threading
import time
from pathlib import Path

import pytest

from support import settings
from support.batches import batch_bytes, line_of, new_creates
from support.captures import assert_empty, captured, new_key
from support.cluster import Cluster
from support.concurrency import Threads, poll_until
from support.feed import EVENT_STREAM, Stream, read_all
from support.http_client import ConnectionEnded
from support.nats import NatsServers
from support.ordem_client import OrdemClient
from support.ordem_server import OrdemServer, ServerDidNotStart, assert_clean_failure, run_ordem, start_server
from support.orders import (
    accepted_order,
    assert_problem,
    assert_stale,
    create,
    merge,
    message_path,
    order_content,
    order_path,
    recorded_part,
    set_status,
)

STALE = [("Ordem-Read", "stale")]
MANUAL = Path(__file__).resolve().parents[2] / "docs/cluster.md"
# What a client waits for: a takeover takes less than 3 s, and a machine that runs the tests of others at once more.
PATIENCE_SECONDS = 20 * settings.SLOW
# Within the drain, without the time in which a standby notices that the owner is silent (1.5 s).
GRACEFUL_PAUSE_SECONDS_MAX = 1.2 * settings.SLOW
WORKERS = 4
RETRY_SECONDS = 0.02


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    """Three servers that the tests of this file share and none may break; each test makes a log of its own."""
    servers = NatsServers(tmp_path_factory.mktemp("nats"), 3)
    servers.start()
    yield servers
    servers.remove()


@pytest.fixture
def own_nats(tmp_path):
    """One server for one test, which may break it."""
    servers = NatsServers(tmp_path / "own nats", 1)
    servers.start()
    yield servers
    servers.remove()


@pytest.fixture
def make_cluster(nats, tmp_path):
    made = []

    def make(*flags, urls=nats.urls, **more):
        made.append(Cluster(tmp_path / f"cluster{len(made)}", urls, flags=flags, **more))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.remove()


def send_until_answered(server, write):
    """Sends a write, again after each 503, and returns its response."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with server.client() as client:
        while True:
            response = write.send(client)
            if response.status != 503:
                return response
            assert time.monotonic() < deadline, response.body
            time.sleep(RETRY_SECONDS)


def order_of(server, order_id):
    """Returns an order by a linearizable read."""
    with server.client() as client:
        return client.get_order(order_id)


class Load:
    """Clients that create orders by way of all nodes in turn. Each repeats a create until it is answered, by another node after an error, as
    clients behind a load balancer do. As a context manager it runs for as long as the block."""

    def __init__(self, cluster):
        self._ports = [server.port for server in cluster]
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.answers = {}  # by GUID: the write and its first response
        self.times = []  # when the answers came
        self.failures = {}  # how many attempts failed, by the slug of a 503, or "connection lost"
        self._threads = None

    def __enter__(self):
        self._threads = Threads([lambda i=i: self._run(i) for i in range(WORKERS)])
        self.wait_answers(20)
        return self

    def __exit__(self, kind, *_):
        self._stopped.set()
        if kind is None:
            self._threads.join()

    def wait_answers(self, count):
        """Waits for so many more answers."""
        target = len(self.times) + count

        def reached():
            self._threads.check()
            return len(self.times) >= target

        poll_until(reached, f"{count} more writes are answered", PATIENCE_SECONDS)

    def longest_pause(self, begin, end):
        """Returns the longest time between two answers, of those in between and of the next ones before and after."""
        before = max((each for each in self.times if each < begin), default=begin)
        after = min((each for each in self.times if each > end), default=end)
        times = [before, *sorted(each for each in self.times if begin <= each <= end), after]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def _run(self, first):
        ports = itertools.cycle(self._ports[first % len(self._ports):] + self._ports[:first % len(self._ports)])
        while not self._stopped.is_set():
            self._create(create(), ports)

    def _create(self, write, ports):
        """Sends a create until it is answered, or until the load is to end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with OrdemClient(next(ports)) as client:
                    response = write.send(client)
            except (ConnectionEnded, OSError):
                response = None
            if response and response.status != 503:
                assert response.status == 201, response.body
                with self._lock:
                    self.answers[write.guid] = (write, response)
                    self.times.append(time.monotonic())
                return
            with self._lock:
                why = response.json()["type"].rsplit("/", 1)[1] if response else "connection lost"
                self.failures[why] = self.failures.get(why, 0) + 1
            if self._stopped.is_set():
                return
            assert time.monotonic() < deadline, f"no answer in {PATIENCE_SECONDS} s: {self.failures}"
            time.sleep(RETRY_SECONDS)


def assert_kept(cluster, load):
    """Each answered write is there on each node, once; its repeat gets the first response, by whichever node."""
    assert load.answers
    cluster.wait_level()
    servers = itertools.cycle(cluster)
    created = {}
    for write, response in load.answers.values():
        created[response.json()["order"]["order_id"]] = response.json()["order"]
        repeat = send_until_answered(next(servers), write)
        assert recorded_part(repeat) == recorded_part(response) and repeat.replayed
    assert len(created) == len(load.answers), "two writes made one order"
    feeds = []
    for server in cluster:
        with server.client() as client:
            events, _ = read_all(client)
        feeds.append(events)
        orders = [event["subject"] for event in events if event["type"] == "order.created"]
        assert len(set(orders)) == len(orders), "an order was created twice"
        assert created.keys() <= set(orders)
    assert feeds[0] == feeds[1] == feeds[2]


# Any node takes any request.

def test_any_node_takes_any_request(make_cluster):
    """Breaks if a standby does not forward a write, or if a read of a node lacks what another one has acknowledged."""
    cluster = make_cluster()
    owner = cluster.owner()
    first, second = cluster.others(owner)
    for writer, reader, last in ((owner, first, second), (first, second, owner), (second, owner, first)):
        # Each read is linearizable: it shows the write that was acknowledged before, by whichever node.
        write = create()
        order = accepted_order(send_until_answered(writer, write), 201)
        assert order_of(reader, order["order_id"]) == order
        assert order_of(last, order["order_id"]) == order
        changed = accepted_order(send_until_answered(reader, merge(order["order_id"], 1, {"currency": "USD"})))
        assert changed["version"] == 2 and order_of(last, order["order_id"]) == changed
        stale = merge(order["order_id"], 1, {"currency": "GBP"})
        assert_stale(send_until_answered(writer, stale), stale, 2)
        confirmed = accepted_order(send_until_answered(last, set_status(order["order_id"], 2, "confirmed")))
        with writer.client() as client:
            assert client.get_versions(order["order_id"])[0]["version"] == 3
            assert client.get(message_path(write.guid)).json()["order_id"] == order["order_id"]
            assert client.get_orders_of(order["customer_id"]) == [confirmed]
        # A repeat by way of another node is one.
        repeat = send_until_answered(last, write)
        assert repeat.status == 201 and repeat.replayed and accepted_order(repeat, 201) == order


def test_a_batch_by_way_of_a_standby(make_cluster):
    cluster = make_cluster()
    owner = cluster.owner()
    writes = new_creates(300)
    with cluster.others(owner)[0].client() as client:
        response = client.exchange(batch_bytes(b"".join(line_of(write) for write in writes)), "POST")
    assert response.status == 200
    verdicts = [json.loads(line) for line in response.body.splitlines()]
    made = [verdict["order"]["order_id"] for verdict in verdicts if verdict.get("status") == 201]
    assert len(set(made)) == 300, verdicts[-1]
    for server in cluster:
        with server.client() as client:
            customer = writes[0].body["customer_id"]
            assert {order["order_id"] for order in client.get_orders_of(customer)} == set(made)


def test_captures_by_way_of_all_nodes(make_cluster):
    """Breaks if two callers at two nodes get the same allocation, or if a node does not return what another one has recorded."""
    cluster = make_cluster()
    owner = cluster.owner()
    first, second = cluster.others(owner)
    key = new_key()
    assert_empty(first.client().captures.allocate(key), 202)
    assert second.client().captures.allocate(key).status == 409
    assert owner.client().captures.allocate(key).status == 409
    response = captured("done", 201)
    assert_empty(second.client().captures.record(key, response), 200)
    for server in cluster:
        server.client().captures.assert_completed(key, response)
    released = new_key()
    assert_empty(owner.client().captures.allocate(released), 202)
    assert_empty(first.client().captures.release(released), 204)
    assert_empty(second.client().captures.allocate(released), 202)


def test_the_feed_and_stale_reads_of_a_standby(make_cluster):
    """Breaks if the feed of a node differs from that of another one, or if a stale read asks the owner."""
    cluster = make_cluster()
    owner = cluster.owner()
    standby = cluster.others(owner)[0]
    assert cluster.state(standby)["owner_address"] == f"127.0.0.1:{owner.port}"
    orders = [accepted_order(send_until_answered(standby, create()), 201) for _ in range(5)]
    with Stream(standby.port, EVENT_STREAM, after=5) as stream:
        orders.append(accepted_order(send_until_answered(owner, create()), 201))
        assert [event["data"]["order"] for event in stream.take(1)] == orders[5:]
    feeds = [read_all(server.client())[0] for server in cluster]
    assert [event["data"]["order"] for event in feeds[0]] == orders
    assert feeds[0] == feeds[1] == feeds[2]
    cluster.wait_level()
    # Without an owner a node shows what it has, to those who ask for that.
    Cluster.pause(owner)
    try:
        with standby.client() as client:
            response = client.get(order_path(orders[0]["order_id"]), STALE)
            assert response.status == 200 and accepted_order(response) == orders[0]
            assert int(response.header("Ordem-Position")) == 6
    finally:
        Cluster.resume(owner)


def test_state_settings_and_metrics_of_nodes(make_cluster, nats):
    """Breaks if a node shows another state than it has, if it shows a secret, or if the manual names other metrics than there are."""
    cluster = make_cluster("--node-address", "orders.example:8080")
    owner = cluster.owner()
    accepted_order(send_until_answered(owner, create()), 201)
    assert cluster.wait_level() == 1
    for server in cluster:
        state = cluster.state(server)
        assert state["name"] == cluster.name and state["node"] == cluster.name_of(server)
        assert state["role"] == ("owner" if server is owner else "standby")
        assert state["owner"] == cluster.name_of(owner) and state["epoch"] >= 1 and state["connected"]
        assert state["owner_address"] == "orders.example:8080" and state["stopped"] is None
        with server.client() as client:
            assert client.positions() == {"decided": 1, "durable": 1, "persisted": None}
            metrics = client.get("/metrics").body.decode()
            shown = {each["name"]: each["value"] for each in client.get("/-/settings").json()["settings"]}
        assert f'ordem_cluster_role{{role="{state["role"]}"}} 1\n' in metrics
        assert "ordem_cluster_owner_known 1\n" in metrics and "ordem_takes_writes 1\n" in metrics
        assert "ordem_cluster_peers 2\n" in metrics and "ordem_log_position 1\n" in metrics
        assert shown["cluster"] == cluster.name and shown["nats"] == nats.urls and shown["node"] == state["node"]
        named = set(re.findall(r"^# TYPE (ordem_cluster_\S+) ", metrics, re.MULTILINE))
        assert named == set(re.findall(r"`(ordem_cluster_[a-z_]+)", MANUAL.read_text()))
        messages = [line["message"] for line in server.logs()]
        assert ("this node owns the log" in messages) == (server is owner)
        assert "joining the cluster" in messages and "connected to NATS" in messages


def test_the_next_owner_goes_on_writing_to_postgres(make_cluster, replica):
    """Breaks if Postgres lacks what an owner has acknowledged, has it twice, or if the claim of the owner before excludes the next one."""
    cluster = make_cluster("--postgres-url", replica)
    owner = cluster.owner()
    orders = [accepted_order(send_until_answered(server, create()), 201) for server in cluster]
    owner.client().wait_persisted(3)
    owner.kill()
    next_owner = cluster.owner(cluster.others(owner))
    orders += [accepted_order(send_until_answered(server, create()), 201) for server in cluster.others(owner)]
    with next_owner.client() as client:
        client.wait_persisted(5)
        assert client.metric("ordem_postgres_connected") == 1
    with replica.snapshot() as snapshot:
        snapshot.assert_prefix()
        assert snapshot.position() == 5
    assert [replica.order(order["order_id"]) for order in orders] == orders
    standby = next(each for each in cluster.others(owner) if each is not next_owner)
    assert standby.client().positions()["persisted"] is None


# What a fault may cost.

def test_kill_of_the_owner_loses_nothing(make_cluster):
    """Breaks if a write that was acknowledged is gone, if a repeat is executed again, or if no other node takes over."""
    cluster = make_cluster()
    owner = cluster.owner()
    others = cluster.others(owner)
    with Load(cluster) as load:
        killed = time.monotonic()
        owner.kill()
        next_owner = cluster.owner(others)
        load.wait_answers(100)
        pause = load.longest_pause(killed, time.monotonic())
    print(f"writes paused for {pause:.2f} s")
    assert next_owner is not owner
    cluster.restart(cluster.name_of(owner))
    assert cluster.owner() is next_owner
    assert_kept(cluster, load)
    cluster.finish()


def test_a_stop_of_the_owner_moves_the_log_at_once(make_cluster):
    """Breaks if a client sees an error of a node that stops, or if the next owner waits until the one before is silent."""
    cluster = make_cluster()
    owner = cluster.owner()
    others = cluster.others(owner)
    epoch = cluster.state(owner)["epoch"]
    with Load(cluster) as load:
        begin = time.monotonic()
        owner.stop()
        load.wait_answers(50)
        pause = load.longest_pause(begin, time.monotonic())
    print(f"writes paused for {pause:.2f} s")
    assert pause < GRACEFUL_PAUSE_SECONDS_MAX
    assert load.failures.keys() <= {"connection lost"}, load.failures
    assert "this node has released the log, and stands by" in [line["message"] for line in owner.logs()]
    next_owner = cluster.owner(others)
    assert cluster.state(next_owner)["epoch"] == epoch + 1
    cluster.restart(cluster.name_of(owner))
    assert_kept(cluster, load)
    cluster.finish()


def test_a_paused_owner_is_fenced_and_stands_by(make_cluster):
    """Breaks if a node that was paused goes on as the owner, needs a restart, or keeps what it decided and never wrote."""
    cluster = make_cluster()
    owner = cluster.owner()
    others = cluster.others(owner)
    order = accepted_order(send_until_answered(owner, create()), 201)
    with Load(cluster) as load:
        Cluster.pause(owner)
        try:
            next_owner = cluster.owner(others)
            changed = accepted_order(send_until_answered(next_owner, merge(order["order_id"], 1, {"currency": "USD"})))
        finally:
            Cluster.resume(owner)
        # Never the version before: the lease of the node that was paused is over.
        read = poll_until(lambda: (got := owner.client().get(order_path(order["order_id"]))).status != 503 and got, "it reads", PATIENCE_SECONDS)
        assert accepted_order(read) == changed
        poll_until(lambda: cluster.state(owner)["role"] == "standby", "the node stands by", PATIENCE_SECONDS)
        load.wait_answers(50)
    messages = [line["message"] for line in owner.logs()]
    assert "another node has taken the log over; this one stands by" in messages
    assert accepted_order(send_until_answered(owner, set_status(order["order_id"], 2, "confirmed")))["version"] == 3
    assert_kept(cluster, load)
    cluster.finish()


def test_all_nodes_killed_and_restarted(make_cluster):
    """Breaks if what was acknowledged is lost with all engines, or if none of them owns the log afterwards."""
    cluster = make_cluster()
    with Load(cluster) as load:
        load.wait_answers(50)
        for server in cluster:
            server.kill()
    for node in ("a", "b", "c"):
        cluster.begin_start(node)
    for server in cluster:
        cluster.wait_ready(server)
    assert_kept(cluster, load)
    accepted_order(send_until_answered(cluster["b"], create()), 201)
    cluster.finish()


def move(cluster, *to):
    return run_ordem("cluster", "move", "--cluster", cluster.name, "--nats", cluster.nats_urls, *to)


def test_the_log_is_moved_under_load(make_cluster):
    """Breaks if a write is lost, doubled or refused for good while operators move the log, or if it goes to another node than they say."""
    cluster = make_cluster()
    owner = cluster.owner()
    standby = cluster.others(owner)[-1]  # not the one that is chosen if none is named
    names = [cluster.name_of(owner), cluster.name_of(standby)]
    with Load(cluster) as load:
        began = time.monotonic()
        moved = move(cluster, "--to", names[1])
        assert moved.returncode == 0, moved.stderr
        assert re.fullmatch(rf"{names[1]} owns the log instead of {names[0]}, epoch 2\n", moved.stdout), moved.stdout
        load.wait_answers(20)
        anywhere = move(cluster)
        assert anywhere.returncode == 0, anywhere.stderr
        assert re.fullmatch(rf"[abc] owns the log instead of {names[1]}, epoch 3\n", anywhere.stdout), anywhere.stdout
        load.wait_answers(20)
    assert load.longest_pause(began, time.monotonic()) < GRACEFUL_PAUSE_SECONDS_MAX
    assert load.failures == {}
    assert_kept(cluster, load)
    present = cluster.name_of(cluster.owner())
    assert move(cluster, "--to", present).stdout == f"nothing to do: {present} owns the log\n"
    absent = move(cluster, "--to", "nowhere")
    assert absent.returncode == 1 and absent.stderr == f"ordem: {present} refuses: the node nowhere does not stand by\n"
    cluster.finish()


def test_nats_away_and_back(own_nats, make_cluster):
    """Breaks if a node answers a write that NATS does not have, or if it needs a restart once NATS is back."""
    cluster = make_cluster(urls=own_nats.urls, replicas=1)
    order = accepted_order(send_until_answered(cluster["a"], create()), 201)
    cluster.wait_level()
    owner = cluster.owner()
    standby = next(each for each in cluster if each is not owner)
    own_nats["n1"].pause()
    in_doubt = create()
    with standby.client() as client, owner.client() as at_owner:
        assert_problem(create().send(client), 503, "no-owner")
        assert_problem(in_doubt.send(at_owner), 503, "no-owner")
        poll_until(lambda: client.get("/-/ready").status == 503, "the node is not ready", PATIENCE_SECONDS)
        assert client.get("/-/ready").json()["status"] == "no-owner" and client.get("/-/ready/reads").status == 200
        assert accepted_order(client.get(order_path(order["order_id"]), STALE)) == order
    own_nats["n1"].resume()
    accepted_order(send_until_answered(standby, create()), 201)
    standby.client().wait_ready()
    # The owner's write went to the log in the end, or never: its repeat is executed once.
    made = accepted_order(send_until_answered(standby, in_doubt), 201)
    assert accepted_order(send_until_answered(cluster.owner(), in_doubt), 201) == made
    # An owner that cannot release the log ends all the same.
    owner = cluster.owner()
    send_until_answered(owner, create())
    own_nats["n1"].pause()
    owner.stop()
    assert "the log could not be released in time; another node takes over after a while" in [line["message"] for line in owner.logs()]
    own_nats["n1"].resume()
    cluster.finish()


def test_a_full_log_takes_writes_again_once_it_is_larger(own_nats, make_cluster):
    """Breaks if a write that the log has no room for waits for ever or is lost to its client, if reads wait for it, or if a node needs a restart."""
    cluster = make_cluster(urls=own_nats.urls, replicas=1)
    owner = cluster.owner()
    large = "x" * 16_000
    created, refused = [], []

    def fill():
        with owner.client() as client:
            while True:
                write = create({**order_content(), "attributes": {"x": large}})
                response = write.send(client)
                if response.status != 201:
                    assert_problem(response, 503, "no-owner")
                    refused.append(write)
                    return
                created.append((write, accepted_order(response, 201)))

    Threads([fill] * (2 * WORKERS)).join()
    assert len(created) * len(large) < 64 * settings.MIB
    order = created[0][1]
    for server in cluster:
        with server.client() as client:
            assert_problem(client.get(order_path(order["order_id"])), 503, "no-owner")
            assert accepted_order(client.get(order_path(order["order_id"]), STALE)) == order
    own_nats["n1"].set_bytes_max(f"ORDEM_{cluster.name.upper()}_LOG_0", 96 * settings.MIB)
    made = [accepted_order(send_until_answered(owner, write), 201)["order_id"] for write in refused]
    for write, order in created[-20:]:
        assert accepted_order(send_until_answered(cluster["b"], write), 201) == order
    assert len({*made, *(order["order_id"] for _, order in created)}) == len(made) + len(created)
    cluster.finish()


# The start.

def test_a_cluster_that_was_not_made(nats, data_dir):
    """Breaks if a node makes a log by itself, or if the error does not name the command that does."""
    with pytest.raises(ServerDidNotStart) as refused:
        start_server(data_dir, "--cluster", "nowhere", "--nats", nats.urls)
    assert_clean_failure(refused.value.code, refused.value.stderr, ["no cluster nowhere", "ordem cluster init"])
    assert not data_dir.exists()


def test_a_start_without_nats_waits_for_it(tmp_path, data_dir):
    """Breaks if an engine that starts before NATS ends, or cannot be stopped while it waits."""
    servers = NatsServers(tmp_path / "nats", 1)
    with OrdemServer(data_dir, "--cluster", "shop", "--nats", servers.urls) as server:
        waiting = poll_until(lambda: [line for line in server.logs() if line["message"] == "waiting for NATS"], "it waits")
        assert waiting[0]["reason"]
        server.signal_stop()
        assert server.wait_exit() == 0


def test_a_node_begins_from_a_backup_of_another(own_nats, make_cluster, tmp_path):
    """Breaks if a log that was trimmed stops nodes that have what was trimmed, or if a node that begins from a back-up lacks a write, does not
    follow the log or can't own it."""
    backups = tmp_path / "backups"
    backups.mkdir()
    cluster = make_cluster("--backup-root", backups, urls=own_nats.urls, replicas=1, nodes=("a", "b"))
    owner = cluster.owner()
    standby, = cluster.others(owner)
    orders = []

    def write_and_back_up(name):
        with owner.client() as client:
            orders.extend(accepted_order(create().send(client), 201) for _ in range(20))
        cluster.wait_level()
        made = run_ordem("backup", "--url", f"http://127.0.0.1:{standby.port}", "--to", name)
        assert made.returncode == 0, made.stderr
        return cluster.state(standby)["sequence"]

    end_of_old = write_and_back_up("old")
    end_of_new = write_and_back_up("new")
    first = (end_of_old + end_of_new) // 2
    own_nats["n1"].trim(f"ORDEM_{cluster.name.upper()}_LOG_0", first)

    shutil.copytree(backups / "new", cluster.folder_of("c"))
    new = cluster.restart("c")
    standby.stop()
    cluster.restart(cluster.name_of(standby))  # by the id in its own folder, since the first record is gone
    of_cluster = ("--cluster", cluster.name, "--nats", own_nats.urls)
    status = run_ordem("cluster", "status", *of_cluster)
    assert status.returncode == 0 and f"sequences {first} to" in status.stdout, status.stdout + status.stderr
    moved = run_ordem("cluster", "move", *of_cluster, "--to", "c")
    assert moved.returncode == 0, moved.stderr
    assert cluster.owner() is new
    with new.client() as client:
        orders.append(accepted_order(create().send(client), 201))
    for server in cluster:
        for order in orders:
            assert order_of(server, order["order_id"]) == order

    with pytest.raises(ServerDidNotStart) as refused:
        start_server(tmp_path / "empty", *of_cluster, "--node", "d")
    assert_clean_failure(refused.value.code, refused.value.stderr, ["trimmed", f"sequence {first}", "back-up of another node"])
    with OrdemServer(backups / "old", *of_cluster, "--node", "e") as late:
        late.wait_listening()
        assert "trimmed" in poll_until(lambda: cluster.state(late)["stopped"], "the node can't follow the log")
    cluster.finish()


def test_a_folder_of_a_server_without_a_cluster_is_refused(launch, nats, make_cluster, data_dir):
    """Breaks if a node takes a log that is not the cluster's, or a server alone takes a copy of one for its own."""
    accepted_order(create().send(launch().client()), 201)
    launch_flags = ("--cluster", make_cluster().name, "--nats", nats.urls, "--node", "d")
    with pytest.raises(ServerDidNotStart) as refused:
        start_server(data_dir.parent / "data", *launch_flags)
    assert refused.value.code == 1
