"""Start: the time from the program's start to 200 of GET /-/ready, after a clean stop and after kill -9 under full load.

Cold: after a clean stop, with the data folder dropped from the kernel's page cache.
"""

import os
import shutil
import subprocess
import sys
import time

from harness import load_command
from measured_server import Unfinished, fill, stored_messages
from support.ordem_server import OrdemServer, start_server

POLL_SECONDS = 0.002
READY_SECONDS_MAX = 120
# Long enough for the log to approach its limit.
LOAD_SECONDS_MAX = 12


def start(folder, options):
    """Returns the server, and the seconds until it was ready."""
    begun = time.monotonic()
    server = OrdemServer(folder, "--durability", options.durability)
    server.wait_listening()
    with server.client() as client:
        while client.get("/-/ready").status != 200:
            if time.monotonic() - begun > READY_SECONDS_MAX:
                server.kill()
                raise Unfinished(f"the server is not ready after {READY_SECONDS_MAX} s")
            time.sleep(POLL_SECONDS)
    return server, time.monotonic() - begun


def measured_start(folder, options, kind):
    replayed = sum(path.stat().st_size for path in (folder / "db").glob("*.log"))
    server, seconds = start(folder, options)
    with server:
        measured = {"orders": stored_messages(server), "replayed_bytes": replayed, "seconds": seconds}
    print(f"  start {kind}: {seconds:.3f} s", file=sys.stderr)
    return measured


def drop_page_cache(folder):
    """Drops the folder's files from the kernel's page cache, after syncing them."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def kill_under_load(folder, seconds, options):
    server = start_server(folder, "--durability", options.durability)
    generator = subprocess.Popen(
        load_command(server.port, "create", options.connections, seconds + 60), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(seconds)
        assert generator.poll() is None, "the load ended before the kill"
    finally:
        server.kill()
        generator.kill()
        generator.wait()


def measure_start(folder, options):
    folder = folder / "started"
    with start_server(folder, "--durability", options.durability) as server:
        fill(server, min(options.messages, options.start_orders), options)
    starts = {"a clean stop": [], "a clean stop, cold": [], "kill -9 under load": []}
    for _ in range(options.starts):
        starts["a clean stop"].append(measured_start(folder, options, "after a clean stop"))
    for _ in range(options.starts):
        drop_page_cache(folder)
        starts["a clean stop, cold"].append(measured_start(folder, options, "cold"))
    longest = min(LOAD_SECONDS_MAX, 2 * options.seconds)
    for number in range(options.starts):
        # Kills at different moments, because the log to replay grows until it reaches its limit and is cut.
        kill_under_load(folder, longest * (number + 1) / options.starts, options)
        starts["kill -9 under load"].append(measured_start(folder, options, "after kill -9"))
    shutil.rmtree(folder)
    return starts
