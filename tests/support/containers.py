"""Builds the image of deploy/Dockerfile and runs it, without a container engine that has to run beside the tests: buildah and
podman, as root.

The layers are kept in the user's cache folder, so that only what has changed is built again. The base of the image is not
fetched: it is made by scripts/build-debian-base.
"""

import functools
import json
import os
import re
import subprocess
import uuid
from pathlib import Path

import pytest

from support import settings

ROOT = Path(__file__).resolve().parents[2]
BASE = "docker.io/library/debian:bookworm-slim"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ordem" / "containers"
RUN_FOLDER = Path("/run/ordem-containers")  # a reboot removes it together with the mounts that it describes
UNUSED_LAYERS_KEPT = "72h"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap, buildah and podman are used as root")
# An unprivileged container in a container may not raise its limits.
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096")


def project_version():
    return re.search(r"^project\(ordem VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]


@functools.cache
def environment():
    """What makes both tools keep everything in folders of the tests' own; buildah keeps what a build's cache mounts hold beside
    its temporary files."""
    temporary = CACHE / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    configuration = CACHE / "storage.conf"
    configuration.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{CACHE / "storage"}"\nrunroot = "{RUN_FOLDER}"\n')
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "TMPDIR": str(temporary)}


def run_tool(*words, seconds=settings.COMMAND_SECONDS_MAX):
    """Runs buildah or podman; returns what it printed."""
    result = subprocess.run(
        list(map(str, words)), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
        check=False, cwd=ROOT,
    )
    assert result.returncode == 0, f"{' '.join(map(str, words))}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout.strip()


def debian_base():
    """The archive of a small Debian's root."""
    made = subprocess.run(
        [ROOT / "scripts" / "build-debian-base"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=settings.IMAGE_SECONDS_MAX, check=True,
    )
    return Path(made.stdout.strip())


def make_base():
    """The base that the Dockerfile names, unless it is there already, made of the same archive."""
    archive = debian_base()
    made_of = f"{archive.stat().st_mtime_ns}"
    if run_tool("buildah", "images", "--quiet", "--filter", f"label=made-of={made_of}"):
        return
    container = run_tool("buildah", "from", "scratch")
    try:
        run_tool("buildah", "add", "--quiet", container, archive, "/", seconds=settings.IMAGE_SECONDS_MAX)
        run_tool("buildah", "config", "--cmd", "bash", "--label", f"made-of={made_of}", container)
        run_tool("buildah", "commit", "--quiet", "--format", "docker", container, BASE, seconds=settings.IMAGE_SECONDS_MAX)
    finally:
        run_tool("buildah", "rm", container)


def build_image(source=ROOT, version=None):
    """The image of deploy/Dockerfile, of this source or of another folder's; returns its name."""
    make_base()
    name = f"localhost/ordem:{version or project_version()}"
    run_tool(
        "buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--layers",
        "--file", source / "deploy" / "Dockerfile", "--tag", name, source, seconds=settings.IMAGE_SECONDS_MAX,
    )
    run_tool("podman", "image", "prune", "--force", "--filter", f"until={UNUSED_LAYERS_KEPT}")
    return name


class Container:
    """How to run an image in a container of a name of its own, with the root read-only and without capabilities. Nobody asks for
    its health: podman has systemd do so, which need not be there."""

    def __init__(self, image, *options):
        self.name = f"ordem-{uuid.uuid4().hex[:12]}"
        self.program = [
            "podman", "--runtime", "runc", "run", "--name", self.name, "--read-only", "--cap-drop", "all",
            "--security-opt", "no-new-privileges", "--no-healthcheck", *LIMITS, *map(str, options), image,
        ]

    def run(self, *arguments):
        """Runs a command of ordem that ends by itself; returns what it printed."""
        return run_tool(*self.program, *arguments)

    def execute(self, *command):
        """Runs a program beside the one that runs; returns the finished process."""
        return subprocess.run(
            ["podman", "--runtime", "runc", "exec", self.name, *command], env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
        )

    def remove(self):
        run_tool("podman", "--runtime", "runc", "rm", "--force", "--ignore", "--volumes", "--time", "0", self.name)


def image_facts(image):
    return json.loads(run_tool("podman", "image", "inspect", image))[0]
