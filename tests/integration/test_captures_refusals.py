"""Refused calls of captures, with the errors of checkr's server."""

import json

import pytest

from support import settings
from support.captures import (
    CAPTURES, ErrorText, allocation_payload, assert_empty, assert_error, capture_path, captured, new_key, payload_bytes, record_payload,
)

MIB = settings.MIB
KIB = 1024
KEY_CHARACTERS_MAX = 1024
JSON_DEPTH_MAX = 64
RESPONSE = captured('{"resource_id": "123"}', 201, (("Content-Type", "application/json"), ("Set-Cookie", "secret")))


# Refused payloads.

def nested(depth):
    """A payload for a PUT with this nesting depth."""
    return f'{{"idempotency_key":"{new_key()}","x":{"[" * (depth - 1)}{"]" * (depth - 1)}}}'


MALFORMED_PAYLOADS = {
    "nothing": b"",
    "white space": b" \r\n",
    "an object without its end": b'{"idempotency_key":"abcd"',
    "more behind the object": b'{"idempotency_key":"abcd"} {}',
    "a trailing comma": b'{"idempotency_key":"abcd",}',
    "single quotes": b"{'idempotency_key':'abcd'}",
    "a form": b"idempotency_key=abcd",
    "an array": b'["abcd"]',
    "a string": b'"abcd"',
    "a number": b"5",
    "null": b"null",
    "a key that is a number": b'{"idempotency_key":5}',
    "a key that is a list": b'{"idempotency_key":["abcd"]}',
    "half a surrogate pair": b'{"idempotency_key":"abcd","x":"\\ud800"}',
    "a control character": b'{"idempotency_key":"abcd","x":"\x01"}',
    "no JSON in an unknown member": b'{"idempotency_key":"abcd","x":nonsense}',
    "nested too deep": nested(JSON_DEPTH_MAX + 1).encode(),
    "nested far too deep": nested(20_000).encode(),
}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("body", MALFORMED_PAYLOADS.values(), ids=MALFORMED_PAYLOADS)
def test_malformed_payload(client, method, body):
    """Breaks if a body that is not a JSON object, or has no string as key, is accepted."""
    assert_error(client.request(method, CAPTURES, (), body), 400, ErrorText.MALFORMED_PAYLOAD)


def test_nesting_that_is_allowed(client):
    """Breaks if the nesting limit is lower than documented, or if unknown members are refused."""
    assert_empty(client.request("PUT", CAPTURES, (), nested(JSON_DEPTH_MAX).encode()), 202)


@pytest.mark.parametrize("key", [
    "", "a", "abcde", "QQ==", "QQ=", "ab c", " abc", "abc\n", "a+bc", "a/bc", "a.bc", "ab\u00e9", "abc\u65e5", "abc\0", "abc%20",
    "a" * (KEY_CHARACTERS_MAX + 4), "a" * MIB,
], ids=lambda key: repr(key) if len(key) < 20 else f"{len(key)} characters")
def test_malformed_key(client, key):
    """Breaks if a key that is not valid base64url, or is too long, is accepted."""
    for method, payload in (("PUT", allocation_payload(key)), ("POST", record_payload(key, RESPONSE))):
        for ensure_ascii in (True, False):
            answer = client.exchange(payload_bytes(method, payload, ensure_ascii=ensure_ascii))
            assert_error(answer, 422, ErrorText.MALFORMED_KEY)


@pytest.mark.parametrize("payload", [{}, {"idempotency_key": None}, {"key": "abcd"}, {"Idempotency_Key": "abcd"}], ids=str)
def test_absent_key(client, payload):
    """Breaks if a request without a key is accepted, or if a similar member is read as the key."""
    assert_error(client.exchange(payload_bytes("PUT", payload)), 422, ErrorText.MALFORMED_KEY)
    assert_error(client.exchange(payload_bytes("POST", {**payload, "response": RESPONSE})), 422, ErrorText.MALFORMED_KEY)


@pytest.mark.parametrize("length", [2, 3, 4, KEY_CHARACTERS_MAX - 1, KEY_CHARACTERS_MAX])
def test_keys_that_are_allowed(client, length):
    """Breaks if a key of any permitted length or with any character of the alphabet is refused."""
    alphabet = "_-zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA9876543210"
    key = (alphabet * (length // len(alphabet) + 1))[:length]
    assert_empty(client.captures.allocate(key), 202)
    assert_empty(client.captures.release(key), 204)


def test_keys_are_compared_as_they_are(client):
    """Breaks if keys are compared decoded or case-insensitively: two clients would share one."""
    for key in ("QQ", "QR", "qq", "QQ-_", "QQ_-"):
        assert_empty(client.captures.allocate(key), 202)


NO_RESPONSE = object()
MALFORMED_RESPONSES = {
    "missing": NO_RESPONSE,
    "null": None,
    "a list": [RESPONSE],
    "a string": "response",
    "empty": {},
    "no status": {"response_body": "b"},
    "status null": {"response_status": None},
    "status a string": {"response_status": "200"},
    "status not whole": {"response_status": 200.5},
    "status true": {"response_status": True},
    "status 99": {"response_status": 99},
    "status 1000": {"response_status": 1000},
    "status negative": {"response_status": -200},
    "status beyond 16 bits": {"response_status": 65536 + 200},
    "status beyond 64 bits": {"response_status": 2**64 + 200},
    "body a number": {"response_status": 200, "response_body": 5},
    "body an object": {"response_status": 200, "response_body": {}},
    "body half a surrogate pair": {"response_status": 200, "response_body": "\ud800"},
    "headers a string": {"response_status": 200, "response_headers": "X: 1"},
    "headers an object that is not empty": {"response_status": 200, "response_headers": {"X": "1"}},
    "a header a string": {"response_status": 200, "response_headers": ["X: 1"]},
    "a header null": {"response_status": 200, "response_headers": [None]},
    "a header's key a number": {"response_status": 200, "response_headers": [{"key": 1, "value": "1"}]},
    "status nearly 200": {"response_status": 200.5, "response_body": "200.0"},
    "a header's value an object": {"response_status": 200, "response_headers": [{"key": "X", "value": {}}]},
    "a list of values with null": {"response_status": 200, "response_headers": [{"key": "X", "value": ["1", None]}]},
    "a list of lists": {"response_status": 200, "response_headers": [{"key": "X", "value": [["1"]]}]},
    "U+0000 in a header's key": {"response_status": 200, "response_headers": [{"key": "X\0", "value": "1"}]},
    "U+0000 in a header's value": {"response_status": 200, "response_headers": [{"key": "X", "value": "1\0"}]},
    "CR LF in a header's key": {"response_status": 200, "response_headers": [{"key": "X\r\nY", "value": "1"}]},
    "CR LF in a header's value": {"response_status": 200, "response_headers": [{"key": "X", "value": "1\r\nY: 2"}]},
    "LF in a header's value": {"response_status": 200, "response_headers": [{"key": "X", "value": "1\n"}]},
    "CR in a list of values": {"response_status": 200, "response_headers": [{"key": "X", "value": ["1", "2\r"]}]},
    "U+0000 in a list of values": {"response_status": 200, "response_headers": [{"key": "X", "value": ["1", "\0"]}]},
}


@pytest.mark.parametrize("response", MALFORMED_RESPONSES.values(), ids=MALFORMED_RESPONSES)
def test_malformed_response(client, response):
    """Breaks if a response that can't be returned is recorded, or if its refusal removes the allocation."""
    key = client.captures.new_allocation()
    payload = allocation_payload(key) if response is NO_RESPONSE else record_payload(key, response)
    assert_error(client.exchange(payload_bytes("POST", payload)), 400, ErrorText.MALFORMED_PAYLOAD)
    assert_empty(client.captures.allocate(key), 409)
    assert_empty(client.captures.record(key, RESPONSE), 200)


def test_headers_in_latin_1_do_not_keep_a_response_from_being_recorded(client):
    """Breaks if a response with invalid UTF-8 is refused: the request would be executed again after its lease."""
    key = client.captures.new_allocation()
    payload = json.dumps(record_payload(key, captured("b", 200, (("X-Name", "caf?"), ("X", "\u00e9"))))).encode()
    assert_empty(client.request("POST", CAPTURES, (), payload.replace(b"caf?", b"caf\xe9")), 200)
    client.captures.assert_completed(key, captured("b", 200, (("X-Name", "caf\ufffd"), ("X", "\u00e9"))))
    assert_error(client.request("PUT", CAPTURES, (), b'{"idempotency_key":"abc\xff"}'), 422, ErrorText.MALFORMED_KEY)


def test_query_is_refused(client):
    """Breaks if a call with an unknown query parameter is executed."""
    key = new_key()
    for target in (f"{CAPTURES}?dry_run=1", f"{CAPTURES}/?a"):
        answer = client.request("PUT", target, (), json.dumps(allocation_payload(key)).encode())
        assert_error(answer, 400)
    assert_error(client.request("DELETE", f"{capture_path(key)}?a=1"), 400, "'a' is not a parameter of this call")
    assert_error(client.captures.release(key), 404)
    assert_empty(client.captures.allocate(key), 202)


def test_allocation_passes_over_a_response(client):
    """Breaks if a PUT is refused because of an unknown member."""
    for response in (5, {}, RESPONSE):
        assert_empty(client.exchange(payload_bytes("PUT", record_payload(new_key(), response))), 202)


def test_order_of_checks(client):
    """Breaks if the response to a request with two faults reports the later one. The order is: payload, key, response, size, state of
    the capture."""
    too_large = captured("x" * (MIB + 1))
    assert_error(client.exchange(payload_bytes("POST", record_payload(5, None))), 400, ErrorText.MALFORMED_PAYLOAD)
    assert_error(client.exchange(payload_bytes("POST", record_payload("a", None))), 422, ErrorText.MALFORMED_KEY)
    assert_error(client.exchange(payload_bytes("POST", record_payload("a", too_large))), 422, ErrorText.MALFORMED_KEY)
    broken = {**too_large, "response_status": "200"}
    assert_error(client.exchange(payload_bytes("POST", record_payload(new_key(), broken))), 400, ErrorText.MALFORMED_PAYLOAD)
    assert_error(client.captures.record(new_key(), too_large), 413)
    assert_error(client.captures.record(new_key(), RESPONSE), 403, ErrorText.NOT_RECORDABLE)


@pytest.mark.parametrize("status, data", [
    (400, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    (408, b"Content-Length: 10\r\n\r\n{"),
    (413, b"Content-Length: 999999999999\r\n\r\n"),
    (431, b"X: " + b"x" * 20 * KIB + b"\r\n\r\n"),
], ids=["no chunk", "too slow", "body too large", "headers too large"])
@pytest.mark.parametrize("line", [f"PUT {CAPTURES}", f"POST {CAPTURES}", f"DELETE {capture_path('abcd')}"])
def test_requests_that_http_refuses(launch, line, status, data):
    """Breaks if a request that is refused before it is complete gets another error format than the others."""
    with launch("--request-timeout=500ms").connect() as connection:
        connection.send_until_answered(f"{line} HTTP/1.1\r\nHost: localhost\r\n".encode() + data)
        refused = connection.read_response()
        assert_error(refused, status)
        assert refused.closes


@pytest.mark.parametrize("path, methods, allowed", [
    (CAPTURES, ("GET", "HEAD", "DELETE", "PATCH", "OPTIONS"), "POST, PUT"),
    (capture_path("abcd"), ("PUT", "POST", "PATCH"), "DELETE, GET, HEAD"),
    (capture_path("QQ=="), ("PUT",), "DELETE, GET, HEAD"),
])
def test_other_methods(client, path, methods, allowed):
    """Breaks if an unsupported method changes anything, or gets another response than 405 with Allow."""
    for method in methods:
        answer = client.request(method, path)
        if method == "HEAD":
            assert (answer.status, answer.body) == (405, b"")
        else:
            assert_error(answer, 405, ErrorText.METHOD_NOT_ALLOWED)
        assert answer.header("Allow") == allowed


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/capture", "/api/v2/captures/a/b", "/api/v1/captures"])
def test_other_paths(client, path):
    """Breaks if a similar path is treated as that of captures."""
    for method in ("PUT", "POST", "DELETE"):
        assert client.request(method, path, (), b"" if method == "DELETE" else b"{}").status == 404
