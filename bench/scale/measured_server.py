"""A server that is measured from outside: loaded by ordem-load, watched through /proc."""

import contextlib
import os
import shutil
import time

from harness import load
from support.concurrency import poll_until
from support.process_facts import cpu_seconds, memory_bytes, written_bytes
from support.server_facts import metric, positions

FREE_DISK_BYTES_MIN = 2 << 30
QUIET_SECONDS = 0.5
QUIET_CPU_SHARE_MAX = 0.02
QUIET_WITHIN_SECONDS = 120


class Unfinished(Exception):
    """A limit of time or disk is reached; the message names it."""


def disk_bytes(folder):
    """Returns the disk space of the folder, whose files may change meanwhile."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(path, name)).st_blocks * 512
    return total


def stored_messages(server):
    with server.client() as client:
        return positions(client)["durable"]


def live_orders(server):
    with server.client() as client:
        return int(metric(client, "ordem_live_orders"))


def sample(server):
    memory = memory_bytes(server.pid)
    return {
        "stored": stored_messages(server), "cpu_s": cpu_seconds(server.pid), "written_bytes": written_bytes(server.pid),
        "disk_bytes": disk_bytes(server.data_dir), "rss_bytes": memory["VmRSS"], "anon_bytes": memory["RssAnon"],
    }  # fmt: skip


def create(server, options):
    """Creates orders for one window; returns the figures of ordem-load."""
    if shutil.disk_usage(server.data_dir).free < FREE_DISK_BYTES_MIN:
        raise Unfinished(f"less than {FREE_DISK_BYTES_MIN >> 30} GiB are free beside {server.data_dir}")
    return load(server.port, "create", options.connections, options.seconds)


def fill(server, messages, options, window=create):
    """Creates orders, window by window, up to a number of stored messages; returns the results of the windows."""
    begun = time.monotonic()
    windows = []
    while (stored := stored_messages(server)) < messages:
        if time.monotonic() - begun > options.minutes * 60:
            raise Unfinished(f"{stored:,} of {messages:,} messages after {options.minutes} minutes")
        windows.append(window(server, options))
    return windows


def wait_until_quiet(server):
    """Waits until the server has no more work in the background."""
    def is_quiet():
        before = cpu_seconds(server.pid)
        time.sleep(QUIET_SECONDS)
        return cpu_seconds(server.pid) - before <= QUIET_SECONDS * QUIET_CPU_SHARE_MAX

    poll_until(is_quiet, "the server is idle", QUIET_WITHIN_SECONDS)
