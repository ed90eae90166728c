"""Captures: who may execute a request outside Ordem, and the recorded response. They behave like checkr/idempotent-requests, except
where that server fails its users."""

import json
import threading
from collections import Counter

import pytest

from support import settings
from support.captures import (
    CAPTURES, ErrorText, allocation_bytes, allocation_payload, assert_empty, assert_error, assert_record, capture_path, captured,
    new_key, payload_bytes, record_bytes, record_payload, release_bytes,
)
from support.checkr_client import ALLOCATED, COMPLETED, IN_FLIGHT, IN_PROGRESS, CheckrClient, KongPlugin, Proxied, encoded_key
from support.concurrency import Threads, poll_until
from support.http_client import request_bytes, send_at_the_same_moment
from support.orders import accepted_order, create, message_path, recorded_part

MIB = settings.MIB
KIB = 1024
SHORT_LEASE = ("--capture-lease=1s",)
KEY_CHARACTERS_MAX = 1024
RESPONSE = captured('{"resource_id": "123"}', 201, (("Content-Type", "application/json"), ("Set-Cookie", "secret")))


@pytest.fixture
def checkr(server):
    with CheckrClient(server.port) as client:
        yield client.wait_ready()


# Clients of checkr/idempotent-requests.

def test_smoke_test_of_a_checkr_client(checkr):
    """Breaks if a client written for the document of checkr's server observes a difference."""
    key = encoded_key("BA699BB7-586A-4C98-968F-EF865EE0C85F")
    assert checkr.ping().json() == {"message": "pong"}
    first = checkr.allocate(key)
    assert (first.status, first.body) == (ALLOCATED, b"")
    again = checkr.allocate(key)
    assert (again.status, again.body) == (IN_FLIGHT, b"")
    recorded = checkr.record(key, RESPONSE)
    assert (recorded.status, recorded.body) == (200, b"")
    for _ in range(3):
        completed = checkr.allocate(key)
        assert completed.status == COMPLETED
        assert completed.headers["content-type"] == "application/json"
        assert completed.json() == {"idempotency_key": key, "response": RESPONSE}
    late = checkr.record(key, captured("another"))
    assert (late.status, late.json()) == (403, {"error": ErrorText.NOT_RECORDABLE})
    assert checkr.allocate(key).body == completed.body


def test_refusals_of_a_checkr_client(checkr):
    """Breaks if an error has another status or body than that of checkr's server."""
    unknown = checkr.record(new_key(), RESPONSE)
    assert (unknown.status, unknown.json()) == (403, {"error": ErrorText.NOT_RECORDABLE})
    padded = checkr.allocate("==qwe--")
    assert (padded.status, padded.json()) == (422, {"error": ErrorText.MALFORMED_KEY})
    broken = checkr.send_text("PUT", '{"idempotency_key":')
    assert (broken.status, broken.json()) == (400, {"error": ErrorText.MALFORMED_PAYLOAD})


# The Kong plugin.

class Upstream:
    """Counts its executions, and returns a different response to each."""

    def __init__(self, headers, body=b'{"resource": "/things/1"}'):
        self.executed = Counter()
        self._headers = headers
        self._body = body
        self._lock = threading.Lock()

    def __call__(self, raw_key):
        with self._lock:
            self.executed[raw_key] += 1
            number = self.executed.total()
        return Proxied(201, self._headers, self._body + str(number).encode())


UPSTREAM_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "content-length": "26",
    "set-cookie": ["session=a/b; Path=/; HttpOnly", "theme=dark; Max-Age=31536000"],
    "location": "https://example.com/things/1?a=b&c=d",
    "x-name": "Zo\u00eb \u65e5\u672c\u8a9e",
    "x-empty": "",
}


def test_kong_plugin_captures_and_replays(server):
    """Breaks if the plugin's requests are refused, or if a replay differs from the upstream's response: its body compressed and
    encoded, a header with several values as a list, slashes escaped, no Content-Type."""
    upstream = Upstream(UPSTREAM_HEADERS)
    plugin = KongPlugin(server.port, upstream)
    raw_key = "8e03978e-40d5-43e8-bc93-6894a57f9324/\u00e9?"
    first = plugin.request(raw_key)
    assert plugin.failures == []
    assert plugin.request(raw_key) == first == plugin.request(raw_key)
    assert upstream.executed[raw_key] == 1


@pytest.mark.parametrize("headers, body", [
    ({}, b"x"),
    ({"x": "1"}, b""),
    ({"set-cookie": ["only=one"]}, b"x"),
    ({"content-type": "application/octet-stream"}, bytes(range(256)) * 64),
    ({f"x-{n}": "v" * n for n in range(100)}, b"x" * 100_000),
], ids=["no headers: an empty table", "empty body", "a list of one", "binary", "large"])
def test_kong_plugin_with_unusual_answers(server, headers, body):
    """Breaks if a response can't be captured because Lua writes an empty table as an object, because a header has a list of one value,
    or because bytes are not text: the key would stay in flight."""
    upstream = Upstream(headers, body)
    plugin = KongPlugin(server.port, upstream)
    raw_key = new_key()
    first = plugin.request(raw_key)
    assert plugin.failures == []
    assert plugin.request(raw_key) == first
    assert upstream.executed[raw_key] == 1


def test_kong_plugin_while_the_upstream_works(server):
    """Breaks if a second request with the key reaches the upstream, or gets any response but that the first is in progress."""
    upstream = Upstream(UPSTREAM_HEADERS)
    plugin = KongPlugin(server.port, upstream)
    raw_key = new_key()
    assert plugin.access(raw_key) is None
    second = plugin.request(raw_key)
    assert (second.status, json.loads(second.body)) == (409, IN_PROGRESS)
    answered = plugin.execute(raw_key)
    assert plugin.request(raw_key) == answered
    assert upstream.executed[raw_key] == 1


def test_kong_plugin_with_an_empty_key(server):
    """Breaks if an empty Idempotency-Key is treated as a key: all clients that send one would share it."""
    plugin = KongPlugin(server.port, Upstream({}))
    refused = plugin.request("")
    assert (refused.status, json.loads(refused.body)) == (422, {"error": ErrorText.MALFORMED_KEY})


def test_many_proxies_execute_once(server):
    """Breaks if two proxies with one key both reach the upstream, or if one of them replays anything but its response."""
    upstream = Upstream(UPSTREAM_HEADERS)
    raw_keys = [new_key() for _ in range(settings.CAPTURE_ROUNDS)]
    answers = []

    def repeat():
        plugin = KongPlugin(server.port, upstream)
        answers.extend((raw_key, plugin.request(raw_key)) for raw_key in raw_keys)
        assert plugin.failures == []

    Threads([repeat] * settings.RACE_CLIENTS).join()
    assert upstream.executed == Counter(raw_keys)
    for raw_key in raw_keys:
        told = {answer.body for key, answer in answers if key == raw_key and answer.status != 409}
        assert told == {KongPlugin(server.port, upstream).request(raw_key).body}


# Concurrent requests.

@pytest.mark.parametrize("flags", [(), ("--durability=os",), ("--shards=1", "--io-threads=1")], ids=["fsync", "os", "one shard"])
def test_one_of_many_is_allocated(launch, flags):
    """Breaks if two requests both get permission to execute, or if a response is sent before the allocation that it refers to is
    durable."""
    server = launch(*flags)
    client = server.client()
    for _ in range(settings.CAPTURE_ROUNDS):
        key = new_key()
        answers = send_at_the_same_moment(server.port, [allocation_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        assert Counter(answer.status for answer in answers) == {202: 1, 409: settings.CAPTURE_CONNECTIONS - 1}
        for answer in answers:
            assert_empty(answer, answer.status)
        assert_empty(client.captures.record(key, RESPONSE), 200)
        answers = send_at_the_same_moment(server.port, [allocation_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        for answer in answers:
            assert_record(answer, key, RESPONSE)
        assert len({answer.body for answer in answers}) == 1


def test_one_of_many_is_recorded(server, client):
    """Breaks if two responses are both recorded, or if a client that got 200 later finds another client's response."""
    for _ in range(settings.CAPTURE_ROUNDS):
        key = client.captures.new_allocation()
        responses = [captured(f"response {n}", 200 + n) for n in range(settings.CAPTURE_CONNECTIONS)]
        answers = send_at_the_same_moment(server.port, [record_bytes(key, response) for response in responses])
        won = [response for response, answer in zip(responses, answers) if answer.status == 200]
        assert len(won) == 1, Counter(answer.status for answer in answers)
        for answer in answers:
            if answer.status == 200:
                assert_empty(answer, 200)
            else:
                assert_error(answer, 403, ErrorText.NOT_RECORDABLE)
        client.captures.assert_completed(key, won[0])


def test_one_of_many_is_released(server, client):
    """Breaks if an allocation can be released twice."""
    for _ in range(settings.CAPTURE_ROUNDS):
        key = client.captures.new_allocation()
        answers = send_at_the_same_moment(server.port, [release_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        assert Counter(answer.status for answer in answers) == {204: 1, 404: settings.CAPTURE_CONNECTIONS - 1}
        assert_empty(client.captures.allocate(key), 202)


def test_every_allocation_ends_once(server, client):
    """Breaks if concurrent calls to allocate, record and release are not serialised: an allocation would be both recorded and released,
    or lost."""
    for round_number in range(settings.CAPTURE_RACE_ROUNDS):
        key = client.captures.new_allocation()
        each = settings.CAPTURE_RACE_REQUESTS // 3
        requests = [data for n in range(each)
                    for data in (allocation_bytes(key), record_bytes(key, captured(f"{round_number}/{n}")), release_bytes(key))]
        answers = send_at_the_same_moment(server.port, requests)
        allocated = 1 + sum(answer.status == 202 for answer in answers)
        released = sum(answer.status == 204 for answer in answers)
        recorded = [n for n, answer in enumerate(answers[1::3]) if answer.status == 200]
        last = client.captures.allocate(key)
        in_flight = int(last.status == 409)
        assert allocated == released + len(recorded) + in_flight, Counter(answer.status for answer in answers)
        assert len(recorded) <= 1
        assert last.status == (200 if recorded else 409 if in_flight else 202)
        for n in recorded:
            assert_record(last, key, captured(f"{round_number}/{n}"))
        for answer in answers[0::3]:
            if answer.status == 200:
                assert answer.body == last.body


def taken_allocation(captures, key):
    answer = captures.allocate(key)
    return None if answer.status == 503 else answer


def test_too_much_at_once_is_refused(launch):
    """Breaks if a request beyond --max-in-flight is not refused in the error format of this interface, or is executed anyway."""
    server = launch("--max-in-flight=1")
    refused = 0
    for _ in range(settings.CAPTURE_ROUNDS):
        key = new_key()
        answers = send_at_the_same_moment(server.port, [allocation_bytes(key)] * settings.CAPTURE_CONNECTIONS)
        told = Counter(answer.status for answer in answers)
        assert told.keys() <= {202, 409, 503} and told[202] <= 1, told
        for answer in answers:
            if answer.status == 503:
                assert_error(answer, 503)
                assert int(answer.header("Retry-After")) > 0
            else:
                assert_empty(answer, answer.status)
        # A slow server may refuse for a moment longer.
        client = server.client().captures
        answer = poll_until(lambda k=key, c=client: taken_allocation(c, k), "the request to be taken")
        assert_empty(answer, 409 if told[202] else 202)
        refused += told[503]
    assert refused > 0, "nothing was refused"


# Captured responses are returned unchanged.

def all_of_unicode(bytes_max):
    """All of Unicode, in texts of at most `bytes_max` bytes of UTF-8."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    count = bytes_max // 4
    return ["".join(characters[start:start + count]) for start in range(0, len(characters), count)]


@pytest.mark.parametrize("ensure_ascii", [True, False], ids=["escaped", "as it is"])
def test_every_character_comes_back(client, ensure_ascii):
    """Breaks if any character, including U+0000, is lost, changed or refused in a captured body, escaped or not."""
    for text in all_of_unicode(MIB):
        key = client.captures.new_allocation()
        response = captured(text)
        assert_empty(client.exchange(record_bytes(key, response, ensure_ascii)), 200)
        client.captures.assert_completed(key, response)


def test_every_character_in_headers_comes_back(client):
    """Breaks if any character but CR, LF and U+0000 is lost, changed or refused in the key or the value of a header."""
    for text in all_of_unicode(MIB // 8):
        text = text.translate({0: None, 10: None, 13: None})
        response = captured("", headers=((text, text), ("list", [text, text[::-1]])))
        key = client.captures.new_record(response)
        client.captures.assert_completed(key, response)


@pytest.mark.parametrize("headers", [
    (),
    (("X-B", "1"), ("X-A", "2"), ("x-a", "3"), ("X-A", "2")),
    (("Set-Cookie", ["a=1", "b=2"]), ("Set-Cookie", "c=3"), ("Set-Cookie", ["d=4"])),
    (("X-Empty", ""), ("X-None", []), ("", "no name"), ("X-List", ["", ""])),
], ids=["none", "order, case and repeats", "lists", "empty ones"])
@pytest.mark.parametrize("status", [100, 200, 404, 999])
def test_headers_and_status_come_back(client, headers, status):
    """Breaks if headers are sorted, joined, case-folded or deduplicated, if a list becomes a string or a string a list, or if only some
    statuses are recorded."""
    response = captured("body", status, headers)
    key = client.captures.new_record(response)
    client.captures.assert_completed(key, response)


@pytest.mark.parametrize("given, kept", [
    ({"response_status": 200}, captured()),
    ({"response_status": 200, "response_headers": {}}, captured()),
    ({"response_status": 200, "response_headers": None}, captured()),
    ({"response_status": 200, "response_headers": []}, captured()),
    ({"response_body": "b", "response_status": 204, "colour": {"red": [1, None]}}, captured("b", 204)),
    ({"response_status": 200, "response_body": None}, captured()),
    ({"response_status": 200, "response_headers": [{"value": "v", "colour": 1, "key": "k"}]}, captured(headers=(("k", "v"),))),
    ({"response_status": 200, "response_headers": [{"key": "k"}, {"value": "v"}, {"key": "k", "value": None}, {}]},
     captured(headers=(("k", ""), ("", "v"), ("k", ""), ("", "")))),
    ({"response_status": 200, "response_headers": [{"key": "Content-Length", "value": 42}, {"key": "a", "value": True},
                                                   {"key": "b", "value": [1, 0.5, False, "c"]}]},
     captured(headers=(("Content-Length", "42"), ("a", "true"), ("b", ["1", "0.5", "false", "c"])))),
    ({"response_status": 201.0, "response_body": "1.0"}, captured("1.0", 201)),
], ids=["only a status", "an empty object for headers", "null for headers", "no headers", "other members", "null for the body",
        "other members of a header", "parts of a header", "numbers and booleans as values", "a status with a fraction"])
def test_what_may_be_left_out(client, given, kept):
    """Breaks if a response without a body, without headers, or with an incomplete header is refused or loses those members (checkr's
    server omits empty members), or if an unknown member is refused or stored."""
    key = client.captures.new_allocation()
    answer = client.exchange(payload_bytes("POST", {"colour": "red", **record_payload(key, given)}))
    assert_empty(answer, 200)
    client.captures.assert_completed(key, kept)


@pytest.mark.parametrize("value", ["application/json", "application/octet-stream", "nonsense", "", None])
def test_content_type_that_is_no_form(client, value):
    """Breaks if a request requires a Content-Type (the Kong plugin sends none), or is refused because of one that no web page may send
    to another server without asking it."""
    headers = [] if value is None else [("Content-Type", value)]
    key = new_key()
    assert_empty(client.exchange(payload_bytes("PUT", allocation_payload(key), headers)), 202)
    assert_empty(client.exchange(payload_bytes("POST", record_payload(key, RESPONSE), headers)), 200)
    assert_record(client.exchange(payload_bytes("PUT", allocation_payload(key), headers)), key, RESPONSE)


@pytest.mark.parametrize("value", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_content_type_of_a_form(client, value):
    """Breaks if any web page can change captures by a request for which its browser asks no permission."""
    key = new_key()
    assert_error(client.exchange(payload_bytes("PUT", allocation_payload(key), [("Content-Type", value)])), 415)
    assert_empty(client.captures.allocate(key), 202)
    assert_error(client.exchange(payload_bytes("POST", record_payload(key, RESPONSE), [("Content-Type", value)])), 415)
    assert_empty(client.captures.allocate(key), 409)


# The size of a response.

def assert_too_large(client, key, response):
    """The response is refused for its size. The allocation stays and accepts a smaller response."""
    assert_error(client.captures.record(key, response), 413)
    assert_empty(client.captures.allocate(key), 409)


@pytest.mark.parametrize("filler, ensure_ascii", [("x", True), ("\0", True), ("\u00e9", False), ("\u65e5", False), ("\U0001f680", True)],
                         ids=["ASCII", "U+0000, six times as long in JSON", "two bytes", "three bytes", "four bytes"])
def test_largest_response(client, filler, ensure_ascii):
    """Breaks if a response of 1 MiB is refused in any encoding, if one more byte is accepted, if characters are counted instead of
    bytes, or if the refusal removes the allocation."""
    largest = filler * (MIB // len(filler.encode()))
    largest += "x" * (MIB - len(largest.encode()))
    key = client.captures.new_allocation()
    refused = client.exchange(record_bytes(key, captured(largest + "x"), ensure_ascii))
    assert_error(refused, 413)
    assert not refused.closes, "a response too large is no reason to close"
    assert_empty(client.captures.allocate(key), 409)
    assert_empty(client.exchange(record_bytes(key, captured(largest), ensure_ascii)), 200)
    client.captures.assert_completed(key, captured(largest))


@pytest.mark.parametrize("response", [
    captured("b" * 2048),
    captured("", headers=(("k" * 1024, "v" * 1024),)),
    captured("b" * 1024, headers=(("k", "v" * 511), ("k", ["v" * 500, "w" * 11]))),
    captured("\u00e9" * 512, headers=(("\u00e9" * 256, ["\u65e5" * 170, "xy"]),)),
], ids=["body", "header", "all of it", "beyond ASCII"])
def test_what_counts_as_size(launch, response):
    """Breaks if --capture-max counts anything but the bytes of the body and of the headers' keys and values."""
    client = launch("--capture-max=2KiB").client()
    key = client.captures.new_allocation()
    more_body = {**response, "response_body": response["response_body"] + "x"}
    more_headers = {**response, "response_headers": response["response_headers"] + [{"key": "", "value": ["", "x"]}]}
    assert_too_large(client, key, more_body)
    assert_too_large(client, key, more_headers)
    assert_empty(client.captures.record(key, response), 200)
    client.captures.assert_completed(key, response)


def test_record_outlives_a_smaller_bound(launch):
    """Breaks if --capture-max is applied to responses that are already recorded."""
    server = launch()
    response = captured("x" * MIB)
    key = server.client().captures.new_record(response)
    server.stop()
    client = launch("--capture-max=1KiB").client()
    client.captures.assert_completed(key, response)


# The largest HTTP body with --capture-max=1KiB.
BODY_BYTES_MAX = 6 * KIB + 64 * KIB


def test_largest_http_body(launch):
    """Breaks if anything but --capture-max limits these bodies, or if a body too large for any response is not refused while it is
    read, with 413 in the error format of this interface, and the connection closed."""
    server = launch("--capture-max=1KiB", "--max-body=1KiB")
    allocated, recorded, released = new_key(), server.client().captures.new_allocation(), server.client().captures.new_allocation()
    for method, path, payload, status in (
        ("PUT", CAPTURES, allocation_payload(allocated), 202),
        ("POST", CAPTURES, record_payload(recorded, RESPONSE), 200),
        ("DELETE", capture_path(released), None, 204),
    ):
        body = json.dumps(payload).encode()
        with server.connect() as connection:
            connection.send_until_answered(request_bytes(method, path, (), body.ljust(BODY_BYTES_MAX + 1)))
            refused = connection.read_response()
            assert_error(refused, 413)
            assert refused.closes
            assert connection.read_end() == b""
        with server.connect() as connection:
            assert_empty(connection.exchange(request_bytes(method, path, (), body.ljust(BODY_BYTES_MAX)), method), status)


def test_endless_http_body(server):
    """Breaks if an endless body, or one that announces an absurd length, is read until memory runs out. The fixture checks that the
    server's memory has not grown."""
    head = f"POST {CAPTURES} HTTP/1.1\r\nHost: localhost\r\n".encode()
    announced = head + b"Content-Length: 999999999999\r\n\r\n" + b'{"idempotency_key":"'
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for data in (announced, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 160):
        with server.connect() as connection:
            connection.send_until_answered(data)
            refused = connection.read_response()
            assert_error(refused, 413)
            assert refused.closes


# Releasing an allocation.

def test_release(client):
    """Breaks if a released allocation blocks another one, still accepts a response, or can be released again."""
    key = client.captures.new_allocation()
    assert_empty(client.captures.release(key), 204)
    assert_error(client.captures.record(key, RESPONSE), 403, ErrorText.NOT_RECORDABLE)
    assert_error(client.captures.release(key), 404, ErrorText.NOT_ALLOCATED)
    assert_empty(client.captures.allocate(key), 202)
    assert_empty(client.captures.record(key, RESPONSE), 200)
    assert_error(client.captures.release(key), 403, ErrorText.NOT_RECORDABLE)
    client.captures.assert_completed(key, RESPONSE)


def test_release_after_the_lease(launch):
    """Breaks if only an allocation whose lease is running can be released."""
    client = launch(*SHORT_LEASE).client()
    key = client.captures.new_allocation()
    client.captures.let_leases_end()
    assert_empty(client.captures.release(key), 204)
    assert_error(client.captures.release(key), 404, ErrorText.NOT_ALLOCATED)


def test_release_of_what_is_not_there(client):
    """Breaks if releasing an unknown or invalid key succeeds."""
    assert_error(client.captures.release(new_key()), 404, ErrorText.NOT_ALLOCATED)
    for malformed in ("QQ==", "abcde", "a%20bc", "a%2Fbc", "%C3%A9", "a" * (KEY_CHARACTERS_MAX + 4)):
        assert_error(client.captures.release(malformed), 422, ErrorText.MALFORMED_KEY)


def test_release_of_an_encoded_key(client):
    """Breaks if the key in a path is not decoded, or if the longest key does not fit into a path."""
    key = client.captures.new_allocation()
    assert_empty(client.captures.release("".join(f"%{ord(character):02x}" for character in key)), 204)
    longest = (new_key() * KEY_CHARACTERS_MAX)[:KEY_CHARACTERS_MAX]
    assert_empty(client.captures.allocate(longest), 202)
    assert_empty(client.captures.release(longest), 204)


# Captures and orders.

def test_orders_and_captures_do_not_meet(client):
    """Breaks if GUIDs and keys share a namespace: a capture would replace or block the outcome of an order."""
    first, second = new_key(), new_key()
    write = create(guid=first)
    created = write.send(client)
    assert_empty(client.captures.allocate(first), 202)
    assert_empty(client.captures.allocate(second), 202)
    other = create(guid=second)
    assert not other.send(client).replayed
    for key in (first, second):
        assert client.get(message_path(key)).json()["state"] == "completed"
        assert_empty(client.captures.allocate(key), 409)
        assert_empty(client.captures.record(key, RESPONSE), 200)
        client.captures.assert_completed(key, RESPONSE)
    repeated = write.send(client)
    assert repeated.replayed and recorded_part(repeated) == recorded_part(created)
    assert_empty(client.captures.release(client.captures.new_allocation()), 204)
    assert client.get(message_path(first)).status == 200


def position(answer):
    return int(answer.header("Ordem-Position"))


def test_positions(launch):
    """Breaks if a response has a position before that of its change, or if a request without a change is written to the log."""
    client = launch().client()
    key = new_key()
    last = position(client.captures.allocate(key))
    assert last >= 1
    steps = [
        (lambda: client.captures.allocate(key), 409, False),
        (lambda: client.captures.record(new_key(), RESPONSE), 403, False),
        (lambda: client.captures.record("a", RESPONSE), 422, False),
        (lambda: client.captures.release(key), 204, True),
        (lambda: client.captures.release(key), 404, False),
        (lambda: client.captures.allocate(key), 202, True),
        (lambda: client.captures.record(key, RESPONSE), 200, True),
        (lambda: client.captures.allocate(key), 200, False),
        (lambda: client.captures.record(key, RESPONSE), 403, False),
        (lambda: client.captures.release(key), 403, False),
    ]
    for number, (send, status, changes) in enumerate(steps):
        answer = send()
        assert answer.status == status, f"step {number}: {answer.status} {answer.body!r}"
        assert (position(answer) > last) == changes, f"step {number}: from {last} to {position(answer)}"
        last = position(answer)
    assert client.get("/-/position").json()["durable"] == last
    accepted_order(create().send(client), 201)
    assert position(client.captures.allocate(key)) > last
