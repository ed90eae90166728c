"""Data folders that earlier releases wrote and were killed on, brought up to the present format.

`tests/upgrade/format_N` is the folder of data format N, with what its server answered; write_folder.py made it. Its messages expire a year after they were
written, so the servers here run on the clock of that day.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

from support import settings
from support.captures import assert_empty, assert_record
from support.machine_clock import MachineClock
from support.ordem_server import assert_clean_failure, binary, clean_environment, run_ordem, start_server
from support.orders import create

FOLDERS = pathlib.Path(__file__).parents[1] / "upgrade"
PRESENT = "6"
KILLS = settings.sampled(12)


@pytest.fixture(params=["4", "5"])
def old_format(request):
    return request.param


@pytest.fixture
def old_folder(tmp_path, old_format):
    with tarfile.open(FOLDERS / f"format_{old_format}" / "folder.tar.gz") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def facts(old_format):
    return json.loads((FOLDERS / f"format_{old_format}" / "facts.json").read_text())


@pytest.fixture
def that_day(tmp_path, facts):
    """The environment of a machine on the day on which the folder was written."""
    folder = tmp_path / "clock"
    folder.mkdir()
    clock = MachineClock(folder)
    clock.set_ahead(facts["written_at"] - int(time.time()) + 60)
    return clock.environment


def format_of(folder):
    return (folder / "FORMAT").read_text().splitlines()[0]


# What later releases added to the responses to rejected writes.
ADVICE = {"retry", "retry_reason", "changes", "versions"}


def without_advice(body):
    """The body of a message or of a response to a write, with a problem as the release of the folder sent it."""
    if "response" in body and body["response"]:
        return {**body, "response": {**body["response"], "body": without_advice(body["response"]["body"])}}
    return {name: value for name, value in body.items() if name not in ADVICE} if "type" in body else body


def assert_holds(client, facts):
    """Every order, version, list and message reads as it did; every write is answered by its recorded outcome; captures are as they were."""
    assert client.positions()["durable"] >= facts["position"]
    for path, body in facts["reads"].items():
        assert without_advice(client.get(path).json()) == without_advice(body), path
    for write in facts["writes"]:
        again = client.exchange(write["request"].encode())
        assert again.replayed and again.status == write["status"], write["guid"]
        assert without_advice(again.json()) == without_advice(json.loads(write["body"])), write["guid"]
    for key, response in facts["captures"].items():
        answer = client.captures.allocate(key)
        assert_empty(answer, 409) if response is None else assert_record(answer, key, response)


def test_upgrade_at_a_start(old_format, old_folder, facts, that_day):
    """Breaks if the folder of the release before is refused, or if anything that it held is lost or answered otherwise."""
    with start_server(old_folder, environment=that_day) as server:
        client = server.client()
        assert client.positions()["durable"] == facts["position"]
        assert_holds(client, facts)
        assert create().send(client).status == 201
        assert any(f"up from data format {old_format}" in line["message"] for line in server.logs())
    assert format_of(old_folder) == PRESENT
    with start_server(old_folder, environment=that_day) as server:
        assert_holds(server.client(), facts)
        assert not any("up from data format" in line["message"] for line in server.logs())


def test_upgrade_command(old_format, old_folder, facts, that_day):
    """Breaks if the dry run changes something, or if the command does other than a start."""
    def files():
        return {path: path.read_bytes() for path in old_folder.rglob("*") if path.is_file()}

    before = files()
    planned = run_ordem("upgrade", "--dry-run", "--data-dir", old_folder)
    assert planned.returncode == 0 and f"format {old_format}" in planned.stdout and f"format {PRESENT}" in planned.stdout
    assert files() == before

    done = run_ordem("upgrade", "--data-dir", old_folder)
    assert done.returncode == 0, done.stderr
    assert format_of(old_folder) == PRESENT
    assert "nothing to do" in run_ordem("upgrade", "--dry-run", "--data-dir", old_folder).stdout
    with start_server(old_folder, environment=that_day) as server:
        assert_holds(server.client(), facts)


def test_reading_commands_do_not_upgrade(old_format, old_folder, facts):
    """Breaks if a command that only reads changes the folder, or reports it as damaged."""
    result = run_ordem("inspect", "order", "--data-dir", old_folder, facts["orders"][0])
    assert_clean_failure(result.returncode, result.stderr, [f"data format {old_format}", "ordem upgrade"])
    assert format_of(old_folder) == old_format


def test_kill_during_an_upgrade(old_folder, facts, that_day, tmp_path):
    """Breaks if an upgrade that is killed at any step leaves a folder that a later one can't bring up, or loses something."""
    for kill in range(KILLS):
        folder = tmp_path / f"killed-{kill}"
        shutil.copytree(old_folder, folder)
        upgrade = subprocess.Popen([binary(), "upgrade", "--data-dir", folder], env=clean_environment(that_day),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # After so many of its lines, each of which follows a step; then wherever it has got to.
        for _ in range(kill % 4):
            upgrade.stdout.readline()
        upgrade.send_signal(signal.SIGKILL)
        upgrade.communicate(timeout=settings.COMMAND_SECONDS_MAX)
        with start_server(folder, environment=that_day) as server:
            assert_holds(server.client(), facts)
        assert format_of(folder) == PRESENT
        shutil.rmtree(folder)
