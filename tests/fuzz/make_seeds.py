#!/usr/bin/env python3
"""Writes seeds/, the inputs from which fuzzing starts. Run it after a change here or in tests/storage/golden.

Each target's source describes the format of its input.
"""

import json
import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "storage" / "golden"
CLUSTER_GOLDEN = HERE.parent / "cluster" / "golden"

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
        "create_external_id": create + compact(ORDER | {"external_id": "PO-\u00e4 7"}),
        "create_control": create + compact(ORDER | {"external_id": "a\u0085"}),
        "merge_external_id": merge + b'{"external_id":"PO-8","version":1}',
        "merge_no_external_id": merge + b'{"external_id":null,"version":1}',
        "merge_on_conflict": merge + b'{"on_conflict":"merge","version":1,"currency":"USD"}',
        "replace_on_conflict": replace + compact(ORDER | {"on_conflict": "overwrite"}),
        "status": status + b'{"status":"confirmed","version":3}',
        "not_json": create + b'{"customer_id":',
        "not_utf8": create + b'{"customer_id":"\xff"}',
        "deep": create + b'{"attributes":{"a":' + b"[" * 63 + b"]" * 63 + b"}}",
    }


def routes():
    order = "/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
    return {
        "orders": "/api/v1/orders?customer_id=c-1001&limit=5&cursor=",
        "orders_found": "/api/v1/orders?created_after=2026-11-22T10:15:30.123Z&created_before=2026-11-23T00%3A00:00%2B01:00&status=new&external_id=PO-1",
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
        "openapi_json": "/openapi.json",
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


def bytes_of_golden(file):
    text = "".join(line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return bytes.fromhex(text)


def forwarded():
    names = ("forward_request", "forward_answer", "read_index_answer")
    return {name: bytes_of_golden(CLUSTER_GOLDEN / f"{name}.hex") for name in names}


def records():
    kinds = (("order", b"0"), ("message", b"1"), ("capture", b"2"), ("log_group", b"3"), ("clock", b"5"), ("log_record", b"6"),
             ("segment_header", b"7"))
    seeds = {}
    for file in sorted(GOLDEN.glob("*.hex")):
        name = file.stem
        kind = b"4" if name.endswith("_key") else next(byte for start, byte in kinds if name.startswith(start))
        seeds[name] = kind + bytes_of_golden(file)
    return seeds


# Published examples, which are signed: RFC 7515, appendix A.2 and A.3; RFC 8037, appendix A.4.
RSA_TOKEN = (
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")
EC_TOKEN = (
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
ED_OBJECT = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
EC_KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
ED_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RSA_KEY = {"kty": "RSA", "e": "AQAB", "n": (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b"
    "32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"
    "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")}


def tokens():
    whole, header, claims = b"0", b"1", b"2"
    good = {"iss": "joe", "aud": "ordem", "exp": 1800000300, "sub": "till-7"}
    return {
        "rsa": whole + RSA_TOKEN.encode(),
        "ec": whole + EC_TOKEN.encode(),
        "ed": whole + ED_OBJECT.encode(),
        "none": whole + b"eyJhbGciOiJub25lIn0.e30.",
        "header": header + compact({"alg": "RS256", "kid": "r", "typ": "JWT"}),
        "header_more": header + compact({"alg": "ES256", "typ": "application/at+jwt", "jku": "https://a.example", "jwk": {}}),
        "header_crit": header + compact({"alg": "EdDSA", "crit": ["b64"], "b64": False}),
        "claims": claims + compact(good | {"tenant": "shop", "scope": "orders:read x  captures"}),
        "claims_lists": claims + compact(good | {"aud": ["x", "ordem"], "scope": ["operations"], "nbf": 1799999999.5, "iat": 0}),
        "claims_wrong": claims + compact(good | {"exp": 1e300, "sub": 1, "aud": [[]]}),
        "claims_twice": claims + b'{"sub":"a","sub":"b"}',
    }


def key_sets():
    wrong = [{}, 1, {"kty": "oct", "k": "AA"}, RSA_KEY | {"n": "AQAB"}, EC_KEY | {"y": EC_KEY["x"]}, ED_KEY | {"crv": "X25519"},
             RSA_KEY | {"use": "enc"}, RSA_KEY | {"alg": "ES256"}, RSA_KEY | {"key_ops": ["sign"]}, ED_KEY | {"kid": 1}]
    return {
        "all": compact({"keys": [RSA_KEY | {"kid": "r", "alg": "RS256", "use": "sig"}, EC_KEY | {"kid": "e"},
                                 ED_KEY | {"kid": "d", "key_ops": ["verify"]}]}),
        "wrong": compact({"keys": wrong + [ED_KEY]}),
        "none": b'{"keys":[]}',
        "other": b'{"keys":{}}',
    }


def keys_files():
    key = " key=sha256:" + "0123456789abcdef" * 4
    return {
        "key": "# tills\n\nname=till-7 tenant=shop scopes=orders:read,orders:write created=2026-11-26T10:00:00.000Z expires=never" + key + "\n",
        "subject": 'name=a@b:c scopes=captures expires=2027-01-01T00:00:00+01:00 subject="CN=a\\, \\"b\\",O=\u00e4"\r\n',
        "two": "name=a scopes=operations" + key + "\nname=a scopes=messages:read" + key.upper().replace("KEY=SHA", "key=sha").replace("0", "1"),
        "wrong": "name=a scopes=orders" + key,
        "quote": 'name=a scopes=captures subject="CN=a\\',
    }


def api_keys():
    return {
        "zeros": "ordem_0000000000000000000000000000000000000000000cabcc72f",
        "bits": "ordem_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf7aa473b8",
        "checksum": "ordem_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf7aa473b0",
        "short": "ordem_",
    }


def main():
    shutil.rmtree(HERE / "seeds", ignore_errors=True)
    targets = {"api_key": api_keys(), "batch": batches(), "capture_body": capture_bodies(), "forward": forwarded(),
               "headers": headers(), "key_set": key_sets(), "keys_file": keys_files(), "records": records(), "route": routes(), "token": tokens(), "write_body": write_bodies()}
    for target, seeds in targets.items():
        folder = HERE / "seeds" / target
        folder.mkdir(parents=True)
        for name, content in seeds.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


if __name__ == "__main__":
    main()
