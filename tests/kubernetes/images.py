"""Builds the images for the cluster, as archives in a folder: images.py FOLDER

    ordem.tar        from deploy/Dockerfile
    ordem-next.tar   the same for a later version, which differs only by one more migration
    postgres.tar     Debian's PostgreSQL 15, under the name of the published image that the chart uses
    pause.tar        the process that keeps the namespaces of a pod

It uses no registry. The layers are cached in the user's cache folder.
"""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.containers import BASE, ROOT, build_image, make_base, project_version, run_tool
from support.settings import IMAGE_SECONDS_MAX

HERE = Path(__file__).resolve().parent
LIBRARY = "docker.io/library"
PAUSE = f"{LIBRARY}/pause:local"
POSTGRES = f"{LIBRARY}/postgres:15"
MAJOR, MINOR, PATCH = map(int, project_version().split("."))
NEXT_VERSION = f"{MAJOR}.{MINOR}.{PATCH + 1}"
NEXT_MIGRATION = """CREATE TABLE notes (order_id uuid PRIMARY KEY, note text NOT NULL);
COMMENT ON TABLE notes IS 'What a version to come keeps.';
"""

PAUSE_PROGRAM = "int pause(void);\nint main(void) { for (;;) pause(); }\n"
# The user id in the published image, which the chart sets.
INSTALL_POSTGRES = """
groupadd --gid 999 postgres
useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres
apt-get -q update
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = off' >/etc/postgresql-common/createcluster.conf
DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Options::=--force-confold install --no-install-recommends postgresql-15
rm -rf /var/lib/apt/lists/*
install -d -o postgres -g postgres -m 2777 /var/run/postgresql
"""


@contextlib.contextmanager
def new_image(name, base, recipe):
    """Yields a container of the base image to modify; None if an image from this recipe exists."""
    label = f"recipe={hashlib.sha256(recipe.encode()).hexdigest()}"
    if run_tool("buildah", "images", "--quiet", "--filter", f"label={label}"):
        yield None
        return
    container = run_tool("buildah", "from", "--pull-never", base)
    try:
        yield container
        run_tool("buildah", "config", "--label", label, container)
        run_tool("buildah", "commit", "--quiet", "--format", "docker", container, name, seconds=IMAGE_SECONDS_MAX)
    finally:
        run_tool("buildah", "rm", container)


def make_pause():
    with tempfile.TemporaryDirectory() as folder, new_image(PAUSE, "scratch", PAUSE_PROGRAM) as container:
        if container:
            program = Path(folder) / "pause"
            subprocess.run(["cc", "-x", "c", "-static", "-Os", "-o", program, "-"], input=PAUSE_PROGRAM, text=True, check=True)
            run_tool("buildah", "copy", "--quiet", container, program, "/pause")
            run_tool("buildah", "config", "--entrypoint", '["/pause"]', container)


def make_postgres():
    entrypoint = HERE / "postgres-entrypoint"
    with new_image(POSTGRES, BASE, INSTALL_POSTGRES + entrypoint.read_text()) as container:
        if container:
            run_tool("buildah", "run", "--isolation", "chroot", container, "--", "sh", "-euc", INSTALL_POSTGRES, seconds=IMAGE_SECONDS_MAX)
            run_tool("buildah", "copy", "--quiet", "--chmod", "755", container, entrypoint, "/usr/local/bin/")
            run_tool("buildah", "config", "--env", "PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin",
                     "--entrypoint", '["postgres-entrypoint"]', "--cmd", "postgres", "--port", "5432", container)


def build_next_image():
    """Builds an image from this source with one more migration and another version number. Unchanged files come from the compiler's
    cache."""
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # removed, but not yet from the index
                shutil.copy2(ROOT / name, Path(folder) / name)
        migrations = Path(folder) / "migrations"
        number = len(list(migrations.glob("*.sql"))) + 1
        (migrations / f"{number:04}_notes.sql").write_text(NEXT_MIGRATION)
        project = Path(folder) / "CMakeLists.txt"
        project.write_text(project.read_text().replace(f"VERSION {project_version()}", f"VERSION {NEXT_VERSION}", 1))
        return build_image(Path(folder), NEXT_VERSION)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    make_base()
    make_pause()
    make_postgres()
    images = {"pause": (PAUSE, PAUSE), "postgres": (POSTGRES, POSTGRES),
              "ordem": (build_image(), f"{LIBRARY}/ordem:{project_version()}"),
              "ordem-next": (build_next_image(), f"{LIBRARY}/ordem:{NEXT_VERSION}")}
    for archive, (image, name) in images.items():
        run_tool("buildah", "push", "--quiet", image, f"docker-archive:{folder / archive}.tar:{name}", seconds=IMAGE_SECONDS_MAX)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
