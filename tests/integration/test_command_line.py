"""The commands, flags, variables and configuration file of the binary."""

import json
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.ordem_server import (
    assert_clean_failure,
    assert_does_not_start,
    plain,
    run_ordem,
    start_server,
)
from support.orders import (
    accepted_order,
    create,
    expires_at,
    merge,
    new_customer,
    order_content,
    parse_time,
)

SERVE_FLAGS = (
    "--auth", "--auth-captures", "--allowed-hosts", "--tenant-rate", "--tenant-in-flight", "--metrics-tenants", "--address", "--port", "--data-dir", "--backup-root", "--io-threads", "--durability", "--in-flight", "--message-ttl", "--max-body",
    "--operations-address", "--operations-port", "--captures-address", "--captures-port",
    "--tls-certificate", "--tls-key", "--tls-client-ca",
    "--body-memory", "--response-memory",
    "--max-header", "--max-connections", "--connections-per-address", "--feed-readers", "--max-in-flight", "--live-orders", "--idle-timeout", "--request-timeout",
    "--drain-timeout", "--capture-lease", "--capture-ttl", "--capture-max", "--log-format", "--log-level", "--request-log", "--config",
    "--cluster", "--nats", "--nats-credentials", "--nats-ca", "--nats-certificate", "--nats-key", "--node", "--node-address",
)
UNKNOWN_ID = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f"
MANUALS = [Path(__file__).resolve().parents[2] / "docs" / name for name in ("operations.md", "cluster.md")]
ERROR_LINES_MAX = 3


def write_config(folder, **values):
    """Writes a configuration file with one `name = value` per line; returns its path."""
    file = folder / "ordem.conf"
    file.write_text("".join(f"{name.replace('_', '-')} = {value}\n" for name, value in values.items()))
    return file


def assert_short_error(text):
    """The error has a few lines: no page of help, no stack trace."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert 0 < len(lines) <= ERROR_LINES_MAX, text


def assert_bad_configuration(data_dir, *flags, words=(), environment=None):
    """The start fails with a short error, before it creates the data folder."""
    assert_short_error(assert_does_not_start(data_dir, *flags, words=words, environment=environment))
    assert not data_dir.exists()


# Help.

@pytest.mark.parametrize("arguments, words", [
    (("--help",), ("serve", "inspect", "version")),
    (("serve", "--help"), SERVE_FLAGS),
    (("ready", "--help"), ("--config", "--address", "--port")),
    (("inspect", "--help"), ("order", "message", "capture")),
    (("inspect", "order", "--help"), ("--data-dir",)),
    (("inspect", "message", "--help"), ("--data-dir",)),
    (("inspect", "capture", "--help"), ("--data-dir",)),
    (("backup", "--help"), ("--to", "--url", "--api-key-file", "--ca-file", "verify")),
    (("backup", "verify", "--help"), ("FOLDER",)),
    (("cluster", "init", "--help"), ("--cluster", "--nats", "--nats-credentials", "--nats-ca", "--nats-certificate", "--nats-key", "--replicas", "--max-bytes")),
    (("cluster", "status", "--help"), ("--cluster", "--nats", "--json")),
    (("version", "--help"), ("version",)),
    (("help",), ("serve", "inspect", "version", "help")),
    (("help", "serve"), SERVE_FLAGS),
    (("help", "inspect", "order"), ("--data-dir",)),
], ids=" ".join)
def test_help(arguments, words):
    """Breaks if a command or a flag is missing from its help."""
    result = run_ordem(*arguments)
    assert result.returncode == 0
    for word in words:
        assert word in result.stdout, f"{word} is not in:\n{result.stdout}"


def test_manual_names_existing_options():
    """Breaks if an option or a variable that the manuals name is renamed or removed in the program."""
    commands = (("serve",), ("ready",), ("inspect", "order"), ("import", "captures"), ("migrate",), ("restore",), ("verify",), ("backup",), ("cluster", "init"), ("cluster", "status"), ("cluster", "move"))
    helps = "".join(run_ordem(*words, "--help").stdout for words in commands)
    manual = "".join(each.read_text() for each in MANUALS)
    for pattern in (r"(?<=`)--[a-z][a-z-]+", r"ORDEM_[A-Z_]+"):
        # ORDEM_<NAME>_LOG_0 is a stream of NATS.
        named = {name for name in re.findall(pattern, manual) if not name.endswith("_LOG_")}
        assert named and not named - set(re.findall(pattern.removeprefix("(?<=`)"), helps))


@pytest.mark.parametrize("words", ["version", "--version", "-v", "-V"])
def test_version(words):
    """Breaks if the binary does not print its version and what it was built from, by the command or an option."""
    result = run_ordem(words)
    assert result.returncode == 0
    program, build, libraries = result.stdout.splitlines()
    assert re.fullmatch(r"ordem \d+\.\d+\.\d+, data format \d+", program)
    assert re.fullmatch(r"commit ([0-9a-f]{12}(-dirty)?|unknown), build type (Release|Debug), (GNU|Clang) [0-9.]+, with(out)? tracing", build)
    assert libraries.startswith("built with ")
    named = dict(library.split(" ") for library in libraries.removeprefix("built with ").split(", "))
    assert {"Boost", "RocksDB", "OpenSSL", "caf_core", "pqxx"} <= set(named) and all(re.fullmatch(r"[0-9][0-9a-z.]*", each) for each in named.values())


@pytest.mark.parametrize("arguments, word", [
    ((), "help"),
    (("bake",), "bake"),
    (("serve", "bread"), "bread"),
    (("help", "bread"), "bread"),
    (("--bread",), "--bread"),
    (("inspect",), "help"),
    (("inspect", "colour", "x"), "colour"),
    (("inspect", "order"), "ID"),
    (("inspect", "capture"), "KEY"),
    (("inspect", "capture", "--dashes-"), "after --"),
], ids=lambda value: " ".join(("ordem", *value)) if isinstance(value, tuple) else "")
def test_unknown_or_incomplete_command(arguments, word):
    """Breaks if a mistyped command is executed, or the error does not name the unknown word."""
    result = run_ordem(*arguments)
    assert_clean_failure(result.returncode, result.stderr, [word])
    assert_short_error(result.stderr)


# Failed starts.

@pytest.mark.parametrize("flag, word", [
    ("--colour=red", "colour"),
    ("--port=70000", "port"),
    ("--port=-1", "port"),
    ("--port=http", "port"),
    ("--address=300.1.1.1", "address"),
    ("--io-threads=0", "io-threads"),
    ("--io-threads=-1", "io-threads"),
    ("--durability=perhaps", "durability"),
    ("--in-flight=maybe", "in-flight"),
    ("--message-ttl=0s", "message-ttl"),
    ("--message-ttl=-1h", "message-ttl"),
    ("--message-ttl=24", "message-ttl"),
    ("--message-ttl=1fortnight", "message-ttl"),
    ("--message-ttl=99999999999999999999h", "message-ttl"),
    ("--max-body=0B", "max-body"),
    ("--max-body=1MB", "max-body"),
    ("--max-body=99999999999GiB", "max-body"),
    ("--max-header=0B", "max-header"),
    ("--max-connections=0", "max-connections"),
    ("--max-in-flight=0", "max-in-flight"),
    ("--live-orders=0", "live-orders"),
    ("--idle-timeout=0s", "idle-timeout"),
    ("--request-timeout=0s", "request-timeout"),
    ("--drain-timeout=soon", "drain-timeout"),
    ("--log-level=loud", "log-level"),
    ("--config=/nonexistent/ordem.conf", "/nonexistent/ordem.conf"),
    ("--config=/tmp", "is a folder"),
    ("--config=/dev/zero", "larger than 1 MiB"),
])
def test_bad_flag_stops_the_start(data_dir, flag, word):
    """Breaks if an invalid value or an unknown flag is ignored, or a value is clamped."""
    assert_bad_configuration(data_dir, flag, words=[word])


@pytest.mark.parametrize("name, value, word", [
    ("ORDEM_COLOUR", "red", "ORDEM_COLOUR"),
    ("ORDEM_DATADIR", "data", "ORDEM_DATADIR"),
    ("ORDEM_PORTS", "8080", "ORDEM_PORTS"),
    ("ORDEM_MESSAGE_TTL", "0s", "message-ttl"),
    ("ORDEM_IO_THREADS", "many", "io-threads"),
    ("ORDEM_MAX_CONNECTIONS", "0", "max-connections"),
])
def test_bad_variable_stops_the_start(data_dir, name, value, word):
    """Breaks if a misspelt or bad ORDEM_ variable is ignored."""
    assert_bad_configuration(data_dir, words=[word], environment={name: value})


@pytest.mark.parametrize("values, word", [
    ({"colour": "red"}, "colour"),
    ({"message_ttl": "0s"}, "message-ttl"),
    ({"io_threads": "many"}, "io-threads"),
])
def test_bad_configuration_file_stops_the_start(data_dir, tmp_path, values, word):
    """Breaks if an unknown key, or a bad value, in the configuration file is ignored."""
    assert_bad_configuration(data_dir, f"--config={write_config(tmp_path, **values)}", words=[word])


def test_configuration_file_that_does_not_parse(data_dir, tmp_path):
    """Breaks if an invalid line in the configuration file is skipped."""
    file = tmp_path / "ordem.conf"
    file.write_text("[[[ not a setting\n")
    assert_bad_configuration(data_dir, f"--config={file}")


def test_data_folder_that_is_a_file(data_dir):
    """Breaks if the server starts although the data folder cannot be created."""
    data_dir.write_text("a file")
    assert_does_not_start(data_dir, words=[data_dir])


def test_port_in_use(data_dir):
    """Breaks if the server starts without its port, or the error does not name the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_ordem("serve", "--address=127.0.0.1", f"--port={port}", "--data-dir", data_dir)
    assert_clean_failure(result.returncode, result.stderr, [port])


# Sources of a value.

def hours_kept(server):
    """The --message-ttl in effect, in hours."""
    answer = create(order_content(new_customer())).send(server.client())
    created_at = parse_time(accepted_order(answer, 201)["created_at"])
    return round((expires_at(answer) - created_at).total_seconds() / 3600)


def test_flag_beats_variable_beats_file(launch, tmp_path):
    """Breaks if a value from the file wins over the environment, or either over a flag; or if one of them is not read."""
    from_file = f"--config={write_config(tmp_path, message_ttl='2h')}"
    variable = {"ORDEM_MESSAGE_TTL": "3h"}
    starts = [
        ((), None, 24),
        ((from_file,), None, 2),
        ((from_file,), variable, 3),
        ((from_file, "--message-ttl=4h"), variable, 4),
        (("--message-ttl=4h",), None, 4),
    ]
    for number, (flags, environment, expected) in enumerate(starts):
        server = launch(*flags, folder=tmp_path / f"data-{number}", environment=environment)
        assert hours_kept(server) == expected


def test_file_named_by_a_variable(launch, tmp_path):
    """Breaks if --config can't be set in the environment like the other flags."""
    server = launch(environment={"ORDEM_CONFIG": str(write_config(tmp_path, message_ttl="2h"))})
    assert hours_kept(server) == 2


def test_file_that_is_a_pipe(launch, tmp_path):
    """Breaks if the configuration must be a regular file, or is read twice: shells pass a pipe for <(...)."""
    pipe = tmp_path / "settings"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as writer:
        writer.submit(pipe.write_text, "\ufeffmessage-ttl = 2h\n")
        assert hours_kept(launch(f"--config={pipe}")) == 2


def test_empty_variable_is_not_set(tmp_path):
    """Breaks if an empty variable uses the next argument as its value."""
    result = run_ordem("serve", "--durability=perhaps", environment={"ORDEM_DATA_DIR": ""}, folder=tmp_path)
    assert_clean_failure(result.returncode, result.stderr, ["durability", "perhaps"])
    assert not list(tmp_path.iterdir())


def test_data_folder_from_a_variable(tmp_path):
    """Breaks if inspect does not read the data folder from the environment as serve does."""
    with start_server(tmp_path / "data") as server:
        order = accepted_order(create(order_content(new_customer())).send(server.client()), 201)
    result = run_ordem("inspect", "order", order["order_id"], environment={"ORDEM_DATA_DIR": str(tmp_path / "data")})
    assert find_object(json.loads(result.stdout), order_id=order["order_id"])


@pytest.mark.parametrize("duration, seconds", [("90m", 5400), ("5400s", 5400), ("5400000ms", 5400)])
def test_units_of_durations(launch, duration, seconds):
    """Breaks if a unit is confused with another."""
    answer = create(order_content(new_customer())).send(launch(f"--message-ttl={duration}").client())
    created_at = parse_time(accepted_order(answer, 201)["created_at"])
    assert abs((expires_at(answer) - created_at).total_seconds() - seconds) <= 1


@pytest.mark.parametrize("size", ["2000B", "2KiB"])
def test_units_of_sizes(launch, size):
    """Breaks if a unit is confused with another."""
    client = launch(f"--max-body={size}").client()
    accepted_order(create(order_content(new_customer(), attributes={"a": "x" * 1600})).send(client), 201)
    refused = create(order_content(new_customer(), attributes={"a": "x" * 2100})).send(client)
    assert refused.status == 413


def test_effective_configuration_is_printed(launch, data_dir):
    """Breaks if a setting, or a value in effect, is missing from the log of the start."""
    server = launch("--max-in-flight=4321", "--in-flight=conflict", environment={"ORDEM_LIVE_ORDERS": "54321"})
    printed = plain(server.printed())
    for flag in SERVE_FLAGS:
        if flag != "--config":
            assert flag.removeprefix("--") in printed, f"{flag} is not in:\n{printed}"
    for value in ("4321", "conflict", "54321", plain(data_dir)):
        assert value in printed, f"{value} is not in:\n{printed}"


def test_text_logs(data_dir):
    """Breaks if --log-format=text prints JSON, or prints nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_ordem("serve", "--address=127.0.0.1", f"--port={port}", "--data-dir", data_dir, "--log-format=text")
    assert result.stderr.strip() and not result.stderr.lstrip().startswith("{")


# Inspect.

def find_object(value, **members):
    """Returns the first object anywhere inside `value` that has these members; None if there is none."""
    if isinstance(value, dict):
        if all(value.get(name) == expected for name, expected in members.items()):
            return value
        value = list(value.values())
    if isinstance(value, list):
        return next((found for entry in value if (found := find_object(entry, **members))), None)
    return None


def inspect(data_dir, kind, name):
    """Returns the parsed output of `ordem inspect`."""
    result = run_ordem("inspect", kind, name, "--data-dir", data_dir)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def write_two_versions(client):
    """Creates an order and changes it. Returns the create and the changed order."""
    first = create(order_content(new_customer()))
    order_id = accepted_order(first.send(client), 201)["order_id"]
    return first, accepted_order(merge(order_id, 1, {"currency": "USD"}).send(client))


def assert_inspect_shows(data_dir, write, order):
    current = find_object(inspect(data_dir, "order", order["order_id"]), order_id=order["order_id"], version=2)
    assert current, "the current version is not printed"
    assert current["currency"] == "USD"
    message = inspect(data_dir, "message", write.guid)
    assert find_object(message, guid=write.guid)
    assert order["order_id"] in json.dumps(message)


def test_inspect_a_stopped_folder(launch, data_dir):
    """Breaks if inspect cannot read the folder of a stopped server, or changes it."""
    server = launch()
    write, order = write_two_versions(server.client())
    server.stop()
    assert_inspect_shows(data_dir, write, order)
    assert launch().client().get_order(order["order_id"]) == order


def test_inspect_a_killed_folder(launch, data_dir):
    """Breaks if inspect requires a clean stop, or repairs the folder."""
    server = launch()
    write, order = write_two_versions(server.client())
    server.kill()
    assert_inspect_shows(data_dir, write, order)
    assert launch().client().get_order(order["order_id"]) == order


def test_inspect_a_running_folder(launch, data_dir):
    """Breaks if inspect takes the lock, misses data that is not in tables yet, or disturbs the server."""
    server = launch()
    client = server.client()
    write, order = write_two_versions(client)
    assert_inspect_shows(data_dir, write, order)
    assert client.get_order(order["order_id"]) == order
    accepted_order(merge(order["order_id"], 2, {"currency": "GBP"}).send(client))


@pytest.mark.parametrize("kind, name", [("order", UNKNOWN_ID), ("order", "no-uuid"), ("message", "nobody")])
def test_inspect_missing_record(launch, data_dir, kind, name):
    """Breaks if inspect succeeds with an empty object or no output for a missing record."""
    launch().stop()
    result = run_ordem("inspect", kind, name, "--data-dir", data_dir)
    assert_clean_failure(result.returncode, result.stderr, [name])
    assert_short_error(result.stderr)
    assert result.stdout.strip() == ""


@pytest.mark.parametrize("kind, name", [("order", UNKNOWN_ID), ("message", "nobody"), ("capture", "nobody")])
def test_inspect_no_folder(tmp_path, kind, name):
    """Breaks if inspect creates a missing folder and reports it as empty."""
    missing = tmp_path / "missing"
    result = run_ordem("inspect", kind, name, "--data-dir", missing)
    assert_clean_failure(result.returncode, result.stderr, [missing])
    assert_short_error(result.stderr)
    assert not missing.exists()
