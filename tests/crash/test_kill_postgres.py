"""Repeatedly kills the engine, one backend of its Postgres, or the whole Postgres under load, on one data folder and one database, and
checks each time that no acknowledged write is lost and that Postgres gets each of them exactly once.

ORDEM_SEED determines the victims, the kill moments, the flags and the requests of each client; the interleaving is not determined.
"""

import contextlib
import random

from support import settings
from support.concurrency import Threads, poll_until
from support.oracle import Oracle
from support.ordem_server import start_server
from support.replica import Replica
from support.workload import Worker
from test_kill import CUSTOMERS, check_round, random_flags, round_in_every_failure, spin

VICTIMS = ("engine", "backend", "postgres", "postgres and engine", "engine and postgres")
CATCH_UP_EVERY_TIME = 0.5


class Round:
    """One load, and the process that is killed during it. With durability postgres every response means that Postgres has the message
    too."""

    def __init__(self, number, rng, replica, folder, oracle):
        self.number = number
        self._rng = rng
        self._replica = replica
        self._postgres = replica.postgres
        self._folder = folder
        self._oracle = oracle
        self._waits = rng.random() < 0.5
        durability = ("--durability=postgres",) if self._waits else ()
        self._flags = (*random_flags(rng), *durability, f"--postgres-url={replica}")
        self._victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else rng.choice(VICTIMS)

    def __str__(self):
        return f"{self.number}, which kills {self._victim}, {' '.join(self._flags)}"

    def run(self):
        recorded_before = len(self._oracle.recorded_guids())
        server = self._start()
        try:
            self._load_and_kill(server)
            if self._waits and not self._postgres.is_running():
                self._postgres.start()
            if self._waits:
                self._assert_acknowledged_is_there()
            if not self._postgres.is_running() and self._rng.random() < 0.5:
                self._postgres.start()  # else the engine starts without it
            if not server.is_running():
                server = self._start()
            if not self._postgres.is_running():
                self._postgres.start()
            with server.client() as client:
                client.wait_ready()
                check_round(client, self._oracle, self._rng, recorded_before)
                if self._rng.random() < CATCH_UP_EVERY_TIME:
                    self._replica.assert_whole(client, self._folder, self._oracle)
            server.kill()
        finally:
            if server.is_running():
                server.kill()

    def _start(self):
        server = start_server(self._folder, *self._flags)
        if self._postgres.is_running():
            with server.client() as client:
                client.wait_ready()
        return server

    def _load_and_kill(self, server):
        rng = self._rng
        target = self._oracle.recorded_count + rng.randint(1, settings.CRASH_ANSWERS_PER_ROUND_MAX)
        workers = [Worker(self._oracle, server.port, random.Random(rng.getrandbits(64)), CUSTOMERS)
                   for _ in range(settings.CRASH_WORKERS)]
        threads = Threads([worker.run for worker in workers])
        self._wait_for(threads, target)
        spin(rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
        for victim in self._victim.split(" and "):
            if victim == "engine":
                server.kill()
            elif victim == "postgres":
                self._postgres.kill()
            else:
                self._kill_backend()
        if server.is_running() and (self._victim == "backend" or not self._waits):
            self._wait_for(threads, self._oracle.recorded_count + rng.randint(1, settings.CRASH_ANSWERS_PER_ROUND_MAX))
        if server.is_running():
            server.kill()
        threads.join()

    def _wait_for(self, threads, recorded_count):
        def reached():
            threads.check()
            return self._oracle.recorded_count >= recorded_count

        poll_until(reached, f"{recorded_count} writes are recorded", settings.THREADS_SECONDS_MAX)

    def _kill_backend(self):
        for pid in self._replica.sessions():
            with contextlib.suppress(ProcessLookupError):
                self._postgres.kill_backend(pid)
        self._postgres.wait_ready()

    def _assert_acknowledged_is_there(self):
        """No engine runs. Postgres has what would remain after the loss of the machine."""
        with self._replica.snapshot() as snapshot:
            snapshot.assert_prefix()
        self._replica.assert_agrees(self._oracle)


def test_kill_engine_and_postgres_under_load(own_postgres, data_dir):
    """Breaks if the position is not committed with its rows, if a batch is written again after an unconfirmed commit, if a restarted
    engine continues from a wrong position, or if with durability postgres a response is sent before its commit is durable."""
    print(f"ORDEM_SEED={settings.SEED}")
    rng = random.Random(settings.SEED)
    oracle = Oracle()
    replica = Replica.create(own_postgres)
    for number in range(settings.CRASH_POSTGRES_ROUNDS):
        this_round = Round(number, rng, replica, data_dir, oracle)
        with round_in_every_failure(this_round):
            this_round.run()
    with round_in_every_failure("after the last"), start_server(data_dir, f"--postgres-url={replica}") as server:
        replica.assert_whole(server.client(), data_dir, oracle)
