"""The image of deploy/Dockerfile: built, and run as intended: not as root, with a read-only root file system, without capabilities."""

import json
import os
import subprocess

import pytest

from support import settings
from support.concurrency import poll_until
from support.containers import ROOT, Container, build_image, image_facts, needs_root, project_version
from support.containers import environment as tool_environment
from support.helm import render
from support.ordem_server import OrdemServer, assert_clean_failure, run_ordem
from support.postgres import PASSWORD_ROLE, SOCKET_NAME
from support.replica import Replica
from support.smoke_test import run_smoke_test

pytestmark = needs_root

SIZE_BYTES_MAX = 160 * 1000 * 1000  # of which opentelemetry-cpp and what it needs take about 30
USER = 10001
DATA = "/var/lib/ordem"
HEALTH_CHECK = ["ordem", "ready", "--reads"]
SOCKET_FOLDER = "/run/postgresql"
SERVICE_FILE = "/run/secrets/postgres-service"
PASSWORD = "p@ss w/rd%"


@pytest.fixture(scope="module")
def image():
    return build_image()


@pytest.fixture
def contain(image):
    """A function that returns a container of the image; removed at the end."""
    containers = []

    def make(*options):
        containers.append(Container(image, *options))
        return containers[-1]

    yield make
    for container in containers:
        container.remove()


@pytest.fixture
def volume(tmp_path):
    """A data folder, as a volume that the image's user may write."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o750)
    os.chown(folder, USER, USER)
    return folder


def start_in(container, *flags):
    return OrdemServer(DATA, *flags, environment=tool_environment(), program=container.program).wait_listening()


def test_size(image):
    """Breaks if the compiler, sources, symbols or package lists remain in the image."""
    assert image_facts(image)["Size"] < SIZE_BYTES_MAX


def test_description(image):
    """Breaks if the image lacks its labels, its user or its health check."""
    facts = image_facts(image)
    config = facts["Config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == (f"{USER}:{USER}", ["ordem"], ["serve"])
    assert (list(config["ExposedPorts"]), list(config["Volumes"])) == (["8080/tcp"], [DATA])
    assert {"ORDEM_CONFIG=/etc/ordem/ordem.conf", f"ORDEM_DATA_DIR={DATA}", "ORDEM_ADDRESS=0.0.0.0"} <= set(config["Env"])
    assert config["Labels"]["org.opencontainers.image.version"] == project_version()
    assert facts["Healthcheck"]["Test"] == ["CMD", *HEALTH_CHECK]
    assert f"ordem {project_version()}," in run_ordem("version").stdout


def test_without_identities_it_does_not_start(contain):
    """Breaks if a container is open to everyone who reaches it, or the message does not say what to do."""
    ended = subprocess.run(contain("--network", "none").program, env=tool_environment(), stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False)
    assert_clean_failure(ended.returncode, ended.stderr, ["--keys", "--auth none", "0.0.0.0"])


def test_makes_keys(contain):
    key, line = contain("--network", "none").run("key", "create", "--name", "me", "--scopes", "orders:read").splitlines()
    assert key.startswith("ordem_") and line.startswith("name=me scopes=orders:read ")


def test_has_what_a_key_set_and_the_smoke_test_need(contain):
    """Breaks if an https URL can't be verified, or the chart's smoke test can't speak TLS."""
    container = contain("--network", "none", "--entrypoint", "openssl")
    assert container.run("version").startswith("OpenSSL 3")
    container = contain("--network", "none", "--entrypoint", "test")
    container.run("-s", "/etc/ssl/certs/ca-certificates.crt")


def test_default_command_in_a_network_of_its_own(contain):
    """Breaks if the image does not serve by default, writes outside its volume, fails its own health check, or does not stop on
    request."""
    container = contain("--network", "none", "--env", "ORDEM_AUTH=none")
    process = subprocess.Popen(container.program, env=tool_environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    poll_until(lambda: container.execute(*HEALTH_CHECK).returncode == 0, "the server is ready", settings.START_SECONDS_MAX)

    assert container.execute("id", "-un").stdout.strip() == "ordem"
    assert "Read-only file system" in container.execute("touch", "/etc/ordem/more.conf").stderr
    assert container.execute("touch", f"{DATA}/more").returncode == 0

    process.terminate()
    _, log = process.communicate(timeout=settings.STOP_SECONDS_MAX)
    assert process.returncode == 0, log.decode()
    settings_in_log = {entry["name"]: entry["value"] for entry in map(json.loads, log.splitlines()) if entry["message"] == "setting"}
    assert (settings_in_log["address"], settings_in_log["port"], settings_in_log["data-dir"]) == ("0.0.0.0", "8080", DATA)


def test_smoke_test(contain, volume):
    """Breaks if the engine in the image does not work, or an order is lost with its container."""
    server = start_in(contain("--network", "host", "--volume", f"{volume}:{DATA}"))
    order = run_smoke_test(server.client())
    server.stop()
    server = start_in(contain("--network", "host", "--volume", f"{volume}:{DATA}"))
    assert server.client().get_order(order["order_id"]) == order
    server.stop()


def test_postgres(contain, volume, tmp_path, own_postgres):
    """Breaks if the image can't create the tables, if serve does not fill them, or if the password has to be in the environment: it is
    in a service file of libpq, as a mounted secret."""
    url = own_postgres.create_database()
    own_postgres.run(url, f"CREATE ROLE ordem LOGIN PASSWORD '{PASSWORD}' IN ROLE {PASSWORD_ROLE}")
    own_postgres.run(url, "GRANT ALL ON SCHEMA public TO ordem")
    database = own_postgres.run(url, "SELECT current_database()")[0][0]
    secret = tmp_path / "postgres-service"
    secret.write_text(f"[ordem]\nhost={SOCKET_FOLDER}\nuser=ordem\npassword={PASSWORD}\ndbname={database}\n")
    options = (
        "--network", "host", "--volume", f"{own_postgres.folder / SOCKET_NAME}:{SOCKET_FOLDER}/{SOCKET_NAME}",
        "--volume", f"{secret}:{SERVICE_FILE}:ro", "--env", f"PGSERVICEFILE={SERVICE_FILE}",
        "--env", "ORDEM_POSTGRES_URL=postgresql:///?service=ordem",
    )

    newest = sorted((ROOT / "migrations").glob("*.sql"))[-1].stem
    assert f"applied {newest}" in contain(*options).run("migrate")
    assert "nothing to do" in contain(*options).run("migrate")

    server = start_in(contain(*options, "--volume", f"{volume}:{DATA}"))
    client = server.client()
    order = run_smoke_test(client)
    client.wait_persisted()
    assert Replica(own_postgres, url).order(order["order_id"]) == order
    assert PASSWORD not in server.printed()
    server.stop()


def test_as_the_chart_runs_it(contain, volume, tmp_path, own_postgres):
    """Breaks if the command of the chart's Job creates no tables in the image, or the server there refuses the chart's configuration."""
    manifests = render({"postgres": {"existingSecret": "db"}, "config": {"message-ttl": "48h", "durability": "postgres"}})
    configuration, keys = tmp_path / "configuration", tmp_path / "keys"
    for folder in (configuration, keys):
        folder.mkdir()
    (configuration / "ordem.conf").write_text(manifests.configuration())
    (keys / "keys").write_text(manifests.one("Secret", "ordem-keys")["stringData"]["keys"])
    url = own_postgres.create_database()
    socket = own_postgres.folder / SOCKET_NAME
    options = ("--network", "host", "--env", f"ORDEM_POSTGRES_URL={url}", "--volume", f"{socket}:{socket}")

    job = manifests.one("Job", "ordem-migrate")["spec"]["template"]["spec"]["containers"][0]
    assert "applied" in contain(*options).run(*job["args"])

    command, *flags = manifests.server()["args"]
    assert command == "serve"
    mounts = {mount["name"]: mount["mountPath"] for mount in manifests.server()["volumeMounts"]}
    container = contain(*options, "--volume", f"{volume}:{mounts['data']}", "--volume", f"{configuration}:{mounts['config']}:ro",
                        "--volume", f"{keys}:{mounts['keys']}:ro")
    server = start_in(container, *flags, "--operations-port", "0")
    client = server.client()
    client.key = manifests.one("Secret", "ordem-trial-key")["stringData"]["key"]
    client.wait_ready()
    order = run_smoke_test(client)
    assert Replica(own_postgres, url).order(order["order_id"]) == order  # without waiting: the response was sent after the commit
    server.stop()
