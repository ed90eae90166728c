"""`ordem relay`: signed webhooks in order, whatever the receiver, the server or the relay itself do in between."""

import json
import signal
import subprocess
import time

import pytest

from support import settings
from support.concurrency import poll_until
from support.feed import page, read_all
from support.http_client import free_port
from support.ordem_server import assert_clean_failure, assert_no_sanitizer_report, binary, clean_environment, run_ordem
from support.orders import accepted_order, create, new_customer, order_content, set_status
from support.scripted_server import ScriptedServer, answer_bytes
from support.webhooks import Receiver, make_certificate, new_secret


class Relay:
    """A running `ordem relay`. `pauses`: the first one after a failure, and the longest."""

    def __init__(self, folder, server, receiver, *flags, after="0", secrets=None, pauses=("1ms", "50ms")):
        self.position_file = folder / "position"
        secret_file = folder / "secret"
        secret_file.write_text("\n".join(secrets or receiver.secrets) + "\n")
        begin = ("--after", after) if after else ()
        first, longest = pauses
        self._process = subprocess.Popen(
            [binary(), "relay", "--from", f"http://127.0.0.1:{server.port}", "--to", receiver.url, "--secret-file", secret_file,
             "--position-file", self.position_file, "--retry-first", first, "--retry-longest", longest,
             *begin, *map(str, flags)],
            env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.kill()

    def wait_exit(self):
        """Returns exit code and stderr."""
        out, err = self._process.communicate(timeout=settings.COMMAND_SECONDS_MAX)
        assert_no_sanitizer_report(err)
        assert out == ""
        return self._process.returncode, err

    def stop(self):
        """SIGTERM ends it, with exit code 0. Returns what it has said."""
        self._process.send_signal(signal.SIGTERM)
        code, err = self.wait_exit()
        assert code == 0, err
        return err

    def kill(self):
        self._process.kill()
        self._process.communicate(timeout=settings.COMMAND_SECONDS_MAX)

    def kept(self):
        """Returns the position in its file; None without one."""
        return json.loads(self.position_file.read_text())["position"] if self.position_file.exists() else None

    def wait_kept(self, position):
        poll_until(lambda: self.kept() == position, f"the position {position} is kept", settings.THREADS_SECONDS_MAX)


@pytest.fixture
def secret():
    return new_secret()


def make_orders(client, count, customer=None):
    content = order_content(customer or new_customer(), attributes={"number": 1.50, "big": 9007199254740991, "text": "\u00e4\"\\n"})
    return [accepted_order(create(content).send(client), 201) for _ in range(count)]


def expected_events(client):
    return read_all(client)[0]


def test_events_are_posted_in_order_and_the_position_is_kept(launch, tmp_path, secret):
    server = launch()
    client = server.client()
    make_orders(client, 10)
    with Receiver(secret) as receiver, Relay(tmp_path, server, receiver) as relay:
        receiver.wait_accepted(10)
        order = make_orders(client, 5)[0]
        accepted_order(set_status(order["order_id"], 1, "confirmed").send(client))
        assert receiver.wait_accepted(16) == expected_events(client)
        relay.wait_kept(page(client)["next"])
        assert relay.stop() == ""
        assert len(receiver.attempts) == 16


@pytest.mark.parametrize("script", [
    [500] * 5, [404, 400, 302, 503], ["cut"] * 3, ["reset"] * 3, ["slow"] * 3, [(429, 0), (503, 0), (503, "soon"), (500, -1)],
])
def test_a_receiver_that_fails_gets_every_event_once_in_order(launch, tmp_path, secret, script):
    server = launch()
    client = server.client()
    make_orders(client, 8)
    failing = sum(answer != "slow" for answer in script)
    with Receiver(secret, script=script) as receiver, Relay(tmp_path, server, receiver) as relay:
        assert receiver.wait_accepted(8) == expected_events(client)
        relay.wait_kept(page(client)["next"])
        said = relay.stop()
        first = receiver.attempts[0][1]
        assert [event for _, event in receiver.attempts[:failing + 1]] == [first] * (failing + 1)
        assert len(receiver.attempts) == 8 + failing
        assert failing == 0 or ("does not work" in said and "works again" in said and len(said.splitlines()) == 2), said


def test_a_receiver_that_hangs_is_given_up_after_the_timeout(launch, tmp_path, secret):
    server = launch()
    make_orders(server.client(), 2)
    with Receiver(secret, script=["hang", "hang"]) as receiver, Relay(tmp_path, server, receiver, "--timeout=200ms") as relay:
        assert receiver.wait_accepted(2) == expected_events(server.client())
        assert len(receiver.attempts) == 4
        relay.stop()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded(launch, tmp_path, secret, status):
    server = launch()
    make_orders(server.client(), 1)
    with Receiver(secret, script=[(status, 1)]) as receiver, Relay(tmp_path, server, receiver) as relay:
        receiver.wait_accepted(1)
        (first, _), (second, _) = receiver.attempts
        assert second - first >= 1
        relay.stop()


def test_pauses_between_attempts_are_doubled_up_to_the_longest(launch, tmp_path, secret):
    server = launch()
    make_orders(server.client(), 1)
    with Receiver(secret, script=[500] * 5) as receiver, Relay(tmp_path, server, receiver, pauses=("50ms", "200ms")) as relay:
        receiver.wait_accepted(1)
        times = [at for at, _ in receiver.attempts]
        assert all(later - earlier >= least for earlier, later, least in zip(times, times[1:], (0.025, 0.05, 0.1, 0.1, 0.1))), times
        relay.stop()


def test_pauses_begin_anew_after_an_attempt_that_works(launch, tmp_path, secret):
    """Otherwise the last pause would be hours."""
    server = launch()
    client = server.client()
    make_orders(client, 25)
    with Receiver(secret, script=[500, 204] * 25) as receiver, Relay(tmp_path, server, receiver, pauses=("1ms", "24h")) as relay:
        assert receiver.wait_accepted(25) == expected_events(client)
        relay.stop()


def page_of(*positions, after=0):
    """Returns a response to the relay's question for changes."""
    events = [{"id": f"log:{position}", "data": {"position": position}} for position in positions]
    return answer_bytes(200, body=json.dumps({"log_id": "log", "events": events, "next": max(positions, default=after)}).encode())


def test_retry_after_of_the_server_is_heeded(tmp_path, secret):
    wait_long = answer_bytes(503, [("Retry-After", 3600)])
    for status in (429, 503):
        begin = time.monotonic()
        folder = tmp_path / str(status)
        folder.mkdir()
        with (ScriptedServer(answer_bytes(status, [("Retry-After", 1)]), page_of(1), wait_long) as server, Receiver(secret) as receiver,
              Relay(folder, server, receiver) as relay):
            receiver.wait_accepted(1)
            assert receiver.attempts[0][0] - begin >= 1
            assert relay.stop().count("does not work") >= 1


def test_pauses_begin_anew_after_a_page(tmp_path, secret):
    """Otherwise the last pause would be hours."""
    failed = answer_bytes(500)
    script = [answer for position in range(1, 26) for answer in (failed, page_of(position))]
    with (ScriptedServer(*script, answer_bytes(503, [("Retry-After", 3600)])) as server, Receiver(secret) as receiver,
          Relay(tmp_path, server, receiver, pauses=("1ms", "24h")) as relay):
        assert [event["data"]["position"] for event in receiver.wait_accepted(25)] == list(range(1, 26))
        relay.stop()


def test_a_receiver_that_is_away_loses_nothing(launch, tmp_path, secret):
    server = launch()
    client = server.client()
    port = free_port()
    away = Receiver(secret, port=port)
    away.close()
    with Relay(tmp_path, server, away) as relay:
        make_orders(client, 30)
        with Receiver(secret, port=port) as receiver:
            receiver.wait_accepted(10)
        accepted = len(receiver.accepted)
        make_orders(client, 30)
        with Receiver(secret, port=port) as again:
            again.wait_accepted(60 - accepted)
            # The last answer may have been lost with the receiver.
            got = receiver.accepted + again.accepted
            assert [event for number, event in enumerate(got) if number == 0 or event != got[number - 1]] == expected_events(client)
            assert len(got) <= 61
            relay.stop()


def test_a_receiver_that_wants_no_more_ends_the_relay(launch, tmp_path, secret):
    server = launch()
    make_orders(server.client(), 3)
    with Receiver(secret, script=[200, 410]) as receiver, Relay(tmp_path, server, receiver) as relay:
        code, err = relay.wait_exit()
        assert_clean_failure(code, err, ["410"])
        assert len(receiver.accepted) == 1 and relay.kept() == 1


def test_a_relay_that_is_killed_repeats_at_most_the_last_event(launch, tmp_path, secret):
    server = launch()
    client = server.client()
    make_orders(client, settings.sampled(200))
    with Receiver(secret) as receiver:
        for count in map(settings.sampled, (20, 50, 90, 120)):
            with Relay(tmp_path, server, receiver) as relay:
                receiver.wait_accepted(count)
                relay.kill()
        with Relay(tmp_path, server, receiver) as relay:
            relay.wait_kept(page(client)["next"])
            relay.stop()
        got = list(receiver.accepted)
        repeats = sum(event == got[number] for number, event in enumerate(got[1:]))
        assert repeats <= 4
        assert [event for number, event in enumerate(got) if number == 0 or event != got[number - 1]] == expected_events(client)


def test_a_relay_that_is_stopped_ends_soon_whatever_it_waits_for(launch, tmp_path, secret):
    server = launch()
    with Receiver(secret, script=["hang"]) as receiver:
        with Relay(tmp_path, server, receiver) as relay:  # for an event
            poll_until(lambda: server.client().metric("ordem_feed_readers") == 1, "the relay waits")
            relay.stop()
        make_orders(server.client(), 1)
        with Relay(tmp_path, server, receiver) as relay:  # for an answer
            receiver.wait_attempts(1)
            relay.stop()
        assert relay.kept() in (None, 0)
        receiver.script[:] = [(503, 3000)]
        with Relay(tmp_path, server, receiver) as relay:  # for the next attempt
            receiver.wait_attempts(2)
            relay.stop()


def test_a_server_that_restarts_is_waited_for(launch, tmp_path, secret, data_dir):
    port = free_port()
    server = launch(f"--port={port}")
    make_orders(server.client(), 5)
    with Receiver(secret) as receiver, Relay(tmp_path, server, receiver) as relay:
        receiver.wait_accepted(5)
        server.stop()
        server = launch(f"--port={port}", folder=data_dir)
        make_orders(server.client(), 5)
        assert receiver.wait_accepted(10) == expected_events(server.client())
        relay.stop()
        assert len(receiver.attempts) == 10


def test_a_position_of_another_log_is_refused(launch, tmp_path, secret):
    server, other = launch(), launch(folder=tmp_path / "other")
    for each in (server, other):
        make_orders(each.client(), 3)
    with Receiver(secret) as receiver:
        with Relay(tmp_path, server, receiver) as relay:
            receiver.wait_accepted(3)
            relay.wait_kept(3)
            relay.stop()
        with Relay(tmp_path, other, receiver) as relay:
            code, err = relay.wait_exit()
            assert_clean_failure(code, err, ["log", "another server"])
        assert relay.kept() == 3 and len(receiver.attempts) == 3


def test_a_position_that_the_log_no_longer_holds_ends_the_relay(launch, tmp_path, secret):
    server = launch("--log-entries=1", "--write-buffer=4MiB")
    client = server.client()
    content = order_content(attributes={"text": "x" * 16_000})
    poll_until(lambda: all(create(content).send(client).status == 201 for _ in range(100)) and client.get("/api/v1/changes?after=0").status == 410,
               "the log is trimmed", settings.THREADS_SECONDS_MAX)
    with Receiver(secret) as receiver, Relay(tmp_path, server, receiver) as relay:
        code, err = relay.wait_exit()
        assert_clean_failure(code, err, ["410", "oldest_position"])
        assert receiver.attempts == []


def test_filters_and_the_begin_at_the_end(launch, tmp_path, secret):
    server = launch()
    client = server.client()
    customer = "c d/\u00e4?&="
    make_orders(client, 3, customer)
    with Receiver(secret) as receiver:
        flags = ("--customer-id", customer, "--type", "order.created,order.status_changed")
        with Relay(tmp_path, server, receiver, *flags, after=None) as relay:
            relay.wait_kept(3)
            order = make_orders(client, 1, customer)[0]
            make_orders(client, 2)
            accepted_order(set_status(order["order_id"], 1, "confirmed").send(client))
            events = receiver.wait_accepted(2)
            assert [event["type"] for event in events] == ["order.created", "order.status_changed"]
            assert {event["subject"] for event in events} == {order["order_id"]}
            relay.stop()


def test_two_secrets_sign_while_a_receiver_changes(launch, tmp_path):
    server = launch()
    make_orders(server.client(), 1)
    with Receiver(new_secret(24), new_secret(64)) as receiver, Relay(tmp_path, server, receiver) as relay:
        receiver.wait_accepted(1)
        relay.stop()


def test_a_receiver_with_tls_must_have_a_certificate_that_is_trusted(launch, tmp_path, secret):
    certificate, with_key = make_certificate(tmp_path)
    server = launch()
    make_orders(server.client(), 2)
    with Receiver(secret, certificate=with_key) as receiver:
        with Relay(tmp_path, server, receiver) as relay:
            poll_until(lambda: receiver.refused >= 3, "the relay has tried again")
            assert "does not work" in relay.stop()
        assert receiver.attempts == []
        with Relay(tmp_path, server, receiver, "--ca-file", certificate) as relay:
            receiver.wait_accepted(2)
            relay.stop()


def test_the_key_of_the_relay_is_sent_to_the_server_alone(launch, tmp_path, secret):
    keys = tmp_path / "keys"
    made = run_ordem("key", "create", "--keys", keys, "--name", "relay", "--scopes", "orders:read,orders:write")
    key = made.stdout.split()[0]
    server = launch(f"--keys={keys}")
    client = server.client()
    client.key = key
    make_orders(client, 1)
    key_file = tmp_path / "key"
    key_file.write_text(key)
    with Receiver(secret) as receiver:
        with Relay(tmp_path, server, receiver) as relay:
            code, err = relay.wait_exit()
            assert_clean_failure(code, err, ["401"])
        with Relay(tmp_path, server, receiver, "--api-key-file", key_file) as relay:
            receiver.wait_accepted(1)
            relay.stop()


def test_two_relays_do_not_share_a_file(launch, tmp_path, secret):
    server = launch()
    with Receiver(secret) as receiver, Relay(tmp_path, server, receiver) as first:
        poll_until(lambda: server.client().metric("ordem_feed_readers") == 1, "the relay waits")
        with Relay(tmp_path, server, receiver) as second:
            code, err = second.wait_exit()
            assert_clean_failure(code, err, ["used by another relay"])
        first.stop()


@pytest.mark.parametrize("text", ["", "whsec_\n", "secret", "whsec_c2hvcnQ=", "whsec_****************************************",
                                  "\n".join(f"whsec_{digit * 40}" for digit in "ABCDE")])
def test_a_bad_secret_is_refused_without_being_shown(tmp_path, text):
    secret_file = tmp_path / "secret"
    secret_file.write_text(text)
    result = run_ordem("relay", "--to", "http://127.0.0.1:1", "--secret-file", secret_file, "--position-file", tmp_path / "position")
    assert_clean_failure(result.returncode, result.stderr, ["secret"])
    assert not any(part in result.stderr for part in ("c2hvcnQ", "****", "AAAA", "EEEE"))


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"log_id":"x","position":-1}', '{"position":3}'])
def test_a_file_that_holds_no_position_is_refused(tmp_path, secret, text):
    secret_file, position_file = tmp_path / "secret", tmp_path / "position"
    secret_file.write_text(secret)
    position_file.write_text(text)
    result = run_ordem("relay", "--to", "http://127.0.0.1:1", "--secret-file", secret_file, "--position-file", position_file)
    assert_clean_failure(result.returncode, result.stderr, ["position"])
    assert position_file.read_text() == text


@pytest.mark.parametrize("flags, word", [
    (["--to", "ftp://x"], "--to"), (["--from", "x"], "--from"), (["--after", "x"], "--after"), (["--after", "-1"], "--after"),
    (["--from", "http://10.0.0.1", "--api-key-file", "k"], "--from"), (["--retry-first", "2s", "--retry-longest", "1s"], "--retry-longest"),
])
def test_bad_options_are_refused(tmp_path, flags, word):
    given = ["--to", "http://127.0.0.1:1"] if "--to" not in flags else []
    result = run_ordem("relay", *given, "--secret-file", "s", "--position-file", "p", *flags)
    assert_clean_failure(result.returncode, result.stderr, [word])
