"""`ordem cluster init` and `status` with real servers of NATS, and the C++ tests of cluster/nats that need three of them."""

import contextlib
import json
import re
import subprocess
import threading
from pathlib import Path

import pytest

from support import settings
from support.certificates import Authority
from support.concurrency import poll_until
from support.nats import NatsServers
from support.ordem_server import assert_no_sanitizer_report, binary, clean_environment, run_ordem

ONE = ("--replicas", "1", "--max-bytes", "64MiB")
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture
def start_nats(tmp_path):
    """A function that starts servers with more configuration."""
    started = []

    def start(count=1, **more):
        started.append(NatsServers(tmp_path / f"nats{len(started)}", count, **more))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.remove()


def cluster(what, nats_urls, *flags, name="shop", environment=None):
    return run_ordem("cluster", what, "--cluster", name, "--nats", nats_urls, *flags, environment=environment)


def state_of(nats_urls, name="shop"):
    result = cluster("status", nats_urls, "--json", name=name)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def assert_fails(result, *words):
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("ordem: ")
    for word in words:
        assert word in result.stderr


def test_init_makes_the_log_once(start_nats):
    """Breaks if a cluster has no id, if a second init changes anything, or if status shows another state."""
    urls = start_nats().urls
    first = cluster("init", urls, *ONE)
    assert first.returncode == 0, first.stderr
    made = re.fullmatch(rf"made the stream ORDEM_SHOP_LOG_0, of 1 replica; the cluster's id is ({UUID})\n", first.stdout)
    assert made, first.stdout
    second = cluster("init", urls, *ONE)
    assert second.returncode == 0, second.stderr
    assert second.stdout == f"nothing to do: the stream ORDEM_SHOP_LOG_0 is there, of 1 replica; the cluster's id is {made[1]}\n"

    state = state_of(urls)
    assert state["cluster"] == "shop" and state["id"] == made[1]
    assert state["owner"] is None and state["nodes"] == []
    log = state["log"]
    assert log["stream"] == "ORDEM_SHOP_LOG_0"
    assert (log["records"], log["first_sequence"], log["last_sequence"]) == (1, 1, 1)
    assert log["bytes"] > 100 and log["bytes_max"] == 64 * settings.MIB
    text = cluster("status", urls).stdout
    assert f"cluster shop, id {made[1]}\n" in text and "owner: none yet\n" in text and "1 records, sequences 1 to 1" in text

    # Another cluster on the same servers is another log.
    assert cluster("init", urls, *ONE, name="other-1").returncode == 0
    assert state_of(urls, name="other-1")["id"] != made[1]


def test_inits_at_once_make_one_log(start_nats):
    """Breaks if two first records are written, or if one of the commands fails."""
    urls = start_nats().urls
    results = [None] * 4

    def init(i):
        results[i] = cluster("init", urls, *ONE)

    threads = [threading.Thread(target=init, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0] * 4, [result.stderr for result in results]
    assert len({re.search(UUID, result.stdout)[0] for result in results}) == 1
    assert state_of(urls)["log"]["last_sequence"] == 1


def test_init_waits_for_servers_that_are_starting(tmp_path):
    """Breaks if an init that runs beside the start of NATS fails: a server alone of three has no leader, and two are too few."""
    servers = NatsServers(tmp_path, 3)
    try:
        servers["n1"].start()
        servers["n1"].wait_listening()
        results = []
        init = threading.Thread(target=lambda: results.append(cluster("init", servers.urls, "--max-bytes", "64MiB")))
        init.start()
        servers["n2"].start()
        servers["n2"].wait_listening()
        servers["n3"].start()
        init.join()
        assert results[0].returncode == 0, results[0].stderr
        assert state_of(servers.urls)["log"]["last_sequence"] == 1
    finally:
        servers.remove()


def test_init_refuses_a_stream_with_other_settings(start_nats):
    """Breaks if a stream that loses records, or of another size, is taken."""
    urls = start_nats().urls
    assert cluster("init", urls, *ONE).returncode == 0
    assert_fails(cluster("init", urls, "--replicas", "1", "--max-bytes", "65MiB"),
                 "ORDEM_SHOP_LOG_0 is there, with other settings", "max_bytes: 67108864, and not 68157440")
    assert_fails(cluster("init", urls, "--max-bytes", "64MiB"), "num_replicas: 1, and not 3")
    assert state_of(urls)["log"]["last_sequence"] == 1


def test_init_says_what_the_servers_lack(start_nats):
    """Breaks if a cluster is made on servers that refuse large records, or that cannot keep three replicas."""
    small = start_nats(max_payload="1MB").urls
    assert_fails(cluster("init", small, *ONE), "at most 1048576 bytes", "max_payload")
    assert_fails(cluster("init", start_nats().urls, "--max-bytes", "64MiB"), "NATS refuses the stream ORDEM_SHOP_LOG_0: ")


def test_status_of_no_cluster(start_nats):
    """Breaks if the absence of a cluster looks like an empty one."""
    assert_fails(cluster("status", start_nats().urls), "there is no cluster shop", "ordem cluster init")


@pytest.mark.parametrize("what", ["init", "status"])
def test_no_server(what):
    """Breaks if a command hangs, or ends without saying why."""
    assert_fails(cluster(what, "nats://127.0.0.1:1,nats://127.0.0.1:2"), "NATS cannot be used", "no server can be reached")


def test_a_server_without_jetstream(tmp_path, start_nats):
    """Breaks if the error does not say what is missing."""
    servers = start_nats()
    servers["n1"].stop()
    configuration = next(tmp_path.glob("nats0/n1.conf"))
    configuration.write_text("".join(line for line in configuration.read_text().splitlines(True) if not line.startswith("jetstream")))
    servers["n1"].start()
    servers["n1"].wait_listening()
    assert_fails(cluster("init", servers.urls, *ONE), "JetStream is not enabled")


def test_user_and_password(start_nats):
    """Breaks if a password is not sent, if a wrong one is not refused with its reason, or if one is shown."""
    # The permissions of docs/cluster.md.
    servers = start_nats(more="""authorization { users: [ { user: "ordem", password: "p@ss,word", permissions: {
      publish: [ "ordem.shop.>", "$JS.API.STREAM.*.ORDEM_SHOP_LOG_0", "$JS.API.STREAM.MSG.GET.ORDEM_SHOP_LOG_0",
                 "$JS.API.DIRECT.GET.ORDEM_SHOP_LOG_0", "_INBOX.>" ],
      subscribe: [ "ordem.shop.>", "_INBOX.>" ] } } ] }
""")
    plain = servers.urls
    right = plain.replace("://", "://ordem:p%40ss%2Cword@")
    assert cluster("init", right, *ONE).returncode == 0
    assert cluster("status", right).returncode == 0
    for urls in (plain, plain.replace("://", "://ordem:hunter2@"), plain.replace("://", "://hunter2@")):
        result = cluster("status", urls)
        assert_fails(result, "the servers refuse the user or the credentials")
        assert "hunter2" not in result.stderr
    # The environment names it as well, out of sight of others.
    shown = run_ordem("cluster", "status", environment={"ORDEM_CLUSTER": "shop", "ORDEM_NATS": right})
    assert shown.returncode == 0 and "p@ss" not in shown.stdout + shown.stderr
    bad = run_ordem("cluster", "status", "--cluster", "shop", f"--nats={right.replace('127.0.0.1', '127.0.0.1/x')}")
    assert bad.returncode == 2 and "p%40ss" not in bad.stderr and "NATS knows no path" in bad.stderr


def test_token(start_nats):
    servers = start_nats(more='authorization { token: "t0ken" }\n')
    assert cluster("init", servers.urls.replace("://", "://t0ken@"), *ONE).returncode == 0


def test_a_credentials_file_that_is_not_there(start_nats):
    assert_fails(cluster("status", start_nats().urls, "--nats-credentials", "/does/not/exist.creds"),
                 "the credentials file '/does/not/exist.creds' cannot be used")


def test_tls(tmp_path, start_nats):
    """Breaks if a server is not checked against the authority and its name, or if the client's certificate is not shown."""
    authority = Authority(tmp_path / "ours", "Ours")
    other = Authority(tmp_path / "theirs", "Theirs")
    server = authority.issue("server", "/CN=nats", names="DNS:localhost")
    client = authority.issue("client", "/CN=ordem", purpose="clientAuth")
    tls = (f'tls {{ cert_file: "{server.certificate}", key_file: "{server.key}", ca_file: "{authority.certificate}", '
           "verify: true, timeout: 5 }\n")
    servers = start_nats(scheme="tls", host="localhost", more=tls)
    ours = ("--nats-ca", authority.certificate, "--nats-certificate", client.certificate, "--nats-key", client.key)
    made = cluster("init", servers.urls, *ONE, *ours)
    assert made.returncode == 0, made.stderr
    # URLs of nats:// become TLS by the authority that is given.
    assert cluster("status", servers.urls.replace("tls://", "nats://"), *ours).returncode == 0
    assert_fails(cluster("status", servers.urls, "--nats-ca", other.certificate, *ours[2:]), "NATS cannot be used")
    assert_fails(cluster("status", servers.urls, *ours[2:]), "NATS cannot be used")
    assert_fails(cluster("status", servers.urls, *ours[:2]), "NATS cannot be used")
    assert_fails(cluster("status", servers.urls.replace("localhost", "127.0.0.1"), *ours), "NATS cannot be used")
    assert_fails(cluster("status", servers.urls, "--nats-ca", "/does/not/exist.pem"), "/does/not/exist.pem")


@pytest.mark.parametrize("arguments, word", [
    (("--nats", "nats://h"), "--cluster"),
    (("--cluster", "shop"), "--nats"),
    (("--cluster", "Shop", "--nats", "nats://h"), "a to z"),
    (("--cluster", "shop", "--nats", "http://h"), "nats://"),
    (("--cluster", "shop", "--nats", "nats://h", "--nats-certificate", "c.pem"), "--nats-key"),
    (("--cluster", "shop", "--nats", "nats://u:p@h", "--nats-credentials", "x"), "--nats-credentials"),
], ids=str)
def test_bad_settings(arguments, word):
    for what in ("init", "status"):
        result = run_ordem("cluster", what, *arguments)
        assert result.returncode == 2 and word in result.stderr, result.stderr


def cpp_tests(servers, urls=None):
    """Returns the program of the C++ tests with real servers, and its environment."""
    pids = ",".join(f"{server.name}={server.pid}" for server in servers)
    program = Path(binary()).parents[1] / "tests" / "ordem_tests_nats_servers"
    return program, clean_environment({"NATS_URLS": urls or servers.urls, "NATS_PIDS": pids})


def run_cpp_tests(servers, selection, urls=None):
    program, environment = cpp_tests(servers, urls)
    result = subprocess.run([program, selection], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=settings.THREADS_SECONDS_MAX * 3, check=False)
    assert_no_sanitizer_report(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "All tests passed" in result.stdout


@contextlib.contextmanager
def heartbeats(servers):
    """While it lasts, two nodes send heartbeats."""
    program, environment = cpp_tests(servers)
    with subprocess.Popen([program, "[heartbeats]"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as sender:
        yield
        sender.stdin.close()
        assert sender.wait(settings.STOP_SECONDS_MAX) == 0


def test_links_readers_and_messages_on_three_servers(start_nats):
    """The cases in tests/cluster/servers; the last one kills the server of the stream's leader."""
    servers = start_nats(3)
    run_cpp_tests(servers, "~[kill]~[node]~[.]")
    run_cpp_tests(servers, "[kill]")


def test_nodes_over_one_log(start_nats):
    """The cases in tests/cluster/servers/cluster_node_test.cpp."""
    run_cpp_tests(start_nats(3), "[node]")


def test_a_link_whose_user_is_refused_is_closed(start_nats):
    """Breaks if a node waits for ever for a server that refuses it, without a reason."""
    servers = start_nats(more='authorization { user: "ordem", password: "right" }\n')
    run_cpp_tests(servers, "[refused]", urls=servers.urls.replace("://", "://ordem:wrong@"))


def test_status_shows_the_owner_and_the_nodes(start_nats):
    """Breaks if the owner is not found behind dead records, or if a node that sends heartbeats is not shown."""
    servers = start_nats()
    assert cluster("init", servers.urls, *ONE).returncode == 0
    run_cpp_tests(servers, "[owners]")
    # A status that began before the first heartbeat hears none.
    with heartbeats(servers):
        state = poll_until(lambda: (found := state_of(servers.urls))["nodes"] and found, "heartbeats are heard")
        text = cluster("status", servers.urls).stdout
    assert state["log"]["last_sequence"] == 100
    assert state["owner"] == {"node": "node-b", "epoch": 2, "sequence": 41, "http_address": "node-b:8080", "released": False}
    assert [(node["node"], node["role"], node["position"], node["version"]) for node in state["nodes"]] == [
        ("node-a", "standby", 7, "1.2.3"), ("node-b", "owner", 9, "1.2.4")]
    assert "owner: node-b, epoch 2, since sequence 41, at node-b:8080\n" in text
    assert "  node-a: standby, epoch 2, sequence 100, position 7, node-a:8080, version 1.2.3\n" in text
    run_cpp_tests(servers, "[release]")
    state = state_of(servers.urls)
    assert state["owner"]["released"] and state["nodes"] == []


def test_status_shows_replicas(start_nats):
    """Breaks if a replica that is lost is not shown as such."""
    servers = start_nats(3)
    made = cluster("init", servers.urls, "--max-bytes", "64MiB")
    assert made.returncode == 0 and "of 3 replicas" in made.stdout, made.stderr
    log = state_of(servers.urls)["log"]
    assert log["leader"] in ("n1", "n2", "n3") and len(log["followers"]) == 2
    lost = log["followers"][0]["server"]
    servers[lost].kill()
    poll_until(lambda: any(each["server"] == lost and (each["offline"] or not each["current"])
                           for each in state_of(servers.urls)["log"]["followers"]), "the lost replica is shown")
