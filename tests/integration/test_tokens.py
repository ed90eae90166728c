"""Bearer tokens: signed by OpenSSL's command, taken by a server with their key set. What a token must not be is in tests/auth/tokens."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time

import pytest

from support.concurrency import poll_until
from support.https_server import HttpsServer
from support.orders import ORDERS, accepted_order, assert_problem, create, new_customer
from support.ordem_client import OrdemClient

ISSUER = "https://issuer.example/"
FLAGS = (f"--jwt-issuer={ISSUER}", "--jwt-audience=ordem", "--jwt-leeway=0")


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


class Issuer:
    """A key pair of Ed25519 or RSA, with a key id."""

    def __init__(self, folder, key_id, kind="ED25519"):
        self.key_id, self.kind = key_id, kind
        self._file = folder / f"{key_id}.pem"
        openssl("genpkey", "-algorithm", kind, "-out", self._file)

    def jwk(self):
        if self.kind == "RSA":
            modulus = openssl("rsa", "-in", self._file, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
            return {"kty": "RSA", "kid": self.key_id, "n": encoded(bytes.fromhex(modulus)), "e": "AQAB"}
        public = openssl("pkey", "-in", self._file, "-pubout", "-outform", "DER")[-32:]
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.key_id, "x": encoded(public)}

    def token(self, header=None, **claims):
        head = {"alg": "RS256" if self.kind == "RSA" else "EdDSA", "kid": self.key_id, "typ": "JWT"} | (header or {})
        body = {"iss": ISSUER, "aud": "ordem", "exp": int(time.time()) + 300, "sub": "till-7", "tenant": "shop",
                "scope": "orders:read orders:write openid"} | claims
        text = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
        return f"{text}.{encoded(self._signature(text.encode()))}"

    def _signature(self, text):
        if self.kind == "RSA":
            return openssl("dgst", "-sha256", "-sign", self._file, data=text)
        message = self._file.with_suffix(".message")  # of Ed25519 OpenSSL wants the length before it signs
        message.write_bytes(text)
        return openssl("pkeyutl", "-sign", "-inkey", self._file, "-rawin", "-in", message)


class TokenClient(OrdemClient):
    """Sends a token with each request."""

    def __init__(self, port, token):
        super().__init__(port)
        self._token = token

    def exchange(self, request, *arguments, **more):
        head, end, rest = request.partition(b"\r\n")
        return super().exchange(head + end + f"Authorization: Bearer {self._token}".encode() + end + rest, *arguments, **more)


def key_set_of(*issuers):
    return json.dumps({"keys": [each.jwk() for each in issuers]})


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path, "a")


@pytest.fixture
def key_set(tmp_path, issuer):
    file = tmp_path / "jwks.json"
    file.write_text(key_set_of(issuer))
    return file


def status_of(server, token):
    with TokenClient(server.port, token) as client:
        return client.get(f"{ORDERS}?customer_id=c").status


def test_a_token_names_tenant_scopes_and_actor(launch, key_set, issuer, tmp_path):
    """Breaks if an order is written in another tenant or another name than those of the token."""
    rsa = Issuer(tmp_path, "r", "RSA")
    key_set.write_text(key_set_of(issuer, rsa))
    server = launch(f"--jwks={key_set}", *FLAGS)
    with TokenClient(server.port, issuer.token()) as client:
        order = accepted_order(create().send(client), 201)
        (version,) = client.get_versions(order["order_id"])
        assert version["actor"] == "till-7"
        assert_problem(client.get("/api/v1/messages/g"), 403, "forbidden")
    with TokenClient(server.port, rsa.token(sub="office")) as client:
        assert client.get_order(order["order_id"]) == order
    with TokenClient(server.port, issuer.token(tenant="other")) as client:
        assert_problem(client.get(f"{ORDERS}/{order['order_id']}"), 404, "order-not-found")
        assert client.get_orders_of(new_customer()) == []


def test_tokens_that_are_refused(launch, key_set, issuer, tmp_path):
    """Breaks if a check of the unit tests does not reach the port, or if the answer tells which one it was."""
    server = launch(f"--jwks={key_set}", *FLAGS)
    text = issuer.token(header={"alg": "HS256"}).rpartition(".")[0]
    secret = openssl("pkey", "-in", tmp_path / "a.pem", "-pubout")
    now = int(time.time())
    refused = {
        "expired": issuer.token(exp=now - 1),
        "bad_claims": issuer.token(sub="a b"),
        "wrong_issuer": issuer.token(iss="https://other.example/"),
        "wrong_audience": issuer.token(aud="other"),
        "bad_signature": Issuer(tmp_path, "b").token(header={"kid": "a"}),
        "unknown_token_key": issuer.token(header={"kid": "../a"}),
        "wrong_algorithm": f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}",
        "malformed": issuer.token() + ".x",
    }
    assert status_of(server, issuer.token()) == 200
    answers = []
    for reason, token in refused.items():
        with TokenClient(server.port, token) as client:
            answer = client.get(f"{ORDERS}?customer_id=c")
        assert_problem(answer, 401, "unauthenticated")
        assert answer.header("www-authenticate") == 'Bearer error="invalid_token"'
        answers.append(answer.body)
        assert [line["reason"] for line in server.logs() if line["message"] == "request denied"][-1] == reason
    assert len(set(answers)) == 1


def test_a_key_that_leaves_the_key_set(launch, key_set, issuer, tmp_path):
    """Breaks if a token that was verified before counts after its key was removed."""
    server = launch(f"--jwks={key_set}", *FLAGS)
    token = issuer.token()
    with TokenClient(server.port, token) as client:
        assert client.get(f"{ORDERS}?customer_id=c").status == 200
        key_set.write_text(key_set_of(Issuer(tmp_path, "b")))
        os.kill(server.pid, signal.SIGHUP)
        poll_until(lambda: client.get(f"{ORDERS}?customer_id=c").status == 401, "the token is refused")


def test_claims_of_other_names(launch, key_set, issuer):
    """Breaks if the names of claims can't be set."""
    server = launch(f"--jwks={key_set}", *FLAGS, "--jwt-name-claim=client_id", "--jwt-tenant-claim=org", "--jwt-scope-claim=roles")
    with TokenClient(server.port, issuer.token(sub="|", client_id="job", org="shop", roles=["orders:write", "orders:read"])) as client:
        order = accepted_order(create().send(client), 201)
        assert client.get_versions(order["order_id"])[0]["actor"] == "job"


def test_a_new_key_of_the_issuer_is_fetched(launch, issuer, tmp_path):
    """Breaks if a token of a key that the server does not know makes no fetch, or each such token one."""
    with HttpsServer(tmp_path, key_set_of(issuer)) as https:
        server = launch(f"--jwks={https.url('/jwks')}", *FLAGS, environment={"SSL_CERT_FILE": str(https.certificate)})
        poll_until(lambda: status_of(server, issuer.token()) == 200, "the key set is fetched")
        second = Issuer(tmp_path, "b")
        https.text = key_set_of(issuer, second)
        for _ in range(20):
            assert status_of(server, second.token()) == 401
        assert https.asked == 1  # not yet: the last fetch was less than 30 s ago
        os.kill(server.pid, signal.SIGHUP)
        poll_until(lambda: status_of(server, second.token()) == 200, "the new key is fetched")
        assert https.asked == 2
