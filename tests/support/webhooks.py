"""A receiver of webhooks on this machine, which fails as a script says, and checks the signature of each attempt by its own code."""

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import subprocess
import threading
import time

from support import settings
from support.concurrency import poll_until
from support.http_client import HOST

CLOCK_SECONDS_MAX = 300  # the tolerance of the standard


def new_secret(size=32):
    return "whsec_" + base64.b64encode(os.urandom(size)).decode()


class Receiver:
    """Takes webhooks. `script`: what happens to the next attempts, one entry each, before everything is accepted:

    a number      the answer has this status
    (n, s)        the same, with `Retry-After: s`
    "hang"        there is no answer until the receiver is closed
    "cut"         the connection closes in the middle of the answer
    "reset"       the connection closes before it
    "slow"        the answer comes byte by byte
    callable      is called with the attempt and returns one of these

    `refused` counts the handshakes of TLS that failed, `attempts` has each complete request, `accepted` the events that were answered 2xx, in order. `certificate`: a file with certificate
    and key, for TLS."""

    def __init__(self, *secrets, script=(), port=0, certificate=None):
        self.secrets = secrets
        self.script = list(script)
        self.attempts = []
        self.accepted = []
        self.errors = []
        self.refused = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._listening = socket.create_server((HOST, port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://{HOST}:{self.port}/hooks?source=ordem" if not self._tls else f"https://localhost:{self.port}/hooks"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        assert not self.errors, self.errors[:3]

    def close(self):
        """From now on connections are refused."""
        if not self._closed.is_set():
            self._closed.set()
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def wait_accepted(self, count):
        """Waits until so many events are accepted; returns them."""
        poll_until(lambda: len(self.accepted) >= count or self.errors, f"{count} events are accepted, and not {len(self.accepted)}",
                   settings.THREADS_SECONDS_MAX)
        assert not self.errors, self.errors[:3]
        return list(self.accepted)

    def wait_attempts(self, count):
        poll_until(lambda: len(self.attempts) >= count, f"{count} attempts", settings.THREADS_SECONDS_MAX)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(settings.ANSWER_SECONDS_MAX)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as incoming:
                first = incoming.readline()
                headers = [line.decode().rstrip("\r\n").split(": ", 1) for line in iter(incoming.readline, b"\r\n")]
                headers = {name.lower(): value for name, value in headers}
                body = incoming.read(int(headers["content-length"]))
                with self._lock:
                    event = self._check(first, headers, body)
                    answer = self._script_of(event)
                self._answer(connection, event, answer)
        except ssl.SSLError:
            self.refused += 1
        except OSError:
            pass  # the client has closed
        except Exception as error:  # shown by the test
            self.errors.append(repr(error))

    def _check(self, first, headers, body):
        assert first.startswith(b"POST /hooks"), first
        assert headers["content-type"] == "application/cloudevents+json", headers
        event_id, seconds = headers["webhook-id"], headers["webhook-timestamp"]
        assert "." not in event_id and abs(time.time() - int(seconds)) < CLOCK_SECONDS_MAX, headers
        signed = f"{event_id}.{seconds}.".encode() + body
        made = []
        for secret in self.secrets:
            key = base64.b64decode(secret.removeprefix("whsec_"))
            made.append("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        assert headers["webhook-signature"] == " ".join(made), headers
        event = json.loads(body)
        assert event["id"] == event_id, event
        self.attempts.append((time.monotonic(), event))
        return event

    def _script_of(self, event):
        answer = self.script.pop(0) if self.script else 204
        return answer(event) if callable(answer) else answer

    def _answer(self, connection, event, answer):
        if answer == "reset":
            return
        if answer == "cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            return
        if answer == "hang":
            self._closed.wait(settings.THREADS_SECONDS_MAX)
            return
        status, more = (answer[0], f"Retry-After: {answer[1]}\r\n") if isinstance(answer, tuple) else (answer, "")
        if answer == "slow":
            status = 200
        if 200 <= status < 300:
            self.accepted.append(event)
        data = f"HTTP/1.1 {status} -\r\n{more}Content-Length: 2\r\n\r\nok".encode() if status != 204 else b"HTTP/1.1 204 -\r\n\r\n"
        if answer == "slow":
            for each in data:
                connection.sendall(bytes([each]))
                time.sleep(0.005)
            return
        connection.sendall(data)


def make_certificate(folder):
    """Makes a certificate for localhost; returns the file of the certificate, and one with its key, too."""
    certificate, key, both = (folder / name for name in ("hook.pem", "hook-key.pem", "hook-both.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate, both
