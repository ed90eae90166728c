"""The compose files, and the files that their Prometheus and Grafana read. They are not run, but checked by Compose's own schema,
promtool and a running server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from support import settings
from support.captures import allocation_bytes, new_key
from support.containers import ROOT, project_version
from support.ordem_server import run_ordem
from support.orders import accepted_order, create
from support.promtool import assert_prometheus_takes, metrics_of_a_node, metrics_of_everything, run_promtool

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"
DASHBOARD = DEPLOY / "grafana/dashboards/ordem.json"
METRIC = re.compile(r"\b(?:ordem|process)_[a-z_]+")
SELECTOR = re.compile(r'\b(ordem_[a-z_]+)\{(\w+)=~?"([^"]+)"\}')
FILES = ("compose.yaml", "compose.captures.yaml")


def services_of(name):
    """Returns the services of a file, in all profiles, as Compose reads it."""
    # Debian's version of Compose does not support the project's name in the file.
    text = re.sub(r"^name: .*\n", "", (DEPLOY / name).read_text(), flags=re.MULTILINE)
    profiles = {profile for service in yaml.safe_load(text)["services"].values() for profile in service.get("profiles", ())}
    options = [word for profile in sorted(profiles) for word in ("--profile", profile)]
    result = subprocess.run(
        ["docker-compose", "--file", "-", *options, "config"], cwd=DEPLOY, input=text, capture_output=True, text=True,
        timeout=settings.COMMAND_SECONDS_MAX, check=False,
    )
    assert result.returncode == 0, result.stderr
    return yaml.safe_load(result.stdout)["services"]


@pytest.mark.parametrize("name", FILES)
def test_services_may_do_little(name):
    """Breaks if a file is not a compose file, or a service may write to its image, gain privileges, or be reached from elsewhere."""
    for service, content in services_of(name).items():
        assert content["read_only"] and (service == "kong" or content["cap_drop"] == ["ALL"]), service
        assert content["security_opt"] == ["no-new-privileges:true"], service
        assert all(str(port).startswith("127.0.0.1:") for port in content.get("ports", ())), service
        assert content["image"].partition(":")[2] not in ("", "latest"), f"{service}: which version?"
        if "build" in content:
            assert content["image"] == f"ordem:{project_version()}"
            assert Path(content["build"]["context"], content["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")


@pytest.mark.parametrize("name", FILES)
def test_secrets_are_no_variables(name):
    """Breaks if a password is visible in `docker inspect`."""
    for service, content in services_of(name).items():
        for variable, value in content.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert variable.endswith("_FILE") and value.startswith("/run/secrets/"), f"{service}: {variable}"
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), f"{service}: {variable} holds a password"


def commands_in_the_head(name):
    """Returns the commands in the comment at the top of a file that make its secrets."""
    head = (DEPLOY / name).read_text().partition("\nname:")[0]
    lines = [line.removeprefix("#   ") for line in head.splitlines() if line.startswith("#   ")]
    return "\n".join(line for line in lines if not line.startswith("docker ")).replace("cd deploy && ", "").replace("sudo ", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to the group of the image")
def test_the_head_makes_the_secrets_and_a_key_that_works(launch, tmp_path):
    """Breaks if a secret of the file is not made, or the key that the commands print is not one of the keys file that they write."""
    shell = subprocess.run(["bash", "-euo", "pipefail", "-c", commands_in_the_head("compose.yaml")], cwd=tmp_path, capture_output=True, text=True,
                           check=False, timeout=settings.COMMAND_SECONDS_MAX)
    assert shell.returncode == 0, shell.stderr
    declared = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["secrets"]
    assert {secret["file"] for secret in declared.values()} == {f"./secrets/{file.name}" for file in (tmp_path / "secrets").iterdir()}
    keys = tmp_path / "secrets/keys"
    assert (keys.stat().st_mode & 0o777, keys.stat().st_gid) == (0o640, 10001)
    server = launch("--keys", keys)
    assert not [line for line in server.logs() if line["level"] == "warning"]
    client = server.client()
    assert create().send(client).status == 401
    client.key = shell.stdout.strip()
    accepted_order(create().send(client), 201)


def test_operations_are_not_published():
    """Breaks if the port without identity is published, or Prometheus asks another one."""
    ordem = services_of("compose.yaml")["ordem"]
    port = ordem["environment"]["ORDEM_OPERATIONS_PORT"]
    assert not any(str(published).endswith(f":{port}") for published in ordem["ports"])
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert scraped[0]["static_configs"][0]["targets"] == [f"ordem:{port}"]


def test_behind_kong_captures_alone_are_open(launch):
    """Breaks if the plugin, which sends no credentials, is refused, or anything else is not."""
    ordem = services_of("compose.captures.yaml")["ordem"]
    assert not ordem.get("ports")
    [mounted] = [volume for volume in ordem["volumes"] if volume.endswith(f":{ordem['environment']['ORDEM_KEYS']}:ro")]
    server = launch("--keys", mounted.split(":")[0], f"--auth-captures={ordem['environment']['ORDEM_AUTH_CAPTURES']}")
    assert not [line for line in server.logs() if "others may read" in line["message"]]
    client = server.client()
    assert client.exchange(allocation_bytes(new_key())).status == 202
    assert create().send(client).status == 401 and client.get("/metrics").status == 401


def test_order_of_the_start():
    """Breaks if the engine starts before its tables exist, or is killed during its stop."""
    services = services_of("compose.yaml")
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["ordem"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    drain = re.search(r"--drain-timeout DURATION=(\d+)s", run_ordem("serve", "--help").stdout)
    assert int(services["ordem"]["stop_grace_period"].removesuffix("s")) > int(drain[1])


def test_kong_gets_settings_that_its_plugin_has():
    """Breaks if an upstream may take longer than the lease, or the proxy uses a wrong address of Ordem."""
    services = services_of("compose.captures.yaml")
    [proxied] = yaml.safe_load((DEPLOY / "kong/kong.yaml").read_text())["services"]
    lease = int(services["ordem"]["environment"]["ORDEM_CAPTURE_LEASE"].removesuffix("s"))
    assert proxied["read_timeout"] < lease * 1000
    [plugin] = proxied["routes"][0]["plugins"]
    assert plugin["config"]["idempotent_requests_server_url"] == "http://ordem:8080"
    assert plugin["name"] in services["kong"]["environment"]["KONG_PLUGINS"].split(",")


def test_prometheus_takes_its_configuration():
    """Breaks if Prometheus would not start with it, or a rule is not valid PromQL."""
    assert_prometheus_takes("config", DEPLOY / "prometheus/prometheus.yml")


def test_alerts_fire_in_time():
    """Breaks if an alert is late, or fires for what is no reason: the scenarios are in alerts_test.yml."""
    run_promtool("test", "rules", Path(__file__).parent / "alerts_test.yml")


def anchors_of(document):
    """Returns the fragments that lead to the headings of a document, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_alert_has_a_runbook():
    """Breaks if whoever is called at night is sent to a heading that does not exist."""
    assert "when-something-fails" in anchors_of(ROOT / "docs/architecture.md")
    for rule in (rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]):
        document, _, fragment = rule["annotations"]["runbook_url"].partition("#")
        assert fragment == rule["alert"].lower() and fragment in anchors_of(ROOT / document), rule["alert"]


def test_prometheus_takes_the_metrics(launch, database, tmp_path):
    """Breaks if a metric is malformed, or its name, unit or type is not what Prometheus recommends."""
    printed = run_promtool("check", "metrics", text=metrics_of_everything(launch, database, tmp_path))
    assert printed.strip() == "", printed


@pytest.fixture(scope="module")
def dashboard():
    return [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]


def alerts():
    return [rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_metrics_are_those_of_the_server(launch, database, dashboard, tmp_path):
    """Breaks if a panel or an alert uses a metric or a label value that no server has: it would stay empty."""
    metrics = metrics_of_everything(launch, database, tmp_path) + metrics_of_a_node()
    for expression in dashboard + alerts():
        if "ordem_trace_" in expression and "without tracing" in run_ordem("version").stdout:
            continue
        for name in METRIC.findall(expression):
            assert re.search(rf"^{name}[ {{]", metrics, re.MULTILINE), f"{name} of {expression}"
        for name, label, values in SELECTOR.findall(expression):
            for value in values.split("|"):
                assert f'{name}{{{label}="{value}"}}' in metrics, f"{label}={value} of {expression}"


def test_dashboard_shows_what_operations_says_to_watch(dashboard):
    """Breaks if a metric is listed in the document only."""
    operations = (ROOT / "docs/operations.md").read_text()
    table = operations.partition("Figures to watch:")[2].partition("\n## ")[0]
    watched = set(METRIC.findall("".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))))
    assert len(watched) > 10
    on_dashboard = {name.removesuffix("_bucket") for expression in dashboard for name in METRIC.findall(expression)}
    assert watched <= on_dashboard, f"not on the dashboard: {watched - on_dashboard}"
