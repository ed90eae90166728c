"""The tour of the README, pasted from top to bottom."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support import settings
from support.ordem_server import clean_environment

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "127.0.0.1:8080"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
NEXT = "-- the next block --"


def blocks(language):
    """Returns the text of each block of the tour in a language."""
    tour = README.read_text().partition("## A tour with curl\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", tour, re.MULTILINE | re.DOTALL)


def paste(text, port):
    """Returns the output of a shell that runs the text, against a server on another port."""
    assert ADDRESS in text
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text.replace(ADDRESS, f"127.0.0.1:{port}")], env=clean_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    return shell.stdout


@pytest.fixture
def pasted(launch):
    """The port of the server, and the output of the blocks, run one after the other in one shell."""
    port = launch().port
    return port, paste(f"\necho '{NEXT}'\n".join(blocks("sh")), port).split(NEXT)


def statuses(text):
    return [int(status) for status in re.findall(r"HTTP/1\.1 (\d+)", text)]


def in_parts(text):
    """Returns the five JSON responses, which have no line end, and the rest of the output."""
    answers, rest, decoder = [], text.lstrip(), json.JSONDecoder()
    for _ in range(5):
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    return *answers, rest


def test_the_tour_can_be_pasted(pasted):
    """Breaks if a command of the README does not work, or its response differs from the README's text."""
    _, (created, updated, merged, batch, looked, captured) = pasted
    assert statuses(created) == [201] and "Idempotency-Replayed" not in created
    assert statuses(updated) == [200, 200] and '"version":2' in updated and '"gift":true' in updated
    assert statuses(merged) == [200] and '"version":3' in merged and '"merged_from":1' in merged
    assert [json.loads(line)["status"] for line in batch.splitlines() if line] == [201, 201]
    versions, customer, found, message, changes, metrics = in_parts(looked)
    assert len(versions["versions"]) == 3
    assert len(customer["orders"]) == 2 and message["response"]["status"] == 201
    assert {order["status"] for order in found["orders"]} == {"new"}
    assert [event["type"] for event in changes["events"]] == ["order.created", "order.updated", "order.updated"]
    assert "ordem_messages_executed_total" in metrics
    assert statuses(captured) == [202, 200, 200] and '"response_body":"done"' in captured


def test_the_refusal_of_the_tour_is_the_servers(launch):
    """Breaks if the README shows another response than the server's to the repeated update."""
    port = launch().port
    create, update = blocks("sh")[:2]
    paste(create, port)
    paste(update, port)
    again = paste(update, port).rpartition("\n\n")[2]
    [expected] = blocks("json")
    assert json.loads(TIME.sub("...", UUID.sub("...", again))) == json.loads(expected)
