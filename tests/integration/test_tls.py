"""TLS: what is refused, client certificates, resumption, reload, and that everything else works as without."""

import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support import settings
from support.batches import OpenBatch, assert_created, batch_bytes, batch_head, line_of, lines_of, new_creates, verdicts_of
from support.captures import allocation_bytes, new_key
from support.certificates import RSA, Authority, Pair, openssl
from support.concurrency import Threads, poll_until
from support.http_client import Connection, request_bytes
from support.ordem_client import OrdemClient, OrdemConnection
from support.ordem_server import assert_clean_failure, assert_does_not_start, run_ordem
from support.orders import ORDERS, accepted_order, assert_problem, create, new_customer, order_content
from support.process_facts import rss_bytes

PING = request_bytes("GET", "/-/ping")
LOCAL = "DNS:localhost,IP:127.0.0.1"
SHORT_TIMEOUT_MS = 500
TRAFFIC_CONNECTIONS = 8
TRAFFIC_REQUESTS_AFTER_RELOAD = 50


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "Test CA")


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("other authority"), "Other CA")


@pytest.fixture(scope="session")
def issued(authority):
    return authority.issue("server", "/CN=localhost", names=LOCAL)


@pytest.fixture(scope="session")
def issued_rsa(authority):
    return authority.issue("server-rsa", "/CN=localhost", names=LOCAL, kind=RSA)


@pytest.fixture(scope="session")
def tls(authority):
    """A client that trusts the authority."""
    return client_context(authority)


@pytest.fixture
def serve_tls(launch, issued):
    """A function that starts a server with TLS."""
    return lambda *flags, pair=issued, **options: launch(*flags_of(pair), *flags, **options)


def flags_of(pair):
    return f"--tls-certificate={pair.certificate}", f"--tls-key={pair.key}"


def client_context(authority, version=None, pair=None, ciphers=None, alpn=None):
    context = ssl.create_default_context(cafile=authority.certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def open_tls(port, context, session=None):
    """A connected ssl.SSLSocket."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=settings.ANSWER_SECONDS_MAX)
    return context.wrap_socket(raw, server_hostname="localhost", session=session, suppress_ragged_eofs=False)


def ping(encrypted):
    """Sends a request on an ssl.SSLSocket; returns the first bytes of the response."""
    encrypted.sendall(PING)
    return encrypted.recv(65536)


def status(port, context):
    """Returns the status of a request on a new connection; raises ssl.SSLError or ConnectionError if it is refused. With TLS 1.3 a
    client learns that its certificate was refused only when it reads."""
    with open_tls(port, context) as connection:
        return int(ping(connection).split()[1])


def assert_refused(port, context, reason=None):
    with pytest.raises((ssl.SSLError, ConnectionError)) as refusal:
        status(port, context)
    if reason:
        assert reason in str(refusal.value)


def serial_of(port, context):
    """Returns the serial number of the certificate that a new connection gets."""
    with open_tls(port, context) as connection:
        return connection.getpeercert()["serialNumber"]


def handshakes(server, context):
    text = OrdemClient(server.port, tls=context).get("/metrics").body.decode()
    prefix = "ordem_tls_handshakes_total{result="
    return {line.split('"')[1]: int(line.split()[-1]) for line in text.splitlines() if line.startswith(prefix)}


def s_client(port, *arguments, text=""):
    """Runs `openssl s_client`; returns what it prints."""
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *map(str, arguments)], input=text, capture_output=True, text=True,
        timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    return result.returncode, result.stdout + result.stderr


# What is served.

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda value: value.name)
def test_every_kind_of_request(serve_tls, authority, version):
    """Breaks if a request, a large response or a batch is cut, mixed up or left unanswered by TLS."""
    context = client_context(authority, version)
    server = serve_tls()
    with OrdemClient(server.port, tls=context) as client:
        customer = new_customer()
        large = order_content(customer, attributes={"note": "x" * 15_000})
        orders = [accepted_order(create(large).send(client), 201) for _ in range(120)]
        assert client.get_order(orders[0]["order_id"]) == orders[0]
        page = client.get(f"{ORDERS}?customer_id={customer}&limit=1000")
        assert len(page.body) > 900_000
        assert [order["order_id"] for order in client.get_orders_of(customer)] == [each["order_id"] for each in reversed(orders)]
        assert client.exchange(allocation_bytes(new_key()), "PUT").status == 202
        creates = new_creates(3_000)
        assert_created(verdicts_of(client.exchange(batch_bytes(lines_of(creates)), "POST")), creates)
        assert client.get("/nowhere").status == 404
    assert handshakes(server, context)["full"] == 2


def test_pipelined_requests_in_any_records(serve_tls, tls):
    """Breaks if requests that share a record, or that several records share, wait for more bytes."""
    server = serve_tls()
    with Connection(server.port, tls=tls) as connection:
        connection.send(PING * 50)
        assert [connection.read_response().status for _ in range(50)] == [200] * 50
        for byte in PING:
            connection.send(bytes([byte]))
        assert connection.read_response().status == 200
        body = create(order_content(attributes={"note": "x" * 15_000})).to_bytes()
        for start in range(0, len(body), 4_000):
            connection.send(body[start:start + 4_000])
        assert connection.read_response("POST").status == 201


def test_a_batch_streamed_both_ways(serve_tls, tls):
    """Breaks if a verdict waits for more lines, or the end of a batch for the connection's."""
    server = serve_tls()
    creates = new_creates(4)
    with OpenBatch(server.port, tls=tls) as batch:
        for each in creates:
            batch.send(line_of(each))
            assert_created([batch.read_verdict()], [each])
        batch.finish()
        assert batch.read_verdict() is None
        assert batch.connection.get("/-/ping").status == 200


def test_a_client_that_does_not_read(serve_tls, tls):
    """Breaks if a response that the kernel takes only in part is sent again, or not at all."""
    server = serve_tls()
    with OrdemClient(server.port, tls=tls) as client:
        customer = new_customer()
        large = order_content(customer, attributes={"note": "x" * 15_000})
        for _ in range(70):
            accepted_order(create(large).send(client), 201)
    get = request_bytes("GET", f"{ORDERS}?customer_id={customer}&limit=1000")
    with Connection(server.port, narrow=True, tls=tls) as connection:
        connection.send(get * 4)
        bodies = [connection.read_response().body for _ in range(4)]
    assert len(bodies[0]) > 900_000 and bodies.count(bodies[0]) == 4


def test_which_listeners_use_tls(serve_tls, tls):
    """Breaks if captures are served without TLS, or a scraper on the machine needs a certificate."""
    server = serve_tls("--operations-port=0", "--captures-port=0")
    listeners = {line["name"]: line for line in server.logs() if line["message"] == "listener"}
    assert {name: line["tls"] for name, line in listeners.items()} == {"main": "yes", "operations": "no", "captures": "yes"}
    with Connection(listeners["operations"]["port"]) as connection:
        assert connection.get("/metrics").status == 200
    with Connection(listeners["captures"]["port"], tls=tls) as connection:
        assert connection.exchange(allocation_bytes(new_key()), "PUT").status == 202


def test_the_command_ready(serve_tls, authority, issued):
    """Breaks if the health check of an image does not work with TLS, or fails because the certificate has expired."""
    server = serve_tls()
    assert run_ordem("ready", f"--port={server.port}", *flags_of(issued)[:1]).stdout == "ready\n"
    environment = {"ORDEM_PORT": str(server.port), "ORDEM_TLS_CERTIFICATE": str(issued.certificate), "ORDEM_TLS_KEY": str(issued.key)}
    assert run_ordem("ready", environment=environment).returncode == 0
    result = run_ordem("ready", f"--port={server.port}")
    assert_clean_failure(result.returncode, result.stderr, ["400"])


def test_the_command_ready_with_an_expired_certificate(serve_tls, authority, tmp_path):
    """Breaks if a server that works is restarted over and over because its certificate has expired."""
    expired = authority.issue("expired-server", "/CN=localhost", names=LOCAL, days=-1)
    server = serve_tls(pair=expired, folder=tmp_path / "data")
    assert run_ordem("ready", f"--port={server.port}", *flags_of(expired)[:1]).returncode == 0


# What is refused.

@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions(serve_tls, version):
    """Breaks if a version before TLS 1.2 is taken. The client is told to allow it."""
    server = serve_tls()
    code, printed = s_client(server.port, version, "-cipher", "ALL:@SECLEVEL=0")
    assert code != 0 and "alert protocol version" in printed, printed
    assert s_client(server.port, "-tls1_2")[0] == 0


@pytest.mark.parametrize("cipher, taken", [
    ("ECDHE-RSA-AES128-GCM-SHA256", True),
    ("ECDHE-RSA-AES256-GCM-SHA384", True),
    ("ECDHE-RSA-CHACHA20-POLY1305", True),
    ("ECDHE-RSA-AES128-SHA", False),
    ("ECDHE-RSA-AES256-SHA384", False),
    ("AES128-GCM-SHA256", False),
    ("AES256-SHA", False),
    ("DHE-RSA-AES128-GCM-SHA256", False),
    ("ECDHE-RSA-NULL-SHA", False),
    ("AECDH-AES128-SHA", False),
    ("NULL-SHA256", False),
])
def test_ciphers_of_tls_1_2(serve_tls, issued_rsa, cipher, taken):
    """Breaks if a cipher without forward secrecy or authenticated encryption is taken."""
    server = serve_tls(pair=issued_rsa)
    code, printed = s_client(server.port, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert (code == 0) == taken, printed
    assert (f"Cipher is {cipher}" if taken else "handshake failure") in printed


def test_renegotiation(serve_tls):
    """Breaks if a client can have the server do one handshake after the other on a connection."""
    server = serve_tls()
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process.stdin.write("R\n")  # asks s_client for a renegotiation
    process.stdin.flush()
    printed, _ = process.communicate(timeout=settings.COMMAND_SECONDS_MAX)
    assert "RENEGOTIATING" in printed and "no renegotiation" in printed, printed


def test_no_compression_and_secure_renegotiation(serve_tls):
    """Breaks if the server compresses, or does not announce that it protects renegotiation (RFC 5746)."""
    _, printed = s_client(serve_tls().port, "-tls1_2", "-comp")
    assert "Compression: NONE" in printed and "Secure Renegotiation IS supported" in printed


def test_alpn(serve_tls, authority):
    """Breaks if a client that speaks only another protocol is served HTTP/1.1, or one that offers it does not get it."""
    server = serve_tls()
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (None, None)):
        with open_tls(server.port, client_context(authority, alpn=offered)) as connection:
            assert connection.selected_alpn_protocol() == chosen
            assert ping(connection).startswith(b"HTTP/1.1 200")
    for offered in (["h2"], ["http/1.0", "spdy/1"], ["http/1.11"]):
        assert_refused(server.port, client_context(authority, alpn=offered), "no application protocol")


def test_plain_http_on_the_port(serve_tls, tls):
    """Breaks if a client that forgot the s of https has to guess why it is refused, or if such a request harms the server."""
    server = serve_tls()
    for method in ("GET", "POST", "PUT", "HEAD"):
        with Connection(server.port) as connection:
            response = connection.request(method, "/-/ping")
            assert_problem(response, 400, "malformed-request") if method != "HEAD" else None
            assert response.status == 400 and response.closes
            assert connection.read_end() == b"" or method == "HEAD"
    for junk in (request_bytes("DELETE", "/x"), b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 10_000):
        with Connection(server.port) as connection:
            connection.send(junk)
            connection.read_end()
    assert status(server.port, tls) == 200
    assert handshakes(server, tls)["failed"] == 7


def test_a_handshake_that_does_not_end(serve_tls, tls):
    """Breaks if connections without a handshake are kept: they cost memory, and a stop would wait for them."""
    server = serve_tls(f"--request-timeout={SHORT_TIMEOUT_MS}ms")
    for begin in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
        with Connection(server.port) as connection:
            connection.send(begin)
            assert connection.read_end() == b""
    assert handshakes(server, tls)["failed"] == 2


def test_a_record_that_does_not_end(serve_tls, tls):
    """Breaks if part of a record keeps an idle connection open."""
    server = serve_tls(f"--idle-timeout={SHORT_TIMEOUT_MS}ms")
    with open_tls(server.port, tls) as connection:
        assert ping(connection).startswith(b"HTTP/1.1 200")
        raw = socket.socket(fileno=os.dup(connection.fileno()))
        raw.sendall(b"\x17\x03\x03\x01\x00" + b"x" * 10)
        with raw:
            assert connection.recv(1) == b""  # after a close_notify


def test_too_many_connections(serve_tls, tls):
    """Breaks if a connection over the limit costs a handshake, or others their connection."""
    server = serve_tls("--max-connections=4", "--io-threads=1")
    with OrdemClient(server.port, tls=tls) as client:
        assert client.get("/-/ping").status == 200
        others = [open_tls(server.port, tls) for _ in range(3)]
        assert_refused(server.port, tls)
        assert client.get("/-/ping").status == 200
        assert client.metric("ordem_http_connections_refused_total") == 1
        for each in others:
            assert ping(each).startswith(b"HTTP/1.1 200")
            each.close()


@pytest.mark.parametrize("fault, words", [
    ("no certificate", ("cannot use the certificate", "missing.pem", "No such file")),
    ("no key", ("cannot use the key", "missing.key")),
    ("another key", ("cannot use the key", "key values mismatch")),
    ("a key with a pass phrase", ("cannot use the key",)),
    ("no authority", ("cannot use the client CA", "missing-ca.pem")),
    ("a file that is no certificate", ("cannot use the certificate", "junk.pem")),
], ids=lambda value: value if isinstance(value, str) else "")
def test_files_that_cannot_be_used(data_dir, tmp_path, issued, authority, fault, words):
    """Breaks if a server starts without the TLS that it was told to use, waits for a pass phrase, or does not name the file."""
    certificate, key, extra = issued.certificate, issued.key, []
    if fault == "no certificate":
        certificate = tmp_path / "missing.pem"
    if fault == "no key":
        key = tmp_path / "missing.key"
    if fault == "another key":
        key = authority.pair.key
    if fault == "a key with a pass phrase":
        key = tmp_path / "locked.key"
        openssl("ec", "-in", issued.key, "-aes256", "-passout", "pass:secret", "-out", key)
    if fault == "no authority":
        extra = [f"--tls-client-ca={tmp_path / 'missing-ca.pem'}"]
    if fault == "a file that is no certificate":
        certificate = tmp_path / "junk.pem"
        certificate.write_text("junk\n")
    assert_does_not_start(data_dir, *flags_of(Pair(certificate, key)), *extra, words=words)


# Client certificates.

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda value: value.name)
def test_client_certificates(serve_tls, authority, other_authority, version):
    """Breaks if a certificate of another authority, an expired one or one for servers is taken, or if one must be sent."""
    server = serve_tls(f"--tls-client-ca={authority.certificate}")
    subject = "/O=Shop/CN=till-7"

    def answer(pair):
        return status(server.port, client_context(authority, version, pair))

    assert answer(authority.issue("till-7", subject, purpose="clientAuth")) == 200
    assert answer(None) == 200
    refused = {
        "another authority": other_authority.issue("till-7", subject, purpose="clientAuth"),
        "expired": authority.issue("till-6", subject, purpose="clientAuth", days=-1),
        "for a server": authority.issue("till-5", subject, purpose="serverAuth"),
        "a subject that is too long": authority.issue("till-4", "".join(f"/OU={i:02}{'x' * 60}" for i in range(20)), purpose="clientAuth"),
    }
    for name, pair in refused.items():
        with pytest.raises((ssl.SSLError, ConnectionError, IndexError)):
            pytest.fail(f"{name}: {answer(pair)}")
    assert handshakes(server, client_context(authority))["failed"] == len(refused)


def test_without_an_authority_no_client_certificate_is_asked_for(serve_tls, authority, other_authority):
    """Breaks if a certificate that nothing verifies ends a connection."""
    stranger = other_authority.issue("stranger", "/CN=stranger", purpose="clientAuth")
    assert status(serve_tls().port, client_context(authority, pair=stranger)) == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda value: value.name)
def test_a_certificate_is_an_identity(serve_tls, authority, tmp_path, version):
    """Breaks if the subject that the keys file has is not the one that TLS verified, or if a resumed session loses it."""
    keys = tmp_path / "keys"
    subject = 'CN=till-9,O=Shop\\, \\"Ltd\\"'
    made = run_ordem("key", "create", "--name", "till-9", "--scopes", "orders:read,orders:write", "--certificate-subject", subject,
                     "--keys", keys)
    assert made.returncode == 0, made.stderr
    server = serve_tls(f"--tls-client-ca={authority.certificate}", f"--keys={keys}")
    known = client_context(authority, version, authority.issue("till-9", '/O=Shop, "Ltd"/CN=till-9', purpose="clientAuth"))
    other = client_context(authority, version, authority.issue("till-10", "/O=Shop/CN=till-9", purpose="clientAuth"))
    with OrdemClient(server.port, tls=known) as client:
        order = accepted_order(create().send(client), 201)
        assert client.get_versions(order["order_id"])[0]["actor"] == "till-9"
    with open_tls(server.port, known) as first:
        assert ping(first).startswith(b"HTTP/1.1 200")
        session = first.session
    with open_tls(server.port, known, session) as resumed:
        assert resumed.session_reused
        resumed.sendall(request_bytes("GET", f"{ORDERS}/{order['order_id']}"))
        assert resumed.recv(65536).startswith(b"HTTP/1.1 200")
    for stranger in (other, client_context(authority, version)):
        with OrdemClient(server.port, tls=stranger) as client:
            assert client.get(f"{ORDERS}/{order['order_id']}").status == 401


# Resumption.

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda value: value.name)
@pytest.mark.parametrize("with_client_certificate", [False, True])
def test_resumption(serve_tls, authority, issued, version, with_client_certificate):
    """Breaks if each connection needs a full handshake, or a session outlives the keys that it was made with."""
    pair = authority.issue("till-8", "/CN=till-8", purpose="clientAuth") if with_client_certificate else None
    context = client_context(authority, version, pair)
    server = serve_tls(*([f"--tls-client-ca={authority.certificate}"] if pair else []))
    with open_tls(server.port, context) as first:
        assert ping(first).startswith(b"HTTP/1.1 200")
        session = first.session
        assert not first.session_reused
    with open_tls(server.port, context, session) as second:
        assert ping(second).startswith(b"HTTP/1.1 200")
        assert second.session_reused
        session = second.session
    assert handshakes(server, context)["resumed"] == 1
    reload(server)
    with open_tls(server.port, context, session) as third:
        assert ping(third).startswith(b"HTTP/1.1 200")
        assert not third.session_reused


# Reload.

def reload(server):
    """Has the server read its files again, and waits until it has."""
    before = len([line for line in server.logs() if "reload" in line["message"]])
    os.kill(server.pid, signal.SIGHUP)
    poll_until(lambda: len([line for line in server.logs() if "reload" in line["message"]]) > before, "the log tells of the reload")


@pytest.fixture
def own_pair(authority, issued, tmp_path):
    """Files that the test may replace."""
    pair = Pair(tmp_path / "own.pem", tmp_path / "own.key")
    issued.copy_over(pair)
    return pair


class Traffic:
    """Connections that send one request after the other until the test ends, on threads."""

    def __init__(self, port, context):
        self._stop = threading.Event()
        self.counts = [0] * TRAFFIC_CONNECTIONS
        self._connections = [OrdemConnection(port, tls=context) for _ in self.counts]
        self._threads = Threads([lambda i=i: self._run(i) for i in range(TRAFFIC_CONNECTIONS)])

    def _run(self, number):
        with self._connections[number] as connection:
            while not self._stop.is_set():
                accepted_order(create().send(connection), 201)
                self.counts[number] += 1

    def wait_for_more(self):
        goal = [count + TRAFFIC_REQUESTS_AFTER_RELOAD for count in self.counts]
        poll_until(lambda: all(count >= least for count, least in zip(self.counts, goal)), "every connection goes on")

    def end(self):
        self._stop.set()
        self._threads.join()


@pytest.mark.parametrize("how", ["the files change", "SIGHUP"])
def test_a_new_certificate_under_traffic(serve_tls, authority, own_pair, tls, how):
    """Breaks if a new certificate needs a restart, or costs a connection."""
    server = serve_tls(pair=own_pair)
    traffic = Traffic(server.port, tls)
    traffic.wait_for_more()
    old = serial_of(server.port, tls)
    authority.issue("renewed", "/CN=localhost", names=LOCAL).copy_over(own_pair)
    if how == "SIGHUP":
        reload(server)
        assert serial_of(server.port, tls) != old
    poll_until(lambda: serial_of(server.port, tls) != old, "new connections get the new certificate")
    traffic.wait_for_more()
    traffic.end()


def test_files_that_break_while_the_server_runs(serve_tls, authority, own_pair, tls):
    """Breaks if a bad file ends the service, is retried every second, or keeps a later good one from being read."""
    server = serve_tls(pair=own_pair)
    old = serial_of(server.port, tls)
    own_pair.certificate.write_text("junk\n")

    def errors():
        return [line for line in server.logs() if line["level"] == "error"]

    poll_until(errors, "the log has an error")
    assert "own.pem" in errors()[0]["reason"]
    assert serial_of(server.port, tls) == old
    reload(server)  # tries again, and looks for changed files before and after
    authority.issue("mended", "/CN=localhost", names=LOCAL).copy_over(own_pair)
    poll_until(lambda: serial_of(server.port, tls) != old, "new connections get the new certificate")
    assert len(errors()) == 2


def test_a_new_client_authority(serve_tls, authority, other_authority, tmp_path):
    """Breaks if an authority that was taken away still lets clients in."""
    trusted = tmp_path / "clients.pem"
    trusted.write_bytes(authority.certificate.read_bytes())
    server = serve_tls(f"--tls-client-ca={trusted}")
    old = client_context(authority, pair=authority.issue("till-1", "/CN=till-1", purpose="clientAuth"))
    new = client_context(authority, pair=other_authority.issue("till-2", "/CN=till-2", purpose="clientAuth"))
    assert status(server.port, old) == 200
    assert_refused(server.port, new)
    trusted.write_bytes(other_authority.certificate.read_bytes())
    reload(server)
    assert status(server.port, new) == 200
    assert_refused(server.port, old)


def test_when_the_certificate_ends(serve_tls, tls):
    """Breaks if an alert cannot be made from the metric."""
    with OrdemClient(serve_tls().port, tls=tls) as client:
        left = client.metric("ordem_tls_certificate_end_seconds") - time.time()
        assert 1.9 * 86_400 < left < 2.1 * 86_400


# Endings.

def test_a_stop_answers_and_says_goodbye(serve_tls, tls):
    """Breaks if a stop cuts a connection: a client could not tell the end from an attack."""
    server = serve_tls()
    idle = open_tls(server.port, tls)
    assert ping(idle).startswith(b"HTTP/1.1 200")
    busy = Connection(server.port, tls=tls)
    busy.send(PING[:-1])
    unfinished = socket.create_connection(("127.0.0.1", server.port))  # a handshake that does not begin
    server.begin_stop()
    busy.send(PING[-1:])
    response = busy.read_response()
    assert response.status == 200 and response.closes
    assert busy.read_end() == b""
    assert idle.recv(1) == b""
    assert unfinished.recv(1) == b""
    assert server.wait_exit(5 * settings.SLOW) == 0


def test_an_idle_connection_ends_with_a_close_notify(serve_tls, tls):
    """Breaks if the time limit cuts a connection."""
    server = serve_tls(f"--idle-timeout={SHORT_TIMEOUT_MS}ms")
    with open_tls(server.port, tls) as connection:
        assert connection.recv(1) == b""


def test_clients_that_go_away(serve_tls, tls):
    """Breaks if a client that resets its connection, in the middle of whatever, harms the server."""
    server = serve_tls()
    for begin in (b"", PING[:-1], batch_head()):
        connection = Connection(server.port, tls=tls)
        connection.send(begin)
        connection.reset()
    raw = Connection(server.port)
    raw.send(b"\x16\x03\x01")
    raw.reset()
    assert status(server.port, tls) == 200


@pytest.mark.skipif(settings.SLOW > 1, reason="the allocators of the sanitizers keep what is freed")
def test_many_connections_cost_little_memory(serve_tls, tls):
    """Breaks if an idle connection keeps its buffers of records."""
    server = serve_tls()
    with Connection(server.port, tls=tls) as connection:
        assert connection.get("/-/ping").status == 200
        before = rss_bytes(server.pid)
        held = [Connection(server.port, tls=tls) for _ in range(500)]
        for each in held:
            assert each.get("/-/ping").status == 200
        each_bytes = (rss_bytes(server.pid) - before) / len(held)
        print(f"{each_bytes:.0f} bytes a connection")
        assert each_bytes < 64 * 1024 * settings.SLOW
        for each in held:
            each.close()
