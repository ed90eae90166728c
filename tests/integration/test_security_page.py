"""The commands of docs/security.md, on a server that is set up as the page says."""

import re
import subprocess
from pathlib import Path

import pytest

from support import settings
from support.ordem_server import binary, clean_environment

PAGE = Path(__file__).parents[2] / "docs/security.md"
KEYS_FILE = "/etc/ordem/keys"
HARDENED = ("--auth=required", "--operations-port=0", "--allowed-hosts=orders.example")


def shell(text, **variables):
    """Runs a command of the page with the tested program as `ordem`; returns its output."""
    program = Path(binary())
    environment = clean_environment({"PATH": f"{program.parent}:/usr/bin:/bin", **variables})
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", text], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=settings.COMMAND_SECONDS_MAX, check=False)
    assert result.returncode == 0, f"{text}: {result.stderr}"
    return result.stdout


def commands(*words):
    """Returns the commands of the page that begin with these words, as a reader sees them: a table has \\| for |."""
    page = re.sub(r"^```.*?^```$", "", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = [text.replace("\\|", "|") for text in re.findall(r"`([^`]+)`", page)]
    return [text for text in found if text.split()[:len(words)] == list(words)]


@pytest.fixture
def keys(tmp_path):
    """The keys file, with the key that the page makes."""
    [create, *_] = commands("ordem", "key", "create", "--keys")
    file = tmp_path / "keys"
    return file, shell(create.replace(KEYS_FILE, str(file))).strip()


def test_checks_print_what_the_page_says(launch, keys):
    """Breaks if a server that is set up as the page says fails one of its checks."""
    server = launch("--keys", keys[0], *HARDENED)
    checks = re.findall(r"`(curl [^`]+)` prints (\d+)", PAGE.read_text())
    assert len(checks) == 2
    for command, expected in checks:
        assert shell(command, url=f"http://127.0.0.1:{server.port}").strip() == expected, command


def test_checks_fail_on_an_open_server(launch):
    """Breaks if the checks pass whatever the server does."""
    server = launch("--allowed-hosts=*")
    for command, expected in re.findall(r"`(curl [^`]+)` prints (\d+)", PAGE.read_text()):
        assert shell(command, url=f"http://127.0.0.1:{server.port}").strip() != expected, command


def test_a_leaked_key_is_found_in_the_list(keys):
    """Breaks if the id in the list is not the beginning of what the page's command prints for the key."""
    file, key = keys
    [list_keys] = commands("ordem", "key", "list", "--keys")
    [digest] = commands("printf")
    row = shell(list_keys.replace(KEYS_FILE, str(file))).splitlines()[1].split()
    assert shell(digest, key=key).startswith(row[0]) and row[1] == "till-7"


def test_scanners_find_a_key(keys):
    [pattern] = commands("ordem_[0-9A-Za-z]{43}[0-9a-f]{8}")
    assert re.fullmatch(pattern, keys[1])
