"""Readers of the change feed, GET /api/v1/changes.

    page(client, after=0)                     the members of one JSON page, checked
    read_all(client, after=0)                 all events up to the end, page by page
    with Stream(port, EVENT_STREAM, after=0) as stream:
        stream.take(10)                       the next ten events; marks set stream.position
"""

import http.client
import json
import select
import socket
from urllib.parse import urlencode

from support import settings
from support.http_client import HOST

CHANGES = "/api/v1/changes"
LINES = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
TYPES = ("order.created", "order.updated", "order.status_changed")


def changes_path(**parameters):
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{CHANGES}?{urlencode(given)}" if given else CHANGES


def check_event(event, log_id=None):
    """Fails unless the event is a CloudEvent of the feed. Returns its position."""
    assert set(event) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}, event
    data = event["data"]
    source, position = event["id"].rsplit(":", 1)
    assert event["specversion"] == "1.0" and event["datacontenttype"] == "application/json", event
    assert event["source"] == f"urn:uuid:{source}" and int(position) == data["position"], event
    assert log_id is None or source == log_id, event
    assert event["type"] in TYPES and event["subject"] == data["order"]["order_id"], event
    assert (data["order"]["version"] == 1) == (event["type"] == "order.created"), event
    assert event["time"] == data["order"]["updated_at"], event
    assert data.get("actor") == data["order"].get("actor"), event
    return data["position"]


def page(client, **parameters):
    """Returns a page of the feed after checking it."""
    response = client.get(changes_path(**parameters))
    assert response.status == 200, response.body
    assert response.header("Content-Type") == "application/json"
    body = response.json()
    assert (body["code"], body["message"]) == (200, "ok"), body
    positions = [check_event(event, body["log_id"]) for event in body["events"]]
    assert positions == sorted(set(positions)), positions
    assert not positions or positions[-1] <= body["next"], body["next"]
    return body


def read_all(client, after=0, **parameters):
    """Returns all events behind a position, and the position that was reached."""
    events = []
    while True:
        read = page(client, after=after, **parameters)
        if read["next"] == after:
            return events, after
        events += read["events"]
        after = read["next"]


class StreamEnded(Exception):
    """The stream ended. `complete`: with its last chunk."""

    def __init__(self, complete):
        super().__init__(f"the stream ended {'whole' if complete else 'in the middle'}")
        self.complete = complete


class Stream:
    """One stream. Reads only what is asked for, so a reader that takes nothing is a slow one. `narrow` is that of Connection."""

    def __init__(self, port, form, last_event_id=None, narrow=False, key=None, headers=None, **parameters):
        self.form = form
        self.position = None
        self.comments = []
        connection = http.client.HTTPConnection(HOST, port, timeout=settings.ANSWER_SECONDS_MAX)
        if narrow:
            connection.sock = socket.socket()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sock.settimeout(settings.ANSWER_SECONDS_MAX)
            connection.sock.connect((HOST, port))
        sent = {"Accept": form, **(headers or {})}
        if last_event_id is not None:
            sent["Last-Event-ID"] = str(last_event_id)
        if key:
            sent["Authorization"] = f"Bearer {key}"
        connection.request("GET", changes_path(**parameters), headers=sent)
        self._connection = connection
        self.response = connection.getresponse()
        assert self.response.status == 200, (self.response.status, self.response.read())
        assert self.response.getheader("Content-Type") == form
        assert self.response.getheader("Transfer-Encoding") == "chunked"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.response.close()
        self._connection.close()

    def has_more(self):
        """Returns whether bytes have come since the last read, without waiting for them."""
        return bool(select.select([self.response.fp], [], [], 0)[0])

    def next(self):
        """Returns the next event, or None for a mark or a comment. Raises StreamEnded."""
        return self._next_line() if self.form == LINES else self._next_frame()

    def take(self, count):
        """Returns the next events."""
        events = []
        while len(events) < count:
            event = self.next()
            if event is not None:
                events.append(event)
        return events

    def take_until(self, position):
        """Returns the events up to the mark or the event that reaches a position."""
        events = []
        while self.position is None or self.position < position:
            event = self.next()
            if event is not None:
                events.append(event)
        return events

    def read_end(self):
        """Returns the events up to the end, and whether the stream ended whole."""
        events = []
        try:
            while True:
                event = self.next()
                if event is not None:
                    events.append(event)
        except StreamEnded as end:
            return events, end.complete

    def _line(self):
        try:
            line = self.response.readline()
        except (http.client.IncompleteRead, ConnectionError):
            raise StreamEnded(complete=False) from None
        if not line:
            raise StreamEnded(complete=self.response.isclosed() or self.response.chunk_left in (0, None))
        assert line.endswith(b"\n"), line
        return line[:-1]

    def _next_line(self):
        value = json.loads(self._line())
        if "specversion" not in value:
            assert set(value) == {"position"}, value
            self._advance(value["position"])
            return None
        self._advance(check_event(value))
        return value

    def _next_frame(self):
        """By the rules of the HTML standard, "Interpreting an event stream"."""
        data, event_id = [], None
        while line := self._line().decode():
            if line.startswith(":"):
                self.comments.append(line)
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            assert field in ("id", "data"), line
            if field == "id":
                event_id = int(value)
            else:
                data.append(value)
        if event_id is not None and not data:
            self._advance(event_id)
        if not data:
            return None
        event = json.loads("\n".join(data))
        assert check_event(event) == event_id, event
        self._advance(event_id)
        return event

    def _advance(self, position):
        assert self.position is None or position >= self.position, (position, self.position)
        self.position = position
