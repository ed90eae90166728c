"""Orders as a client sees them: the requests, and checks of the responses."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from support.http_client import request_bytes

ORDERS = "/api/v1/orders"
JSON_TYPE = "application/json"
MERGE_PATCH_TYPE = "application/merge-patch+json"
PROBLEM_TYPE = "application/problem+json"
STALE_VERSION = 3043
STATUS_NOT_ALLOWED = 3044
ORDER_CLOSED = 3045
RECORDED_REJECTIONS = (STALE_VERSION, STATUS_NOT_ALLOWED, ORDER_CLOSED)
A_NEW_CUSTOMER = object()
METHODS = {"create": "POST", "replace": "PUT", "merge": "PATCH", "status": "POST"}


def new_guid():
    return str(uuid.uuid4())


def new_customer():
    return f"c-{uuid.uuid4()}"


def order_content(customer_id=A_NEW_CUSTOMER, **changes):
    """A valid order content, by default of a new customer; `changes` replace members."""
    content = {
        "customer_id": new_customer() if customer_id is A_NEW_CUSTOMER else customer_id,
        "currency": "EUR",
        "items": [{"sku": "A-1", "quantity": 2, "unit_price": 1999}],
        "attributes": {"channel": "web"},
    }
    return {**content, **changes}


def order_path(order_id):
    return f"{ORDERS}/{order_id}"


def version_path(order_id, version):
    return f"{ORDERS}/{order_id}/versions/{version}"


def message_path(guid):
    return f"/api/v1/messages/{guid}"


@dataclass(frozen=True)
class Write:
    """One message: a write, identified by its GUID.

    `body` holds the members of the request body without guid and version. `version` is the expected version; `version_in`
    says where it is sent: "body", "if-match" or "both".
    """

    kind: str
    guid: str
    body: dict
    order_id: str = None
    version: int = None
    version_in: str = "body"

    @property
    def method(self):
        return METHODS[self.kind]

    @property
    def path(self):
        if self.kind == "create":
            return ORDERS
        return order_path(self.order_id) + ("/status" if self.kind == "status" else "")

    def to_bytes(self, guid_form="token", indent=None, reverse=False):
        """Returns the request. The form of the GUID, white space and member order do not change the message.

        `guid_form`: "token" or "string" (header), "body", "both".
        """
        members = dict(self.body)
        headers = [("Content-Type", MERGE_PATCH_TYPE if self.kind == "merge" else JSON_TYPE)]
        if guid_form in ("token", "both"):
            headers.append(("Idempotency-Key", self.guid))
        if guid_form == "string":
            headers.append(("Idempotency-Key", f'"{self.guid}"'))
        if guid_form in ("body", "both"):
            members["guid"] = self.guid
        if self.version is not None and self.version_in in ("body", "both"):
            members["version"] = self.version
        if self.version is not None and self.version_in in ("if-match", "both"):
            headers.append(("If-Match", f'"{self.version}"'))
        if reverse:
            members = dict(reversed(members.items()))
        return request_bytes(self.method, self.path, headers, json.dumps(members, indent=indent).encode())

    def send(self, client):
        """Sends it through a Client or a Connection; returns the response."""
        return client.exchange(self.to_bytes())


def create(content=None, guid=None):
    """By default the first order of a new customer."""
    return Write("create", guid or new_guid(), content or order_content())


def replace(order_id, version, content, guid=None, version_in="body"):
    return Write("replace", guid or new_guid(), content, order_id, version, version_in)


def merge(order_id, version, patch, guid=None, version_in="body"):
    return Write("merge", guid or new_guid(), patch, order_id, version, version_in)


def set_status(order_id, version, status, guid=None, version_in="body"):
    return Write("status", guid or new_guid(), {"status": status}, order_id, version, version_in)


def recorded_part(response):
    """Returns the part of a response that a repeat has to return exactly."""
    names = ("Content-Type", "ETag", "Location", "Idempotency-Expires")
    return (response.status, *(response.header(name) for name in names), response.body)


def accepted_order(response, status=200):
    """Returns the order in a success response, after checking its frame."""
    assert response.status == status, f"{response.status} instead of {status}: {response.body!r}"
    body = response.json()
    assert body["code"] == status
    order = body["order"]
    assert response.header("ETag") == f'"{order["version"]}"'
    return order


def assert_problem(response, status, slug, code=None):
    """Checks the frame of a problem; returns its members."""
    assert response.status == status, f"{response.status} instead of {status} {slug}: {response.body[:500]!r}"
    assert response.header("Content-Type").split(";")[0] == PROBLEM_TYPE
    problem = response.json()
    assert problem["type"] == f"/problems/{slug}", problem
    assert problem["status"] == status
    assert problem["code"] == (code or status)
    assert problem["title"] and problem["detail"]
    assert problem["message"] == problem["title"]
    assert problem["retry"] in ("same-key", "new-key", "never") and problem["retry_reason"]
    if status in (429, 503):
        assert int(response.header("Retry-After")) >= 0
    return problem


def assert_stale(response, write, latest=None):
    """Checks a rejection with code 3043 of an update with an old version."""
    status = 412 if write.version_in == "if-match" else 409
    if write.version_in == "both":
        status = response.status
        assert status in (409, 412)
    problem = assert_problem(response, status, "stale-version", STALE_VERSION)
    assert problem["title"] == "data is out of date"
    assert problem["supplied_version"] == write.version
    assert problem["current_version"] > write.version
    if latest is not None:
        assert problem["current_version"] == latest


def get_pages(client, path, member, limit):
    """Returns all entries of a list, page after page."""
    separator = "&" if "?" in path else "?"
    entries, cursor, pages = [], None, 0
    while True:
        target = f"{path}{separator}limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        response = client.get(target)
        assert response.status == 200, f"{target}: {response.status} {response.body[:500]!r}"
        body = response.json()
        assert len(body[member]) <= limit
        entries += body[member]
        cursor = body["next_cursor"]
        if cursor is None:
            return entries
        pages += 1
        assert body[member] and pages < 10_000, f"{target}: pages without end"


def expires_at(response):
    """Returns the time until which the outcome of a write is kept."""
    return parse_time(response.header("Idempotency-Expires"))


def parse_time(text):
    """An RFC 3339 time in UTC."""
    assert text and text.endswith("Z"), f"not an RFC 3339 time in UTC: {text!r}"
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def now():
    return datetime.now(timezone.utc)
