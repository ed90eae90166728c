"""Back-ups of a server that goes on: what is in them, who may ask for one, and what is left when one fails."""

import json
import random
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from support import settings
from support.certificates import Authority
from support.concurrency import poll_until
from support.http_client import request_bytes
from support.oracle import Oracle, assert_server_agrees
from support.ordem_client import OrdemClient
from support.ordem_server import run_ordem
from support.orders import JSON_TYPE, accepted_order, assert_problem, create, message_path, order_content, order_path
from support.workload import CUSTOMERS, REUSE_CUSTOMER, Load, Worker

BACKUP = "/-/backup"
WRITES = settings.sampled(300)
FILLER_BYTES = 16_000


@pytest.fixture
def root(tmp_path):
    """The folder for back-ups."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.fixture
def other_disk():
    """A folder on a file system in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def rng():
    print(f"ORDEM_SEED={settings.SEED}")
    return random.Random(settings.SEED)


def run_backup(server, to, *flags, port=None):
    return run_ordem("backup", "--to", to, "--url", f"http://127.0.0.1:{port or server.port}", *flags)


def made(server, to, *flags, port=None):
    """Makes a back-up, which is checked; returns its position."""
    result = run_backup(server, to, *flags, port=port)
    assert result.returncode == 0, result.stderr
    assert "is intact" in result.stdout and not result.stderr, result.stdout + result.stderr
    return manifest_of(to)["position"]


def manifest_of(folder):
    return json.loads((Path(folder) / "BACKUP").read_text())


def verified(folder):
    """Returns the output of `ordem backup verify` for an intact back-up."""
    result = run_ordem("backup", "verify", folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


def assert_refused(result, *words):
    assert result.returncode == 1 and not result.stdout, result.stdout + result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def post_backup(client, to, headers=(), key=None):
    line = [("Authorization", f"Bearer {key}")] if key else []
    return client.exchange(request_bytes("POST", BACKUP, [("Content-Type", JSON_TYPE), *headers, *line], json.dumps({"to": to}).encode()), "POST")


def wait_ended(client):
    """Waits until no back-up is being made; returns the state of the last one."""
    def ended():
        state = client.get(BACKUP).json()
        return state if state["status"] != "running" else None

    return poll_until(ended, "the back-up has ended", settings.THREADS_SECONDS_MAX)


def write_large_orders(client, count):
    return [accepted_order(create(order_content("large", attributes={"filler": "x" * FILLER_BYTES, "number": number})).send(client), 201)
            for number in range(count)]


def metrics_of(client):
    return {line.split()[0]: float(line.split()[1]) for line in client.get("/metrics").body.decode().splitlines()
            if line.startswith("ordem_backup")}


# What is in a back-up.


class PositionedWorker(Worker):
    """Keeps the position that the response to each recorded write names, which is not before that of the write."""

    positions = None

    def _write(self, write):
        self._oracle.sending(write)
        response = write.send(self._client)
        self._oracle.answered(write.guid, response)
        self.positions[write.guid] = int(response.header("Ordem-Position"))


def positioned_load(server, rng, oracle, positions):
    workers = [PositionedWorker(oracle, server.port, random.Random(rng.getrandbits(64)), CUSTOMERS) for _ in range(settings.LOAD_CLIENTS)]
    for worker in workers:
        worker.positions = positions
    return Load(oracle, workers)


def get_message(client, guid):
    answer = client.get(message_path(guid))
    return answer.json() if answer.status == 200 else None


def assert_copy_is_the_beginning(copy, original, oracle, positions, last, others):
    """`copy` has what `original` had at position `last`: every write that was acknowledged by then, none from after it, and nothing else
    but `others` messages that the oracle does not know."""
    guids = oracle.recorded_guids()
    copied = {guid: get_message(copy, guid) for guid in guids}
    for guid, message in copied.items():
        if message is None:
            assert positions[guid] > last, f"{guid} was acknowledged at position {positions[guid]}"
        else:
            assert message == get_message(original, guid)
    # Each position is one message.
    assert sum(message is not None for message in copied.values()) + others == last
    for order_id in {message["order_id"] for message in copied.values() if message and message["order_id"]}:
        versions = copy.get_versions(order_id)
        assert versions == original.get_versions(order_id)[-len(versions):]
        assert copy.get_order(order_id) == versions[0]


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["links", "copies"])
def test_backup_under_load_is_a_beginning_of_the_log(launch, data_dir, root, other_disk, tmp_path, rng, is_elsewhere):
    """Breaks if a back-up lacks a write that was acknowledged before it was begun or by its position, has one from after it, has a write
    in part, or if making it changes or stops the server."""
    oracle, positions = Oracle(), {}
    folder = other_disk if is_elsewhere else root
    server = launch(f"--backup-root={folder}", "--write-buffer=4MiB")
    write_large_orders(server.client(), 200)  # several table files
    positions_before = server.client().positions()["durable"]
    with positioned_load(server, rng, oracle, positions) as running:
        running.wait_for(WRITES)
        acknowledged = set(oracle.recorded_guids())
        first = made(server, folder / "first")
        running.wait_for(WRITES)
        second = made(server, folder / "second")
        running.wait_for(WRITES)
    assert positions_before + len(acknowledged) <= first < second
    client = server.client()
    assert_server_agrees(client, oracle, rng, [*CUSTOMERS, REUSE_CUSTOMER], oracle.recorded_guids(), oracle.known_orders())
    assert first < client.positions()["durable"]

    state = client.get(BACKUP).json()
    assert (state["status"], state["folder"], state["position"]) == ("made", str(folder / "second"), second)
    assert (state["bytes_linked"] == 0) == is_elsewhere
    known = metrics_of(client)
    assert known['ordem_backups_total{result="made"}'] == 2 and known["ordem_backup_position"] == second
    assert known["ordem_backup_bytes"] == state["bytes"] and known["ordem_backup_duration_seconds"] > 0
    assert known["ordem_backup_end_seconds"] > 1.7e9 and known["ordem_backup_running"] == 0

    restored = tmp_path / "restored"
    shutil.copytree(folder / "first", restored)
    with_copy = launch(folder=restored).client()
    assert with_copy.positions()["durable"] == first
    assert_copy_is_the_beginning(with_copy, client, oracle, positions, first, positions_before)
    accepted_order(create().send(with_copy), 201)
    verified(folder / "first")
    verified(folder / "second")


def test_neither_folder_changes_with_the_other(launch, data_dir, root, tmp_path):
    """Breaks if a server that runs on a back-up itself changes the data folder, whose files it shares, or the other way round."""
    server = launch(f"--backup-root={root}", "--write-buffer=4MiB")
    stored = write_large_orders(server.client(), 200)
    copy = root / "copy"
    made(server, copy)
    assert any(file.stat().st_nlink > 1 for file in copy.rglob("*.sst"))
    stored += write_large_orders(server.client(), 200)
    server.stop()
    verified(copy)
    before = {file: file.read_bytes() for file in data_dir.rglob("*") if file.is_file()}
    with launch("--write-buffer=4MiB", folder=copy).client() as client:
        write_large_orders(client, 200)
    assert_refused(run_ordem("backup", "verify", copy), "is damaged", "data folder")
    assert {file: file.read_bytes() for file in data_dir.rglob("*") if file.is_file()} == before
    with launch().client() as client:
        for order in stored:
            assert client.get_order(order["order_id"]) == order


def test_older_copy_lacks_what_was_acknowledged_after_it(launch, root):
    """Breaks if what docs/operations.md says about a restored copy is wrong: writes from after it are gone, and their GUIDs are new."""
    server = launch(f"--backup-root={root}")
    early = create()
    first = accepted_order(early.send(server.client()), 201)
    made(server, root / "copy")
    late = create()
    second = accepted_order(late.send(server.client()), 201)
    server.stop()
    client = launch(folder=root / "copy").client()
    assert accepted_order(early.send(client), 201) == first  # a replay
    assert client.get(order_path(second["order_id"])).status == 404
    assert accepted_order(late.send(client), 201)["order_id"] != second["order_id"]


def test_older_copy_with_postgres(launch, replica, root, tmp_path):
    """Breaks if a restored copy takes writes although Postgres has later ones, or if `ordem restore` is no way out."""
    server = launch(f"--backup-root={root}", f"--postgres-url={replica}")
    client = server.client()
    first = accepted_order(create().send(client), 201)
    made(server, root / "copy")
    second = accepted_order(create().send(client), 201)
    client.wait_persisted()
    server.stop()

    old = launch(f"--postgres-url={replica}", folder=root / "copy")
    old_client = old.client()
    poll_until(lambda: any("old copy" in line["message"] + line.get("reason", "") for line in old.logs()), "it says that it is an old copy")
    poll_until(lambda: old_client.get("/-/ready").status == 503, "it takes no writes")
    assert old_client.get_order(first["order_id"]) == first
    assert old_client.get(order_path(second["order_id"])).status == 404
    assert_problem(create().send(old_client), 503, "read-only")
    old.stop()

    result = run_ordem("restore", "--postgres-url", replica, "--data-dir", tmp_path / "restored")
    assert result.returncode == 0, result.stderr
    client = launch(f"--postgres-url={replica}", folder=tmp_path / "restored").client()
    assert client.get_order(second["order_id"]) == second
    accepted_order(create().send(client), 201)


def test_copy_that_postgres_is_not_ahead_of_goes_on(launch, replica, data_dir, root):
    """Breaks if a copy from the last moment before the disk was lost is refused."""
    server = launch(f"--backup-root={root}", f"--postgres-url={replica}")
    stored = accepted_order(create().send(server.client()), 201)
    server.client().wait_persisted()
    made(server, root / "copy")
    server.stop()
    shutil.rmtree(data_dir)
    restored = launch(f"--postgres-url={replica}", folder=root / "copy")
    client = restored.client()
    assert client.get_order(stored["order_id"]) == stored
    accepted_order(create().send(client), 201)
    replica.assert_whole(client, root / "copy")


# When a back-up fails.


def spin_until(condition):
    """As poll_until, without a pause: the moment is short."""
    deadline = time.monotonic() + settings.POLL_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline


def test_kill_during_a_backup(launch, data_dir, root, other_disk):
    """Breaks if a server that is killed leaves a folder that looks complete, if the data is harmed, or if the next back-up of the name
    fails because of what is left."""
    copy, unfinished = other_disk / "copy", other_disk / "copy.partial"
    server = launch()
    stored = write_large_orders(server.client(), 600)
    server.stop()
    cut_off = 0
    for _ in range(settings.FULL_DISK_ROUNDS):
        server = launch(f"--backup-root={other_disk}")
        assert post_backup(server.client(), "copy").status == 202
        spin_until(lambda: unfinished.exists() or copy.exists())
        server.kill()
        if copy.exists():
            verified(copy)
            shutil.rmtree(copy)
        else:
            cut_off += 1
            assert_refused(run_ordem("backup", "verify", unfinished), "no complete back-up")
    assert cut_off > 0, "each back-up was complete before the kill"
    server = launch(f"--backup-root={other_disk}")
    made(server, copy)
    assert not unfinished.exists()
    for order in stored[::50]:
        assert server.client().get_order(order["order_id"]) == order


def test_full_disk(launch, small_disk):
    """Breaks if a back-up that finds no space takes what is left, harms the server, or is reported as made."""
    server = launch(f"--backup-root={small_disk.folder}")
    client = server.client()
    write_large_orders(client, 100)
    copy = small_disk.folder / "copy"
    small_disk.fill()
    assert_refused(run_backup(server, copy), "failed", "No space left")
    state = client.get(BACKUP).json()
    assert state["status"] == "failed" and "No space left" in state["reason"]
    assert {entry.name for entry in small_disk.folder.iterdir()} == {"filler"}
    assert any(line["level"] == "error" and line["message"] == "the back-up failed" for line in server.logs())
    assert metrics_of(client)['ordem_backups_total{result="failed"}'] == 1
    accepted_order(create().send(client), 201)
    small_disk.free()
    made(server, copy)


def test_stop_cuts_a_backup_off(launch, data_dir, other_disk):
    """Breaks if a stop waits for a back-up, or leaves a part of it."""
    server = launch(f"--backup-root={other_disk}")
    write_large_orders(server.client(), 600)
    assert post_backup(server.client(), "copy").status == 202
    server.stop()
    left = {entry.name for entry in other_disk.iterdir()}
    assert left in (set(), {"copy"}), left
    if left:
        verified(other_disk / "copy")


def test_damage_is_found_in_each_kind_of_file(launch, root, tmp_path):
    """Breaks if a flipped bit in any file of a back-up goes unnoticed, or the message does not name the file."""
    server = launch(f"--backup-root={root}", "--write-buffer=4MiB")
    write_large_orders(server.client(), 200)
    copy = root / "copy"
    made(server, copy)
    files = sorted(file.relative_to(copy) for file in copy.rglob("*") if file.is_file() and file.stat().st_size)
    kinds = {file.suffix or file.name.split("-")[0]: file for file in files}
    assert {".seg", ".sst", "MANIFEST", "CURRENT", "FORMAT", "BACKUP", "OPTIONS"} <= kinds.keys()
    for name in kinds.values():
        damaged = tmp_path / "damaged"
        shutil.copytree(copy, damaged)
        content = bytearray((damaged / name).read_bytes())
        content[len(content) // 2] ^= 0x10
        (damaged / name).write_bytes(content)
        assert_refused(run_ordem("backup", "verify", damaged), "damaged", name.name)
        shutil.rmtree(damaged)
    assert_refused(run_ordem("backup", "verify", root), "no manifest")
    assert "is intact: position" in verified(copy)


# Who may ask for one, and where it may be.


def test_without_a_root_nothing_is_written(launch, data_dir, root):
    """Breaks if a client can write files to a server that was not told where."""
    server = launch()
    assert_refused(run_backup(server, root / "copy"), "422", "--backup-root")
    assert not list(root.iterdir())
    assert server.client().get(BACKUP).json() == {"status": "none"}


def test_only_below_the_root(launch, root, tmp_path):
    """Breaks if a name leads out of the folder for back-ups, or a folder that is there is changed."""
    server = launch(f"--backup-root={root}")
    client = server.client()
    (root / "there").mkdir()
    (root / "link").symlink_to(tmp_path)
    for to in (tmp_path / "copy", root, root / "a" / "b", root / "link" / "copy", "../copy", "..", "", "/", "/etc", "a/b", ".a", "a.partial", "there", "link"):
        answer = post_backup(client, str(to))
        assert_problem(answer, 422, "backup-refused")
    assert {entry.name for entry in root.iterdir()} == {"there", "link"} and not (tmp_path / "copy").exists()
    assert_refused(run_backup(server, root / "there"), "exists")
    made(server, root / "copy")
    assert post_backup(client, "by-its-name").status == 202
    assert wait_ended(client)["folder"] == str(root / "by-its-name")


def test_root_that_is_missing_or_wrong(launch, data_dir, tmp_path):
    """Breaks if a root that is not there stops the service, or one in the data folder is accepted."""
    server = launch(f"--backup-root={tmp_path / 'missing'}")
    assert_refused(run_backup(server, "copy"), "failed", "missing")
    accepted_order(create().send(server.client()), 201)
    for root in ("backups", data_dir, data_dir / "backups"):
        refused = run_ordem("serve", "--data-dir", data_dir, f"--backup-root={root}")
        assert refused.returncode == 2 and "--backup-root" in refused.stderr


def operations_port_of(server):
    return next(line["port"] for line in server.logs() if line["message"] == "listener" and line["name"] == "operations")


def test_backup_needs_the_scope_on_every_listener(launch, root, tmp_path):
    """Breaks if whoever reaches the operations port can make back-ups, although there are identities."""
    keys, texts = tmp_path / "keys", {}
    for name, scope in (("operator", "operations"), ("clerk", "orders:write")):
        result = run_ordem("key", "create", "--keys", keys, "--name", name, "--scopes", scope)
        assert result.returncode == 0, result.stderr
        texts[name] = tmp_path / f"{name}.key"
        texts[name].write_text(result.stdout)
    server = launch(f"--backup-root={root}", f"--keys={keys}", "--operations-port=0")
    port = operations_port_of(server)
    assert_refused(run_backup(server, root / "copy", port=port), "401")
    assert_refused(run_backup(server, root / "copy", "--api-key-file", texts["clerk"], port=port), "403")
    assert_refused(run_backup(server, root / "copy", "--api-key-file", texts["operator"]), "404")  # the main listener
    assert not list(root.iterdir())
    made(server, root / "copy", "--api-key-file", texts["operator"], port=port)
    for text in ("", "\n", "a b", "a\rX-Injected: 1", "\u00fc"):
        texts["clerk"].write_text(text)
        assert run_backup(server, "wrong", "--api-key-file", texts["clerk"], port=port).returncode == 1
    assert_refused(run_backup(server, "other", "--api-key-file", "-", port=port), "no key")  # standard input is empty


def test_web_page_makes_no_backup(launch, root):
    """Breaks if a page of another origin, in a browser on the server's machine, can begin a back-up."""
    server = launch(f"--backup-root={root}", "--operations-port=0")
    with OrdemClient(operations_port_of(server)) as client:
        assert_problem(post_backup(client, "copy", [("Origin", "http://evil.example")]), 403, "forbidden-origin")
        plain = request_bytes("POST", BACKUP, [("Content-Type", "text/plain")], b'{"to":"copy"}')
        assert_problem(client.exchange(plain, "POST"), 415, "unsupported-media-type")
    assert not list(root.iterdir())


def test_tls_with_an_authority(launch, root, tmp_path):
    """Breaks if the command does not verify the server, or cannot by an authority of the operator's own."""
    authority = Authority(tmp_path / "ca", "Test CA")
    other = Authority(tmp_path / "other", "Other CA")
    pair = authority.issue("server", "/CN=localhost", names="DNS:localhost,IP:127.0.0.1")
    server = launch(f"--backup-root={root}", f"--tls-certificate={pair.certificate}", f"--tls-key={pair.key}")
    url = ("--url", f"https://127.0.0.1:{server.port}")
    for flags in ((), ("--ca-file", other.certificate), ("--ca-file", tmp_path / "missing")):
        result = run_ordem("backup", "--to", root / "copy", *url, *flags)
        assert result.returncode == 1 and "no answer" in result.stderr, result.stderr
    result = run_ordem("backup", "--to", root / "copy", *url, "--ca-file", authority.certificate)
    assert result.returncode == 0 and "is intact" in result.stdout, result.stderr


def test_no_server(tmp_path):
    """Breaks if the command waits for ever, or succeeds, without a server."""
    result = run_ordem("backup", "--to", tmp_path / "copy", "--url", "http://127.0.0.1:1")
    assert_refused(result, "no answer", "127.0.0.1:1")


def test_backup_of_an_empty_server(launch, root):
    """Breaks if a server without orders cannot be copied."""
    assert made(launch(f"--backup-root={root}"), root / "copy") == 0
