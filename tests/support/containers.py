"""Builds the image of deploy/Dockerfile and runs it with buildah and podman, as root. They need no running container engine.

The layers are cached in the user's cache folder, so that only changes are built again. The base image is not downloaded:
scripts/build-debian-base creates it.
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
    """The environment in which both tools use folders of the tests; buildah stores the cache mounts of a build in its temporary folder."""
    temporary = CACHE / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    configuration = CACHE / "storage.conf"
    configuration.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{CACHE / "storage"}"\nrunroot = "{RUN_FOLDER}"\n')
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "TMPDIR": str(temporary)}


def run_tool(*words, seconds=settings.COMMAND_SECONDS_MAX):
    """Runs buildah or podman; returns its output."""
    result = subprocess.run(
        list(map(str, words)), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
        check=False, cwd=ROOT,
    )
    assert result.returncode == 0, f"{' '.join(map(str, words))}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout.strip()


def debian_base():
    """Returns the archive of the root folder of a minimal Debian."""
    made = subprocess.run(
        [ROOT / "scripts" / "build-debian-base"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=settings.IMAGE_SECONDS_MAX, check=True,
    )
    return Path(made.stdout.strip())


def make_base():
    """Creates the base image of the Dockerfile from that archive, unless it exists."""
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
    """Builds the image of deploy/Dockerfile, from this source or from another folder; returns its name."""
    make_base()
    name = f"localhost/ordem:{version or project_version()}"
    run_tool(
        "buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--layers",
        "--file", source / "deploy" / "Dockerfile", "--tag", name, source, seconds=settings.IMAGE_SECONDS_MAX,
    )
    run_tool("podman", "image", "prune", "--force", "--filter", f"until={UNUSED_LAYERS_KEPT}")
    return name


class Container:
    """A container of an image, with a new name, a read-only root and no capabilities. Health checks are off, because podman needs
    systemd for them."""

    def __init__(self, image, *options):
        self.name = f"ordem-{uuid.uuid4().hex[:12]}"
        self.program = [
            "podman", "--runtime", "runc", "run", "--name", self.name, "--read-only", "--cap-drop", "all",
            "--security-opt", "no-new-privileges", "--no-healthcheck", *LIMITS, *map(str, options), image,
        ]

    def run(self, *arguments):
        """Runs a command of ordem that ends by itself; returns its output."""
        return run_tool(*self.program, *arguments)

    def execute(self, *command):
        """Runs a program in the running container; returns the finished process."""
        return subprocess.run(
            ["podman", "--runtime", "runc", "exec", self.name, *command], env=environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
        )

    def remove(self):
        run_tool("podman", "--runtime", "runc", "rm", "--force", "--ignore", "--volumes", "--time", "0", self.name)


def image_facts(image):
    return json.loads(run_tool("podman", "image", "inspect", image))[0]
