"""Fills the disk under load and frees it again, many times, and checks that the engine goes on by itself and agrees with the responses of
its clients: no acknowledged write is lost or changed, and none is executed twice, whether its first try failed or not.
"""

import random

import pytest

from support import settings
from support.concurrency import poll_until
from support.oracle import Oracle, assert_server_agrees
from support.ordem_server import start_server
from support.workload import CUSTOMERS, REUSE_CUSTOMER, Load, Worker

WRITES_BETWEEN = 150


class PatientClient(Worker.client_class):
    """Sends a write again, with its GUID, until the server takes it."""

    def exchange(self, data, method="GET"):
        def answer():
            response = super(PatientClient, self).exchange(data, method)
            return response if response.status != 503 else None

        return poll_until(answer, "the server takes writes again", settings.THREADS_SECONDS_MAX)


class PatientWorker(Worker):
    client_class = PatientClient


@pytest.mark.parametrize("flags", [(), ("--write-buffer=4MiB", "--shards=2")], ids=["the log is full", "the view is full"])
def test_full_disk_under_load(small_disk, flags):
    """Breaks if the engine does not take writes again once there is room, if an order or a GUID keeps a state that was never durable, or if
    a write that failed comes back later."""
    print(f"ORDEM_SEED={settings.SEED}")
    rng = random.Random(settings.SEED)
    # A write that failed may be durable all the same, so that its repeat is a replay.
    oracle = Oracle(passed_on_again=True)
    folder = small_disk.folder / "data"
    server = start_server(folder, *flags)
    try:
        workers = [PatientWorker(oracle, server.port, random.Random(rng.getrandbits(64)), CUSTOMERS) for _ in range(settings.CRASH_WORKERS)]
        with server.client() as client, Load(oracle, workers) as running:
            for fills in range(1, settings.FULL_DISK_ROUNDS + 1):
                running.wait_for(rng.randint(1, WRITES_BETWEEN))
                small_disk.fill()
                poll_until(lambda: client.metric("ordem_write_failures_total") >= fills, "a write fails", settings.THREADS_SECONDS_MAX)
                small_disk.free()
                poll_until(lambda: client.metric("ordem_write_recoveries_total") >= client.metric("ordem_write_failures_total"),
                           "writes are taken again", settings.THREADS_SECONDS_MAX)
            running.wait_for(WRITES_BETWEEN)
        with server.client() as client:
            assert_server_agrees(client, oracle, rng, [*CUSTOMERS, REUSE_CUSTOMER], oracle.recorded_guids(), oracle.known_orders())
        server.kill()
        server = start_server(folder, *flags)
        with server.client() as client:
            assert_server_agrees(client, oracle, rng, [*CUSTOMERS, REUSE_CUSTOMER], oracle.recorded_guids(), oracle.known_orders())
        server.stop()
    finally:
        if server.is_running():
            server.kill()
