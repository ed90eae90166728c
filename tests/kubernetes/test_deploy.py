"""The commands of docs/deploy.md, word for word and in their order, on a real cluster, with checks between them.

The tests depend on each other: each one continues with the cluster as the previous one left it.
"""

import base64
import json
import os
import random
import re
import shutil
import signal
from pathlib import Path

import psycopg2
import pytest
import yaml

from deploy_page import blocks, commands, run_commands
from images import NEXT_VERSION, POSTGRES
from support import settings
from support.concurrency import poll_until
from support.containers import project_version
from support.helm import ROOT, render
from support.http_client import ConnectionEnded
from support.ingress_nginx import IngressNginx
from support.oracle import Oracle, assert_server_agrees
from support.ordem_client import OrdemClient
from support.orders import STALE_VERSION, new_customer
from support.workload import REUSE_CUSTOMER, Load, Worker

NAMESPACE = "shop"
HOST = "orders.example"
VALUES = "deploy/values.example.yaml"
VOLUMES = 3
WRITES = 100
PASSWORD = "secret"
NEW_DATABASE = "moved"
NO_ORDER = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
# The commands under these headings are replaced by images.py, which uses buildah, and by an nginx with the controller's configuration.
REPLACED = {"The image", "The ingress controller"}
# The volumes of this cluster are created by hand and can't be resized.
NOT_RUN = {"Grow the volume"}
TRIAL = "trial"
# The second engine requests less, so that two cores are enough for both.
TRIAL_FLAGS = "--set postgres.enabled=true --set postgres.existingSecret= --set resources.requests.cpu=100m"
POSTGRES_POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "postgres", "labels": {"app": "postgres"}},
    "spec": {"containers": [{
        "name": "postgres", "image": POSTGRES,
        "env": [{"name": name, "value": value} for name, value in (
            ("POSTGRES_USER", "ordem"), ("POSTGRES_DB", "orders"), ("POSTGRES_PASSWORD", PASSWORD))]}]}}
POSTGRES_SERVICE = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "postgres"},
    "spec": {"selector": {"app": "postgres"}, "ports": [{"port": 5432}]}}


class Postgres:
    """A Postgres that exists before the installation: its Service makes it reachable from pods and from here."""

    def __init__(self, cluster):
        cluster.api("/api/v1/namespaces/default/pods", POSTGRES_POD)
        service = cluster.api("/api/v1/namespaces/default/services", POSTGRES_SERVICE)
        self._address = service["spec"]["clusterIP"]
        poll_until(self._takes_connections, "Postgres takes connections", settings.START_SECONDS_MAX)

    def url(self, database="orders"):
        return f"postgresql://ordem:{PASSWORD}@{self._address}:5432/{database}"

    def run(self, sql):
        connection = psycopg2.connect(self.url(), connect_timeout=1)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def newest_migration(self):
        return self.run("SELECT name FROM ordem_migrations ORDER BY number DESC LIMIT 1")[0][0]

    def _takes_connections(self):
        try:
            return self.run("SELECT 1")
        except psycopg2.OperationalError:
            return False


class PatientClient(OrdemClient):
    """Repeats a request without a response, as the page recommends to clients: after 502, 503 and 504, and after a lost connection."""

    def exchange(self, data, method="GET"):
        def answer():
            try:
                response = super(PatientClient, self).exchange(data, method)
            except (ConnectionEnded, OSError):
                self.close()
                return None
            return response if response.status not in (502, 503, 504) else None

        return poll_until(answer, "an answer", settings.THREADS_SECONDS_MAX)


class PatientWorker(Worker):
    client_class = PatientClient


class Shop:
    """The installation: the addresses of its parts, and the responses that its clients received."""

    def __init__(self, cluster, folder):
        self._cluster = cluster
        self._folder = folder
        self._rng = random.Random(settings.SEED)
        self._oracle = Oracle(passed_on_again=True)
        self._customers = [new_customer() for _ in range(3)]
        self.headings = REPLACED | NOT_RUN
        self.repository = folder / "repository"
        shutil.copytree(ROOT / "deploy", self.repository / "deploy")
        self.postgres = Postgres(cluster)
        self.service = None
        self.nginx = IngressNginx(folder, render(yaml.safe_load((ROOT / VALUES).read_text()))).wait_listening()
        # Clients get from DNS the address that curl gets here as an option.
        (Path(os.environ["HOME"]) / ".curlrc").write_text(f'connect-to = "{HOST}:80:127.0.0.1:{self.nginx.port}"\n')

    def run(self, heading):
        """Runs the commands under a heading of the page; returns their output."""
        self.headings.add(heading)
        environment = {"ORDEM_POSTGRES_URL": self.postgres.url(), "NEW_POSTGRES_URL": self.postgres.url(NEW_DATABASE),
                       "TMPDIR": str(self._folder)}
        return "".join(run_commands(block, self.repository, environment) for block in commands(heading))

    def run_trial(self, heading, flags=""):
        """Like run(), for a second installation in another namespace."""
        return "".join(run_commands(block.replace(NAMESPACE, TRIAL).rstrip() + f" {flags}", self.repository, {})
                       for block in commands(heading))

    def secret(self, name, member):
        return base64.b64decode(self.object("secret", name)["data"][member]).decode()

    def follow_service(self):
        """Configures the ingress to use the Service, as the controller does, and clients inside the cluster, with the generated key."""
        PatientClient.key = self.secret("ordem-trial-key", "key")
        service = self.object("service", "ordem")["spec"]
        self.service = (service["ports"][0]["port"], service["clusterIP"])
        self.nginx.set_engine(*self.service)

    def kubectl(self, *arguments):
        return self._cluster.kubectl("--namespace", NAMESPACE, *arguments)

    def object(self, kind, name):
        return json.loads(self.kubectl("get", kind, name, "--output=json"))

    def engine(self):
        return PatientClient(*self.service)

    def operations(self):
        """A client of the port of operations, which no Service with an address has."""
        pod = self.object("pod", "ordem-0")
        [port] = [port["containerPort"] for port in pod["spec"]["containers"][0]["ports"] if port["name"] == "operations"]
        return PatientClient(port, pod["status"]["podIP"])

    def load(self):
        """Clients that write through the ingress until the end of the block."""
        return Load(self._oracle, [PatientWorker(self._oracle, self.nginx.port, random.Random(self._rng.getrandbits(64)), self._customers)
                                   for _ in range(settings.LOAD_CLIENTS)])

    def assert_nothing_lost(self):
        """Checks that the engine has every acknowledged write, exactly once."""
        with self.engine() as client:
            client.wait_ready()
            assert_server_agrees(client, self._oracle, self._rng, [*self._customers, REUSE_CUSTOMER], self._oracle.recorded_guids(),
                                 self._oracle.known_orders())

    def assert_postgres_has_it(self):
        with self.operations() as client:
            client.wait_persisted()
        assert ": no difference" in self.kubectl("exec", "ordem-0", "--", "ordem", "verify")


@pytest.fixture(scope="module")
def shop(cluster, tmp_path_factory):
    for number in range(VOLUMES):
        cluster.offer_volume(f"disk-{number}")
    running = Shop(cluster, tmp_path_factory.mktemp("shop"))
    yield running
    running.nginx.stop()


def engine_pid():
    """Returns the engine's process, which is visible from outside its container."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (folder / "cmdline").read_bytes().startswith(b"ordem\0serve\0"):
            return int(folder.name)
    raise AssertionError("no engine runs")


def test_install(shop):
    """Breaks if the migration does not come first, or the engine does not become ready."""
    shop.run("A namespace")
    shop.run("The address of Postgres")
    shop.run("Ordem")
    assert shop.object("job", "ordem-migrate")["status"]["succeeded"] == 1
    shop.run("Wait for it")
    assert shop.object("statefulset", "ordem")["status"]["readyReplicas"] == 1
    shop.follow_service()


def test_smoke_test_inside_the_cluster(shop):
    assert "Smoke test passed" in shop.run("Smoke test inside the cluster")


def test_smoke_test_through_the_ingress(shop):
    answers = [json.loads(line) for line in shop.run("Smoke test through the ingress").splitlines()]
    assert [answer["code"] for answer in answers] == [201, 200, 200, 201, STALE_VERSION, 200]
    assert answers[3] == answers[0] and answers[5]["order"]["version"] == 3
    with OrdemClient(shop.nginx.port) as client:
        assert client.get("/metrics").status == 404
        assert client.get("/api/v1/orders/any").status == 401


def test_a_key_for_each_client(shop):
    """Breaks if the line that the pod prints is no line of auth.keys, the server does not read the new file, or the pod restarts for it."""
    key, line = [text for text in shop.run("A key for each client").splitlines() if text.startswith(("ordem_", "name="))]
    started = shop.object("pod", "ordem-0")["metadata"]["uid"]
    values = shop.repository / "keys.json"
    values.write_text(json.dumps({"auth": {"keys": [line]}}))
    upgrade = commands("Upgrade")[0].splitlines()[0]
    run_commands(f"{upgrade} --values {values}", shop.repository, {})
    with PatientClient(*shop.service) as client:
        client.key = key
        # 404: the tenant has no such order.
        poll_until(lambda: client.get(f"/api/v1/orders/{NO_ORDER}").status == 404, "the key is known", settings.KEYS_SECONDS_MAX)
    assert shop.object("pod", "ordem-0")["metadata"]["uid"] == started
    assert shop.secret("ordem-trial-key", "key") == PatientClient.key
    run_commands(upgrade, shop.repository, {})


@pytest.mark.parametrize("way", ["kill -9", "deleted by force", "deleted"])
def test_nothing_is_lost_with_the_pod(shop, way):
    """Breaks if an acknowledged write is lost, or one that a client repeats is executed twice."""
    with shop.load() as load:
        load.wait_for(WRITES)
        if way == "kill -9":
            os.kill(engine_pid(), signal.SIGKILL)
        else:
            shop.kubectl("delete", "pod", "ordem-0", *(("--force", "--grace-period=0") if way == "deleted by force" else ()))
        load.wait_for(WRITES)
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_upgrade_with_a_migration(shop):
    """An upgrade of the chart whose new version has a program with one more migration, under load."""
    chart = shop.repository / "deploy/helm/ordem/Chart.yaml"
    chart.write_text(re.sub(r"^appVersion: .*$", f'appVersion: "{NEXT_VERSION}"', chart.read_text(), flags=re.MULTILINE))
    before = shop.postgres.newest_migration()
    with shop.load() as load:
        load.wait_for(WRITES)
        shop.run("Upgrade")
        load.wait_for(WRITES)
    assert shop.postgres.newest_migration() > before
    assert f"ordem {NEXT_VERSION}," in shop.kubectl("exec", "ordem-0", "--", "ordem", "version")
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_roll_back_past_a_migration(shop):
    """The older program continues without Postgres, as the page says, and the next upgrade replicates everything from that time."""
    shop.run("Roll back")
    assert f"ordem {project_version()}," in shop.kubectl("exec", "ordem-0", "--", "ordem", "version")
    with shop.load() as load:
        load.wait_for(WRITES)
    shop.assert_nothing_lost()
    with shop.operations() as client:
        assert client.metric("ordem_postgres_connected") == 0
    shop.run("Upgrade")
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_restore_the_volume(shop):
    shop.run("Back up the volume")
    shop.run("Restore the volume")
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_restore_from_postgres(shop):
    with shop.load() as load:
        load.wait_for(WRITES)
    shop.assert_postgres_has_it()
    shop.run("Restore from Postgres")
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_move_to_another_postgres(shop):
    shop.postgres.run(f"CREATE DATABASE {NEW_DATABASE}")
    assert ": no difference" in shop.run("Move to another Postgres")
    with shop.load() as load:
        load.wait_for(WRITES)
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_try_it_with_a_postgres_beside_it(shop):
    """Breaks if the migration can't connect to the existing Postgres, or an upgrade loses its password."""
    shop.run_trial("A namespace")
    shop.run_trial("Ordem", TRIAL_FLAGS)
    shop.run_trial("Wait for it")
    assert "Smoke test passed" in shop.run_trial("Smoke test inside the cluster")
    # Breaks if an upgrade makes another trial key: the pod of the test gets the key of the Secret, the server that of its keys file.
    upgrade = commands("Upgrade")[0].splitlines()[0]
    run_commands(f"{upgrade.replace(NAMESPACE, TRIAL)} {TRIAL_FLAGS}", shop.repository, {})
    assert "Smoke test passed" in shop.run_trial("Smoke test inside the cluster")


def test_remove(shop):
    """The volume remains, and a new installation of the same name uses it."""
    shop.run("Remove it")
    assert shop.object("persistentvolumeclaim", "data-ordem-0")["status"]["phase"] == "Bound"
    poll_until(lambda: "ordem-0" not in shop.kubectl("get", "pods"), "the pod is gone", settings.STOP_SECONDS_MAX)
    shop.run("Ordem")
    shop.run("Wait for it")
    shop.follow_service()
    shop.assert_nothing_lost()
    shop.assert_postgres_has_it()


def test_nothing_of_the_page_was_left_out(shop):
    assert shop.headings == {heading for heading, _ in blocks()}
