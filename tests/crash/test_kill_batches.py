"""Kills the server repeatedly in the middle of batches, of creates and of every kind of write, while other clients update the orders of
these batches, on one data folder. A batch may be executed in part. Each of its lines is executed completely or not at all, at most once
however it is repeated, and not lost after its verdict.

ORDEM_SEED determines the kill moments, the flags and the requests of each client; the interleaving of the clients is not determined.
"""

import random

from support import settings
from support.batches import BATCH, COMMANDS, OpenBatch, commands_of, lines_of
from support.concurrency import Threads
from support.http_client import ConnectionEnded
from support.orders import create
from support.workload import HOT_ORDERS, Kill, Worker, random_content, random_guid, random_update
from test_kill import CUSTOMERS, run_rounds, spin

REPEAT = 0.1
REPEAT_WITHIN = 0.05
# Of a batch of every kind of write.
UPDATE = 0.7
UPDATES_OF_ONE_ORDER_MAX = 5


class BatchWorker:
    """A client that sends batches until its connection ends. Some lines repeat earlier ones, of this batch or of any."""

    def __init__(self, oracle, port, rng, kill):
        self._oracle = oracle
        self._port = port
        self._rng = rng
        self._kill = kill

    def run(self):
        try:
            for _ in range(settings.CRASH_BATCHES_PER_WORKER_MAX):
                self._send()
        except (ConnectionEnded, ConnectionRefusedError, ConnectionResetError):
            return
        raise AssertionError("the server was never killed")

    def _send(self):
        path = self._rng.choice((BATCH, COMMANDS))
        lines = self._draw(self._rng.randint(1, settings.CRASH_BATCH_LINES_MAX), creates_only=path == BATCH)
        body = (lines_of if path == BATCH else commands_of)(write for write, _ in lines)
        cut = self._rng.randrange(len(body))
        with OpenBatch(self._port, path) as batch:
            for piece in (body[:cut], body[cut:]):
                if piece:
                    batch.send(piece)
            batch.finish()
            for write, is_repeat in lines:
                verdict = batch.read_verdict()
                assert verdict.idempotency_key == write.guid, f"{verdict} instead of one on {write.guid}"
                report = self._oracle.repeated if is_repeat else self._oracle.answered
                report(write.guid, verdict.as_response())
                self._kill.progress()

    def _draw(self, count, creates_only):
        """Returns writes, each with whether it repeats an earlier one."""
        known = [write for write in map(self._oracle.write, self._oracle.recorded_guids()) if write.kind == "create" or not creates_only]
        orders = [] if creates_only else self._oracle.known_orders()[-HOT_ORDERS:]
        lines = []
        while len(lines) < count:
            if known and self._rng.random() < REPEAT:
                lines.append((self._rng.choice(known), True))
            elif lines and self._rng.random() < REPEAT_WITHIN:
                lines.append((self._rng.choice(lines)[0], True))
            elif orders and self._rng.random() < UPDATE:
                lines += [(write, False) for write in self._updates_of(self._rng.choice(orders))]
            else:
                lines.append((self._new(create(random_content(self._rng, self._rng.choice(CUSTOMERS)), random_guid(self._rng))), False))
        return lines

    def _updates_of(self, order_id):
        """Returns updates of one order, each of which expects the version that the one before makes if nothing comes between."""
        order = self._oracle.latest(order_id)
        versions = range(order["version"], order["version"] + self._rng.randint(1, UPDATES_OF_ONE_ORDER_MAX))
        return [self._new(random_update(self._rng, order, version)) for version in versions]

    def _new(self, write):
        self._oracle.sending(write)
        return write


def load_and_kill(server, oracle, rng, round_number):
    kill = Kill(oracle, oracle.recorded_count + rng.randint(1, settings.CRASH_BATCH_VERDICTS_PER_ROUND_MAX))
    seeds = [random.Random(f"{settings.SEED}/{round_number}/{number}") for number in range(settings.CRASH_BATCH_WORKERS + 1)]
    workers = [BatchWorker(oracle, server.port, each, kill) for each in seeds[1:]]
    workers.append(Worker(oracle, server.port, seeds[0], CUSTOMERS, kill))
    threads = Threads([worker.run for worker in workers])
    reached = kill.reached.wait(settings.THREADS_SECONDS_MAX)
    spin(rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
    server.kill()
    threads.join()
    assert reached, "the clients made no progress"


def test_kill_in_batches(data_dir):
    """Breaks if a verdict is sent before its line is durable, or if a line is executed in part, lost or executed twice."""
    run_rounds(data_dir, settings.CRASH_BATCH_ROUNDS, load_and_kill)
