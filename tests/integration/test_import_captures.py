"""`ordem import captures`: the collection of a checkr/idempotent-requests server, exported by mongoexport."""

import json

import pytest

from support.captures import captured, new_key
from support.concurrency import poll_until
from support.ordem_server import assert_clean_failure, run_ordem
from support.orders import accepted_order, create


def exported(key, response=None, **members):
    """A document as mongoexport writes it by default (relaxed extended JSON)."""
    document = {"_id": {"$oid": "61a0f0f0f0f0f0f0f0f0f0f0"}, "idempotency_key": key, "status": "completed" if response else "allocated"}
    if response:
        document["capture"] = {name: value for name, value in response.items() if value}  # that server omits empty members
    return document | members


@pytest.fixture
def write_export(tmp_path):
    """A function that writes documents or lines to a file and returns its path."""

    def write(*lines):
        path = tmp_path / "captures.ndjson"
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    return write


def import_captures(file, folder, *flags):
    return run_ordem("import", "captures", file, "--data-dir", folder, *flags)


def counts(completed=0, allocated=0, already=0, refused=0):
    return (f"imported {completed} completed and {allocated} allocated captures; {already} were there already; "
            f"{refused} lines were refused")


def assert_imported(result, **numbers):
    assert (result.returncode, result.stdout, result.stderr) == (0, counts(**numbers) + "\n", "")


def test_what_was_recorded_is_answered_and_what_was_allocated_is_in_flight(write_export, launch, data_dir):
    """Breaks if a request that is repeated after the migration is executed again."""
    responses = {new_key(): captured(body, status, headers) for body, status, headers in (
        ("", 204, ()), ("x", 200, (("Set-Cookie", "a"), ("set-cookie", "b"))), ("\u00fc\0", 500, (("X", ""),)))}
    in_flight = new_key()
    file = write_export(*(exported(key, response) for key, response in responses.items()), "", exported(in_flight))
    assert_imported(import_captures(file, data_dir), completed=3, allocated=1)
    client = launch().client()
    for key, response in responses.items():
        client.captures.assert_completed(key, response)
    assert client.captures.allocate(in_flight).status == 409
    assert client.captures.record(in_flight, captured("late")).status == 200


def test_second_import_and_a_folder_in_use_before(write_export, launch, data_dir):
    """Breaks if an import overwrites captures of the folder, loses its orders, or can't be repeated after a failure."""
    server = launch("--capture-lease=0")
    client = server.client()
    order = accepted_order(create().send(client), 201)
    known, allocated, fresh = new_key(), new_key(), new_key()
    client.captures.complete(known, captured("ours"))
    assert client.captures.allocate(allocated).status == 202
    server.stop()
    file = write_export(exported(known, captured("theirs")), exported(allocated, captured("theirs")), exported(fresh, captured("fresh")),
                        exported(fresh, captured("again")))
    assert_imported(import_captures(file, data_dir), completed=1, already=3)
    assert_imported(import_captures(file, data_dir), already=4)
    client = launch().client()
    client.captures.assert_completed(known, captured("ours"))
    assert client.captures.allocate(allocated).status == 409
    client.captures.assert_completed(fresh, captured("fresh"))
    assert client.get_order(order["order_id"]) == order


REFUSED = {
    "no JSON": ("{", "not a JSON object"),
    "a list": ("[]", "not a JSON object"),
    "no key": (exported(None), "no idempotency_key"),
    "a key that is a number": (exported(7), "no idempotency_key"),
    "an empty key": (exported(""), "base64url"),
    "a padded key": (exported("QQ=="), "base64url"),
    "another status": (exported("QQ", status="capture_is_in_flight"), "capture_is_in_flight"),
    "a status that fills the screen": (exported("QQ", status="\x1b[2J\n" + "x" * 1000), "'?[2J?xxx"),
    "no status": ({"idempotency_key": "QQ"}, "no status"),
    "no capture": (exported("QQ", status="completed"), "no capture"),
    "no response_status": (exported("QQ", {"response_body": "x"}), "not a response"),
    "canonical extended JSON": (exported("QQ", {"response_status": {"$numberInt": "200"}}), "--jsonFormat=relaxed"),
    "a response that is too large": (exported("QQ", captured("x" * 1025)), "--capture-max"),
}


def test_lines_that_cannot_be_taken_are_listed_and_the_others_are_taken(write_export, launch, data_dir):
    """Breaks if an invalid line stops the import, is skipped without a report, or is reported with a wrong number."""
    good = new_key()
    lines = [line for line, _ in REFUSED.values()]
    file = write_export(*lines, exported(good, captured("x" * 1024)))
    result = import_captures(file, data_dir, "--capture-max=1KiB")
    assert (result.returncode, result.stderr) == (1, "")
    *refusals, last = result.stdout.splitlines()
    assert last == counts(completed=1, refused=len(REFUSED))
    for number, ((_, reason), line) in enumerate(zip(REFUSED.values(), refusals, strict=True), 1):
        assert line.startswith(f"line {number} is refused: ") and reason in line and len(line) < 300
    launch().client().captures.assert_completed(good, captured("x" * 1024))


def test_lease_and_ttl_begin_with_the_import(write_export, launch, data_dir):
    """Breaks if the lease and the ttl differ from the settings, or if imported allocations can't be taken over."""
    kept, lapsing = new_key(), new_key()
    file = write_export(exported(kept, captured("x")), exported(lapsing))
    assert_imported(import_captures(file, data_dir, "--capture-lease=1s", "--capture-ttl=1s"), completed=1, allocated=1)
    client = launch().client()
    for key in (kept, lapsing):
        poll_until(lambda key=key: client.captures.allocate(key).status == 202, "the key is free again")
    assert_clean_failure(*failed(import_captures(file, data_dir, "--capture-lease=2s", "--capture-ttl=1s")), ["--capture-ttl"])


def failed(result):
    return result.returncode, result.stderr


def test_folder_that_is_being_served_is_left_alone(write_export, launch, data_dir):
    """Breaks if two processes write one folder."""
    launch()
    result = import_captures(write_export(exported(new_key())), data_dir)
    assert_clean_failure(*failed(result), [data_dir])
    assert result.stdout == ""


@pytest.mark.parametrize("file", ["/nowhere/captures.ndjson", "/"])
def test_file_that_cannot_be_read(data_dir, file):
    """Breaks if a failed import prints no error."""
    assert_clean_failure(*failed(import_captures(file, data_dir)), [file])


def test_many_are_brought_in_and_reach_postgres(replica, write_export, launch, data_dir):
    """Breaks if an import is not part of the replicated log, or if an interruption loses more than one group."""
    count = 5000
    keys = [new_key() for _ in range(count)]
    file = write_export(*(exported(key, captured("x" * 100)) for key in keys))
    assert_imported(import_captures(file, data_dir), completed=count)
    client = launch(f"--postgres-url={replica}").client()
    client.wait_persisted()
    assert replica.run("SELECT count(*) FROM captures WHERE state = 'completed'") == [(count,)]
    replica.assert_verified(data_dir)
    assert client.captures.release(keys[-1]).status == 403
