"""The clients of docs/clients.md, run as they stand there, through a proxy that loses and replaces answers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import settings
from support.faulty_proxy import FAULTS, SILENCE, FaultyProxy
from support.ordem_client import OrdemClient
from support.ordem_server import clean_environment
from support.orders import accepted_order, create, new_customer

PAGE = (Path(__file__).parents[2] / "docs/clients.md").read_text()
ADDRESS = "127.0.0.1:8080"
PROGRAMS = 2
WRITES = 6
TIMEOUT_SECONDS = 1 + settings.SLOW

# Each program creates WRITES orders of a customer, adds as many attributes to an order that it shares with the other program, and prints the
# ids of its orders. {customer}, {shared} and {name} are replaced.
ITEMS = '"currency":"EUR","items":[{"sku":"A-1","quantity":1,"unit_price":100}]'
DRIVERS = {
    "python": """
for number in range(WRITES):
    made = send("POST", "/api/v1/orders", {"customer_id": "CUSTOMER", ITEMS}, key=str(uuid.uuid4()))
    update("SHARED", lambda now: {"attributes": {**now.get("attributes", {}), f"NAME-{number}": True}})
    print(made["order"]["order_id"])
""",
    "js": """
for (let number = 0; number < WRITES; number += 1) {
  const made = await send('POST', '/api/v1/orders', { body: {"customer_id": "CUSTOMER", ITEMS}, key: crypto.randomUUID() });
  await update('SHARED', (now) => ({ attributes: { ...now.attributes, [`NAME-${number}`]: true } }));
  console.log(made.order.order_id);
}
""",
    "sh": """
for number in $(seq 0 $((WRITES - 1))); do
  made=$(send POST /api/v1/orders '{"customer_id":"CUSTOMER",ITEMS}' "$(cat /proc/sys/kernel/random/uuid)") || exit
  set_attributes SHARED "{\\"NAME-$number\\":true}" >/dev/null || exit
  grep -o '"order_id":"[^"]*"' <<<"$made" | cut -d '"' -f 4
done
""",
}
COMMANDS = {"python": ["/usr/bin/python3", "{file}"], "js": ["node", "{file}"], "sh": ["bash", "-u", "{file}"], "go": ["go", "run", "{file}"], "java": ["java", "{file}"]}
NAMES = {"python": "client.py", "js": "client.mjs", "sh": "client.sh", "go": "client.go", "java": "Ordem.java"}
# How each client says its timeout of ten seconds.
TIMEOUTS = {"python": "timeout=10)", "js": "timeout(10_000)", "sh": "--max-time 10 ", "go": "10 * time.Second", "java": "ofSeconds(10)"}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def program(language, port, rest):
    """Returns the client of the page for another server, with a shorter timeout, and `rest` after it."""
    client, timeout = blocks(language)[0], TIMEOUTS[language]
    assert client.count(ADDRESS) == 1 and client.count(timeout) == 1
    return client.replace(ADDRESS, f"127.0.0.1:{port}").replace(timeout, timeout.replace("10", str(TIMEOUT_SECONDS), 1)) + rest


def start(language, folder, text):
    file = folder / NAMES[language]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    command = [part.format(file=file) for part in COMMANDS[language]]
    return subprocess.Popen(command, env=clean_environment({"GO111MODULE": "off"}), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output(process):
    try:
        out, error = process.communicate(timeout=2 * settings.COMMAND_SECONDS_MAX)
    finally:
        process.kill()
    assert process.returncode == 0, out + error
    return out.split()


@pytest.mark.parametrize("language", DRIVERS)
def test_every_write_of_a_client_is_executed_once_though_answers_are_lost(launch, tmp_path, language):
    """The server is killed meanwhile, too. Breaks if a client uses a new key for a repeat, sends nothing again, or an old version again."""
    server, customer = launch(), new_customer()
    with OrdemClient(server.port) as client:
        shared = accepted_order(create().send(client), 201)["order_id"]
    with FaultyProxy(server.port) as proxy:
        programs = []
        for name in range(PROGRAMS):
            replaced = {"CUSTOMER": customer, "SHARED": shared, "NAME": f"p{name}", "WRITES": str(WRITES), "ITEMS": ITEMS}
            text = re.sub("|".join(replaced), lambda found: replaced[found[0]], DRIVERS[language])
            programs.append(start(language, tmp_path / str(name), program(language, proxy.port, text)))
        proxy.wait_requests(2 * WRITES)
        server.kill()
        server = launch()
        proxy.set_target(server.port)
        made = [order_id for process in programs for order_id in output(process)]
    with OrdemClient(server.port) as client:
        assert len(made) == PROGRAMS * WRITES
        assert sorted(made) == sorted(order["order_id"] for order in client.get_orders_of(customer))
        order = client.get_order(shared)
        assert order["attributes"] == {"channel": "web"} | {f"p{name}-{number}": True for name in range(PROGRAMS) for number in range(WRITES)}
        assert order["version"] == 1 + PROGRAMS * WRITES
    assert set(proxy.counts) >= {SILENCE, *FAULTS}, proxy.counts


@pytest.mark.parametrize("language", NAMES)
def test_the_example_of_a_client_runs(launch, tmp_path, language):
    """Go and Java are not among the packages of the tests: they run where there is a compiler."""
    if not shutil.which(COMMANDS[language][0]):
        pytest.skip(f"{COMMANDS[language][0]} is not installed")
    port = launch().port
    order_id, version = output(start(language, tmp_path, program(language, port, "".join(blocks(language)[1:]))))
    with OrdemClient(port) as client:
        assert client.get_order(order_id)["attributes"] == {"gift": True}
    assert version == "2"
