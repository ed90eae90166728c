"""The data folder: one owner, one format, and no start on damaged data that hides an acknowledged order."""

import os
import shutil

import pytest

from support import settings
from support.captures import assert_empty, assert_error, assert_record, captured, new_key
from support.concurrency import poll_until
from support.ordem_server import ServerDidNotStart, assert_clean_failure, assert_does_not_start, start_server
from support.orders import accepted_order, assert_problem, create, new_customer, order_content, order_path, recorded_part

FLIPPED_BYTES = 64
FILLER_BYTES = 600
SST_FILLS_MAX = 4
LARGE_FILLER_BYTES = 15_000
CAPTURE_FILLER_BYTES = 500_000
READS_WHILE_FULL = 200


def filler(size):
    """Text that does not compress well."""
    return os.urandom(size // 2).hex()


def create_orders(client, customer, count):
    """Creates orders; returns (write, answer) pairs."""
    writes = [create(order_content(customer, attributes={"filler": filler(FILLER_BYTES)})) for _ in range(count)]
    pairs = [(write, write.send(client)) for write in writes]
    for _, answer in pairs:
        accepted_order(answer, 201)
    return pairs


def assert_all_there(client, stored):
    for write, answer in stored:
        order = accepted_order(answer, 201)
        assert client.get_order(order["order_id"]) == order
        repeated = write.send(client)
        assert repeated.replayed and recorded_part(repeated) == recorded_part(answer)


# One owner.

def test_second_server_on_the_same_folder(launch, data_dir):
    """Breaks if two processes can write one folder, or if the second harms the first before it exits."""
    server = launch()
    stored = create_orders(server.client(), new_customer(), 3)
    assert_does_not_start(data_dir, words=[data_dir, "lock"])
    assert_all_there(server.client(), stored)
    stored += create_orders(server.client(), new_customer(), 3)
    server.stop()
    assert_all_there(launch().client(), stored)


def test_lock_goes_with_its_process(launch):
    """Breaks if the lock is the existence of a file: it would outlive a killed server."""
    server = launch()
    stored = create_orders(server.client(), new_customer(), 3)
    server.kill()
    assert_all_there(launch().client(), stored)


# A folder that is moved or removed.

@pytest.mark.parametrize("leave", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("away"))], ids=["removed", "renamed"])
def test_folder_that_is_removed_under_the_server(launch, data_dir, leave):
    """Breaks if orders in deleted files are acknowledged, or if the first server harms a second one that has recreated the folder."""
    first = launch()
    client = first.client()
    stored = create_orders(client, new_customer(), 3)
    leave(data_dir)
    second = launch()
    newer = create_orders(second.client(), new_customer(), 3)

    assert_problem(create().send(client), 503, "read-only")
    assert_not_ready(client, "read-only")
    for _, answer in stored:
        order = accepted_order(answer, 201)
        assert client.get_order(order["order_id"]) == order
    poll_until(
        lambda: any(line["level"] == "error" and "removed or replaced" in line["message"] for line in first.logs()), "the log has the error"
    )
    first.stop()

    newer += create_orders(second.client(), new_customer(), 3)
    assert_all_there(second.client(), newer)
    second.stop()
    assert_all_there(launch().client(), newer)


# One format.

def test_newer_format_is_refused(launch, data_dir):
    """Breaks if an older binary opens the folder of a newer one, or changes the folder before it refuses."""
    server = launch()
    stored = create_orders(server.client(), new_customer(), 3)
    server.stop()
    marker = data_dir / "FORMAT"
    own = marker.read_text()
    marker.write_text("999\n")
    assert_does_not_start(data_dir, words=["999", own.split()[0]])
    assert marker.read_text() == "999\n"
    marker.write_text(own)
    assert_all_there(launch().client(), stored)


@pytest.mark.parametrize("text", ["", "banana\n", "-1\n", "1banana\n"])
def test_format_that_is_no_number_is_refused(launch, data_dir, text):
    """Breaks if a damaged format file is accepted as the current format, or the folder as a new one."""
    launch().stop()
    (data_dir / "FORMAT").write_text(text)
    assert_does_not_start(data_dir, words=["FORMAT"])


# Damage.

@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with some orders in .sst files and others only in the write-ahead log, as after a kill -9."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    customer = new_customer()
    stored = []
    for _ in range(SST_FILLS_MAX):
        with start_server(folder) as server:
            stored += create_orders(server.client(), customer, settings.STORED_ORDERS)
        if list(folder.glob("db/*.sst")):
            break
    assert list(folder.glob("db/*.sst")), "restarts leave no .sst file to damage"
    server = start_server(folder)
    stored += create_orders(server.client(), customer, settings.STORED_ORDERS)
    server.kill()
    return folder, customer, stored


def newest(folder, pattern):
    files = [file for file in folder.glob(pattern) if file.stat().st_size > 0]
    assert files, f"no {pattern} in {folder}"
    return max(files, key=lambda file: file.name)


def flip_middle(file):
    """Flips bytes in the middle of what is written: a file of the log goes on with zeros."""
    data = bytearray(file.read_bytes())
    middle = len(data.rstrip(b"\0")) // 2
    data[middle:middle + FLIPPED_BYTES] = bytes(byte ^ 0xFF for byte in data[middle:middle + FLIPPED_BYTES])
    file.write_bytes(data)


def damage_log(folder):
    flip_middle(newest(folder, "log/*.seg"))


def damage_every_sst(folder):
    for file in folder.glob("db/*.sst"):
        flip_middle(file)


def remove_newest_sst(folder):
    newest(folder, "db/*.sst").unlink()


def cut_manifest(folder):
    file = newest(folder, "db/MANIFEST-*")
    os.truncate(file, file.stat().st_size // 2)


def empty_manifest(folder):
    os.truncate(newest(folder, "db/MANIFEST-*"), 0)


def empty_current(folder):
    os.truncate(folder / "db" / "CURRENT", 0)


def remove_current(folder):
    (folder / "db" / "CURRENT").unlink()


def remove_database(folder):
    shutil.rmtree(folder / "db")


DAMAGES = (damage_log, damage_every_sst, remove_newest_sst, cut_manifest, empty_manifest, empty_current, remove_current,
           remove_database)


def same_or_failure(response, expected):
    """The response is the expected one or an error of the server; never 404, and never other data."""
    if response.status >= 500:
        return
    assert recorded_part(response) == expected, f"{response.status}: {response.body[:500]!r}"


def assert_nothing_hidden(client, customer, stored):
    """Each read returns the acknowledged order or fails; no repeat is executed; no list is incomplete."""
    for write, answer in stored:
        order = accepted_order(answer, 201)
        read = client.get(order_path(order["order_id"]))
        assert read.status >= 500 or accepted_order(read) == order, f"{read.status}: {read.body[:500]!r}"
        same_or_failure(write.send(client), recorded_part(answer))
    response = client.get(f"/api/v1/orders?customer_id={customer}&limit=1000")
    if response.status < 500:
        assert len(client.get_orders_of(customer)) == len(stored)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_hides_no_order(filled, tmp_path, damage):
    """Breaks if the server starts on damaged data without an error: with a log replayed only up to the damage, with a missing table or
    manifest, or with a new database in place of the old one. It may refuse to start, or fail reads."""
    original, customer, stored = filled
    folder = tmp_path / "data"
    shutil.copytree(original, folder)
    damage(folder)
    try:
        server = start_server(folder)
    except ServerDidNotStart as refusal:
        assert_clean_failure(refusal.code, refusal.stderr, [folder])
        return
    try:
        assert_nothing_hidden(server.client(), customer, stored)
    finally:
        if server.is_running():
            server.signal_stop()
            assert server.wait_exit() >= 0, "the server was ended by a signal"


def test_undamaged_folder_hides_nothing(filled, tmp_path):
    """Breaks if the check of the test above fails on an undamaged folder: its refusals would then prove nothing."""
    original, customer, stored = filled
    shutil.copytree(original, tmp_path / "data")
    with start_server(tmp_path / "data") as server:
        client = server.client()
        assert_nothing_hidden(client, customer, stored)
        assert_all_there(client, stored)


# A full disk.

def create_until_refused(client, customer):
    """Returns the accepted (write, answer) pairs, and the first pair that was refused."""
    accepted = []
    for _ in range(settings.FULL_DISK_CREATES_MAX):
        write = create(order_content(customer, attributes={"filler": filler(LARGE_FILLER_BYTES)}))
        answer = write.send(client)
        if answer.status != 201:
            return accepted, (write, answer)
        accepted.append((write, answer))
    raise AssertionError(f"{len(accepted)} orders fit on a disk of {settings.FULL_DISK_BYTES} bytes")


@pytest.mark.parametrize("heals", [True, False], ids=["room while it runs", "room for the next start"])
@pytest.mark.parametrize("flags", [(), ("--write-buffer=4MiB",)], ids=["log does not fit", "table does not fit"])
def test_full_disk(small_disk, flags, heals):
    """Breaks if a write that did not reach the disk is acknowledged, if reads stop together with writes, if readiness does not give the
    reason, if writes are not taken again once there is room, or if the half-written end of a file prevents the next start from finding
    acknowledged writes."""
    folder, customer = small_disk.folder / "data", new_customer()
    with start_server(folder, *flags) as server:
        client = server.client()
        accepted, (refused, answer) = create_until_refused(client, customer)
        assert accepted, "the disk was full before the first order"
        assert_problem(answer, 503, "read-only")
        assert_problem(create(order_content(customer)).send(client), 503, "read-only")
        for _, earlier in accepted[-READS_WHILE_FULL:]:
            order = accepted_order(earlier, 201)
            assert client.get_order(order["order_id"]) == order
        assert_not_ready(client, "read-only")
        assert client.get("/-/ready/reads").status == client.get("/-/live").status == 200

        small_disk.resize(settings.ROOMY_DISK_BYTES)
        if heals:
            client.wait_ready()
            assert client.metric("ordem_write_recoveries_total") >= 1
            assert_all_there(client, accepted[::settings.SAMPLE])
            accepted += create_orders(client, customer, 3)

    with start_server(folder, *flags) as server:
        client = server.client()
        assert client.get("/-/ready").status == 200
        assert_all_there(client, accepted[::settings.SAMPLE])
        orders = [accepted_order(earlier, 201) for _, earlier in [*accepted, (refused, refused.send(client))]]
        assert sorted(client.get_orders_of(customer, limit=50), key=by_id) == sorted(orders, key=by_id)


def capture_until_refused(client):
    """Returns the recorded (key, response) pairs, the pair at which the disk was full, and whether its key was allocated before."""
    recorded = []
    for _ in range(settings.FULL_DISK_CREATES_MAX):
        key, response = new_key(), captured(filler(CAPTURE_FILLER_BYTES))
        for is_allocated, answer in enumerate((client.captures.allocate(key), client.captures.record(key, response))):
            if answer.status == 503:
                return recorded, (key, response), bool(is_allocated)
            assert_empty(answer, 200 if is_allocated else 202)
        recorded.append((key, response))
    raise AssertionError(f"{len(recorded)} captures fit on a disk of {settings.FULL_DISK_BYTES} bytes")


def test_full_disk_of_captures(small_disk):
    """Breaks if a capture that did not reach the disk is acknowledged, if captures are refused in another error format while the store
    rejects writes, or if an acknowledged record is lost with the half-written end of a file."""
    folder = small_disk.folder / "data"
    with start_server(folder) as server:
        client = server.client()
        recorded, (key, response), is_allocated = capture_until_refused(client)
        assert recorded, "the disk was full before the first capture"
        for answer in (client.captures.allocate(new_key()), client.captures.record(key, response)):
            assert_error(answer, 503)
            assert int(answer.header("Retry-After")) > 0
        assert_not_ready(client, "read-only")

    small_disk.resize(settings.ROOMY_DISK_BYTES)
    with start_server(folder) as server:
        client = server.client()
        for earlier, kept in recorded:
            client.captures.assert_completed(earlier, kept)
        last = client.captures.allocate(key)
        if last.status == 200:
            assert is_allocated
            assert_record(last, key, response)
        else:
            assert last.status == 409 or not is_allocated
            assert_empty(last, 202 if last.status == 202 else 409)
            assert_empty(client.captures.record(key, response), 200)


def by_id(order):
    return order["order_id"]


def assert_not_ready(client, status):
    response = client.get("/-/ready")
    assert response.status == 503
    assert response.header("Retry-After")
    body = response.json()
    assert body["status"] == status and body["reason"]
