#!/usr/bin/env python3
"""Writes seeds/, the inputs from which fuzzing starts. Run it after a change here or in tests/storage/golden.

Each target's source describes the format of its input.
"""

import json
import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "storage" / "golden"

ORDER = {"customer_id": "c-1001", "currency": "EUR", "items": [{"sku": "A-1", "quantity": 2, "unit_price": 1999}]}
RICH = ORDER | {"attributes": {"n": [1, -1.5e3, 1e21, True, None], "text": "\u00e4 \u0001 \" \\", "in": {"": {}}}}


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def write_bodies():
    create, replace, merge, status = b"0", b"1", b"2", b"3"
    two_items = ORDER | {"items": ORDER["items"] * 2}
    return {
        "create": create + compact(ORDER),
        "create_rich": create + compact(RICH | {"guid": "g-1"}),
        "create_spaced": create + json.dumps(two_items, indent=1, ensure_ascii=False).encode(),
        "create_wrong": create + compact({"customer_id": "", "currency": "eur", "items": [{}], "x/~y": 1, "attributes": 0}),
        "create_twice": create + b'{"currency":"EUR","currency":"EUR","attributes":{"a":1,"a":2}}',
        "create_numbers": create + compact(ORDER)[:-1] + b',"attributes":{"a":-0.0,"b":1E2,"c":9007199254740993,"d":5e-324}}',
        "replace": replace + compact(RICH | {"version": 3}),
        "merge": merge + b'{"version":1,"attributes":{"gift":true,"gone":null}}',
        "merge_all": merge + compact(RICH | {"version": 9007199254740991, "guid": "g"}),
        "merge_remove": merge + b'{"attributes":null}',
        "status": status + b'{"status":"confirmed","version":3}',
        "not_json": create + b'{"customer_id":',
        "not_utf8": create + b'{"customer_id":"\xff"}',
        "deep": create + b'{"attributes":{"a":' + b"[" * 63 + b"]" * 63 + b"}}",
    }


def routes():
    order = "/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
    return {
        "orders": "/api/v1/orders?customer_id=c-1001&limit=5&cursor=",
        "order": order,
        "status": order + "/status",
        "versions": order + "/versions?limit=5",
        "version": order + "/versions/7",
        "batch": "/api/v1/orders/b%61tch",
        "batch_of_commands": "/api/v1/batch?keys=generated",
        "message": "/api/v1/messages/a%2Fb+c%25%22",
        "captures": "/api/v2/captures",
        "capture": "/api/v2/captures/some-key/",
        "ping": "/-/ping",
        "ready_reads": "/-/ready/reads",
        "metrics": "http://example.org:8080/metrics?",
        "openapi": "https://[::1]/openapi.yaml",
        "problem": "/problems/guid-reused",
        "problems": "/problems/",
        "empty_parts": "//api/v1//orders?&=&a&b=",
        "broken": "/api/v1/orders/%zz?%",
    }


def headers():
    return {
        "key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
        "key_bare": " 8e03978e-40d5-43e8-bc93-6894a57f9324\t",
        "key_escaped": '"a\\"b\\\\c"',
        "key_parameters": '"a";b;c=1;d="e"',
        "key_joined": "a,b",
        "tag": '"12"',
        "tags": 'W/"1", "12" ,*',
        "tag_largest": '"9007199254740991"',
        "number": "9007199254740992",
        "type": 'Application/JSON; charset="utf-8"',
        "type_latin_1": "application/json;a=\"\\\";\" ;charset=latin1",
    }


def batches():
    def line(key, order=ORDER, **more):
        return compact({"idempotency_key": key, "order": order} | more)

    body = line("k-1") + b"\n" + line("k-2", RICH) + b"\r\n\n" + line("k-3", ORDER | {"guid": "k-3"})
    update = {"idempotency_key": "k-4", "order_id": "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f", "version": 3}
    commands = b"\n".join([
        line("k-1", op="create"), compact({"op": "replace", "order": RICH} | update),
        compact({"op": "merge", "order": {"attributes": None, "version": 3}} | update), compact(update | {"op": "status", "status": "shipped"}),
        compact(update | {"op": "status"}), compact(update | {"op": "delete"}), compact({"op": "merge", "order_id": "x", "order": {}})])
    return {
        "commands": b"\xff0\xef\xbb\xbf \n" + commands + b"\n \t\n",
        "array": b"\xff2\x02\x01\xef\xbb\xbf [" + line("k-1") + b"]",
        "whole": b"\xff0" + body,
        "in_pieces": b"\xff3" + b"\x01\x60\x81" + body,
        "too_long": b"\x023" + b"\x05\x0a\x07" + b"x" * 40 + b"\r\n" + b"y" * 16 + b"\r\n" + b"z" * 17,
        "refused": b"\xff1\x10" + b"{}\n[]\n" + line("") + b"\n" + line("a", guid=1) + b"\n" + line("a", ORDER | {"guid": "b"})
                   + b"\n" + line("c", {"items": []}) + b"\nnot json",
    }


def capture_bodies():
    key = b'{"idempotency_key":"b3JkZXItMTc"'
    response = b',"response":{"response_status":201,"response_body":"\\u0000\\u00e4","response_headers":'
    return {
        "allocation": key + b"}",
        "record": key + response + b'[{"key":"Set-Cookie","value":["a=1","b=2"]},{"key":"X","value":"y"},{}]}}',
        "record_no_headers": key + response + b"{}}}",
        "record_latin_1": key + response + b'[{"key":"X","value":"\xe4\xc3"}]}}',
        "record_bad_status": key + b',"response":{"response_status":99}}',
        "bad_key": b'{"idempotency_key":"a+b"}',
        "twice": b'{"idempotency_key":1,"idempotency_key":"abcd","response":null,"x":[]}',
    }


def records():
    kinds = (("order", b"0"), ("message", b"1"), ("capture", b"2"), ("log_group", b"3"), ("clock", b"5"), ("log_record", b"6"),
             ("segment_header", b"7"))
    seeds = {}
    for file in sorted(GOLDEN.glob("*.hex")):
        name = file.stem
        kind = b"4" if name.endswith("_key") else next(byte for start, byte in kinds if name.startswith(start))
        text = "".join(line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
        seeds[name] = kind + bytes.fromhex(text)
    return seeds


def main():
    shutil.rmtree(HERE / "seeds", ignore_errors=True)
    targets = {"batch": batches(), "capture_body": capture_bodies(), "headers": headers(), "records": records(),
               "route": routes(), "write_body": write_bodies()}
    for target, seeds in targets.items():
        folder = HERE / "seeds" / target
        folder.mkdir(parents=True)
        for name, content in seeds.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


if __name__ == "__main__":
    main()
