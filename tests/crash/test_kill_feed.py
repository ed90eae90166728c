"""Kills the server repeatedly under load while readers of the change feed resume where they were, and checks that the events that each
has got are exactly the acknowledged writes, each once, the versions of each order in their order."""

from support import settings
from support.concurrency import Threads
from support.feed import EVENT_STREAM, LINES, Stream, StreamEnded, page, read_all
from support.ordem_server import start_server
from test_kill import load_and_kill as kill_under_load, run_rounds


class Reader:
    """Reads one stream after another, each from the last position that it knows: of an event or of a mark."""

    def __init__(self, form, **parameters):
        self._form = form
        self._parameters = parameters
        self.position = 0
        self.events = []

    def read_until_end(self, port):
        """Reads until the server ends the stream, or is killed."""
        try:
            with self._open(port) as stream:
                while True:
                    self._read_one(stream)
        except (StreamEnded, OSError):
            pass

    def read_to(self, port, position):
        with self._open(port) as stream:
            while self.position < position:
                self._read_one(stream)

    def _open(self, port):
        if self._form == EVENT_STREAM:
            return Stream(port, self._form, last_event_id=self.position, after=0, **self._parameters)
        return Stream(port, self._form, after=self.position, **self._parameters)

    def _read_one(self, stream):
        event = stream.next()
        if event is not None:
            self.events.append(event)
        self.position = stream.position


def violations(oracle, events, wanted):
    """Returns what is wrong with the events of one reader. `wanted`: whether an order is within its filter."""
    found = []
    expected = {guid: oracle.outcome(guid).order for guid in oracle.recorded_guids()}
    expected = {guid: order for guid, order in expected.items() if order is not None and wanted(order)}
    seen, versions, last = {}, {}, 0
    for event in events:
        position, guid, order = (event["data"][name] for name in ("position", "message", "order"))
        if position <= last:
            found.append(f"position {position} comes after {last}")
        last = position
        if guid in seen:
            found.append(f"{guid} has two events, at {seen[guid]} and {position}")
        seen[guid] = position
        if order != expected.get(guid):
            found.append(f"{guid}: the event has {order} instead of {expected.get(guid)}")
        if order["version"] <= versions.get(order["order_id"], 0):
            found.append(f"{order['order_id']}: version {order['version']} comes after {versions[order['order_id']]}")
        versions[order["order_id"]] = order["version"]
    found += [f"{guid} has no event" for guid in expected.keys() - seen.keys()]
    return found


def test_readers_that_resume_have_each_acknowledged_write_once(data_dir):
    """Breaks if an event is shown before its write is durable, if a resumed stream leaves a gap or repeats, or if the order of events is
    not that of the versions."""
    customer = "c-1"
    everything = lambda order: True
    of_customer = lambda order: order["customer_id"] == customer
    readers = [(Reader(LINES), everything), (Reader(EVENT_STREAM), everything),
               (Reader(LINES, customer_id=customer), of_customer), (Reader(EVENT_STREAM, customer_id=customer), of_customer)]
    seen = {}

    def load_and_kill(server, oracle, rng, round_number):
        seen["oracle"] = oracle
        threads = Threads([lambda reader=reader: reader.read_until_end(server.port) for reader, _ in readers])
        kill_under_load(server, oracle, rng, round_number)
        threads.join()

    run_rounds(data_dir, settings.CRASH_ROUNDS, load_and_kill)
    oracle = seen["oracle"]
    with start_server(data_dir) as server, server.client() as client:
        end = page(client)["next"]
        for reader, wanted in readers:
            reader.read_to(server.port, end)
            assert not (wrong := violations(oracle, reader.events, wanted)), "\n".join(wrong[:20])
        events, _ = read_all(client, limit=1000)
        assert not (wrong := violations(oracle, events, everything)), "\n".join(wrong[:20])
        assert len(events) > settings.CRASH_ROUNDS
