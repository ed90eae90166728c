"""Signals: which ones stop a server, and that others do not."""

import os
import signal
import subprocess

import pytest

from support import settings
from support.concurrency import poll_until
from support.ordem_server import OrdemServer, binary, clean_environment
from support.orders import accepted_order, create


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_before_the_server_listens_is_a_clean_one(data_dir, tmp_path, number):
    """Breaks if a signal during the start has its default effect. The start is blocked where it reads its settings."""
    config = tmp_path / "settings"
    os.mkfifo(config)
    server = OrdemServer(data_dir, "--config", config)
    with open(config, "w", encoding="utf-8") as pipe:
        os.kill(server.pid, number)
        pipe.write("io-threads = 1\n")
    assert server.wait_exit() == 0
    assert [line["message"] for line in server.logs()][-1] == "stopped before listening"
    assert not data_dir.exists()


def test_signals_that_ask_for_nothing(launch):
    """Breaks if SIGHUP or an ignored signal ends the server and its requests."""
    server = launch()
    client = server.client()
    orders = []
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGHUP, signal.SIGHUP):
        os.kill(server.pid, number)
        orders.append(accepted_order(create().send(client), 201))
    for order in orders:
        assert client.get_order(order["order_id"]) == order
    poll_until(lambda: any("SIGHUP" in line["message"] for line in server.logs()), "the log has the message of SIGHUP")
    server.stop()


def test_other_commands_end_by_a_signal(data_dir, tmp_path):
    """Breaks if Ctrl-C does not end a command that is not a server immediately."""
    feed = tmp_path / "captures"
    os.mkfifo(feed)
    # In the background of a shell SIGINT is ignored, and a child process would inherit that.
    process = subprocess.Popen(
        [binary(), "import", "captures", feed, "--data-dir", data_dir], env=clean_environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with open(feed, "w", encoding="utf-8"):
        process.send_signal(signal.SIGINT)
        assert process.wait(settings.STOP_SECONDS_MAX) == -signal.SIGINT
