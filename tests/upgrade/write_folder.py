#!/usr/bin/python3
"""Writes a data folder by the binary in ORDEM_BINARY, and what a server on it must answer, for the tests of upgrades:

    ORDEM_BINARY=... PYTHONPATH=tests tests/upgrade/write_folder.py tests/upgrade/format_4

`folder.tar.gz` is the folder, `facts.json` what was acknowledged. The first half was written to table files by a stop. The second half is
in the write-ahead log alone: the server was killed. Messages and captures expire a year after that, so tests start servers with a clock of
that day (`written_at`).
"""

import json
import pathlib
import sys
import tarfile
import tempfile
import time
from base64 import urlsafe_b64encode

from support.captures import assert_empty, captured
from support.ordem_server import start_server
from support.orders import create, merge, message_path, order_content, order_path, replace, set_status

LIFETIME = ("--message-ttl", "366d", "--capture-ttl", "366d", "--capture-lease", "365d")
CUSTOMERS = ("customer-1", "customer-2")


def answered(facts, client, write):
    answer = write.send(client)
    facts["writes"].append({"guid": write.guid, "request": write.to_bytes().decode(), "status": answer.status, "body": answer.body.decode()})
    return answer


def write_half(facts, client, half):
    ids = []
    for i in range(12):
        content = order_content(CUSTOMERS[i % 2], attributes={"half": half, "text": "ü" * i, "filler": "x" * (200 * (i % 4))})
        ids.append(answered(facts, client, create(content)).json()["order"]["order_id"])
    for order_id in ids[:6]:
        assert answered(facts, client, merge(order_id, 1, {"attributes": {"note": "second"}})).status == 200
        assert answered(facts, client, replace(order_id, 2, order_content(CUSTOMERS[1]))).status == 200
        assert answered(facts, client, merge(order_id, 1, {"attributes": {"note": "stale"}})).status == 409
    for order_id in facts["orders"][3:6] + ids[:3]:
        current = client.get_order(order_id)["version"]
        assert answered(facts, client, set_status(order_id, current, "cancelled")).status == 200
    facts["orders"] += ids
    for i in range(3):
        key = urlsafe_b64encode(f"capture {half} {i}".encode()).rstrip(b"=").decode()
        facts["captures"][key] = captured(f"body {key}", 201, [("X-One", "1"), ("X-Two", ["2", "3"])]) if i < 2 else None
        assert_empty(client.captures.allocate(key), 202)
        if facts["captures"][key] is not None:
            assert_empty(client.captures.record(key, facts["captures"][key]), 200)


def paths_of(facts):
    for order_id in facts["orders"]:
        yield order_path(order_id)
        yield f"{order_path(order_id)}/versions"
    for customer in CUSTOMERS:
        yield f"/api/v1/orders?customer_id={customer}&limit=1000"


def main(target):
    facts = {"written_at": int(time.time()), "writes": [], "orders": [], "captures": {}, "reads": {}}
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data"
        with start_server(data, *LIFETIME) as server:
            write_half(facts, server.client(), 1)
        server = start_server(data, *LIFETIME)
        client = server.client()
        write_half(facts, client, 2)
        for path in paths_of(facts):
            facts["reads"][path] = client.get(path).json()
        for write in facts["writes"]:
            path = message_path(write["guid"])
            facts["reads"][path] = client.get(path).json()
        facts["position"] = client.positions()["durable"]
        server.kill()
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target / "folder.tar.gz", "w:gz", compresslevel=9) as archive:
            archive.add(data, "data")
    (target / "facts.json").write_text(json.dumps(facts, indent=0, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
