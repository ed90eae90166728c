"""Records the responses that clients of captures received, and checks whether they are possible. Does no I/O:
tests/crash/test_capture_oracle.py feeds it invented histories and proves that it detects every kind of error.

A key is in one of these states:

  ABSENT              the key is unknown
  Allocated           other clients can't allocate it; with `may_lapse` the lease may have ended, and then one can
  Completed           it has a record with this response

A request is open from the moment when its first byte may be sent until its response has arrived. While it is open it takes
effect at one moment, or, if the server is killed before it responds, perhaps never. For each key the oracle keeps every possible
history of the responses so far: a state, and the responses due to open requests that have already taken effect. A response that
no history explains is a violation; so is a state to which none of them leads.
"""

import threading
from dataclasses import dataclass

CHANGES = {("put", 202), ("post", 200), ("delete", 204)}
STATES_PRINTED_MAX = 5


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Allocated:
    may_lapse: bool


@dataclass(frozen=True)
class Completed:
    response: str


ABSENT = Absent()


@dataclass(frozen=True)
class Request:
    """`number` makes it unique. `response`: the response of a POST. `may_lapse`: whether an allocation that it makes may end during the
    test. `refusal`: the status with which any server has to refuse it, in every state."""

    number: int
    action: str
    key: str
    response: str = None
    may_lapse: bool = False
    refusal: int = None


@dataclass(frozen=True)
class Answer:
    """A response of the server. `response`: the recorded response in it, for a PUT."""

    status: int
    response: str = None


def effects(state, request):
    """Returns the possible effects of a request on a state: (response, state after it)."""
    if request.refusal:
        return [(Answer(request.refusal), state)]
    if request.action == "put":
        return _effects_of_put(state, request)
    if request.action == "post":
        return [(Answer(200), Completed(request.response))] if isinstance(state, Allocated) else [(Answer(403), state)]
    if isinstance(state, Allocated):
        return [(Answer(204), ABSENT)]
    return [(Answer(404 if state == ABSENT else 403), state)]


def _effects_of_put(state, request):
    allocated = [(Answer(202), Allocated(request.may_lapse))]
    if request.may_lapse:
        # The lease ended before the allocation was durable, so that its own caller must not rely on it.
        allocated.append((Answer(409), Allocated(True)))
    if state == ABSENT:
        return allocated
    if isinstance(state, Completed):
        return [(Answer(200, state.response), state)]
    in_flight = (Answer(409), state)
    return [in_flight, *allocated] if state.may_lapse else [in_flight]


UNTOUCHED = frozenset({(ABSENT, frozenset())})


class CaptureOracle:
    """Thread-safe. `violations` collects impossible responses and states. `recorded_count` is the number of acknowledged changes."""

    def __init__(self):
        self.violations = []
        self.recorded_count = 0
        self._lock = threading.Lock()
        self._ways = {}
        self._open = {}

    # Reports of clients.

    def sending(self, request):
        """REQUIRES: the first byte of the request has not been sent."""
        with self._lock:
            self._ways.setdefault(request.key, UNTOUCHED)
            self._open.setdefault(request.key, {})[request.number] = request

    def answered(self, request, answer):
        """Reports a complete response."""
        with self._lock:
            mark = (request.number, answer)
            explored = self._explored(request.key)
            explaining = {(state, marks - {mark}) for state, marks in explored if mark in marks}
            if not explaining:
                self._blame(request.key, f"{request} was answered {answer}", explored)
                explaining = {(state, frozenset(m for m in marks if m[0] != request.number)) for state, marks in explored}
            self._ways[request.key] = frozenset(explaining)
            del self._open[request.key][request.number]
            self.recorded_count += (request.action, answer.status) in CHANGES and not request.refusal

    def killed(self):
        """Reports that the server was killed: open requests have taken effect by now, or never will. Returns their keys."""
        with self._lock:
            unanswered = [key for key, requests in self._open.items() if requests]
            for key in unanswered:
                self._ways[key] = frozenset((state, frozenset()) for state, _ in self._explored(key))
                self._open[key].clear()
            return sorted(unanswered)

    def seen(self, key, is_seen, what):
        """Reports an observed state of a key without open requests. `is_seen` returns true for the states that match it."""
        with self._lock:
            explaining = frozenset(way for way in self._ways[key] if is_seen(way[0]))
            if not explaining:
                self._blame(key, f"it is seen as {what}", self._ways[key])
            else:
                self._ways[key] = explaining

    # Queries of workloads.

    def keys(self):
        """Returns the keys in the order of their first use."""
        with self._lock:
            return list(self._ways)

    def possible_states(self, key):
        """Returns the possible states of a key without open requests."""
        with self._lock:
            return {state for state, _ in self._ways[key]}

    # Bookkeeping.

    def _explored(self, key):
        """Returns all possible histories, after any of the open requests have taken effect in any order."""
        requests = self._open[key].values()
        found, unexplored = set(self._ways[key]), list(self._ways[key])
        while unexplored:
            state, marks = unexplored.pop()
            done = {number for number, _ in marks}
            for request in requests:
                if request.number in done:
                    continue
                for answer, after in effects(state, request):
                    way = (after, marks | {(request.number, answer)})
                    if way not in found:
                        found.add(way)
                        unexplored.append(way)
        return found

    def _blame(self, key, what, ways):
        states = sorted({str(state)[:200] for state, _ in ways})
        more = f" or {len(states) - STATES_PRINTED_MAX} others" if len(states) > STATES_PRINTED_MAX else ""
        self.violations.append(f"{key}: {what}, but it can only be {' or '.join(states[:STATES_PRINTED_MAX])}{more}"[:2000])
