"""Checks of Prometheus files and of metrics by promtool."""

import re
import subprocess
from pathlib import Path

from support import settings
from support.certificates import Authority
from support.concurrency import poll_until
from support.http_client import free_port
from support.ingress_nginx import PROGRAMS
from support.ordem_client import OrdemClient
from support.ordem_server import run_ordem

ROOT = Path(__file__).parents[2]


def run_promtool(*arguments, text=None):
    """Runs promtool, with `text` as its input; returns what it printed. Fails if it reports an error."""
    result = subprocess.run([PROGRAMS / "usr/bin/promtool", *arguments], input=text, capture_output=True, text=True, check=False,
                            timeout=settings.COMMAND_SECONDS_MAX)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def assert_prometheus_takes(kind, path):
    """`kind`: config or rules, as for promtool."""
    run_promtool("check", kind, path)


def metrics_of_everything(launch, database, folder):
    """Returns the metrics of a server that has all optional ones: with Postgres, traces, a certificate (made in `folder`), after
    a request and a back-up."""
    assert run_ordem("migrate", "--postgres-url", database).returncode == 0
    made = Authority(folder / "certificates", "Test CA").issue("server", "/CN=localhost")
    port = free_port()
    launch("--postgres-url", database, "--tls-certificate", made.certificate, "--tls-key", made.key, "--operations-port", port,
           "--backup-root", folder, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"})
    with OrdemClient(port) as client:
        # Some exist only after the first connection to Postgres.
        poll_until(lambda: client.metric("ordem_postgres_connected") == 1, "Postgres is connected")
        assert run_ordem("backup", "--to", "copy", "--url", f"http://127.0.0.1:{port}").returncode == 0
        return client.get("/metrics").body.decode()


def metrics_of_a_node():
    """Returns what a node of a cluster has beside them, by docs/cluster.md, which tests/integration/test_cluster.py compares with a
    node: a line for each metric, and one for each role."""
    section = (ROOT / "docs/cluster.md").read_text()
    names = set(re.findall(r"`(ordem_cluster_\w+)`", section))
    roles = re.search(r"^\| `ordem_cluster_role` \|(.*)$", section, re.MULTILINE).group(1)
    lines = [f"{name} 1" for name in names]
    lines += [f'ordem_cluster_role{{role="{role}"}} 1' for role in re.findall(r"`(joining|standby|claiming|owner|stopped)`", roles)]
    return "\n".join(["", *lines, ""])
