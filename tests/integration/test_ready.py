"""`ordem ready`, which asks a server whether it takes writes."""

import socket
import time

from support import settings
from support.http_client import free_port
from support.ordem_server import assert_clean_failure, run_ordem

ANSWER_SECONDS = 2


def ask(port, *arguments):
    return run_ordem("ready", f"--port={port}", *arguments)


def test_server_that_takes_writes(launch):
    """Breaks if it does not find the server by the settings that the server has."""
    port = launch().port
    assert (ask(port).returncode, ask(port).stdout) == (0, "ready\n")
    assert run_ordem("ready", environment={"ORDEM_PORT": str(port), "ORDEM_LOG_LEVEL": "debug"}).returncode == 0


def test_server_that_listens_on_all_addresses(launch):
    """Breaks if what means all addresses to a server can't be asked."""
    assert ask(launch().port, "--address=0.0.0.0").returncode == 0


def test_server_that_takes_no_writes(launch, own_postgres):
    """Breaks if a server is called ready because it answers, or the reason is not told."""
    url = own_postgres.create_database()
    own_postgres.stop()
    server = launch(f"--postgres-url={url}", "--durability=postgres")
    result = ask(server.port)
    assert_clean_failure(result.returncode, result.stderr, ["503", "recovering"])
    assert result.returncode == 1 and not result.stdout


def test_nobody_listens():
    """Breaks if a server that is gone is anything but a failure."""
    port = free_port()
    result = ask(port)
    assert_clean_failure(result.returncode, result.stderr, [port, "refused"])
    assert result.returncode == 1


def test_server_that_never_answers():
    """Breaks if a server that hangs makes who asks hang too."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        began = time.monotonic()
        result = ask(hanging.getsockname()[1])
        took = time.monotonic() - began
    assert_clean_failure(result.returncode, result.stderr, ["no answer"])
    assert ANSWER_SECONDS <= took < ANSWER_SECONDS + settings.QUICK_ANSWER_SECONDS_MAX
