"""The settings of the black-box tests.

Environment:
  ORDEM_BINARY        the server binary under test (required by every test that starts a server)
  ORDEM_SLOW          a whole number; multiplies every timeout and memory bound (sanitizer builds, slow machines)
  ORDEM_SEED          the seed of all random values; printed at the start of a run and in every failure of the crash test
  ORDEM_SAMPLE        a whole number N: tests with many rounds have one in N of them (quick runs under a sanitizer)
  ORDEM_CRASH_ROUNDS  the number of rounds of each crash test
  ORDEM_CLUSTER_FAULTS  the number of faults of a cluster

These variables are for the tests only. They are not passed to the server, which refuses unknown ORDEM_ variables.
"""

import os
import random

MIB = 1024 * 1024


def _whole_number(name, default):
    text = os.environ.get(name, "")
    return int(text) if text else default


SLOW = _whole_number("ORDEM_SLOW", 1)
SAMPLE = _whole_number("ORDEM_SAMPLE", 1)
SEED = _whole_number("ORDEM_SEED", random.SystemRandom().randrange(2**32))


def sampled(count):
    """So many of `count` rounds: one in SAMPLE, rounded up."""
    return -(-count // SAMPLE)


# Limits of waiting. A working server reaches none of them.
START_SECONDS_MAX = 30 * SLOW
ANSWER_SECONDS_MAX = 15 * SLOW
STOP_SECONDS_MAX = 30 * SLOW
COMMAND_SECONDS_MAX = 30 * SLOW
IMAGE_SECONDS_MAX = 1200 * SLOW
THREADS_SECONDS_MAX = 60 * SLOW
POLL_SECONDS_MAX = 15 * SLOW
# kubelet shows a changed Secret to a pod after its own interval.
KEYS_SECONDS_MAX = 120 * SLOW

# How long a client keeps a connection that it does not use: less than the server's --idle-timeout.
IDLE_SECONDS_MAX = 30

# The limit on the memory growth of one server, whatever its clients send.
RSS_GROWTH_BYTES_MAX = 400 * MIB * SLOW

# test_exactly_once.py
ONCE_CONNECTIONS = 64
ONCE_ROUNDS = 5

# test_races.py
RACE_CLIENTS = 32
RACE_ATTEMPTS = 20
RACE_READERS = 4
RACE_ROUNDS = 20
RACE_READS_MAX = 200_000

# test_repeat_after_restart.py
LOAD_CLIENTS = 8
LOAD_ANSWERS_BEFORE_STOP = 200
LOAD_REQUESTS_MAX = 100_000

# test_bad_input.py
PIPELINED_REQUESTS = 20
IDLE_CONNECTIONS = 10_000
FEW_CONNECTIONS = 50
UNREAD_REQUEST_BYTES_MAX = 16 * MIB
PAGE_BYTES_MAX = MIB + 1024
QUICK_ANSWER_SECONDS_MAX = 2 * SLOW
# A server that takes no byte for this time has stopped to read.
STALLED_SECONDS = 1 * SLOW

# test_data_folder.py
STORED_ORDERS = 150
FULL_DISK_BYTES = 64 * MIB
ROOMY_DISK_BYTES = 512 * MIB
FULL_DISK_CREATES_MAX = 20_000
FULL_DISK_ROUNDS = _whole_number("ORDEM_CRASH_ROUNDS", 10)

# test_captures.py
CAPTURE_CONNECTIONS = 64
CAPTURE_ROUNDS = 5
CAPTURE_RACE_ROUNDS = 20
CAPTURE_RACE_REQUESTS = 24

# test_postgres.py, test_restore.py
PREFIX_MOMENTS = sampled(20)
PREFIX_MOMENTS_A_VERIFY = PREFIX_MOMENTS // 2
LOG_WITHOUT_POSTGRES = 5000
POSITION_ROUNDS = 5
ANSWERING_CLIENTS = 4
ANSWERED_WRITES = 15
WRITES_BETWEEN_FAILURES = 300
BACKLOG_CREATES_MAX = 20_000
STOPS = 3
HANGING_STOP_SECONDS_MAX = 6 * SLOW
RESTORED_WRITES = sampled(400)

# test_kill.py
CRASH_ROUNDS = _whole_number("ORDEM_CRASH_ROUNDS", 20)
CRASH_WORKERS = 8
CRASH_ANSWERS_PER_ROUND_MAX = 250
CRASH_REQUESTS_PER_WORKER_MAX = 20_000
CRASH_CUSTOMERS = 12
CRASH_SPIN_STEPS_MAX = 200_000
CRASH_EARLIER_REPEATS = 60
CRASH_EARLIER_HISTORIES = 40

# test_kill_batches.py
CRASH_BATCH_ROUNDS = _whole_number("ORDEM_CRASH_ROUNDS", 10)
CRASH_BATCH_WORKERS = 3
CRASH_BATCH_LINES_MAX = 300
CRASH_BATCH_VERDICTS_PER_ROUND_MAX = 800
CRASH_BATCHES_PER_WORKER_MAX = 1000

# test_kill_captures.py
CRASH_CAPTURE_ROUNDS = _whole_number("ORDEM_CRASH_ROUNDS", 20)
CRASH_CAPTURE_CHANGES_PER_ROUND_MAX = 150
CRASH_CAPTURE_KEYS_AT_HAND = 8
CRASH_CAPTURE_EARLIER_KEYS = 40
CRASH_CAPTURE_WORKERS = 6
CRASH_ORDER_WORKERS = 2

# test_kill_postgres.py
CRASH_POSTGRES_ROUNDS = _whole_number("ORDEM_CRASH_ROUNDS", 8)

# Clients of a cluster. NATS needs up to 9.5 s to have a leader again, the nodes up to 3 s more.
CLUSTER_SECONDS_MAX = 40 * SLOW
CLUSTER_ATTEMPT_SECONDS = 3 * SLOW
CLUSTER_RETRY_SECONDS = 0.05

# test_cluster_faults.py
CLUSTER_FAULTS = _whole_number("ORDEM_CLUSTER_FAULTS", 30)
CLUSTER_WORKERS = 6
CLUSTER_WRITES_BETWEEN_FAULTS = 20

# tests/deploy
HELM_SECONDS_MAX = 30 * SLOW
INGRESS_KILLS = 5
INGRESS_WORKERS = 8
INGRESS_WRITES_BETWEEN_KILLS = 100
