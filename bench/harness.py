"""The common parts of the measurements of the whole server: the programs, ordem-load, the data folder, the circumstances."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
sys.path.insert(0, str(ROOT / "tests"))  # for support
os.environ.setdefault("ORDEM_BINARY", str(BUILD / "app/ordem"))

THREADS = 2  # of ordem-load: one thread does not always keep two cores busy
WARMUP_SECONDS = 1


def run(*command, seconds_max=None, **options):
    """Returns the standard output of a program, which has to succeed, within a time limit if there is one."""
    try:
        result = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False, timeout=seconds_max, **options)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{command[0]} did not end within {seconds_max} s") from None
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {result.returncode}: {result.stderr[-1000:]}")
    return result.stdout


def load_command(port, scenario, connections, seconds, *flags, warmup_seconds=WARMUP_SECONDS, server_pid=None):
    """Returns the command of ordem-load. With a `server_pid` it also measures the CPU use of that process."""
    words = [BUILD / "bench/ordem-load", "--port", port, "--scenario", scenario, "--connections", connections, "--threads",
             min(THREADS, connections), "--duration", f"{seconds}s", "--warmup", f"{warmup_seconds}s", "--json", *flags]
    if server_pid is not None:
        words += ["--server-pid", server_pid]
    return [str(word) for word in words]


def load(port, scenario, connections, seconds, *flags, seconds_max=None, **options):
    """Runs ordem-load, which checks every answer; returns its figures."""
    return json.loads(run(*load_command(port, scenario, connections, seconds, *flags, **options), seconds_max=seconds_max))


def check_disk(folder):
    """Fails on a file system in memory, where an fsync does nothing."""
    kind = run("df", "--output=fstype", folder).split()[-1]
    if kind in ("tmpfs", "ramfs"):
        raise RuntimeError(f"{folder} is on {kind}, where fsync proves nothing: set TMPDIR to a disk (Postgres keeps its data under /tmp)")


@contextlib.contextmanager
def work_folder(name):
    """Yields a new folder on a disk, in $TMPDIR or in the current folder. It is removed at the end, also after a SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix=f"ordem-{name}.", dir=os.environ.get("TMPDIR", "."))).resolve()
    try:
        check_disk(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # after an error a server may still write


def circumstances():
    described = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    return {"revision": described or "unknown", "cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
