"""Batches of orders: one verdict per line, in order, while lines still arrive, with the same guarantees as single creates."""

import re

import pytest

from support import settings
from support.batches import (
    BATCH, NDJSON_TYPE, OpenBatch, assert_created, batch_bytes, batch_head, chunk, line_of, lines_of, new_creates, slug_of, verdicts_in,
    verdicts_of,
)
from support.concurrency import Threads
from support.http_client import request_bytes
from support.orders import accepted_order, assert_problem, create, message_path, order_content, recorded_part

PING = request_bytes("GET", "/-/ping")


def in_chunks(body, size):
    return batch_head() + b"".join(chunk(body[i:i + size]) for i in range(0, len(body), size)) + b"0\r\n\r\n"


def assert_broken_off(connection):
    """The server closes the connection, and the response has no last chunk."""
    assert not connection.read_end().endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("size", [None, 1, 7, 1000, 1_000_000])
def test_each_line_has_its_verdict_in_order(client, size):
    """Breaks if a line is lost, duplicated or split where pieces of the body meet, or if an invalid line affects other lines."""
    good = new_creates(4)
    lines = [
        line_of(good[0]), b"\n", b"no json\n", b"\r\n", line_of(good[1])[:-1] + b"\r\n", b'{"order":{}}\n',
        b'{"idempotency_key":"k","order":{"currency":"EUR"}}\n', line_of(good[2]), b'{"idempotency_key":"k"}\n',
        line_of(good[3])[:-1],
    ]
    body = b"".join(lines)
    verdicts = verdicts_of(client.exchange(batch_bytes(body) if size is None else in_chunks(body, size)))
    assert [verdict.status for verdict in verdicts] == [201, 400, 201, 400, 422, 201, 422, 201]
    assert_created([verdict for verdict in verdicts if verdict.status == 201], good)
    bad = [verdict for verdict in verdicts if verdict.status != 201]
    assert [slug_of(verdict) for verdict in bad] == ["malformed-json", "guid-missing", "invalid-order", "invalid-order"]
    assert [verdict.idempotency_key for verdict in bad] == [None, None, "k", "k"]
    assert not any(verdict.replayed for verdict in verdicts)
    for verdict in verdicts:
        if verdict.status == 201:
            assert client.get_order(verdict.order["order_id"]) == verdict.order


def test_an_empty_batch(client):
    for body in (b"", b"\n\r\n\n"):
        assert verdicts_of(client.exchange(batch_bytes(body))) == []
        assert verdicts_of(client.exchange(in_chunks(body, 10))) == []
    assert verdicts_of(client.exchange(request_bytes("POST", BATCH, [("Content-Type", NDJSON_TYPE)]))) == []


def test_verdicts_leave_while_lines_still_arrive(server):
    """Breaks if the server waits for the end of a batch, or for a line that has not arrived, before it answers earlier lines."""
    with OpenBatch(server.port) as batch:
        for write in new_creates(5):
            half = len(line_of(write)) // 2
            batch.send(line_of(write)[:half])
            batch.send(line_of(write)[half:])
            assert_created([batch.read_verdict()], [write])
        batch.finish()
        assert batch.read_verdict() is None
        assert batch.connection.exchange(PING).status == 200


def test_a_repeat_by_either_way_is_a_replay(client):
    """Breaks if a line's fingerprint or its order differs from that of a single create."""
    alone, in_batch, reused = new_creates(3)
    first = alone.send(client)
    assert accepted_order(first, 201)
    verdict, = verdicts_of(client.exchange(batch_bytes(line_of(in_batch))))
    reused.send(client)

    repeats = lines_of([alone, in_batch]) + line_of(create(order_content("c-other"), reused.guid))
    of_alone, of_batch, of_reused = verdicts_of(client.exchange(batch_bytes(repeats)))
    assert of_alone.replayed and recorded_part(of_alone.as_response()) == recorded_part(first)
    assert of_batch.replayed and of_batch.order == verdict.order and of_batch.expires_at == verdict.expires_at
    assert slug_of(of_reused) == "guid-reused"
    again = in_batch.send(client)
    assert again.replayed and recorded_part(again) == recorded_part(verdict.as_response())
    assert again.header("Idempotency-Expires") == verdict.expires_at


def test_a_guid_twice_in_one_batch_is_executed_once(launch):
    for policy in ("join", "conflict"):
        server = launch(f"--in-flight={policy}")
        write, = new_creates(1)
        other = create(guid=write.guid)
        with server.client() as client:
            first, second, third = verdicts_of(client.exchange(batch_bytes(lines_of([write, write, other]))))
            assert_created([first], [write])
            assert slug_of(third) == "guid-reused"
            if policy == "join":
                assert second.replayed and second.order == first.order
            else:
                assert slug_of(second) == "request-in-flight"
        server.stop()


def test_a_line_over_the_bound_is_skipped_and_a_batch_has_none(launch_watched):
    """Breaks if the size of a whole batch is limited, or if a long line costs memory, other lines or the connection."""
    server = launch_watched("--max-body=1024")
    writes = new_creates(2000)
    long_line = b'{"idempotency_key":"' + b"x" * (3 * settings.MIB) + b'"}\n'
    body = lines_of(writes[:1000]) + long_line + lines_of(writes[1000:]) + long_line[:-1]
    with server.client() as client:
        for request in (batch_bytes(body), in_chunks(body, 50_000)):
            verdicts = verdicts_of(client.exchange(request))
            long_ones = verdicts[1000], verdicts.pop()
            assert [slug_of(verdict) for verdict in long_ones] == ["body-too-large"] * 2
            assert_created(verdicts[:1000] + verdicts[1001:], writes)


def test_a_client_may_write_all_before_it_reads(server):
    """Breaks if unread verdicts stop the server from reading before the documented amount is buffered."""
    writes = new_creates(1) * 25_000  # one GUID makes the same 10 MiB of verdicts, faster
    with server.connect() as connection:
        connection.send(batch_bytes(lines_of(writes)))
        assert_created(verdicts_of(connection.read_response()), writes)


def test_a_client_that_never_reads_is_waited_for_and_nobody_else(launch_watched):
    """Breaks if unread verdicts are buffered without a limit, or lost."""
    server = launch_watched()
    big = create(order_content(attributes={"filler": "x" * 16_000}))
    piece = chunk(line_of(big) * 60)
    with server.connect() as connection:
        connection.send(batch_head())
        sent, rest = 0, piece
        while connection.can_send(settings.STALLED_SECONDS):
            rest = rest[connection.send_some(rest):]
            if not rest:
                sent, rest = sent + 60, piece
                assert sent * 16_000 < 64 * settings.MIB, "the server takes lines without end"
        assert sent * 16_000 > 16 * settings.MIB
        with server.client() as other:
            assert_created(verdicts_of(other.exchange(batch_bytes(line_of(big)))), [big])
        reader = Threads([lambda: connection.send(rest + b"0\r\n\r\n")])
        response = connection.read_response()
        reader.join()
        assert_created(verdicts_of(response), [big] * (sent + 60))


def test_many_batches_at_once(server):
    """Breaks if one batch or a few reach the limit on messages in flight, or mix up their verdicts."""
    def send():
        writes = new_creates(3000)
        with server.connect() as connection:
            assert_created(verdicts_of(connection.exchange(batch_bytes(lines_of(writes)))), writes)

    Threads([send] * 6).join()


def test_requests_may_follow_a_batch_at_once(server):
    first, second = new_creates(300), new_creates(300)
    with server.connect() as connection:
        connection.send(in_chunks(lines_of(first), 5000) + PING + batch_bytes(lines_of(second)) + PING * 3000)
        assert_created(verdicts_of(connection.read_response()), first)
        assert connection.read_response().json() == {"message": "pong"}
        assert_created(verdicts_of(connection.read_response()), second)
        for _ in range(3000):
            assert connection.read_response().json() == {"message": "pong"}


def test_a_batch_may_expect_100_continue(server):
    writes = new_creates(10)
    with server.connect() as connection:
        assert connection.exchange(batch_head(("Expect", "100-continue"))).status == 100
        connection.send(chunk(lines_of(writes)) + b"0\r\n\r\n")
        assert_created(verdicts_of(connection.read_response()), writes)
    with server.connect() as connection:
        connection.send(request_bytes("POST", BATCH, [("Content-Type", "text/plain"), ("Expect", "100-continue"),
                                                      ("Content-Length", "100000000")]))
        refused = connection.read_response()
        assert_problem(refused, 415, "unsupported-media-type")
        assert refused.closes


def test_what_is_refused_as_a_whole(client, server):
    body = lines_of(new_creates(1))
    assert_problem(client.request("POST", BATCH, [("Content-Type", "application/json")], body), 415, "unsupported-media-type")
    for method in ("GET", "PUT", "DELETE"):
        refused = client.request(method, BATCH, [("Content-Type", NDJSON_TYPE)], body)
        assert_problem(refused, 405, "method-not-allowed")
        assert refused.header("Allow") == "POST"
    with server.connect() as connection:
        connection.send(batch_bytes(body).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert_problem(connection.read_response(), 400, "malformed-request")
    with server.connect() as connection:
        connection.send(batch_bytes(body).replace(b"Host: 127.0.0.1\r\n", b""))
        assert_problem(connection.read_response(), 400, "malformed-request")


def test_a_client_that_wants_to_close_is_closed_after_its_batch(server):
    writes = new_creates(3)
    with server.connect() as connection:
        response = connection.exchange(batch_bytes(lines_of(writes), [("Connection", "close")]))
        assert response.closes
        assert_created(verdicts_of(response), writes)
        assert connection.read_end() == b""


def test_bad_framing_ends_a_batch_without_its_end(server):
    """Breaks if lines before a broken chunk are lost, or if the response looks complete."""
    first, second, third = new_creates(3)
    with OpenBatch(server.port) as batch:
        batch.send(line_of(first))
        assert_created([batch.read_verdict()], [first])
        batch.connection.send(chunk(line_of(second) + line_of(third)[:-5]) + b"not a size\r\n")
        assert_created([batch.read_verdict()], [second])
        assert_broken_off(batch.connection)
    with server.client() as client:
        assert client.get(message_path(third.guid)).status == 404

    with OpenBatch(server.port) as batch:
        batch.connection.send(b"not a size\r\n")
        refused = batch.connection.read_response()
        assert_problem(refused, 400, "malformed-request")
        assert refused.closes


def test_a_body_that_breaks_off_is_executed_up_to_there(server):
    """Breaks if a truncated line is executed, or complete lines before it are lost."""
    whole, cut = new_creates(2)
    with server.connect() as connection:
        connection.send(batch_bytes(lines_of([whole, cut]))[:-1])  # the last line end is missing from the announced length
        connection.finish_sending()
        connection.read_head()
        assert_created(verdicts_in(connection.read_chunk()), [whole])
        assert_broken_off(connection)
    with server.client() as client:
        assert client.get(message_path(cut.guid)).status == 404


def test_a_client_that_goes_away_leaves_what_it_sent(server):
    """Breaks if accepted lines are not executed after the client has disconnected, or if their verdicts harm the server."""
    for _ in range(20):
        writes = new_creates(700)
        connection = server.connect()
        connection.send(batch_head() + chunk(lines_of(writes)))
        connection.reset()
        with server.client() as client:
            assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes)))), writes)


def test_a_batch_that_stalls_is_ended(launch):
    """Breaks if a client that stops sending occupies its connection forever, or if the timeout counts from the start of the batch."""
    server = launch("--request-timeout=1s")
    with server.connect() as connection:
        connection.send(batch_head() + b"5\r\nabc")
        assert_problem(connection.read_response(), 408, "request-timeout")
    with OpenBatch(server.port) as batch:
        for write in new_creates(3):
            batch.send(line_of(write))
            assert_created([batch.read_verdict()], [write])
        assert_broken_off(batch.connection)


def test_a_batch_alone_does_not_reach_the_bound_of_messages(launch):
    """Breaks if a batch takes more lines at a time than --max-in-flight allows, and so has some refused."""
    writes = new_creates(300)
    with launch("--max-in-flight=16").client() as client:
        assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(writes)))), writes)


def test_a_batch_during_the_drain_ends_in_order(launch):
    """Breaks if a stop truncates a batch, or executes lines that arrive after the stop began."""
    server = launch()
    with OpenBatch(server.port) as batch:
        write, = new_creates(1)
        batch.send(line_of(write))
        assert_created([batch.read_verdict()], [write])
        server.begin_stop()
        batch.send(lines_of(new_creates(10)))
        assert {slug_of(verdict) for verdict in batch.read_verdicts(10)} == {"draining"}
        batch.finish()
        assert batch.read_verdict() is None
        assert batch.connection.read_end() == b""
    assert server.wait_exit() == 0


def test_batches_and_their_lines_are_counted(launch):
    with launch().client() as client:
        client.exchange(batch_bytes(lines_of(new_creates(5)) + b"no json\n"))
        text = client.get("/metrics").body.decode()
    counted = dict(re.findall(r'ordem_http_batch_lines_total\{status="(.)xx"\} (\d+)', text))
    assert counted == {"2": "5", "4": "1", "5": "0"}
    assert re.search(r'ordem_http_responses_total\{status="2xx"\} 1\n', text)
