"""`ordem key`, which makes, lists and revokes API keys; and how a server takes a keys file and a key set that change."""

import hashlib
import http.server
import json
import os
import re
import signal
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.concurrency import poll_until
from support.https_server import HttpsServer
from support.ordem_server import assert_clean_failure, assert_does_not_start, run_ordem

KEY = re.compile(r"ordem_[0-9A-Za-z]{43}[0-9a-f]{8}")
KEY_SET = json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})
TOKENS = ("--jwt-issuer=https://issuer.example/", "--jwt-audience=ordem")


def create(*arguments, name="till-7", scopes="orders:read,orders:write", **more):
    return run_ordem("key", "create", "--name", name, "--scopes", scopes, *arguments, **more)


def created(*arguments, **more):
    """Makes a key and returns what was printed."""
    result = create(*arguments, **more)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def listed(file):
    """Returns the rows of `ordem key list`, each as a list of its columns."""
    result = run_ordem("key", "list", "--keys", file)
    assert result.returncode == 0, result.stderr
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["ID", "NAME", "TENANT", "SCOPES", "CREATED", "EXPIRES", "CREDENTIAL"]
    return [re.split(r" {2,}", row) for row in rows]


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def keys_file(tmp_path):
    return tmp_path / "keys"


# --- create ---


def test_a_key_and_its_line_are_printed():
    """Breaks if the key has another form than scanners look for, or if the line has another hash than that of the key."""
    key, line = created("--tenant", "shop")
    assert KEY.fullmatch(key)
    assert key[-8:] == digest(key[:-8])[:8]
    assert re.fullmatch(r"name=till-7 tenant=shop scopes=orders:read,orders:write created=\S+Z expires=never key=sha256:" + digest(key), line)


def test_a_key_is_added_to_the_file_and_printed_alone(keys_file):
    """Breaks if a script can't take the key from standard output, or if the file holds the key itself or may be read by others."""
    result = create("--keys", keys_file, "--expires", "90d")
    key = result.stdout.removesuffix("\n")
    assert KEY.fullmatch(key) and key not in result.stderr and "only this once" in result.stderr
    text = keys_file.read_text()
    assert digest(key) in text and key not in text
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    (row,) = listed(keys_file)
    assert row[:4] == [digest(key)[:8], "till-7", "-", "orders:read,orders:write"] and row[5].startswith("20") and row[6] == "key"


def test_the_file_is_found_as_the_server_finds_it(tmp_path, keys_file):
    """Breaks if the environment or the configuration file of the server does not count."""
    config = tmp_path / "ordem.conf"
    config.write_text(f'keys = "{keys_file}"\nport = 1\n')
    created(environment={"ORDEM_KEYS": str(keys_file)})
    created("--config", config, name="b")
    assert [row[1] for row in listed(keys_file)] == ["till-7", "b"]


def test_a_certificate_is_let_in(keys_file):
    """Breaks if a subject with quotes and commas is not what is read again."""
    subject = 'CN=till-8,O=Shop\\, \\"Ltd\\"'
    assert create("--certificate-subject", subject, "--keys", keys_file, name="till-8").stdout == ""
    assert [row[6] for row in listed(keys_file)] == [subject]
    assert_clean_failure(1, create("--certificate-subject", subject, "--keys", keys_file, name="b").stderr, ["subject of line 1"])
    (line,) = created("--certificate-subject", "CN=a")
    assert line.endswith('subject="CN=a"')


def test_what_is_there_stays(keys_file):
    """Breaks if comments, the mode, or a last line without its end are lost."""
    line = created()[1]
    keys_file.write_text("# tills\r\n\n" + line)
    keys_file.chmod(0o640)
    created("--keys", keys_file, name="b")
    assert keys_file.read_text().startswith("# tills\n\n" + line + "\nname=b ") and keys_file.read_bytes().startswith(b"# tills\r\n\n")
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o640


def test_a_name_belongs_to_one_tenant(keys_file):
    """Breaks if two identities may have one name."""
    created("--keys", keys_file, "--tenant", "shop")
    before = keys_file.read_text()
    result = create("--keys", keys_file, "--tenant", "other")
    assert_clean_failure(result.returncode, result.stderr, ["another tenant"])
    assert result.stdout == "" and keys_file.read_text() == before


def test_a_file_with_an_error_is_not_changed(keys_file):
    """Breaks if a command writes what it could not read."""
    keys_file.write_text("# one\nname=a scopes=orders key=sha256:00\n")
    before = keys_file.read_text()
    for result in (create("--keys", keys_file), run_ordem("key", "list", "--keys", keys_file),
                   run_ordem("key", "revoke", "a", "--keys", keys_file)):
        assert_clean_failure(result.returncode, result.stderr, ["line 2", "unknown scope 'orders'"])
        assert result.stdout == "" and keys_file.read_text() == before


def test_keys_that_are_made_at_once(keys_file):
    """Breaks if one of two commands overwrites what the other has written."""
    with ThreadPoolExecutor(8) as pool:
        keys = [lines[0] for lines in pool.map(lambda number: created("--keys", keys_file, name=f"n{number}"), range(24))]
    assert {row[0] for row in listed(keys_file)} == {digest(key)[:8] for key in keys}
    assert os.listdir(keys_file.parent) == [keys_file.name]


@pytest.mark.parametrize("arguments, words", [
    (("create", "--scopes", "captures"), ["--name"]),
    (("create", "--name", "a", "--scopes", "all"), ["unknown scope", "orders:read"]),
    (("create", "--name", "a b", "--scopes", "captures"), ["--name"]),
    (("create", "--name", "a", "--scopes", "captures", "--tenant", "Shop"), ["--tenant"]),
    (("create", "--name", "a", "--scopes", "captures", "--certificate-subject", "/CN=a"), ["RFC 4514"]),
    (("list",), ["no keys file"]),
    (("revoke", "a"), ["no keys file"]),
])
def test_arguments_that_are_wrong(arguments, words):
    """Breaks if a wrong argument is not named, or makes a key all the same."""
    result = run_ordem("key", *arguments)
    assert result.returncode == 2 and result.stdout == ""
    assert_clean_failure(result.returncode, result.stderr, words)


# --- revoke ---


def test_a_key_is_revoked_and_all_else_stays(keys_file):
    """Breaks if another line or a comment goes, too."""
    keys_file.write_text("# tills\n")
    created("--keys", keys_file)
    created("--keys", keys_file, name="b")
    first = keys_file.read_text().splitlines()[1]
    result = run_ordem("key", "revoke", "b", "--keys", keys_file)
    assert (result.returncode, result.stderr) == (0, "") and result.stdout.startswith("revoked ")
    assert keys_file.read_text() == f"# tills\n{first}\n"
    result = run_ordem("key", "revoke", "b", "--keys", keys_file)
    assert_clean_failure(result.returncode, result.stderr, ["there is no 'b'"])


def test_one_of_two_keys_is_revoked_by_its_id(keys_file):
    """Breaks if a rotation removes the wrong key, or both."""
    old = created("--keys", keys_file)[0]
    second = create("--keys", keys_file)
    assert "has 2 credentials" in second.stderr
    result = run_ordem("key", "revoke", "till-7", "--keys", keys_file)
    assert_clean_failure(result.returncode, result.stderr, ["--id", digest(old)[:8]])
    assert len(listed(keys_file)) == 2
    result = run_ordem("key", "revoke", "till-7", "--id", "00000000", "--keys", keys_file)
    assert_clean_failure(result.returncode, result.stderr, ["no credential '00000000'"])
    assert run_ordem("key", "revoke", "till-7", "--id", digest(old)[:8], "--keys", keys_file).returncode == 0
    assert [row[0] for row in listed(keys_file)] == [digest(second.stdout.strip())[:8]]


def test_a_keys_file_that_does_not_exist(keys_file):
    """Breaks if list or revoke make an empty file, or end without a reason."""
    for arguments in (("list",), ("revoke", "a")):
        result = run_ordem("key", *arguments, "--keys", keys_file)
        assert_clean_failure(result.returncode, result.stderr, [keys_file.name, "No such file"])
        assert not keys_file.exists()


# --- the server ---


def read_keys(server):
    """Returns how many identities the server had each time it read the keys file."""
    return [line["identities"] for line in server.logs() if line["message"] == "read the keys file"]


def test_a_changed_keys_file_is_read_again(launch, keys_file):
    """Breaks if a revoked key counts until a restart, or if a file with an error removes all keys."""
    created("--keys", keys_file)
    server = launch(f"--keys={keys_file}")
    assert read_keys(server) == [1]
    created("--keys", keys_file, name="b")
    poll_until(lambda: read_keys(server) == [1, 2], "the second key is read")
    keys_file.write_text("name\n")
    poll_until(lambda: any("line 1" in line.get("reason", "") for line in server.logs()), "the error is logged")
    keys_file.write_text("")
    poll_until(lambda: read_keys(server) == [1, 2, 0], "the empty file is read")


def test_sighup_reads_the_keys_again(launch, keys_file, tmp_path):
    """Breaks if SIGHUP reads nothing."""
    key_set = tmp_path / "jwks.json"
    key_set.write_text(KEY_SET)
    created("--keys", keys_file)
    server = launch(f"--keys={keys_file}", f"--jwks={key_set}", *TOKENS)
    os.kill(server.pid, signal.SIGHUP)
    poll_until(lambda: read_keys(server) == [1, 1], "the keys file is read again")
    poll_until(lambda: [line["keys"] for line in server.logs() if line["message"] == "read the key set"] == [1, 1], "the key set, too")


def test_a_keys_file_that_others_may_read(launch, keys_file):
    """Breaks if there is no warning, or one about a file without identities, as that of compose.captures.yaml."""
    created("--keys", keys_file)
    keys_file.chmod(0o644)
    server = launch(f"--keys={keys_file}")

    def warnings():
        return sum(line["level"] == "warning" and "others may read" in line["message"] for line in server.logs())

    assert warnings() == 1
    keys_file.write_text("# no identity\n")
    poll_until(lambda: read_keys(server) == [1, 0], "the file without identities is read")
    assert warnings() == 1


def test_a_start_without_its_keys_fails(data_dir, keys_file, tmp_path):
    """Breaks if a server starts without the keys that it was given: it would refuse its clients."""
    missing = assert_does_not_start(data_dir, f"--keys={keys_file}")
    assert "keys file" in missing and str(keys_file) in missing
    keys_file.write_text("# x\nname=a scopes=captures key=sha256:0\n")
    assert "line 2: key must be" in assert_does_not_start(data_dir, f"--keys={keys_file}")
    key_set = tmp_path / "jwks.json"
    key_set.write_text('{"keys":[{"kty":"oct"}]}')
    assert "has no key that can be used" in assert_does_not_start(data_dir, f"--jwks={key_set}", *TOKENS)
    assert "--jwt-issuer" in assert_does_not_start(data_dir, f"--jwks={key_set}")
    assert "https" in assert_does_not_start(data_dir, "--jwks=http://issuer.example/keys", *TOKENS)


# --- a key set by https ---


@pytest.fixture
def issuer(tmp_path):
    with HttpsServer(tmp_path, KEY_SET) as running:
        yield running


def with_issuer(launch, issuer, url, trusted=True):
    environment = {"SSL_CERT_FILE": str(issuer.certificate)} if trusted else {}
    return launch(f"--jwks={url}", *TOKENS, environment=environment)


def fetches(server):
    """Returns the messages about the key set, each with its reason."""
    return [(line["message"], line.get("reason", "")) for line in server.logs() if "fetch" in line["message"]]


def test_a_key_set_is_fetched_at_the_start_and_on_sighup(launch, issuer):
    """Breaks if the key set of a URL is not taken, or if a bad one replaces it."""
    server = with_issuer(launch, issuer, issuer.url("/.well-known/jwks.json?x=1"))
    poll_until(lambda: fetches(server) == [("fetched the key set", "")], "the key set is fetched")
    issuer.status = 500
    os.kill(server.pid, signal.SIGHUP)
    poll_until(lambda: len(fetches(server)) == 2, "the second answer is there")
    assert "the status is 500" in fetches(server)[1][1]
    issuer.status, issuer.text = 200, "x" * (300 << 10)
    os.kill(server.pid, signal.SIGHUP)
    poll_until(lambda: len(fetches(server)) == 3, "the third answer is there")
    assert "cannot fetch" in fetches(server)[2][0] and "limit" in fetches(server)[2][1]
    assert issuer.asked == 3


@pytest.mark.parametrize("host, trusted", [("localhost", False), ("127.0.0.1", True)])
def test_a_certificate_that_is_not_valid_for_the_url(launch, issuer, host, trusted):
    """Breaks if anyone can put in keys: the certificate is of an unknown authority, or of another host."""
    server = with_issuer(launch, issuer, issuer.url("/jwks", host), trusted)
    poll_until(lambda: fetches(server), "the fetch has failed")
    assert "cannot fetch" in fetches(server)[0][0] and "certificate verify failed" in fetches(server)[0][1]
    assert issuer.asked == 0


def test_an_issuer_that_does_not_answer_delays_no_stop(launch, tmp_path):
    """Breaks if the server waits for the fetch when it starts or stops."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as silent:  # accepts, and says nothing
        server = launch(f"--jwks=https://localhost:{silent.server_address[1]}/keys", *TOKENS)
        with server.client() as client:
            assert client.get("/-/ready").status == 200
        server.stop()
    assert fetches(server) == []
