"""Captures as a client sees them: what it sends, and what it expects of the answers."""

import json
import uuid
from base64 import urlsafe_b64encode

from support.concurrency import poll_until
from support.http_client import request_bytes
from support.ordem_server import run_ordem
from support.orders import parse_time

CAPTURES = "/api/v2/captures"
JSON_TYPE = "application/json"
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
    """A response as it is sent to be recorded. `headers` are (key, value) pairs, each value a string or a list of them."""
    return {"response_status": status, "response_body": body, "response_headers": [{"key": key, "value": value} for key, value in headers]}


# What a client sends.

def allocation_payload(key):
    return {"idempotency_key": key}


def record_payload(key, response):
    return {"idempotency_key": key, "response": response}


def payload_bytes(method, payload, headers=(), ensure_ascii=True):
    """A request with `payload` as JSON, and no Content-Type unless `headers` have one."""
    return request_bytes(method, CAPTURES, headers, json.dumps(payload, ensure_ascii=ensure_ascii).encode())


def allocation_bytes(key):
    return payload_bytes("PUT", allocation_payload(key))


def record_bytes(key, response, ensure_ascii=True):
    return payload_bytes("POST", record_payload(key, response), ensure_ascii=ensure_ascii)


def release_bytes(key):
    return request_bytes("DELETE", capture_path(key))


# Calls through a Client or a Connection; they return the answer, whatever it is.

def allocate(client, key):
    return client.exchange(allocation_bytes(key), "PUT")


def record(client, key, response):
    return client.exchange(record_bytes(key, response), "POST")


def release(client, key):
    return client.exchange(release_bytes(key), "DELETE")


# What it expects.

def assert_empty(answer, status):
    """An answer without a body, which says so."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body[:500]!r}"
    assert answer.body == b""
    assert answer.header("Content-Type") is None
    assert answer.header("Content-Length") == (None if status == 204 else "0")
    assert int(answer.header("Ordem-Position")) >= 0


def assert_error(answer, status, text=None):
    """An error in the form of the server that captures replace; `text` None takes any sentence."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body[:500]!r}"
    assert answer.header("Content-Type") == JSON_TYPE
    assert status == 405 or int(answer.header("Ordem-Position")) >= 0
    body = answer.json()
    assert list(body) == ["error"], body
    assert body["error"] == text if text else body["error"].strip(), body


def assert_record(answer, key, response):
    """The record as it was handed in: nothing more, nothing less, nothing reordered."""
    assert answer.status == 200, f"{answer.status}: {answer.body[:500]!r}"
    assert answer.header("Content-Type") == JSON_TYPE
    assert answer.json() == record_payload(key, response)
    assert int(answer.header("Ordem-Position")) >= 1


def assert_completed(client, key, response):
    """A PUT gives the record."""
    assert_record(allocate(client, key), key, response)


# How a key comes to a state.

def complete(client, key, response):
    """Allocates and records."""
    assert_empty(allocate(client, key), 202)
    answer = record(client, key, response)
    assert_empty(answer, 200)
    return answer


def new_allocation(client):
    """A key that is now allocated."""
    key = new_key()
    assert_empty(allocate(client, key), 202)
    return key


def new_record(client, response):
    """A key that is now completed with `response`."""
    key = new_key()
    complete(client, key, response)
    return key


def wait_allocated(client, key):
    """Asks until the key may be allocated, and allocates it so. Returns the answers before that one."""
    refused = []

    def is_allocated():
        answer = allocate(client, key)
        if answer.status == 202:
            assert_empty(answer, 202)
            return True
        refused.append(answer)
        return False

    poll_until(is_allocated, f"{key} may be allocated")
    return refused


def let_leases_end(client):
    """Returns once the lease of every allocation that was made before has ended, by the server's own clock: an allocation
    that is made now, with the same lease, has been taken over."""
    for answer in wait_allocated(client, new_allocation(client)):
        assert_empty(answer, 409)


def let_captures_expire(client):
    """Returns once every capture that was allocated or completed before, to be kept as long, has expired, by the server's own
    clock: one that is completed now has."""
    response = captured("until it expires")
    key = new_record(client, response)
    for answer in wait_allocated(client, key):
        assert_record(answer, key, response)


def inspect(data_dir, key):
    """A capture as `ordem inspect capture` prints it."""
    result = run_ordem("inspect", "capture", "--data-dir", data_dir, "--", key)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def seconds_between(earlier, earlier_name, later, later_name):
    """From one moment of an inspected capture to one of another."""
    return (parse_time(later[later_name]) - parse_time(earlier[earlier_name])).total_seconds()
