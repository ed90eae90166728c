"""Captures as a client sees them: the requests, the calls, and checks of the responses."""

import json
import uuid
from base64 import urlsafe_b64encode

from support.concurrency import poll_until
from support.http_client import request_bytes
from support.orders import parse_time

CAPTURES = "/api/v2/captures"
JSON_TYPE = "application/json"


class ErrorText:
    """The messages of errors, which are those of the server that captures replace."""

    MALFORMED_PAYLOAD = "Malformed payload"
    MALFORMED_KEY = "Malformed idempotency key. Use URL safe base64 encoding without padding"
    NOT_RECORDABLE = "Capture has been completed or has not been allocated"
    NOT_ALLOCATED = "Capture has not been allocated"
    METHOD_NOT_ALLOWED = "Method not allowed"


def new_key():
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def capture_path(key):
    return f"{CAPTURES}/{key}"


def captured(body="", status=200, headers=()):
    """A response in the form in which clients record it. `headers`: (key, value) pairs; a value is a string or a list of strings."""
    return {"response_status": status, "response_body": body, "response_headers": [{"key": key, "value": value} for key, value in headers]}


# Requests.

def allocation_payload(key):
    return {"idempotency_key": key}


def record_payload(key, response):
    return {"idempotency_key": key, "response": response}


def payload_bytes(method, payload, headers=(), ensure_ascii=True):
    """A request with `payload` as JSON. It has no Content-Type unless `headers` contain one."""
    return request_bytes(method, CAPTURES, headers, json.dumps(payload, ensure_ascii=ensure_ascii).encode())


def allocation_bytes(key):
    return payload_bytes("PUT", allocation_payload(key))


def record_bytes(key, response, ensure_ascii=True):
    return payload_bytes("POST", record_payload(key, response), ensure_ascii=ensure_ascii)


def release_bytes(key):
    return request_bytes("DELETE", capture_path(key))


# Checks of responses.

def assert_empty(answer, status):
    """The response has no body, and its headers say so."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body[:500]!r}"
    assert answer.body == b""
    assert answer.header("Content-Type") is None
    assert answer.header("Content-Length") == (None if status == 204 else "0")
    assert int(answer.header("Ordem-Position")) >= 0


def assert_error(answer, status, text=None):
    """The response is an error in the format of the server that captures replace. `text`: its message; None accepts any."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body[:500]!r}"
    assert answer.header("Content-Type") == JSON_TYPE
    assert status == 405 or int(answer.header("Ordem-Position")) >= 0
    body = answer.json()
    assert list(body) == ["error"], body
    assert body["error"] == text if text else body["error"].strip(), body


def assert_record(answer, key, response):
    """The response is the record exactly as it was sent, in the same order."""
    assert answer.status == 200, f"{answer.status}: {answer.body[:500]!r}"
    assert answer.header("Content-Type") == JSON_TYPE
    assert answer.json() == record_payload(key, response)
    assert int(answer.header("Ordem-Position")) >= 1


class Captures:
    """The calls of the captures API, through a client or a connection. `allocate`, `record` and `release`
    return the response, whatever it is; the others check it."""

    def __init__(self, client):
        self._client = client

    def allocate(self, key):
        return self._client.exchange(allocation_bytes(key), "PUT")

    def record(self, key, response):
        return self._client.exchange(record_bytes(key, response), "POST")

    def release(self, key):
        return self._client.exchange(release_bytes(key), "DELETE")

    def assert_completed(self, key, response):
        """A PUT returns the record."""
        assert_record(self.allocate(key), key, response)

    # Bringing a key into a state.

    def complete(self, key, response):
        """Allocates and records. Returns the second response."""
        assert_empty(self.allocate(key), 202)
        answer = self.record(key, response)
        assert_empty(answer, 200)
        return answer

    def new_allocation(self):
        """Returns a key that is now allocated."""
        key = new_key()
        assert_empty(self.allocate(key), 202)
        return key

    def new_record(self, response):
        """Returns a key that is now completed with `response`."""
        key = new_key()
        self.complete(key, response)
        return key

    def wait_allocated(self, key):
        """Retries until the key can be allocated, which leaves it allocated. Returns the responses before that one."""
        refused = []

        def is_allocated():
            answer = self.allocate(key)
            if answer.status == 202:
                assert_empty(answer, 202)
                return True
            refused.append(answer)
            return False

        poll_until(is_allocated, f"{key} may be allocated")
        return refused

    def let_leases_end(self):
        """Returns once the lease of every earlier allocation has ended by the server's clock: a new allocation with the same
        lease has been taken over."""
        for answer in self.wait_allocated(self.new_allocation()):
            assert_empty(answer, 409)

    def let_captures_expire(self):
        """Returns once every earlier capture with the same time to live has expired by the server's clock: a new one has."""
        response = captured("until it expires")
        key = self.new_record(response)
        for answer in self.wait_allocated(key):
            assert_record(answer, key, response)


def seconds_between(earlier, earlier_name, later, later_name):
    """The time between a moment of one inspected capture and a moment of another."""
    return (parse_time(later[later_name]) - parse_time(earlier[earlier_name])).total_seconds()
