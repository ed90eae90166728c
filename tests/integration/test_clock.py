"""The machine's clock is set, forward and back, while the server runs and between two starts: nothing is executed twice, times and ids
never go back, and no start reports expired records as damage."""

import time
from datetime import timedelta

import pytest

from support.captures import assert_empty, captured
from support.concurrency import poll_until
from support.machine_clock import MachineClock
from support.ordem_server import run_ordem
from support.orders import accepted_order, create, new_customer, order_content, parse_time, recorded_part

HOUR = 3600
DAY = 24 * HOUR
RESPONSE = captured("done", 201)


@pytest.fixture
def machine(tmp_path):
    return MachineClock(tmp_path)


@pytest.fixture
def launch_there(launch, machine):
    """Like `launch`, with the clock that the test sets."""
    return lambda *flags: launch(*flags, environment=machine.environment)


def metric(client, name):
    for line in client.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"there is no metric {name}")


def clock_warnings(server):
    return [entry for entry in server.logs() if entry["level"] == "warning" and "clock" in entry["message"]]


def since_1970():
    """The offset in seconds with which the clock shows the time since 1970-01-01 as if the machine had just booted."""
    return 100 - time.time()


@pytest.mark.parametrize("forward", [25 * HOUR, 400 * DAY])
def test_repeat_after_the_clock_stepped_over_the_ttl(launch_there, machine, forward):
    """Breaks if an outcome expires because the clock was set and not because time has passed."""
    server = launch_there()
    client = server.client()
    write = create()
    first = write.send(client)
    accepted_order(first, 201)
    machine.set_ahead(forward)
    repeated = write.send(client)
    assert repeated.replayed and recorded_part(repeated) == recorded_part(first)
    assert metric(client, 'ordem_clock_steps_total{direction="forward"}') == 1
    poll_until(lambda: len(clock_warnings(server)) == 1, "the log has one warning")
    # Records from after the step have its time, and those from before it survive into the next process too.
    later = accepted_order(create().send(client), 201)
    jump = parse_time(later["created_at"]) - parse_time(accepted_order(first, 201)["created_at"])
    assert jump >= timedelta(seconds=forward)
    server.stop()
    assert write.send(launch_there().client()).replayed


def test_what_is_written_after_a_step_expires_in_its_time(launch_there, machine):
    """Breaks if a step keeps later records longer than their ttl."""
    client = launch_there("--message-ttl=1s", "--capture-lease=1s", "--capture-ttl=1s").client()
    machine.set_ahead(25 * HOUR)
    write = create()
    assert not write.send(client).replayed
    poll_until(lambda: not write.send(client).replayed, "the outcome expires")
    key = client.captures.new_allocation()
    poll_until(lambda: client.captures.allocate(key).status == 202, "the lease ends")


def test_restart_with_the_clock_ahead(launch_there, machine):
    """Breaks if a start measures the time since the last run by the wall clock."""
    server = launch_there()
    write = create()
    first = write.send(server.client())
    accepted_order(first, 201)
    server.stop()
    for ahead in (25 * HOUR, 0):
        machine.set_ahead(ahead)
        server = launch_there()
        assert recorded_part(write.send(server.client())) == recorded_part(first)
        server.stop()


def test_clock_of_1970_is_set(launch_there, machine):
    """Breaks if a GUID that was used before NTP set the clock is executed again after it."""
    machine.set_ahead(since_1970())
    server = launch_there()
    client = server.client()
    write = create()
    first = write.send(client)
    assert accepted_order(first, 201)["created_at"].startswith("1970-01-01")
    machine.set_ahead(0)
    assert write.send(client).replayed
    server.stop()
    # The second start is before the network is available.
    machine.set_ahead(since_1970())
    server = launch_there()
    client = server.client()
    assert write.send(client).replayed
    machine.set_ahead(0)
    assert write.send(client).replayed


def test_start_after_the_clock_was_ahead_and_put_right(launch_there, machine):
    """Breaks if captures that expired by a clock that was ahead are deleted then, and the next start reports them as missing."""
    server = launch_there()
    allocated = server.client().captures.new_allocation()
    completed = server.client().captures.new_record(RESPONSE)
    server.stop()
    machine.set_ahead(2 * DAY)
    for _ in range(2):  # the second compacts the files of the first
        server = launch_there()
        server.client().captures.new_allocation()
        server.stop()
    machine.set_ahead(0)
    server = launch_there()
    server.client().captures.assert_completed(completed, RESPONSE)
    assert_empty(server.client().captures.allocate(allocated), 409)
    poll_until(lambda: len(clock_warnings(server)) == 1, "the log has one warning")


def test_postgres_keeps_what_the_folder_keeps(replica, launch_there, machine, data_dir):
    """Breaks if Postgres deletes expired captures by the wall clock alone, or if verify uses another clock than the engine."""
    client = launch_there(f"--postgres-url={replica}").client()
    early = client.captures.new_record(RESPONSE)
    write = create()
    accepted_order(write.send(client), 201)
    client.wait_persisted()
    machine.set_ahead(25 * HOUR)
    for _ in range(3):  # writes delete the expired captures, once a second
        client.captures.new_record(RESPONSE)
        client.wait_persisted()
        machine.set_ahead(25 * HOUR + 1)
    assert write.send(client).replayed
    client.captures.assert_completed(early, RESPONSE)
    result = run_ordem("verify", "--postgres-url", replica, "--data-dir", data_dir, environment=machine.environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 orders" not in result.stdout and "1 messages and 4 captures" in result.stdout


def test_times_and_ids_ascend_while_the_clock_is_set_back(launch_there, machine):
    """Breaks if an order has a lower id or an earlier time than one acknowledged before it."""
    customer = new_customer()
    orders = []

    def create_some(client):
        for _ in range(20):
            orders.append(accepted_order(create(order_content(customer)).send(client), 201))

    server = launch_there("--shards=4")
    create_some(server.client())
    machine.set_ahead(-2 * DAY)
    create_some(server.client())
    server.stop()
    machine.set_ahead(-4 * DAY)
    server = launch_there("--shards=4")
    create_some(server.client())
    assert orders == sorted(orders, key=lambda order: order["order_id"])
    times = [parse_time(order["created_at"]) for order in orders]
    assert times == sorted(times)
    assert server.client().get_orders_of(customer) == list(reversed(orders))
    assert metric(server.client(), "ordem_clock_lead_seconds") > 3 * DAY
