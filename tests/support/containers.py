"""Builds the image of deploy/Dockerfile and runs it with buildah and podman, as root. They need no running container engine.

scripts/build-image keeps the layers in the user's cache folder, so that only changes are built again, and downloads no base image.
"""

import json
import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest

from support import settings
from support.ordem_server import OrdemServer

ROOT = Path(__file__).resolve().parents[2]
BASE = "docker.io/library/debian:bookworm-slim"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ordem" / "containers"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap, buildah and podman are used as root")
# An unprivileged container in a container may not raise its limits.
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096")


def project_version():
    return re.search(r"^project\(ordem VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]


def environment():
    """The environment in which both tools use the storage of scripts/build-image, which has to run first."""
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(CACHE / "storage.conf"), "TMPDIR": str(CACHE / "tmp")}


def own_storage(folder):
    """Returns an environment for both tools with an empty storage in a folder."""
    configuration = folder / "storage.conf"
    configuration.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder / "storage"}"\nrunroot = "{folder / "run"}"\n')
    return {**environment(), "CONTAINERS_STORAGE_CONF": str(configuration)}


def run_tool(*words, seconds=settings.COMMAND_SECONDS_MAX, storage=None):
    """Runs buildah or podman; returns its output."""
    result = subprocess.run(
        list(map(str, words)), env=storage or environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
        check=False, cwd=ROOT,
    )
    assert result.returncode == 0, f"{' '.join(map(str, words))}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout.strip()


def run_script(name, *arguments):
    """Runs a script of scripts/; returns what it printed on standard output."""
    made = subprocess.run([ROOT / "scripts" / name, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=settings.IMAGE_SECONDS_MAX, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout.strip()


def debian_base():
    """Returns the archive of the root folder of a minimal Debian."""
    return Path(run_script("build-debian-base"))


def make_base():
    """Creates the base image of the Dockerfile, unless it exists."""
    run_script("build-image", "--base")


def build_image(source=ROOT, version=None):
    """Builds the image of deploy/Dockerfile, from this source or from another folder; returns its name."""
    return run_script("build-image", "--source", source, "--version", version or project_version())


class CleanDebian:
    """A Debian with only the essential packages; removed at the end of the with statement. `root` is its folder."""

    def __enter__(self):
        make_base()
        self._container = run_tool("buildah", "from", "--pull-never", BASE)
        self.root = Path(run_tool("buildah", "mount", self._container))
        return self

    def __exit__(self, *_):
        run_tool("buildah", "umount", self._container)
        run_tool("buildah", "rm", self._container)

    def copy(self, file):
        """Copies a file into its root folder."""
        (self.root / file.name).write_bytes(file.read_bytes())

    def run(self, *command):
        """Runs a command in it as root; returns what it printed on both pipes."""
        return run_tool(
            "buildah", "run", "--isolation", "chroot", self._container, "--", "sh", "-c", 'exec "$@" 2>&1', "-", *command,
            seconds=settings.IMAGE_SECONDS_MAX,
        )

    def serve(self, user, program, data_dir, *flags):
        """Runs a server in it, on the network of the tests; paths are those in it. It has /proc, by which the dynamic linker knows where a program
        is."""
        with_proc = ["unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$@"', str(self.root)]
        return OrdemServer(data_dir, *flags, program=[*with_proc, f"--userspec={user}", str(self.root), program]).wait_listening()


class Container:
    """A container of an image, with a new name, a read-only root and no capabilities. Health checks are off, because podman needs
    systemd for them. `storage`: that of environment() if none is given."""

    def __init__(self, image, *options, storage=None):
        self.environment = storage or environment()
        self.name = f"ordem-{uuid.uuid4().hex[:12]}"
        self.program = [
            "podman", "--runtime", "runc", "run", "--name", self.name, "--read-only", "--cap-drop", "all",
            "--security-opt", "no-new-privileges", "--no-healthcheck", *LIMITS, *map(str, options), image,
        ]

    def run(self, *arguments):
        """Runs a command of ordem that ends by itself; returns its output."""
        return run_tool(*self.program, *arguments, storage=self.environment)

    def execute(self, *command):
        """Runs a program in the running container; returns the finished process."""
        return subprocess.run(
            ["podman", "--runtime", "runc", "exec", self.name, *command], env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
        )

    def remove(self):
        run_tool("podman", "--runtime", "runc", "rm", "--force", "--ignore", "--volumes", "--time", "0", self.name, storage=self.environment)


def image_facts(image, storage=None):
    return json.loads(run_tool("podman", "image", "inspect", image, storage=storage))[0]
