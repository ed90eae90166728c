"""The scripts as a new contributor runs them: in a copy, with nothing to install or to build."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import settings
from support.http_client import Client, free_port
from support.ordem_server import binary, clean_environment

ROOT = Path(__file__).parents[2]
SCRIPTS = ("bench", "build-debian-base", "build-instrumented-caf", "docs", "format", "run", "test")
# Each of these programs records its call.
NOT_TO_BE_CALLED = ("apt-get", "clang-format-19", "debootstrap", "git")
CALLED = "called"


class Sandbox:
    """A copy of the scripts beside a built program. Every package is installed, and cmake has nothing to do."""

    def __init__(self, folder):
        self.root = folder / "ordem"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        built = self.root / "build/release"
        (built / "app").mkdir(parents=True)
        (built / "build.ninja").touch()
        (built / "app/ordem").symlink_to(binary())
        self._programs = folder / "programs"
        self._programs.mkdir()
        self._called = folder / CALLED
        self._program("cmake", "exit 0")
        self._program("dpkg-query", "echo installed")
        for name in NOT_TO_BE_CALLED:
            self._program(name, f"echo {name} >>'{self._called}'")

    def _program(self, name, text):
        file = self._programs / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def environment(self, extra=None):
        return clean_environment({"PATH": f"{self._programs}:{os.environ['PATH']}", **(extra or {})})

    def run(self, script, *arguments):
        return subprocess.run(
            [self.root / "scripts" / script, *arguments], env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=settings.COMMAND_SECONDS_MAX, check=False,
        )

    def called(self):
        return self._called.read_text() if self._called.exists() else ""


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_does_nothing_else(sandbox, script):
    """Breaks if --help executes the script."""
    helped = sandbox.run(script, "--help")
    assert helped.returncode == 0 and helped.stdout.strip(), helped.stderr
    assert "shellcheck" not in helped.stdout and not helped.stdout.startswith("#")
    assert sandbox.called() == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_unknown_option_is_refused(sandbox, script):
    """Breaks if a script ignores an unknown argument and runs."""
    refused = sandbox.run(script, "--colour")
    assert refused.returncode != 0 and "--colour" in refused.stderr, refused.stderr
    assert sandbox.called() == ""


@pytest.mark.parametrize("option, value", [("--only", "nothing"), ("--preset", "relase"), ("--only", None)])
def test_a_step_or_preset_that_is_none_is_refused(sandbox, option, value):
    """Breaks if a mistyped step runs no test and succeeds."""
    refused = sandbox.run("test", option, *([value] if value else []))
    assert refused.returncode != 0 and option in refused.stderr and "passed" not in refused.stderr, refused.stderr


@pytest.mark.parametrize("argue", [
    lambda folder, port: (("--port", port, "--data-dir", folder), {}, ""),
    lambda folder, port: ((f"--port={port}", f"--data-dir={folder}", "--address=0.0.0.0", "--auth=none"), {}, ""),
    lambda folder, port: ((), {"ORDEM_PORT": port, "ORDEM_DATA_DIR": folder, "ORDEM_ADDRESS": ""}, ""),
    lambda folder, port: (("--port", port, "--data-dir", folder, "--keys", "keys"), {}, ""),
    lambda folder, port: (("--config", "ordem.conf"), {}, f'port = {port}\r\ndata-dir = "{folder}" # here\n'),
], ids=["arguments", "arguments of one word", "environment", "keys", "file"])
def test_run_says_where_it_serves(sandbox, tmp_path, argue):
    """Breaks if scripts/run prints another address than it serves on."""
    port, folder = str(free_port()), str(tmp_path / "data")
    arguments, environment, text = argue(folder, port)
    (sandbox.root / "ordem.conf").write_text(text)
    (sandbox.root / "keys").touch()
    server = subprocess.Popen(
        [sandbox.root / "scripts/run", *arguments], env=sandbox.environment(environment), stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )
    with server:
        said = ""
        try:
            for line in server.stderr:
                said += line
                if "listening" in line:
                    break
            assert re.search(rf"Serving on [0-9.]+:{port}, data under {re.escape(folder)};", said), said
            assert f"curl -i http://127.0.0.1:{port}/api/v1/orders" in said
            assert ('-H "Authorization: Bearer $key"' in said) == ("--keys" in arguments)
            with Client(int(port)) as client:
                assert client.get("/-/ping").status == 200
        finally:
            server.terminate()
            server.stderr.read()
    assert server.returncode == 0
