"""Installs the npm packages of the peer Restate into restate/node_modules, as package-lock.json lists them."""

import platform
import shutil
import subprocess

from programs import HERE

FOLDER = HERE / "restate"
INSTALL_SECONDS_MAX = 300
_MACHINE = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
# The program itself instead of npm's wrapper, so that its pid is known.
SERVER_BINARY = FOLDER / f"node_modules/@restatedev/restate-server-linux-{_MACHINE}/bin/restate-server"


def install():
    """Returns the reason why Restate can't be measured; None if it can."""
    if not shutil.which("npm") or not shutil.which("node"):
        return "npm and node are not installed"
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules/.lock-installed"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        try:
            ended = subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=FOLDER, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return f"npm ci did not end within {INSTALL_SECONDS_MAX} s"
        if ended.returncode != 0:
            return f"npm ci has failed: {ended.stderr.strip()[-500:]}"
        shutil.copyfile(lock, installed)
    if not SERVER_BINARY.exists():
        return f"npm has no Restate server for {platform.system()} on {platform.machine()}"
    return None
