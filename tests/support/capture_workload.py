"""Clients that randomly allocate, record and release a shared set of keys, drawn from a seed, and report everything to an oracle."""

import itertools
import json

from support import settings
from support.capture_oracle import Answer, Request
from support.captures import allocation_bytes, assert_empty, assert_error, assert_record, captured, record_bytes, release_bytes
from support.http_client import Client, ConnectionEnded

CAPTURE_MAX_BYTES = 64 * 1024
CAPTURE_FLAGS = (f"--capture-max={CAPTURE_MAX_BYTES}B",)
MALFORMED = "="
ACTIONS = {"put": 45, "post": 32, "delete": 15, "too large": 4, "malformed": 4}
EARLIER_KEY = 0.2
numbers = itertools.count()


def as_text(response):
    """Returns a response in the form of the oracle."""
    return json.dumps(response, sort_keys=True)


class Keys:
    """The keys of one load. A few are used at a time, and replaced after some changes."""

    def __init__(self, oracle, rng):
        self._oracle = oracle
        self._prefix = f"{rng.getrandbits(128):032x}"
        self._changes_before = oracle.recorded_count

    def random(self, rng):
        # A key needs two changes to be completed, so the current ones are never all completed.
        first = (self._oracle.recorded_count - self._changes_before) // 2
        return f"{self._prefix}{first + rng.randrange(settings.CRASH_CAPTURE_KEYS_AT_HAND):04}"


def random_response(rng, more_bytes=0):
    """Returns a response with a text body; the label makes it unique."""
    headers = rng.choice((
        (),
        (("X-A", "1"), ("X-B", "2"), ("X-A", "3")),
        (("Set-Cookie", ["a=1", "b=2"]), ("X-\u65e5", "\u672c")),
    ))
    filler = rng.choice(("", "x" * 10, "\0\u00e9\U0001f680" * 500, "y" * 50_000)) + "z" * more_bytes
    return as_text(captured(f"{rng.getrandbits(64):016x}{filler}", rng.randint(100, 999), headers))


def send(client, oracle, request):
    """Sends a request, checks the format of the response, and reports both. Returns the status."""
    oracle.sending(request)
    data = {
        "put": lambda: allocation_bytes(request.key),
        "post": lambda: record_bytes(request.key, json.loads(request.response)),
        "delete": lambda: release_bytes(request.key),
        "malformed": lambda: allocation_bytes(request.key + MALFORMED),
    }[request.action]()
    answer = client.exchange(data)
    oracle.answered(request, _answer_of(request, answer))
    return answer.status


def _answer_of(request, answer):
    if request.action == "put" and answer.status == 200:
        response = answer.json()["response"]
        assert_record(answer, request.key, response)
        return Answer(200, as_text(response))
    if answer.status in (200, 202, 204, 409):
        assert_empty(answer, answer.status)
    else:
        assert_error(answer, answer.status)
    return Answer(answer.status)


class Requests:
    """Creates requests. `may_lapse`: whether the leases of the server may end during the test."""

    def __init__(self, rng, may_lapse):
        self._rng = rng
        self._may_lapse = may_lapse

    def put(self, key):
        return Request(next(numbers), "put", key, may_lapse=self._may_lapse)

    def post(self, key):
        return Request(next(numbers), "post", key, random_response(self._rng))

    def delete(self, key):
        return Request(next(numbers), "delete", key)

    def random(self, key):
        action = self._rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        if action == "too large":
            return Request(next(numbers), "post", key, random_response(self._rng, CAPTURE_MAX_BYTES), refusal=413)
        if action == "malformed":
            return Request(next(numbers), "malformed", key, refusal=422)
        return {"put": self.put, "post": self.post, "delete": self.delete}[action](key)


class CaptureWorker:
    """One client thread. It sends until its connection ends, and reports everything to the oracle."""

    def __init__(self, oracle, port, rng, keys, may_lapse, kill):
        self._oracle = oracle
        self._client = Client(port)
        self._rng = rng
        self._keys = keys
        self._requests = Requests(rng, may_lapse)
        self._kill = kill

    def run(self):
        with self._client:
            try:
                for _ in range(settings.CRASH_REQUESTS_PER_WORKER_MAX):
                    send(self._client, self._oracle, self._requests.random(self._key()))
                    self._kill.progress()
            except (ConnectionEnded, ConnectionRefusedError, ConnectionResetError):
                return
        raise AssertionError("the server was never killed")

    def _key(self):
        known = self._oracle.keys()
        if known and self._rng.random() < EARLIER_KEY:
            return self._rng.choice(known)
        return self._keys.random(self._rng)
