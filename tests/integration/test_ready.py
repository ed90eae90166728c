"""`ordem ready`, which reports whether a server accepts writes."""

import socket
import time
from pathlib import Path

import pytest

from support import settings
from support.concurrency import poll_until
from support.http_client import free_port
from support.ordem_server import assert_clean_failure, run_ordem
from support.orders import accepted_order, create

ANSWER_SECONDS = 2


def ask(port, *arguments):
    return run_ordem("ready", f"--port={port}", *arguments)


def test_server_that_takes_writes(launch):
    """Breaks if it does not find the server by the server's own settings."""
    port = launch().port
    assert (ask(port).returncode, ask(port).stdout) == (0, "ready\n")
    assert run_ordem("ready", environment={"ORDEM_PORT": str(port), "ORDEM_LOG_LEVEL": "debug"}).returncode == 0


def test_server_that_listens_on_all_addresses(launch):
    """Breaks if it can't connect to a server that listens on all addresses."""
    assert ask(launch().port, "--address=0.0.0.0").returncode == 0


def test_server_that_takes_no_writes(launch, own_postgres):
    """Breaks if a server counts as ready because it responds, or if the reason is missing."""
    url = own_postgres.create_database()
    own_postgres.stop()
    server = launch(f"--postgres-url={url}", "--durability=postgres")
    result = ask(server.port)
    assert_clean_failure(result.returncode, result.stderr, ["503", "recovering"])
    assert result.returncode == 1 and not result.stdout


def test_server_that_serves_reads_alone(launch, database, tmp_path):
    """Breaks if a server that rejects writes and serves reads is reported like one that serves nothing."""
    assert run_ordem("migrate", f"--postgres-url={database}").returncode == 0
    accepted_order(create().send(launch(f"--postgres-url={database}").client()), 201)
    server = launch(f"--postgres-url={database}", folder=tmp_path / "with another log")
    client = server.client()
    poll_until(lambda: ask(server.port).returncode == 1, "the server is read-only")
    assert (ask(server.port, "--reads").returncode, ask(server.port, "--reads").stdout) == (0, "ready\n")
    answer = client.get("/-/ready/reads")
    assert answer.status == 200 and answer.json()["status"] == "read-only" and answer.json()["reason"]
    assert client.metric("ordem_takes_writes") == 0 and client.metric("ordem_serves_reads") == 1


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_server_that_listens_on_all_addresses_of_ipv6(launch):
    """Breaks if `::`, which an IPv6-only cluster needs, excludes IPv4."""
    server = launch("--address=::", "--auth=none")
    for address in ("::", "::1", "0.0.0.0", "127.0.0.1"):
        assert ask(server.port, f"--address={address}").returncode == 0, address


def test_nobody_listens():
    """Breaks if a stopped server is anything but a failure."""
    port = free_port()
    result = ask(port)
    assert_clean_failure(result.returncode, result.stderr, [port, "refused"])
    assert result.returncode == 1


def test_server_that_never_answers():
    """Breaks if a hanging server makes the command hang."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        began = time.monotonic()
        result = ask(hanging.getsockname()[1])
        took = time.monotonic() - began
    assert_clean_failure(result.returncode, result.stderr, ["no answer"])
    assert ANSWER_SECONDS <= took < ANSWER_SECONDS + settings.QUICK_ANSWER_SECONDS_MAX
