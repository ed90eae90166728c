"""What scripts/package makes: checksums, bill of materials, licences, and the tarball, the image and the chart used from their archives alone. The
Debian package: test_package.py."""

import copy
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from support import settings
from support.containers import (
    ROOT, CleanDebian, Container, image_facts, needs_root, own_storage, project_version, run_script, run_tool,
)
from support.helm import CHART, RELEASE, helm
from support.ordem_server import OrdemServer, binary, run_ordem
from support.smoke_test import run_smoke_test
from support.spdx import errors_of

VERSION = project_version()
ARCHITECTURE = "amd64"
TARBALL = f"ordem-{VERSION}-linux-{ARCHITECTURE}"
BILL = f"ordem-{VERSION}.spdx.json"
LICENCES = f"ordem-{VERSION}-licences"
IMAGE = f"ordem-{VERSION}-image-{ARCHITECTURE}.tar"
CHART_PACKAGE = f"ordem-{VERSION}.tgz"
FILES = {f"ordem_{VERSION}-1_{ARCHITECTURE}.deb", f"{TARBALL}.tar.gz", IMAGE, CHART_PACKAGE, BILL, f"{LICENCES}.tar.gz"}
ANYWHERE = "opt/some where"
MODULE = Path(binary()).parent / "ordem_otlp.so"  # for tracing; there is none where the library could not be had
NOBODY = "65534:65534"
# Files that name images or archives of Ordem.
NAMING_THE_VERSION = ("deploy/Dockerfile", "deploy/compose.yaml", "deploy/compose.captures.yaml", "deploy/kong/keys", "README.md", "docs/deploy.md")
COMMON_LICENCE = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])")


def checksums(folder):
    return dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())


@needs_root
def test_checksums(packages):
    """Breaks if a file is missing, is no part of the checksums, or has another one."""
    assert set(checksums(packages)) == FILES == {file.name for file in packages.iterdir()} - {"SHA256SUMS"}
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=packages, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert all(line.endswith(": OK") for line in checked.stdout.splitlines())


@needs_root
def test_second_run_makes_the_same_files(packages, tmp_path):
    """Breaks if a file holds the time of its making, or the order in which a folder is read."""
    run_script("package", "--output", tmp_path)
    assert checksums(tmp_path) == checksums(packages)


def test_wrong_options(tmp_path):
    """Breaks if a typing error makes everything, or help is no help."""
    for arguments, words in ((("--only", "rpm"), "deb"), (("--only",), "chart"), (("tar",), "--help")):
        ended = subprocess.run([ROOT / "scripts/package", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path,
                               timeout=settings.COMMAND_SECONDS_MAX)
        assert ended.returncode == 1 and words in ended.stderr and not ended.stdout
    assert "SHA256SUMS" in run_script("package", "--help")


# The bill of materials.

@pytest.fixture(scope="module")
def bill(packages):
    return json.loads((packages / BILL).read_text())


def test_bill_keeps_the_rules_of_its_format(bill):
    assert errors_of(bill) == []


BROKEN = {
    "another version": lambda bill: bill.update(spdxVersion="SPDX-2.2"),
    "no creator": lambda bill: bill["creationInfo"].update(creators=[]),
    "a time without a zone": lambda bill: bill["creationInfo"].update(created="2026-11-27T00:00:00"),
    "a member that there is not": lambda bill: bill["packages"][1].update(license="MIT"),
    "a package twice": lambda bill: bill["packages"].append(bill["packages"][1]),
    "a supplier of no kind": lambda bill: bill["packages"][1].update(supplier="Debian"),
    "Debian's name of a licence": lambda bill: bill["packages"][1].update(licenseDeclared="GPL-2+"),
    "a licence without a text": lambda bill: bill["hasExtractedLicensingInfos"].pop(),
    "a version that is not encoded": lambda bill: bill["packages"][1]["externalRefs"][0].update(referenceLocator="pkg:deb/debian/a@1:2+b"),
    "a relationship to nothing": lambda bill: bill["packages"].pop(),
    "nothing described": lambda bill: bill.update(relationships=[]),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_broken_bill_is_noticed(bill, spoil):
    """Breaks if the check above can't fail."""
    spoilt = copy.deepcopy(bill)
    spoil(spoilt)
    assert errors_of(spoilt)


def loaded_libraries(file):
    """Yields (name, path) of each shared library of a program or a module, as the dynamic linker finds it."""
    listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        match = re.match(r"\s*(\S+) (?:=> (\S+) )?\(0x", line)
        assert match, f"ldd: {line}"
        if not match[1].startswith("linux-vdso"):
            yield Path(match[1]).name, Path(match[2] or match[1]).resolve()


def owner(path):
    """Returns the Debian package of a file."""
    for name in (path, str(path).removeprefix("/usr")):
        found = subprocess.run(["dpkg", "--search", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return re.split("[:,]", found.stdout)[0]
    raise AssertionError(f"no package has {path}")


def test_bill_is_complete(bill):
    """Breaks if a library that the program loads is missing, or is listed by another version than the installed one; or the store, which is linked
    statically."""
    listed = {package["name"]: package for package in bill["packages"]}
    libraries = [*loaded_libraries(binary()), *(loaded_libraries(MODULE) if MODULE.exists() else ())]
    assert len(libraries) > 10
    for name, path in libraries:
        package = listed[owner(path)]
        assert name in package["comment"].removeprefix("files: ").split(", ")
    kinds = {(each["relatedSpdxElement"], each["relationshipType"]) for each in bill["relationships"]}
    assert {("SPDXRef-libssl3", "DYNAMIC_LINK"), ("SPDXRef-librocksdb-dev", "STATIC_LINK")} <= kinds
    assert listed["ordem"]["versionInfo"] == VERSION
    for name, package in listed.items():
        assert package["supplier"] and package["licenseDeclared"] not in ("", "NONE", "NOASSERTION") and package["externalRefs"]
        if name != "ordem":
            installed = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", name], capture_output=True, text=True, check=True).stdout
            assert package["versionInfo"] == installed


def test_licences_of_all_that_is_linked(packages, bill):
    """Breaks if a package of the bill has no licence in the archive and in the tarball, or a text is missing to which one refers."""
    names = {package["name"] for package in bill["packages"]} - {"ordem"}
    for file, folder in ((packages / f"{LICENCES}.tar.gz", LICENCES), (packages / f"{TARBALL}.tar.gz", f"{TARBALL}/licences")):
        with tarfile.open(file) as archive:
            members = {member.name: member for member in archive.getmembers()}
            for name in names:
                text = archive.extractfile(members[f"{folder}/{name}.copyright"]).read()
                assert text == Path(f"/usr/share/doc/{name}/copyright").read_bytes()
                for common in COMMON_LICENCE.findall(text.decode("utf-8", "replace")):
                    assert not Path("/usr/share/common-licenses", common).is_file() or f"{folder}/common-licenses/{common}" in members


def test_licences_in_the_package(packages, tmp_path):
    """Breaks if the Debian package lacks the licence of the store, which is inside its program."""
    [file] = packages.glob("*.deb")
    run_tool("dpkg-deb", "--extract", file, tmp_path)
    assert (tmp_path / "usr/share/doc/ordem/licences/librocksdb-dev.copyright").stat().st_size > 0


# From the archives alone.

@needs_root
def test_tarball_runs_from_any_folder(packages):
    """Breaks if the program needs a library that a minimal Debian has not, or finds only the one of the system."""
    with CleanDebian() as debian:
        folder = debian.root / ANYWHERE
        folder.mkdir(parents=True)
        run_tool("tar", "--extract", "--file", packages / f"{TARBALL}.tar.gz", "--directory", folder)
        program = f"/{ANYWHERE}/{TARBALL}/bin/ordem"
        assert debian.run(program, "version").splitlines()[:2] == run_ordem("version").stdout.splitlines()[:2]
        found = re.findall(r"=> (.+) \(0x", debian.run("ldd", program))
        elsewhere = {Path(path).name for path in found if ANYWHERE not in path}
        assert "not found" not in debian.run("ldd", program) and len(found) > len(elsewhere)
        for name in elsewhere:  # of glibc alone
            assert debian.run("dpkg", "--search", f"*/{name}").startswith("libc6:")

        data = debian.root / "srv/data"
        data.mkdir()
        run_tool("chown", NOBODY, data)
        with debian.serve(NOBODY, program, "/srv/data") as server:
            run_smoke_test(server.client())
        if MODULE.exists():
            found = re.findall(r"=> (.+) \(0x", debian.run("ldd", f"/{ANYWHERE}/{TARBALL}/lib/ordem/ordem_otlp.so"))
            assert {Path(path).name for path in found if ANYWHERE not in path} <= elsewhere


@needs_root
def test_image_runs_from_its_archive(packages, tmp_path):
    """Breaks if the archive lacks a layer, or podman does not read it."""
    storage = own_storage(tmp_path)
    try:
        loaded = run_tool("podman", "load", "--input", packages / IMAGE, seconds=settings.IMAGE_SECONDS_MAX, storage=storage)
        name = loaded.rpartition(" ")[2]
        assert name.endswith(f"ordem:{VERSION}")
        assert image_facts(name, storage)["Config"]["Labels"]["org.opencontainers.image.version"] == VERSION
        container = Container(name, "--network", "host", storage=storage)
        server = OrdemServer("/var/lib/ordem", environment=storage, program=container.program).wait_listening()
        run_smoke_test(server.client())
        server.stop()
        container.remove()
        listing = Container(name, "--entrypoint", "ls", storage=storage)
        assert "librocksdb-dev.copyright" in listing.run("/usr/share/doc/ordem/licences").split()
        listing.remove()
    finally:
        run_tool("podman", "--runtime", "runc", "rmi", "--all", "--force", storage=storage)


def test_chart_is_complete(packages):
    """Breaks if the package of the chart lacks a file, or helm does not take it."""
    linted = helm("lint", packages / CHART_PACKAGE)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    rendered = [helm("template", RELEASE, chart, values={"auth": {"mode": "none"}, "postgres": {"enabled": True, "password": "p"}})
                for chart in (packages / CHART_PACKAGE, CHART)]
    assert rendered[0].returncode == 0 and rendered[0].stdout == rendered[1].stdout, rendered[0].stderr


# Versions.

def versions_in(root):
    """Checks that all places of these sources with their version agree, and that the release notes are in order; returns the version."""
    version = re.search(r"^project\(ordem VERSION (\S+)", (root / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
    assert re.fullmatch(r"0\.\d+\.\d+", version)
    chart = yaml.safe_load((root / CHART.relative_to(ROOT) / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert yaml.safe_load((root / "docs/openapi.yaml").read_text())["info"]["version"] == version
    assert (root / "deploy/debian/changelog").read_text().startswith(f"ordem ({version}-1) ")
    for name in NAMING_THE_VERSION:
        assert set(re.findall(r"\bordem[:_-](\d+\.\d+\.\d+)|image\.version=\"(.*)\"", (root / name).read_text())) <= {(version, ""), ("", version)}, name
    headings = re.findall(r"^## (.*)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    releases = [re.fullmatch(r"(0\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", heading) for heading in headings[1:]]
    assert all(releases) and releases[0][1] == version, headings
    dates = [release[2] for release in releases]
    assert dates == sorted(dates, reverse=True)
    return version


def test_versions_agree():
    """Breaks if a release forgets one of the places with the version of the project, or its notes have no date."""
    assert versions_in(ROOT) == VERSION


def test_next_release(tmp_path):
    """Breaks if scripts/release forgets one of these places, or goes back."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z", "CMakeLists.txt", "CHANGELOG.md", "README.md", "docs", "deploy", "scripts", "tests/deploy/golden"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    run_tool(tmp_path / "scripts/release", "0.999.0", "2999-12-31")
    assert versions_in(tmp_path) == "0.999.0"
    assert "\n## 0.999.0 - 2999-12-31\n" in (tmp_path / "CHANGELOG.md").read_text()
    assert VERSION not in (tmp_path / "tests/deploy/golden/default.yaml").read_text()
    with pytest.raises(AssertionError, match="does not follow 0.999.0"):
        run_tool(tmp_path / "scripts/release", VERSION)
