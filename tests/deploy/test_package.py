"""The Debian package and its service: checked by Debian's tools, installed into a clean Debian, removed and purged."""

import shutil
import subprocess

import pytest

from support import settings
from support.containers import ROOT, CleanDebian, needs_root, project_version
from support.smoke_test import run_smoke_test

UNIT = "ordem.service"
# systemd's measure of how exposed a service is, in tenths: 0 is best, 100 worst.
EXPOSURE_TENTHS_MAX = 15
# More restarts would crowd other lines out of the log of a booting machine.
RESTART_SECONDS_MIN = 3
# The settings file may contain a password, and the changelog closes no bug of Debian.
LINTIAN_EXCEPTIONS = "non-standard-file-perm,initial-upload-closes-no-bugs"
SETTINGS_FILE = "etc/ordem/ordem.conf"
KEYS_FILE = "etc/ordem/keys"
DATA = "var/lib/ordem"


@pytest.fixture(scope="module")
def package(packages):
    """The package that scripts/package made."""
    [file] = packages.glob("*.deb")
    return file


@pytest.fixture
def debian():
    with CleanDebian() as clean:
        yield clean


def install(debian, package):
    debian.copy(package)
    debian.run("dpkg", "--install", f"/{package.name}")


def install_with_dependencies(debian, package, *more):
    debian.copy(package)
    debian.run("apt-get", "-q", "update")
    debian.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qy", "install", "--no-install-recommends", f"/{package.name}", *more)


def owner_and_mode(debian, path):
    return debian.run("stat", "--format", "%U:%G %a", f"/{path}")


def serve(debian, *flags):
    """Runs the server as the service does: as its user, with the settings of the package."""
    return debian.serve("ordem:ordem", "/usr/bin/ordem", f"/{DATA}", "--config", f"/{SETTINGS_FILE}", *flags)


def test_lintian(package):
    """Breaks if lintian reports errors or warnings."""
    result = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", LINTIAN_EXCEPTIONS, package],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_manual(package, tmp_path):
    """Breaks if a command or a setting is missing from the manual page, or its roff is malformed."""
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    page = subprocess.run(
        ["man", "--warnings", "--local-file", tmp_path / "usr/share/man/man1/ordem.1.gz"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, env={"MANWIDTH": "200", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, check=True,
    )
    assert page.stderr == ""
    for words in ("ordem serve", "--message-ttl DURATION=24h", "ordem inspect capture", "ordem migrate status", "EXIT STATUS"):
        assert words in page.stdout, f"{words} is not in the manual page"


def test_unit_is_as_closed_as_it_can_be():
    """Breaks if the service has privileges that it does not need."""
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_TENTHS_MAX}", ROOT / "deploy/systemd" / UNIT],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def settings_of_unit(text):
    """Returns (name, value) of each setting of a unit or a drop-in."""
    return [tuple(line.split("=", 1)) for line in text.splitlines() if line and not line.startswith(("#", "["))]


def test_unit_waits_for_an_address_that_is_late_at_boot():
    """Breaks if systemd stops restarting after some tries."""
    unit = dict(settings_of_unit((ROOT / "deploy/systemd" / UNIT).read_text()))
    assert unit["StartLimitIntervalSec"] == "0" and unit["Restart"] == "on-failure"
    assert int(unit["RestartSec"].removesuffix("s")) >= RESTART_SECONDS_MIN


def drop_ins():
    """Returns the drop-ins that the settings file and the manual recommend."""
    comment = (ROOT / "deploy/debian/ordem.conf").read_text()
    yield "\n".join(line.removeprefix("#   ") for line in comment.splitlines() if line.startswith("#   "))
    manual = (ROOT / "docs/operations.md").read_text()
    yield from (block for block in manual.split("```")[1::2] if block.startswith("\n[Service]"))


def test_drop_ins_are_taken_by_systemd(tmp_path):
    """Breaks if another data folder, or a machine without user namespaces, needs an undocumented setting, or one that systemd does not
    know."""
    services = list(drop_ins())
    assert [dict(settings_of_unit(text)).get("ReadWritePaths") for text in services] == ["/srv/ordem"] * 2
    assert dict(settings_of_unit(services[1]))["PrivateUsers"] == "no"
    for number, text in enumerate(services):
        root = tmp_path / str(number)
        units = root / "etc/systemd/system"
        (units / f"{UNIT}.d").mkdir(parents=True)
        (units / UNIT).write_bytes((ROOT / "deploy/systemd" / UNIT).read_bytes())
        (units / f"{UNIT}.d/override.conf").write_text(text)
        for program in ("usr/bin/ordem", "bin/sh"):
            (root / program).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true", root / program)
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}", UNIT], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
        )
        assert result.returncode == 0 and result.stderr == "", result.stderr


@needs_root
def test_installed_removed_and_purged(debian, package):
    """Breaks if the package lacks a dependency, its service can't start, all users can read the settings, removal deletes orders, or an
    empty data folder remains."""
    install_with_dependencies(debian, package, "systemd")
    assert f"ordem {project_version()}," in debian.run("ordem", "version")
    assert owner_and_mode(debian, SETTINGS_FILE) == "root:ordem 640"
    assert owner_and_mode(debian, KEYS_FILE) == "root:ordem 640"
    assert not [line for line in (debian.root / KEYS_FILE).read_text().splitlines() if not line.startswith("#")]
    assert owner_and_mode(debian, DATA) == "ordem:ordem 750"
    assert f"/{SETTINGS_FILE} " in debian.run("dpkg-query", "--show", "--showformat", "${Conffiles}\n", "ordem")
    assert (debian.root / "etc/systemd/system/multi-user.target.wants" / UNIT).is_symlink()
    assert debian.run("systemd-analyze", "verify", "--man=no", UNIT) == ""

    with serve(debian) as server:
        order = run_smoke_test(server.client())
    key = debian.run("sh", "-c", f"ordem key create --keys /{KEYS_FILE} --name till --scopes orders:read 2>/dev/null")
    assert owner_and_mode(debian, KEYS_FILE) == "root:ordem 640" and key not in (debian.root / KEYS_FILE).read_text()
    with serve(debian, "--keys", f"/{KEYS_FILE}") as server:
        client = server.client()
        assert client.get("/api/v1/orders/any").status == 401
        client.key = key
        assert client.get_order(order["order_id"]) == order

    (debian.root / SETTINGS_FILE).open("a").write("message-ttl = \"48h\"\n")
    debian.run("dpkg", "--remove", "ordem")
    assert (debian.root / SETTINGS_FILE).exists() and (debian.root / DATA / "FORMAT").exists()
    install(debian, package)
    assert "48h" in (debian.root / SETTINGS_FILE).read_text() and "name=till" in (debian.root / KEYS_FILE).read_text()
    assert order["order_id"] in debian.run("ordem", "inspect", "order", order["order_id"], "--data-dir", f"/{DATA}")

    assert f"/{DATA} holds orders and was left" in debian.run("dpkg", "--purge", "ordem")
    assert not (debian.root / "etc/ordem").exists() and (debian.root / DATA / "FORMAT").exists()

    debian.run("rm", "-r", f"/{DATA}")
    install(debian, package)
    debian.run("dpkg", "--purge", "ordem")
    assert not (debian.root / DATA).exists() and not (debian.root / "etc/ordem").exists()
