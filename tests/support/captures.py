"""Calls of captures on a keep-alive client, and what they may send."""

import json
import uuid
from base64 import urlsafe_b64encode

CAPTURES = "/api/v2/captures"


def new_key():
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def captured(body="", status=200, headers=()):
    """A response as it is sent to be recorded. `headers` are (key, value) pairs, each value a string or a list of them."""
    return {"response_status": status, "response_body": body, "response_headers": [{"key": key, "value": value} for key, value in headers]}


def allocate(client, key):
    return client.request("PUT", CAPTURES, body=json.dumps({"idempotency_key": key}).encode())


def record(client, key, response):
    return client.request("POST", CAPTURES, body=json.dumps({"idempotency_key": key, "response": response}).encode())


def release(client, key):
    return client.request("DELETE", f"{CAPTURES}/{key}")


def complete(client, key, response):
    """Allocates and records."""
    assert allocate(client, key).status == 202
    answer = record(client, key, response)
    assert answer.status == 200, answer
    return answer


def assert_completed(client, key, response):
    """A PUT gives the record."""
    answer = allocate(client, key)
    assert (answer.status, answer.json()) == (200, {"idempotency_key": key, "response": response}), answer
