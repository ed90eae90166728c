"""Well-formed HTTP with an invalid body, GUID or version. Each request is refused with the right problem and pointer, nothing is
recorded, and the same GUID still works with a valid request."""

import json
from datetime import timedelta

import pytest

from support.orders import (
    JSON_TYPE, MERGE_PATCH_TYPE, ORDERS, STALE_VERSION, accepted_order, assert_problem, create, expires_at, merge, new_customer,
    new_guid, now, order_content, order_path, set_status,
)

MAX_SAFE = 2**53 - 1
MAX_PRICE = 10**12
ANY_POINTER = object()
CLOCK_SLACK = timedelta(seconds=1)

# 2^53 - 1 as a product of an allowed quantity and an allowed price.
SAFE_QUANTITY = 69431
SAFE_PRICE = MAX_SAFE // SAFE_QUANTITY


def order_with(customer_id="c-bad", **changes):
    return json.dumps(order_content(customer_id, **changes)).encode()


def item(**changes):
    return {"sku": "A-1", "quantity": 1, "unit_price": 100, **changes}


def with_item(**changes):
    return order_with(items=[item(**changes)])


def with_attributes(raw):
    """A create whose attributes are exactly these bytes."""
    return order_with(attributes="@").replace(b'"@"', raw)


def with_text(raw):
    """A create with exactly these bytes inside a string."""
    return order_with(attributes={"text": "@"}).replace(b"@", raw)


def with_quantity(raw):
    return with_item(quantity="@").replace(b'"@"', raw)


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def nested_lists(levels):
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


def doubled(text, extra):
    """A create with `extra` inserted before a text in its bytes."""
    body = order_with()
    assert text in body
    return body.replace(text, extra + text, 1)


NOT_JSON = {
    "empty": b"",
    "white space": b" \r\n\t ",
    "NUL": b"\0",
    "cut off": order_with()[:-1],
    "text behind it": order_with() + b"x",
    "two values": order_with() + order_with(),
    "comma at the end": order_with()[:-1] + b",}",
    "comment": b"/* order */" + order_with(),
    "single quotes": b"{'customer_id':'c'}",
    "not a number": with_attributes(b'{"a":NaN}'),
    "infinity": with_attributes(b'{"a":Infinity}'),
    "leading zero": with_quantity(b"01"),
    "plus sign": with_quantity(b"+1"),
    "hexadecimal": with_quantity(b"0x1"),
    "raw control character": with_text(b"a\x01b"),
    "raw NUL in a string": with_text(b"a\0b"),
    "raw line end in a string": with_text(b"a\nb"),
    "unknown escape": with_text(b"\\x"),
    "cut escape": with_text(b"\\u12"),
    "UTF-8: byte that never occurs": with_text(b"\xff"),
    "UTF-8: lone continuation": with_text(b"\x80"),
    "UTF-8: cut sequence": with_text(b"\xe2\x82"),
    "UTF-8: overlong slash": with_text(b"\xc0\xaf"),
    "UTF-8: encoded surrogate": with_text(b"\xed\xa0\x80"),
    "UTF-8: beyond U+10FFFF": with_text(b"\xf4\x90\x80\x80"),
    "UTF-8: in a member name": with_attributes(b'{"\xff":1}'),
    "UTF-8: Latin-1 customer": order_with(customer_id="@").replace(b"@", b"M\xfcller"),
    "UTF-16": order_with().decode().encode("utf-16"),
    "integer of 65 bits": with_quantity(str(2**64).encode()),
    "negative integer of 65 bits": with_quantity(str(-(2**63) - 1).encode()),
    "integer of 400 digits": with_quantity(b"9" * 400),
    "integer of 65 bits in attributes": with_attributes(b'{"a":%d}' % 2**64),
    "1,000 levels in attributes": with_attributes(nested(1000)),
    "1,000 lists in attributes": with_attributes(nested_lists(1000)),
    "1,000 levels as the body": nested(1000),
    "1,000 lists as the body": b"[" * 1000 + b"]" * 1000,
    "100,000 lists, not closed": b"[" * 100_000,
    "100,000 objects, not closed": b'{"a":' * 100_000,
}

LONG_SKU = "s" * 65
NOT_AN_ORDER = {
    "list": (b"[]", [""]),
    "number": (b"1", [""]),
    "string": (b'"order"', [""]),
    "null": (b"null", [""]),
    "empty object": (b"{}", ["/currency", "/customer_id", "/items"]),
    "unknown member": (order_with(colour="red"), ["/colour"]),
    "unknown member of an item": (with_item(colour="red"), ["/items/0/colour"]),
    "member that only an answer has": (order_with(status="new"), ["/status"]),
    "version in a create": (order_with(version=1), ["/version"]),
    "all mistakes at once": (
        order_with(currency="eur", items=[item(), item(quantity=0, sku="")], colour="red", attributes=[]),
        ["/attributes", "/colour", "/currency", "/items/1/quantity", "/items/1/sku"],
    ),
    "member twice": (doubled(b'"currency"', b'"currency": "USD", '), ["/currency"]),
    "member twice, once escaped": (doubled(b'"currency"', b'"curr\\u0065ncy": "USD", '), ["/currency"]),
    "member of an item twice": (doubled(b'"sku"', b'"sku": "B-2", '), ["/items/0/sku"]),
    "member of attributes twice": (with_attributes(b'{"a":1,"a":1}'), ["/attributes/a"]),
    "member deep in attributes twice": (with_attributes(b'{"b":[{"a":1,"a":2}]}'), ["/attributes/b/0/a"]),
    "customer empty": (order_with(customer_id=""), ["/customer_id"]),
    "customer of 129": (order_with(customer_id="c" * 129), ["/customer_id"]),
    "customer of 129 that are not ASCII": (order_with(customer_id="ж" * 129), ["/customer_id"]),
    "customer a number": (order_with(customer_id=7), ["/customer_id"]),
    "customer null": (order_with(customer_id=None), ["/customer_id"]),
    "currency of two": (order_with(currency="EU"), ["/currency"]),
    "currency of four": (order_with(currency="EURO"), ["/currency"]),
    "currency in lower case": (order_with(currency="eur"), ["/currency"]),
    "currency with a NUL": (order_with(currency="EU\0"), ["/currency"]),
    "items empty": (order_with(items=[]), ["/items"]),
    "items an object": (order_with(items={}), ["/items"]),
    "501 items": (order_with(items=[item()] * 501), ["/items"]),
    "an item a number": (order_with(items=[1]), ["/items/0"]),
    "an item empty": (order_with(items=[{}]), ["/items/0/quantity", "/items/0/sku", "/items/0/unit_price"]),
    "sku empty": (with_item(sku=""), ["/items/0/sku"]),
    "sku of 65": (with_item(sku=LONG_SKU), ["/items/0/sku"]),
    "sku of 100,000": (with_item(sku="s" * 100_000), ["/items/0/sku"]),
    "quantity 0": (with_item(quantity=0), ["/items/0/quantity"]),
    "quantity negative": (with_item(quantity=-1), ["/items/0/quantity"]),
    "quantity over": (with_item(quantity=1_000_001), ["/items/0/quantity"]),
    "quantity 2^53 + 1": (with_item(quantity=2**53 + 1), ["/items/0/quantity"]),
    "quantity 2^63": (with_item(quantity=2**63), ["/items/0/quantity"]),
    "quantity 2^64 - 1": (with_item(quantity=2**64 - 1), ["/items/0/quantity"]),
    "quantity 2^32 + 1": (with_item(quantity=2**32 + 1), ["/items/0/quantity"]),
    "quantity 1.5": (with_quantity(b"1.5"), ["/items/0/quantity"]),
    "quantity nearly 1": (with_quantity(b"1.0000000000000000000001"), ["/items/0/quantity"]),
    "quantity 1e-1": (with_quantity(b"1e-1"), ["/items/0/quantity"]),
    "quantity 1e7": (with_quantity(b"1e7"), ["/items/0/quantity"]),
    "quantity 0.0": (with_quantity(b"0.0"), ["/items/0/quantity"]),
    "quantity a string": (with_item(quantity="1"), ["/items/0/quantity"]),
    "quantity true": (with_item(quantity=True), ["/items/0/quantity"]),
    "quantity null": (with_item(quantity=None), ["/items/0/quantity"]),
    "price negative": (with_item(unit_price=-1), ["/items/0/unit_price"]),
    "price over": (with_item(unit_price=MAX_PRICE + 1), ["/items/0/unit_price"]),
    "price 2^53": (with_item(unit_price=2**53), ["/items/0/unit_price"]),
    "price 19.99": (with_item(unit_price=19.99), ["/items/0/unit_price"]),
    "total of one item overflows": (with_item(quantity=10**6, unit_price=MAX_PRICE), ANY_POINTER),
    "total is 2^53": (
        order_with(items=[item(quantity=SAFE_QUANTITY, unit_price=SAFE_PRICE), item(unit_price=1)]), ANY_POINTER),
    "total overflows 64 bits": (order_with(items=[item(quantity=10**6, unit_price=MAX_PRICE)] * 40), ANY_POINTER),
    "attributes null": (order_with(attributes=None), ["/attributes"]),
    "attributes a list": (order_with(attributes=[1]), ["/attributes"]),
    "attributes a string": (order_with(attributes="a"), ["/attributes"]),
    "attributes over 16 KiB": (order_with(attributes={"a": "x" * 17_000}), ["/attributes"]),
    "attributes over 16 KiB in many members": (order_with(attributes={f"m{n}": n for n in range(3000)}), ["/attributes"]),
    "attributes with 2^53": (order_with(attributes={"a": 2**53}), ["/attributes/a"]),
    "attributes with -2^53": (order_with(attributes={"a": [-(2**53)]}), ["/attributes/a/0"]),
    "attributes with 2^64 - 1": (order_with(attributes={"a": 2**64 - 1}), ["/attributes/a"]),
}

GOOD = {
    "total is 2^53 - 1": order_content("c", items=[item(quantity=SAFE_QUANTITY, unit_price=SAFE_PRICE)]),
    "price 0": order_content("c", items=[item(unit_price=0)]),
    "highest price": order_content("c", items=[item(unit_price=MAX_PRICE)]),
    "highest quantity": order_content("c", items=[item(quantity=10**6)]),
    "500 items": order_content("c", items=[item(sku=f"s-{n}") for n in range(500)]),
    "customer of 128": order_content("c" * 128),
    "customer of 128 that are not ASCII": order_content("ж" * 128),
    "sku of 64": order_content("c", items=[item(sku="s" * 64)]),
    "safe integers in attributes": order_content("c", attributes={"a": MAX_SAFE, "b": -MAX_SAFE}),
    "floats in attributes": order_content("c", attributes={"a": 0.1, "b": 1e-7, "c": -2.5e100, "d": 1.0}),
    "all types in attributes": order_content("c", attributes={"a": None, "b": [True, False, {"c": ""}], "": {}}),
    "30 levels in attributes": order_content("c", attributes=json.loads(nested(30))),
    "attributes of 16,000 bytes": order_content("c", attributes={"a": "x" * 16_000}),
    "difficult text": order_content("c", attributes={"text": "\u0001\u007f\u2028\U0001f600\"\\/\b\f\n\r\t"}),
}


@pytest.mark.parametrize("raw, value", [(b"2.0", 2), (b"1e3", 1000), (b"2.50e1", 25), (b"1E6", 10**6), (b"1.0", 1)])
def test_integer_by_its_value(client, raw, value):
    """Breaks if an integer in the sense of JSON Schema is refused, or has another fingerprint than the same number in digits."""
    guid, customer = new_guid(), new_customer()
    body = order_with(customer, items=[item(quantity="@")])
    order = accepted_order(send_body(client, body.replace(b'"@"', raw), guid), 201)
    assert order["items"][0]["quantity"] == value
    again = send_body(client, body.replace(b'"@"', str(value).encode()), guid)
    assert (again.replayed, accepted_order(again, 201)) == (True, order)
    line = b'{"idempotency_key":"%s","order":%s}' % (guid.encode(), body.replace(b'"@"', raw))
    verdict = client.request("POST", f"{ORDERS}/batch", [("Content-Type", "application/x-ndjson")], line).json()
    assert (verdict["replayed"], verdict["order"]) == (True, order)
    patch = b'{"version":1.0,"currency":"USD"}'
    changed = send_body(client, patch, new_guid(), "PATCH", order_path(order["order_id"]), MERGE_PATCH_TYPE)
    assert accepted_order(changed)["version"] == 2


def send_body(client, body, guid, method="POST", path=ORDERS, content_type=JSON_TYPE, headers=()):
    return client.request(method, path, [("Content-Type", content_type), ("Idempotency-Key", guid), *headers], body)


def assert_pointers(problem, pointers):
    errors = problem["errors"]
    assert errors and all(error["detail"] for error in errors)
    if pointers is not ANY_POINTER:
        assert sorted(error["pointer"] for error in errors) == pointers


def assert_nothing_kept(client, answer, guid):
    """The refusal was not recorded: the GUID still executes a valid create."""
    assert expires_at(answer) <= now() + CLOCK_SLACK
    assert client.get(f"/api/v1/messages/{guid}").status == 404
    customer = new_customer()
    good = create(order_content(customer), guid).send(client)
    assert not good.replayed
    assert client.get_orders_of(customer) == [accepted_order(good, 201)]


@pytest.mark.parametrize("name", NOT_JSON)
def test_body_that_is_not_json(client, name):
    """Breaks if the JSON parser is lenient, has no bound on depth, or lets text through that is not UTF-8."""
    guid = new_guid()
    answer = send_body(client, NOT_JSON[name], guid)
    assert_problem(answer, 400, "malformed-json")
    assert_nothing_kept(client, answer, guid)


@pytest.mark.parametrize("name", NOT_AN_ORDER)
def test_json_that_is_no_order(client, name):
    """Breaks if a member is not checked, is converted or wraps around, or if the response does not list all errors."""
    body, pointers = NOT_AN_ORDER[name]
    guid = new_guid()
    answer = send_body(client, body, guid)
    assert_pointers(assert_problem(answer, 422, "invalid-order"), pointers)
    assert_nothing_kept(client, answer, guid)


def test_errors_below_a_long_name(client):
    """Breaks if a long name is repeated in each of many errors: a name of half a body would make a response of 500 MB."""
    wrong = b",".join([b"9007199254740993"] * 1000)
    answer = send_body(client, with_attributes(b'{"%s":[%s]}' % (b"n" * 500_000, wrong)), new_guid())
    errors = assert_problem(answer, 422, "invalid-order")["errors"]
    assert {error["pointer"] for error in errors} == {"/attributes"}
    assert len(answer.body) < 1_000_000


@pytest.mark.parametrize("raw", [b"\\ud800", b"\\udc00", b"\\ud800x", b"\\udc00\\ud800"])
@pytest.mark.parametrize("make", [
    with_text,
    lambda raw: with_attributes(b'{"' + raw + b'":1}'),
    lambda raw: order_with(customer_id="@").replace(b"@", raw),
], ids=["attributes", "member name", "customer"])
def test_lone_surrogate(client, make, raw):
    """Breaks if half of a surrogate pair is stored: it has no UTF-8 form, so the order could never be rendered."""
    guid = new_guid()
    answer = send_body(client, make(raw), guid)
    if answer.status == 400:
        assert_problem(answer, 400, "malformed-json")
    else:
        assert_problem(answer, 422, "invalid-order")
    assert_nothing_kept(client, answer, guid)


@pytest.mark.parametrize("name", GOOD)
def test_largest_good_content(client, name):
    """Breaks if a limit is too low by one, or if content changes between request and response."""
    content = GOOD[name]
    order = accepted_order(create(content).send(client), 201)
    assert {member: order[member] for member in content} == content
    assert order["total"] == sum(item["quantity"] * item["unit_price"] for item in content["items"])
    assert client.get_order(order["order_id"]) == order


@pytest.fixture
def order(client):
    """An order of version 1, which must be unchanged at the end of the test."""
    created = accepted_order(create().send(client), 201)
    yield created
    assert client.get_order(created["order_id"]) == created


BAD_UPDATES = {
    "PATCH required member away": ("PATCH", "", {"customer_id": None}, ["/customer_id"]),
    "PATCH currency away": ("PATCH", "", {"currency": None}, ["/currency"]),
    "PATCH items away": ("PATCH", "", {"items": None}, ["/items"]),
    "PATCH items empty": ("PATCH", "", {"items": []}, ["/items"]),
    "PATCH unknown member": ("PATCH", "", {"colour": "red"}, ["/colour"]),
    "PATCH status": ("PATCH", "", {"status": "confirmed"}, ["/status"]),
    "PATCH attributes too large": ("PATCH", "", {"attributes": {"a": "x" * 17_000}}, ["/attributes"]),
    "PUT without items": ("PUT", "", {"customer_id": "c", "currency": "EUR"}, ["/items"]),
    "PUT unknown member": ("PUT", "", order_content("c", colour="red"), ["/colour"]),
    "status unknown": ("POST", "/status", {"status": "lost"}, ["/status"]),
    "status missing": ("POST", "/status", {}, ["/status"]),
    "status a number": ("POST", "/status", {"status": 1}, ["/status"]),
    "status with content": ("POST", "/status", {"status": "confirmed", "currency": "USD"}, ["/currency"]),
}


@pytest.mark.parametrize("name", BAD_UPDATES)
def test_bad_update(client, order, name):
    """Breaks if an update is checked less strictly than a create, or if a merged result is not checked at all."""
    method, suffix, members, pointers = BAD_UPDATES[name]
    content_type = MERGE_PATCH_TYPE if method == "PATCH" else JSON_TYPE
    body = json.dumps({**members, "version": 1}).encode()
    guid = new_guid()
    answer = send_body(client, body, guid, method, order_path(order["order_id"]) + suffix, content_type)
    assert_pointers(assert_problem(answer, 422, "invalid-order"), pointers)
    assert_nothing_kept(client, answer, guid)


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", True, [1]])
def test_version_that_is_no_version(client, order, version):
    """Breaks if the version is converted instead of checked."""
    body = json.dumps({"currency": "USD", "version": version}).encode()
    answer = send_body(client, body, new_guid(), "PATCH", order_path(order["order_id"]), MERGE_PATCH_TYPE)
    assert_pointers(assert_problem(answer, 422, "invalid-order"), ["/version"])


@pytest.mark.parametrize("version", [2, 2**31, 2**32 + 1, MAX_SAFE])
def test_version_of_the_future(client, order, version):
    """Breaks if versions are compared by "older than" instead of "not the current one", or are cut to 32 bits."""
    problem = assert_problem(
        merge(order["order_id"], version, {"currency": "USD"}).send(client), 409, "stale-version", STALE_VERSION
    )
    assert (problem["current_version"], problem["supplied_version"]) == (1, version)


@pytest.mark.parametrize("value", ["1", "*", 'W/"1"', '"1", "2"', '"1', '""', '"x"', '"-1"', '"0"', '"1.0"', '" 1"',
                                   f'"{2**64 + 1}"'])
def test_if_match_that_is_no_version(client, order, value):
    """Breaks if If-Match is parsed leniently: the write would be made against a version that the client did not send."""
    answer = send_body(client, b'{"currency":"USD"}', new_guid(), "PATCH", order_path(order["order_id"]),
                       MERGE_PATCH_TYPE, [("If-Match", value)])
    assert_problem(answer, 400, "version-malformed")


def test_if_match_twice(client, order):
    """Breaks if one of two If-Match lines is silently chosen."""
    answer = send_body(client, b'{"currency":"USD"}', new_guid(), "PATCH", order_path(order["order_id"]),
                       MERGE_PATCH_TYPE, [("If-Match", '"1"'), ("If-Match", '"2"')])
    assert_problem(answer, 400, "version-malformed")


def test_versions_that_disagree(client, order):
    """Breaks if one of two different versions is silently chosen."""
    answer = send_body(client, b'{"currency":"USD","version":1}', new_guid(), "PATCH", order_path(order["order_id"]),
                       MERGE_PATCH_TYPE, [("If-Match", '"2"')])
    assert_problem(answer, 400, "version-mismatch")


@pytest.mark.parametrize("write", [
    lambda order_id: merge(order_id, None, {"currency": "USD"}),
    lambda order_id: set_status(order_id, None, "confirmed"),
], ids=["PATCH", "status"])
def test_update_without_version(client, order, write):
    """Breaks if an update without a version is applied to the current version."""
    assert_problem(write(order["order_id"]).send(client), 428, "version-required")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", MERGE_PATCH_TYPE, "json", ""])
def test_content_type_that_is_not_json(client, content_type):
    """Breaks if a body with another Content-Type is parsed as JSON."""
    assert_problem(send_body(client, order_with(), new_guid(), content_type=content_type), 415, "unsupported-media-type")


def test_body_without_content_type(client):
    """Breaks if a missing Content-Type is treated as JSON."""
    answer = client.request("POST", ORDERS, [("Idempotency-Key", new_guid())], order_with())
    assert_problem(answer, 415, "unsupported-media-type")


BAD_KEYS = {
    "empty": ("", {"guid-malformed"}),
    "empty string": ('""', {"guid-malformed"}),
    "256 characters": ("k" * 256, {"guid-malformed"}),
    "256 characters in a string": ('"' + "k" * 256 + '"', {"guid-malformed"}),
    "space": ("a b", {"guid-malformed"}),
    "space in a string": ('"a b"', {"guid-malformed"}),
    "not ASCII": ("sch\xf6n", {"guid-malformed"}),
    "tab": ("a\tb", {"guid-malformed"}),
    "two that a proxy has joined": ("k1,k1", {"guid-malformed"}),
    "two strings that a proxy has joined": ('"k1", "k1"', {"guid-malformed"}),
    "comma": ("a,b", {"guid-malformed"}),
    "NUL": ("a\0b", {"guid-malformed", "malformed-request"}),
    "NUL in a string": ('"a\0b"', {"guid-malformed", "malformed-request"}),
    "control character": ("a\x01b", {"guid-malformed", "malformed-request"}),
    "delete character": ("a\x7fb", {"guid-malformed", "malformed-request"}),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_malformed_guid_in_the_header(client, name):
    """Breaks if a GUID may contain characters that cut or split a log line, a path or a C string."""
    value, slugs = BAD_KEYS[name]
    answer = send_body(client, order_with(), value)
    slug = answer.json()["type"].removeprefix("/problems/")
    assert slug in slugs
    assert_problem(answer, 400, slug)


def test_two_guid_lines(client):
    """Breaks if one of two Idempotency-Key lines is silently chosen, even if they agree."""
    guid = new_guid()
    answer = send_body(client, order_with(), guid, headers=[("Idempotency-Key", guid)])
    assert_problem(answer, 400, "guid-malformed")


@pytest.mark.parametrize("guid", ["\0", "a\0b", "", " ", "a b", "schön", "k" * 256, "\x7f"])
def test_malformed_guid_in_the_body(client, guid):
    """Breaks if the body's GUID is checked less strictly than the header's."""
    body = order_with(guid=guid)
    answer = client.request("POST", ORDERS, [("Content-Type", JSON_TYPE)], body)
    assert_problem(answer, 400, "guid-malformed")


def test_missing_guid(client):
    """Breaks if a write without a GUID is executed: its repeat would be executed again."""
    assert_problem(client.request("POST", ORDERS, [("Content-Type", JSON_TYPE)], order_with()), 400, "guid-missing")


def test_guids_that_disagree(client):
    """Breaks if one of two different GUIDs is silently chosen."""
    assert_problem(send_body(client, order_with(guid=new_guid()), new_guid()), 400, "guid-mismatch")


def test_guid_with_a_comma_is_one_message_however_it_comes(client):
    """Breaks if a GUID with a comma can't be sent, or differs between the header, the body and a batch."""
    guid, content = f"{new_guid()},1", order_content()
    order = accepted_order(client.exchange(create(content, guid).to_bytes("string")), 201)
    for form in ("string", "body"):
        again = client.exchange(create(content, guid).to_bytes(form))
        assert (again.replayed, accepted_order(again, 201)) == (True, order)
    both = send_body(client, json.dumps({**content, "guid": guid}).encode(), f'"{guid}";from=proxy')
    assert (both.replayed, accepted_order(both, 201)) == (True, order)
    line = json.dumps({"idempotency_key": guid, "order": content}).encode()
    verdict = client.request("POST", f"{ORDERS}/batch", [("Content-Type", "application/x-ndjson")], line).json()
    assert (verdict["replayed"], verdict["order"]) == (True, order)
    assert client.get(f"/api/v1/messages/{guid}").json()["order_id"] == order["order_id"]


def test_parameters_of_a_quoted_guid_are_no_part_of_it(client):
    """Breaks if a parameter that a proxy adds to the item changes the GUID or is refused."""
    guid, body = new_guid(), order_with(new_customer())
    first = accepted_order(send_body(client, body, f'"{guid}"'), 201)
    for parameters in (";a=1", "; a=?0;b", ';c="x, y"'):
        again = send_body(client, body, f'"{guid}"{parameters}')
        assert (again.replayed, accepted_order(again, 201)) == (True, first)
    other = send_body(client, body, f"{guid};a=1")
    assert accepted_order(other, 201)["order_id"] != first["order_id"]


@pytest.mark.parametrize("guid", ["k", "k" * 255, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_unusual_guid(client, guid):
    """Breaks if the length limits of a GUID are off by one, or if a visible character is treated specially."""
    content = order_content()
    first = client.exchange(create(content, guid).to_bytes("string" if "," in guid else "token"))
    again = client.request("POST", ORDERS, [("Content-Type", JSON_TYPE)], json.dumps({**content, "guid": guid}).encode())
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
