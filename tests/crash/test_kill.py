"""Kills the server repeatedly under load, on one data folder, and checks each time that its state agrees with the responses of its
clients: no acknowledged write is lost or changed, no unanswered write is executed in part, and none is executed twice.

ORDEM_SEED determines the kill moments, the flags and the requests of each client; the interleaving of the clients is not determined.
"""

import contextlib
import random

from support import settings
from support.concurrency import Threads
from support.oracle import Oracle, assert_server_agrees
from support.ordem_server import OrdemServer, start_server
from support.workload import CUSTOMERS, REUSE_CUSTOMER, Kill, Worker

ALL_CUSTOMERS = [*CUSTOMERS, REUSE_CUSTOMER]
KILL_DURING_RECOVERY = 0.25


def random_flags(rng):
    few_live_orders = ("--shards=1", "--live-orders=1")
    return (f"--durability={rng.choice(('fsync', 'os'))}", f"--io-threads={rng.choice((1, 2))}",
            *rng.choice((few_live_orders, ())))


def spin(steps):
    """Delays the caller by a number of steps of this thread, not by time."""
    for _ in range(steps):
        pass


def load_and_kill(server, oracle, rng, round_number):
    """Runs the clients, and kills the server after a random number of recorded writes (and steps)."""
    kill = Kill(oracle, oracle.recorded_count + rng.randint(1, settings.CRASH_ANSWERS_PER_ROUND_MAX))
    workers = [
        Worker(oracle, server.port, random.Random(f"{settings.SEED}/{round_number}/{number}"), CUSTOMERS, kill)
        for number in range(settings.CRASH_WORKERS)
    ]
    threads = Threads([worker.run for worker in workers])
    reached = kill.reached.wait(settings.THREADS_SECONDS_MAX)
    spin(rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
    server.kill()
    threads.join()
    assert reached, "the clients made no progress"


def restart(folder, rng):
    """Restarts the server, sometimes after killing it once more during its start."""
    if rng.random() < KILL_DURING_RECOVERY:
        server = OrdemServer(folder, *random_flags(rng))
        spin(rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
        server.kill()
    return start_server(folder, *random_flags(rng))


def repeat(client, oracle, guids):
    for guid in guids:
        oracle.repeated(guid, oracle.write(guid).send(client))


def check_round(client, oracle, rng, recorded_before):
    """Checks all writes of this round and a sample of earlier ones, repeats every write of the round, and checks again."""
    unanswered = oracle.unanswered_guids()
    recorded = oracle.recorded_guids()
    earlier, this_round = recorded[:recorded_before], recorded[recorded_before:]
    earlier_orders = rng.sample(known := oracle.known_orders(), min(len(known), settings.CRASH_EARLIER_HISTORIES))
    assert_server_agrees(client, oracle, rng, ALL_CUSTOMERS, this_round, earlier_orders)

    sample = rng.sample(earlier, min(len(earlier), settings.CRASH_EARLIER_REPEATS))
    repeat(client, oracle, [*this_round, *sample, *unanswered])
    repeat(client, oracle, [guid for guid in unanswered if guid not in oracle.refused_guids()])
    assert_server_agrees(client, oracle, rng, ALL_CUSTOMERS, [*this_round, *sample, *unanswered])


@contextlib.contextmanager
def round_in_every_failure(round_number):
    try:
        yield
    except Exception as error:
        raise AssertionError(f"ORDEM_SEED={settings.SEED}, round {round_number}: {error}") from error


def run_rounds(data_dir, rounds, load_and_kill):
    """Each round loads the server, kills it, restarts it and checks it against the oracle. At the end everything is checked."""
    print(f"ORDEM_SEED={settings.SEED}")
    rng = random.Random(settings.SEED)
    oracle = Oracle()
    server = start_server(data_dir, *random_flags(rng))
    try:
        for round_number in range(rounds):
            with round_in_every_failure(round_number):
                recorded_before = len(oracle.recorded_guids())
                load_and_kill(server, oracle, rng, round_number)
                server = restart(data_dir, rng)
                with server.client() as client:
                    check_round(client, oracle, rng, recorded_before)
        with round_in_every_failure("after the last"), server.client() as client:
            assert_server_agrees(client, oracle, rng, ALL_CUSTOMERS, oracle.recorded_guids(), oracle.known_orders())
        server.stop()
    finally:
        if server.is_running():
            server.kill()


def test_kill_under_load(data_dir):
    """Breaks if a response is sent before its write is durable, if an order version and its message become durable separately, if
    recovery loses, changes or repeats anything, or if an interrupted recovery does."""
    run_rounds(data_dir, settings.CRASH_ROUNDS, load_and_kill)
