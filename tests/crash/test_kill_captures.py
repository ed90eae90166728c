"""Kills the server repeatedly while clients allocate, record and release captures, and others write orders to the same log, on one data
folder. Each time its state must be a possible result of the responses of its clients: no acknowledged change is lost, no unanswered one
is executed in part, and no key is allocated twice.

ORDEM_SEED determines the kill moments, the flags and the requests of each client; the interleaving of the clients is not determined.
"""

import json
import random

from support import settings
from support.capture_oracle import ABSENT, Allocated, CaptureOracle, Completed
from support.capture_workload import CAPTURE_FLAGS, CaptureWorker, Keys, Requests, as_text, send
from support.concurrency import Threads
from support.oracle import Oracle, assert_server_agrees, show
from support.ordem_server import OrdemServer, assert_clean_failure, run_ordem, start_server
from support.workload import Kill, Worker
from test_kill import ALL_CUSTOMERS, CUSTOMERS, KILL_DURING_RECOVERY, random_flags, round_in_every_failure, spin

# Leases that end under load, and leases that do not end during the test.
SHORT_LEASES = ("--capture-lease=20ms", "--capture-lease=200ms")
LONG_LEASES = ("--capture-lease=0s", "--capture-lease=24h")
INSPECTED_KEYS = 2


class Round:
    """Loads a server until it is killed, and checks the state after its restart."""

    def __init__(self, number, rng, folder, captures, orders):
        self._number = number
        self._rng = rng
        self._folder = folder
        self._captures = captures
        self._orders = orders

    def run(self):
        orders_before, keys_before = len(self._orders.recorded_guids()), len(self._captures.keys())
        self._load_and_kill()
        unanswered = self._captures.killed()
        earlier, this_round = self._captures.keys()[:keys_before], self._captures.keys()[keys_before:]
        sample = self._rng.sample(earlier, min(len(earlier), settings.CRASH_CAPTURE_EARLIER_KEYS))
        keys = sorted({*this_round, *sample, *unanswered})
        for key in self._rng.sample(keys, min(len(keys), INSPECTED_KEYS)):
            self._inspect(key)
        if self._rng.random() < KILL_DURING_RECOVERY:
            server = OrdemServer(self._folder, *self._flags()[0])
            spin(self._rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
            server.kill()
        flags, may_lapse = self._flags()
        with start_server(self._folder, *flags) as server, server.client() as client:
            assert_server_agrees(client, self._orders, self._rng, ALL_CUSTOMERS, self._orders.recorded_guids()[orders_before:])
            self._ask(client, keys, may_lapse)
        assert not self._captures.violations, show(self._captures.violations)

    def _flags(self):
        """Returns random flags, and whether the leases that they set may end during the test."""
        may_lapse = self._rng.random() < 0.3
        lease = self._rng.choice(SHORT_LEASES if may_lapse else LONG_LEASES)
        return (*random_flags(self._rng), *CAPTURE_FLAGS, lease), may_lapse

    def _load_and_kill(self):
        flags, may_lapse = self._flags()
        changes = self._rng.randint(1, settings.CRASH_CAPTURE_CHANGES_PER_ROUND_MAX)
        kill = Kill(self._captures, self._captures.recorded_count + changes)
        keys = Keys(self._captures, self._rng)
        server = start_server(self._folder, *flags)
        try:
            workers = [CaptureWorker(self._captures, server.port, self._random(n), keys, may_lapse, kill)
                       for n in range(settings.CRASH_CAPTURE_WORKERS)]
            workers += [Worker(self._orders, server.port, self._random(f"orders {n}"), CUSTOMERS)
                        for n in range(settings.CRASH_ORDER_WORKERS)]
            threads = Threads([worker.run for worker in workers])
            reached = kill.reached.wait(settings.THREADS_SECONDS_MAX)
            spin(self._rng.randrange(settings.CRASH_SPIN_STEPS_MAX))
        finally:
            server.kill()
        threads.join()
        assert reached, "the clients made no progress"

    def _random(self, who):
        return random.Random(f"{settings.SEED}/{self._number}/{who}")

    def _inspect(self, key):
        """Inspects the folder after the kill."""
        result = run_ordem("inspect", "capture", "--data-dir", self._folder, "--", key)
        if result.returncode != 0:
            assert_clean_failure(result.returncode, result.stderr, [key])
            self._captures.seen(key, lambda state: state == ABSENT, "absent")
            return
        inspected = json.loads(result.stdout)
        if inspected["state"] == "completed":
            completed = Completed(as_text(inspected["response"]))
            self._captures.seen(key, lambda state: state == completed, str(completed))
        else:
            self._captures.seen(key, lambda state: isinstance(state, Allocated), "allocated")

    def _ask(self, client, keys, may_lapse):
        """Every kind of request reveals the state, so each key gets one kind and then another."""
        requests = Requests(self._rng, may_lapse)
        for key in keys:
            first = self._rng.choices((requests.put, requests.post, requests.delete), (6, 2, 1))[0]
            send(client, self._captures, first(key))
            send(client, self._captures, requests.put(key))


def test_kill_under_load_of_captures(data_dir):
    """Breaks if a response is sent before its capture is durable, if recovery loses, changes or reverts anything, if a capture and an
    order of one group become durable separately, or if a restarted server allocates a key that is in use."""
    print(f"ORDEM_SEED={settings.SEED}")
    rng = random.Random(f"{settings.SEED}/captures")
    captures, orders = CaptureOracle(), Oracle()
    for number in range(settings.CRASH_CAPTURE_ROUNDS):
        with round_in_every_failure(number):
            Round(number, rng, data_dir, captures, orders).run()
    with round_in_every_failure("after the last"):
        with start_server(data_dir, *CAPTURE_FLAGS) as server, server.client() as client:
            requests = Requests(rng, may_lapse=False)
            for key in captures.keys():
                send(client, captures, requests.put(key))
            assert_server_agrees(client, orders, rng, ALL_CUSTOMERS, orders.recorded_guids(), orders.known_orders())
        assert not captures.violations, show(captures.violations)
