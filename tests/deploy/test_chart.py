"""The Helm chart, as helm renders it: what holds for every set of values, what is refused, and that the chart agrees with the program."""

import functools
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from support import settings
from support.captures import allocation_bytes, new_key
from support.certificates import Authority
from support.concurrency import poll_until
from support.helm import CHART, NAMESPACE, RELEASE, ROOT, helm, render, rendered_text
from support.ordem_server import OrdemServer, run_ordem
from support.orders import accepted_order, create
from support.promtool import assert_prometheus_takes, metrics_of_a_node, metrics_of_everything
from support.scripted_server import ScriptedServer, answer_bytes

GOLDEN = Path(__file__).parent / "golden/default.yaml"
# The default rendering has a generated key and its hash. In the golden file they have these digits.
MASKED_KEY, MASKED_HASH = (f"ordem_{'K' * 43}{'c' * 8}", "f" * 64)
MASK = f"sed -E 's/ordem_[0-9A-Za-z]{{51}}/{MASKED_KEY}/; s/(key=sha256:)[0-9a-f]+/\\1{MASKED_HASH}/'"
RENEW = f"helm template {RELEASE} deploy/helm/ordem --namespace {NAMESPACE} | {MASK} > {GOLDEN.relative_to(ROOT)}"
KEY = re.compile(r"ordem_[0-9A-Za-z]{43}[0-9a-f]{8}")
A_LINE = f"name=till-7 tenant=shop scopes=orders:read,orders:write key=sha256:{'0' * 64}"
SECRET = "s3cret"
URL = f"postgresql://ordem:{SECRET}@db.example:5432/shop"
KUBERNETES = ("1.20.2", "1.21.0", "1.29.0")
# Settings that the chart sets itself or stores in a Secret.
NOT_IN_CONFIG = {"help", "config", "address", "port", "data-dir", "postgres-url", "keys", "auth", "auth-captures", "allowed-hosts",
                 "operations-address", "operations-port", "captures-address", "captures-port", "tls-certificate", "tls-key", "tls-client-ca",
                 "cluster", "nats", "nats-credentials", "nats-ca", "nats-certificate", "nats-key", "node", "node-address"}

NATS_URLS = ",".join(f"nats://ordem:{SECRET}@nats-{number}.nats-headless:4222" for number in range(3))
A_CLUSTER = {"replicas": 3, "cluster": {"enabled": True, "nats": {"urls": NATS_URLS}}}

EVERY_SETTING = {
    "backup-root": "/backups", "durability": "os", "in-flight": "conflict", "message-ttl": "48h", "capture-lease": "2m", "capture-ttl": "36h", "capture-max": "512KiB",
    "max-body": "2MiB", "body-memory": "64MiB", "response-memory": "128MiB", "max-header": "8KiB", "max-connections": 1000,
    "connections-per-address": 500, "feed-readers": 100, "max-in-flight": 4096, "tenant-rate": 1000, "tenant-in-flight": 100, "metrics-tenants": 10,
    "live-orders": 5000, "idle-timeout": "50s", "request-timeout": "20s", "drain-timeout": "10s", "io-threads": 1,
    "worker-threads": 1, "shards": 1, "block-cache": "64MiB", "write-buffer": "64MiB", "log-entries": 2000000,
    "jwks": "https://issuer.example/jwks", "jwt-issuer": "https://issuer.example/", "jwt-audience": "ordem",
    "jwt-leeway": "30s", "jwt-name-claim": "client_id", "jwt-tenant-claim": "org", "jwt-scope-claim": "roles",
    "persist-backlog-max": "1GiB", "log-format": "json", "log-level": "debug", "request-log": "errors",
}
EVERYTHING = {
    "fullnameOverride": "orders",
    "image": {"repository": "registry.example/ordem", "tag": "1.2.3", "pullPolicy": "Always", "pullSecrets": ["key"]},
    "config": EVERY_SETTING,
    "postgres": {"url": URL},
    "persistence": {"size": "100Gi", "storageClass": "fast", "accessModes": ["ReadWriteOncePod"]},
    "service": {"type": "LoadBalancer", "port": 80, "annotations": {"a": "b"}},
    "ingress": {"enabled": True, "host": "orders.example", "captures": True, "tls": {"secretName": "cert"}, "restartWaitSeconds": 15,
                "annotations": {"c": "d"}},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "priorityClassName": "high", "podAnnotations": {"e": "f"}, "podLabels": {"g": "h"},
    "extraEnv": [{"name": "PGSSLROOTCERT", "value": "/certs/ca.pem"}],
    "extraVolumes": [{"name": "certs", "secret": {"secretName": "ca"}}],
    "extraVolumeMounts": [{"name": "certs", "mountPath": "/certs"}],
    "networkPolicy": {"from": [{"namespaceSelector": {}}], "postgresPorts": [6432], "dnsPorts": [8053],
                      "extraEgress": [{"ports": [{"port": 15012}]}]},
    "migration": {"annotations": {"o": "p"}, "labels": {"q": "r"}, "nodeSelector": {"disk": "any"}, "priorityClassName": "low"},
    "test": {"annotations": {"s": "t"}, "labels": {"u": "v"}, "tolerations": [{"operator": "Exists", "key": "w"}]},
    "address": "::",
    "serviceAccount": {"annotations": {"i": "j"}},
    "serviceMonitor": {"enabled": True, "labels": {"k": "l"}},
    "prometheusRule": {"enabled": True, "labels": {"m": "n"}, "runbooks": "https://docs.example/operations.md"},
}
VALUES = {
    "default": {},
    "the example": yaml.safe_load((ROOT / "deploy/values.example.yaml").read_text()),
    "everything": EVERYTHING,
    "bundled Postgres": {"postgres": {"enabled": True, "storageClass": "fast", "password": SECRET, "nodeSelector": {"disk": "fast"}}},
    "a Secret that is there": {"postgres": {"existingSecret": "db", "existingSecretKey": "address"}, "config": {"durability": "postgres"}},
    "ingress without a host": {"ingress": {"enabled": True, "className": "", "tries": 1}},
    "maintenance": {"maintenance": True, "postgres": {"existingSecret": "db"}},
    "stopped": {"replicas": 0},
    "an image by its digest": {"image": {"digest": f"sha256:{'0123456789abcdef' * 4}"}},
    "without identities": {"auth": {"mode": "none"}},
    "its own keys": {"auth": {"keys": [A_LINE], "trialKey": False}, "test": {"existingSecret": "client"}},
    "a Secret with keys": {"auth": {"existingSecret": "keys", "existingSecretKey": "file"}},
    "TLS": {"tls": {"existingSecret": "cert", "clientCaSecret": "ca"}, "serviceMonitor": {"enabled": True}, "allowedHosts": ["orders.example"]},
    "captures for Kong": {"auth": {"captures": "none"}, "captures": {"port": 8082}, "networkPolicy": {"capturesFrom": [{"podSelector": {}}]}},
    "a cluster": A_CLUSTER,
    "a cluster with everything": {
        "replicas": 5, "cluster": {
            "enabled": True, "name": "shop", "antiAffinity": "preferred", "init": {"replicas": 5, "maxBytes": "1GiB"},
            "nats": {"existingSecret": "nats", "existingSecretKey": "servers", "credentialsSecret": "user", "caSecret": "ca",
                     "certificateSecret": "client", "podLabels": {"app": "nats"}}}},
    "as little as can be": {"podDisruptionBudget": {"enabled": False}, "networkPolicy": {"enabled": False}, "preStopSeconds": 0},
}
every_values = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)

# Invalid values, and the words that the error message has to contain.
REFUSED = {
    "two engines": ({"replicas": 2}, ("replicas is 2", "one engine owns a data folder")),
    "a cluster without NATS": ({"replicas": 3, "cluster": {"enabled": True}}, ("cluster.enabled", "set cluster.nats.existingSecret")),
    "two NATS": ({"cluster": {"enabled": True, "nats": {"urls": NATS_URLS, "existingSecret": "nats"}}},
                 ("cluster.nats.urls and cluster.nats.existingSecret", "leave one")),
    "a cluster that syncs otherwise": ({**A_CLUSTER, "config": {"durability": "os"}}, ("config.durability must be fsync",)),
    "a name that NATS can't take": ({"cluster": {"name": "Shop"}}, ("cluster.name", "pattern")),
    "two Postgres": ({"postgres": {"enabled": True, "url": URL}}, ("postgres.enabled and postgres.url", "leave one")),
    "two Postgres, one a Secret": ({"postgres": {"url": URL, "existingSecret": "db"}}, ("postgres.url and postgres.existingSecret",)),
    "durability without Postgres": ({"config": {"durability": "postgres"}}, ("config.durability", "no Postgres")),
    "a certificate without a name": ({"ingress": {"enabled": True, "tls": {"secretName": "cert"}}}, ("set ingress.host",)),
    "a typo": ({"replica": 1}, ("replica is not allowed",)),
    "a typo further down": ({"ingress": {"enable": True}}, ("ingress", "enable is not allowed")),
    "a typo in a setting": ({"config": {"message_ttl": "1h"}}, ("config", "message_ttl is not allowed")),
    "a setting that is the chart's": ({"config": {"data-dir": "/data"}}, ("config", "data-dir is not allowed")),
    "a password in the settings": ({"config": {"postgres-url": URL}}, ("config", "postgres-url is not allowed")),
    "a duration without a unit": ({"config": {"drain-timeout": "20"}}, ("config.drain-timeout", "pattern")),
    "an unknown durability": ({"config": {"durability": "disk"}}, ("config.durability", "must be one of")),
    "half a thread": ({"config": {"io-threads": 0.5}}, ("config.io-threads", "integer")),
    "an address that is none": ({"postgres": {"url": "db.example"}}, ("postgres.url", "pattern")),
    "a volume that many may write": ({"persistence": {"accessModes": ["ReadWriteMany"]}}, ("persistence.accessModes", "must be one of")),
    "memory that is none": ({"persistence": {"size": "much"}}, ("persistence.size", "pattern")),
    "a digest that is none": ({"image": {"digest": "latest"}}, ("image.digest", "pattern")),
    "an address that is a pod's": ({"address": "10.0.0.1"}, ("address", "must be one of")),
    "a password that an address can't hold": ({"postgres": {"enabled": True, "password": "a@b"}}, ("postgres.password", "pattern")),
    "another label of the selectors": ({"podLabels": {"app.kubernetes.io/name": "shop"}}, ("podLabels sets app.kubernetes.io/name",)),
    "another component": ({"migration": {"labels": {"app.kubernetes.io/component": "job"}}},
                          ("migration.labels sets app.kubernetes.io/component",)),
    "no path": ({"ingress": {"enabled": True, "paths": []}}, ("ingress.paths", "at least 1")),
    "nobody": ({"auth": {"trialKey": False}}, ("auth.mode is required", "auth.existingSecret")),
    "identities that do not count": ({"auth": {"mode": "none", "keys": [A_LINE]}}, ("auth.mode is none", "identities are given")),
    "two keys files": ({"auth": {"existingSecret": "keys", "keys": [A_LINE]}}, ("auth.existingSecret and auth.keys", "leave one")),
    "a key in place of its line": ({"auth": {"keys": [MASKED_KEY]}}, ("auth.keys", "pattern")),
    "client certificates without TLS": ({"tls": {"clientCaSecret": "ca"}}, ("tls.clientCaSecret", "set tls.existingSecret")),
    "one port for two": ({"operations": {"port": 8080}}, ("operations.port", "must differ")),
    "one port for operations and captures": ({"captures": {"port": 8081}}, ("captures.port", "must differ")),
    "a host with a port": ({"allowedHosts": ["orders.example:80"]}, ("allowedHosts", "pattern")),
    "a path that is a pattern": ({"ingress": {"enabled": True, "paths": ["/api/.*"]}}, ("ingress.paths", "pattern")),
    "endless retries": ({"ingress": {"tries": 0}}, ("ingress.tries", "greater than or equal to 1")),
}


def sha256_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def helped_options():
    """Returns {name: default} of the options of `ordem serve`; the default is None if there is none."""
    printed = run_ordem("serve", "--help").stdout
    options = re.findall(r"^ +(?:-\w,)?--([a-z-]+)(?: [^\s=]+(?:=(\S+))?)?", printed, re.MULTILINE)
    assert len(options) > len(NOT_IN_CONFIG)
    return {name: default or None for name, default in options}


@every_values
def test_lint(values):
    result = helm("lint", "--strict", CHART, values=values)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_default_rendering_is_the_golden_file():
    rendered = rendered_text()
    [key] = KEY.findall(rendered)
    masked = rendered.replace(key, MASKED_KEY).replace(sha256_of(key), MASKED_HASH)
    assert masked == GOLDEN.read_text(), f"if that is as it should be: {RENEW}"


@pytest.mark.parametrize("values, words", REFUSED.values(), ids=REFUSED)
def test_refused_with_a_message(values, words):
    result = helm("template", RELEASE, CHART, values=values)
    assert result.returncode != 0, result.stdout
    for word in words:
        assert word in result.stderr


def test_the_schema_knows_every_value():
    """The schema permits every value of values.yaml. It refuses unknown values, so a missing one could not be set."""
    result = helm("template", RELEASE, CHART, "--values", CHART / "values.yaml")
    assert result.returncode == 0, result.stderr


@every_values
def test_pods_are_restricted(values):
    """Every pod satisfies the restricted profile of Kubernetes' pod security, and has no token of the cluster."""
    for manifest, pod in render(values).pods():
        name = manifest["metadata"]["name"]
        assert pod["automountServiceAccountToken"] is False, name
        # With service links, a Service called ordem would set ORDEM_ variables, which the program reads as settings.
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"] and container["resources"]["limits"]["memory"], name
        assert all(volume.keys() & {"configMap", "emptyDir", "secret"} for volume in pod.get("volumes", [])), name


NO_CONTEXT = {"podSecurityContext": None, "containerSecurityContext": None}
USER_OF_THE_CLUSTER = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
BUNDLED = {"enabled": True}


def test_security_contexts_can_be_unset():
    """Breaks if a cluster that assigns users itself, as OpenShift does, can't run a pod of the chart."""
    pods = [pod for _, pod in render({**NO_CONTEXT, "postgres": {**BUNDLED, **NO_CONTEXT}}).pods()]
    assert len(pods) == 4
    assert not any("securityContext" in holder for pod in pods for holder in (pod, *pod["containers"]))


def test_members_of_security_contexts_can_be_unset_and_set():
    values = {**USER_OF_THE_CLUSTER, "postgres": {**BUNDLED, **USER_OF_THE_CLUSTER}, "containerSecurityContext": {"runAsUser": 1000660000}}
    pods = [(manifest["kind"], manifest["metadata"]["name"], pod) for manifest, pod in render(values).pods()]
    assert len(pods) == 4
    for _, name, pod in pods:
        assert pod["securityContext"].keys() == {"runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"}, name
        [container] = pod["containers"]
        assert container["securityContext"].get("runAsUser") == (None if name == "ordem-postgres" else 1000660000)
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name


def names_twice(text):
    """Returns the duplicate members of mappings. YAML forbids them, but most readers do not report them."""
    twice = []

    def look(node):
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value]
            twice.extend(name for name in set(names) if names.count(name) > 1)
            for _, value in node.value:
                look(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                look(value)

    for node in yaml.compose_all(text):
        look(node)
    return twice


@every_values
def test_no_name_comes_twice(values):
    assert not names_twice(rendered_text(values))


def test_what_the_chart_sets_too_is_as_the_values_say_and_comes_once():
    """Breaks if a user's label or annotation that the chart sets too is rendered twice or overridden by the chart."""
    version, proxied, checksum = ("app.kubernetes.io/version", "nginx.ingress.kubernetes.io/proxy-body-size", "checksum/config")
    mine = {version: "mine"}
    values = {
        "podLabels": mine, "podAnnotations": {checksum: "mine"}, "ingress": {"enabled": True, "captures": True, "annotations": {proxied: "7"}},
        "serviceMonitor": {"enabled": True, "labels": mine}, "prometheusRule": {"enabled": True, "labels": mine},
        "postgres": {"existingSecret": "db"}, "migration": {"labels": mine, "annotations": {"helm.sh/hook": "post-install"}},
        "test": {"labels": mine, "annotations": {"helm.sh/hook-delete-policy": "mine"}},
    }
    assert not names_twice(rendered_text(values))
    manifests = render(values)
    pod = manifests.one("StatefulSet")["spec"]["template"]["metadata"]
    job, test = manifests.one("Job", "ordem-migrate"), manifests.one("Pod", "ordem-smoke-test")
    for labelled in (pod, manifests.one("ServiceMonitor")["metadata"], manifests.one("PrometheusRule")["metadata"], job["metadata"],
                     job["spec"]["template"]["metadata"], test["metadata"]):
        assert labelled["labels"][version] == "mine" and labelled["labels"]["app.kubernetes.io/name"] == "ordem"
    assert pod["annotations"] == {checksum: "mine"}
    assert job["metadata"]["annotations"] == {"helm.sh/hook": "post-install", "helm.sh/hook-delete-policy": "before-hook-creation"}
    assert test["metadata"]["annotations"] == {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "mine"}
    ingresses = manifests.of("Ingress")
    assert len(ingresses) == 3 and all(ingress["metadata"]["annotations"][proxied] == "7" for ingress in ingresses)


PLACEMENT = {
    "nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}], "affinity": {"podAffinity": {}}, "priorityClassName": "high",
}


def placement(pod):
    return {name: pod[name] for name in PLACEMENT if name in pod}


def test_migration_and_test_pod_run_where_the_server_does_unless_they_have_a_place_of_their_own():
    """Breaks if a Job can't be scheduled on the nodes of the server's pods, or can't be kept off them."""
    own = {**PLACEMENT, "nodeSelector": {"disk": "slow"}, "priorityClassName": "low"}
    for overrides in ({}, {"migration": own, "test": own}):
        manifests = render({**PLACEMENT, "postgres": {"existingSecret": "db"}, **overrides})
        assert placement(manifests.server_pod()) == PLACEMENT
        for pod in (manifests.one("Job", "ordem-migrate")["spec"]["template"]["spec"], manifests.one("Pod", "ordem-smoke-test")["spec"]):
            assert placement(pod) == (own if overrides else PLACEMENT)


def test_migration_and_test_pod_take_labels_and_annotations():
    values = {"labels": {"a": "b"}, "annotations": {"sidecar.istio.io/inject": "false"}}
    manifests = render({"postgres": {"existingSecret": "db"}, "migration": values, "test": values})
    job = manifests.one("Job", "ordem-migrate")
    for metadata in (job["metadata"], job["spec"]["template"]["metadata"], manifests.one("Pod", "ordem-smoke-test")["metadata"]):
        assert values["labels"].items() <= metadata["labels"].items()
        assert values["annotations"].items() <= metadata["annotations"].items()


def test_an_image_by_its_digest():
    digest = f"sha256:{'0123456789abcdef' * 4}"
    manifests = render({"image": {"repository": "registry.example/ordem", "tag": "1.2.3", "digest": digest}, "postgres": {"existingSecret": "db"}})
    assert {container["image"] for _, pod in manifests.pods() for container in pod["containers"]} == {f"registry.example/ordem@{digest}"}


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_the_address_beats_that_of_the_image(address):
    environment = {variable["name"]: variable.get("value") for variable in render({"address": address}).server()["env"]}
    assert environment["ORDEM_ADDRESS"] == address


@pytest.mark.parametrize("values, ports, more", [
    ({}, [], []),
    ({"postgres": {"existingSecret": "db"}}, [53, 5353, 5432], []),
    ({"postgres": {"existingSecret": "db"}, "networkPolicy": {"dnsPorts": [], "postgresPorts": []}}, [], []),
    ({"networkPolicy": {"extraEgress": [{"ports": [{"port": 15012}]}]}}, [], [{"ports": [{"port": 15012}]}]),
    ({"postgres": {"existingSecret": "db"}, "networkPolicy": {"postgresPorts": [6432], "extraEgress": [{"to": [{"podSelector": {}}]}]}},
     [53, 5353, 6432], [{"to": [{"podSelector": {}}]}]),
])
def test_the_server_may_call_what_it_needs_and_nothing_else(values, ports, more):
    """Breaks if the traffic of a sidecar can't be allowed, or a rule without ports allows all traffic."""
    egress = render(values).one("NetworkPolicy")["spec"]["egress"]
    first, rest = (egress[0], egress[1:]) if ports else (None, egress)
    assert rest == more
    if first:
        assert first.keys() == {"ports"}
        assert sorted({rule["port"] for rule in first["ports"]}) == ports
        assert {rule["port"] for rule in first["ports"] if rule["protocol"] == "UDP"} == {53, 5353}


@every_values
def test_everything_belongs_to_the_release(values):
    for manifest in render(values).all:
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == RELEASE and labels["app.kubernetes.io/managed-by"] == "Helm"
        assert len(manifest["metadata"]["name"]) <= 63


@pytest.mark.parametrize("version", KUBERNETES)
def test_budget_in_the_version_that_the_cluster_has(version):
    budget = render({}, "--kube-version", version).one("PodDisruptionBudget")
    assert budget["apiVersion"] == ("policy/v1beta1" if version.startswith("1.20.") else "policy/v1")


def test_an_older_kubernetes_is_refused():
    result = helm("template", RELEASE, CHART, "--kube-version", "1.19.0")
    assert result.returncode != 0 and "1.20" in result.stderr


def test_selectors_find_the_pods_that_they_are_for():
    manifests = render({"postgres": {"enabled": True}})
    labels = {name: manifests.one("StatefulSet", name)["spec"]["template"]["metadata"]["labels"] for name in ("ordem", "ordem-postgres")}

    def found(selector):
        return {name for name, has in labels.items() if selector.items() <= has.items()}

    assert found(manifests.one("Service")["spec"]["selector"]) == {"ordem"}
    assert found(manifests.one("Service", "ordem-headless")["spec"]["selector"]) == {"ordem"}
    assert found(manifests.one("Service", "ordem-postgres")["spec"]["selector"]) == {"ordem-postgres"}
    for kind, name in (("StatefulSet", "ordem"), ("StatefulSet", "ordem-postgres"), ("PodDisruptionBudget", "ordem")):
        assert found(manifests.one(kind, name)["spec"]["selector"]["matchLabels"]) == {name}
    for name in labels:
        assert found(manifests.one("NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"]) == {name}


# A cluster.


def environment_of(container):
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


def test_each_engine_of_a_cluster_has_a_name_and_finds_the_log():
    manifests = render(A_CLUSTER)
    assert manifests.one("StatefulSet")["spec"]["replicas"] == 3
    environment = environment_of(manifests.server())
    assert environment["ORDEM_CLUSTER"] == "ordem"
    assert environment["ORDEM_NODE"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert environment["ORDEM_NODE_ADDRESS"] == f"$(ORDEM_NODE).{RELEASE}-headless.{NAMESPACE}.svc:8080"
    source = environment["ORDEM_NATS"]["secretKeyRef"]
    assert manifests.one("Secret", source["name"])["stringData"][source["key"]] == NATS_URLS


def test_the_password_of_nats_is_in_secrets_only():
    kinds = [manifest["kind"] for manifest in render(A_CLUSTER).all if SECRET in json.dumps(manifest)]
    assert kinds == ["Secret", "Secret"]


def test_engines_without_a_cluster_know_of_none():
    assert not any("cluster" in name.lower() or "nats" in name.lower() for name in environment_of(render().server()))
    assert "cluster-init" not in rendered_text()


def test_the_log_is_made_before_the_engines_start(tmp_path):
    """Breaks if the Job's command or its variables are not what the program takes: it then gets as far as a NATS that is not there."""
    manifests = render({**A_CLUSTER, "cluster": {**A_CLUSTER["cluster"], "init": {"maxBytes": "1GiB"}}})
    job = manifests.one("Job", f"{RELEASE}-cluster-init")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    container = job["spec"]["template"]["spec"]["containers"][0]
    source = environment_of(container)["ORDEM_NATS"]["secretKeyRef"]
    secret = manifests.one("Secret", source["name"])
    assert secret["metadata"]["annotations"]["helm.sh/hook-weight"] == "-1"
    assert secret["stringData"][source["key"]] == NATS_URLS

    ended = run_ordem(*container["args"], environment={"ORDEM_CLUSTER": "ordem", "ORDEM_NATS": "nats://127.0.0.1:1"}, folder=tmp_path)
    assert ended.returncode == 1 and "no server can be reached" in ended.stderr


@pytest.mark.parametrize("kind, name", [("StatefulSet", RELEASE), ("Job", f"{RELEASE}-cluster-init")])
def test_files_for_nats_are_where_the_settings_say(kind, name):
    manifests = render({"replicas": 3, "cluster": {"enabled": True, "nats": {
        "existingSecret": "nats", "credentialsSecret": "user", "caSecret": "ca", "certificateSecret": "client"}}})
    pod = manifests.one(kind, name)["spec"]["template"]["spec"]
    environment = environment_of(pod["containers"][0])
    assert environment["ORDEM_NATS"]["secretKeyRef"] == {"name": "nats", "key": "urls"}
    volumes = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
    files = {}
    for mount in pod["containers"][0]["volumeMounts"]:
        for item in volumes.get(mount["name"], {}).get("items", ()):
            files[f"{mount['mountPath']}/{item['path']}"] = volumes[mount["name"]]["secretName"]
    asked = {setting: files[environment[f"ORDEM_NATS_{setting}"]] for setting in ("CREDENTIALS", "CA", "CERTIFICATE", "KEY")}
    assert asked == {"CREDENTIALS": "user", "CA": "ca", "CERTIFICATE": "client", "KEY": "client"}


def test_engines_stay_away_from_each_other_and_from_nats():
    rules = render(A_CLUSTER).server_pod()["affinity"]["podAntiAffinity"]
    engines, = rules["requiredDuringSchedulingIgnoredDuringExecution"]
    assert engines["labelSelector"]["matchLabels"].items() <= render(A_CLUSTER).one("StatefulSet")["spec"]["template"]["metadata"]["labels"].items()
    nats, = rules["preferredDuringSchedulingIgnoredDuringExecution"]
    assert nats["podAffinityTerm"]["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": "nats"}
    assert nats["podAffinityTerm"]["namespaceSelector"] == {}

    near = render({**A_CLUSTER, "cluster": {**A_CLUSTER["cluster"], "antiAffinity": "preferred"}}).server_pod()["affinity"]["podAntiAffinity"]
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in near and len(near["preferredDuringSchedulingIgnoredDuringExecution"]) == 2
    assert render({**A_CLUSTER, "affinity": {"nodeAffinity": {}}}).server_pod()["affinity"] == {"nodeAffinity": {}}


def test_an_engine_of_a_cluster_is_ready_when_it_routes_requests():
    assert [probe["path"] for probe in probes(render(A_CLUSTER))] == ["/-/live", "/-/live", "/-/ready"]


def test_engines_may_call_nats():
    first = render(A_CLUSTER).one("NetworkPolicy")["spec"]["egress"][0]
    assert {"port": 4222, "protocol": "TCP"} in first["ports"]


# Postgres.


def test_a_password_is_in_secrets_only():
    kinds = [manifest["kind"] for manifest in render({"postgres": {"url": URL}}).all if SECRET in json.dumps(manifest)]
    assert kinds == ["Secret", "Secret"]


def url_source(container):
    sources = [variable["valueFrom"]["secretKeyRef"] for variable in container["env"] if variable["name"] == "ORDEM_POSTGRES_URL"]
    return (sources[0]["name"], sources[0]["key"]) if sources else None


@pytest.mark.parametrize("postgres, secret, hooks", [
    ({"existingSecret": "db", "existingSecretKey": "address"}, ("db", "address"), "pre-install,pre-upgrade"),
    ({"url": URL}, ("ordem-migrate", "url"), "pre-install,pre-upgrade"),
    ({"enabled": True}, ("ordem-postgres", "url"), "post-install,post-upgrade"),
], ids=["a Secret that is there", "url", "bundled"])
def test_the_migration_runs_when_all_that_it_needs_is_there(postgres, secret, hooks):
    manifests = render({"postgres": postgres})
    job = manifests.one("Job", "ordem-migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == hooks
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][0] == "migrate" and container["image"] == manifests.server()["image"]
    assert url_source(container) == secret
    # Hooks run before or after the release's Secrets are created.
    own = {manifest["metadata"]["name"]: manifest["metadata"].get("annotations", {}) for manifest in manifests.of("Secret")}
    if hooks.startswith("pre-") and secret[0] in own:
        assert own[secret[0]]["helm.sh/hook"] == hooks and int(own[secret[0]]["helm.sh/hook-weight"]) < 0
    assert url_source(manifests.server()) == (secret if secret[0] != "ordem-migrate" else ("ordem", "url"))


def test_without_postgres_there_is_no_migration():
    manifests = render()
    assert not manifests.of("Job") and url_source(manifests.server()) is None
    assert not any("url" in secret["stringData"] for secret in manifests.of("Secret"))


def test_the_bundled_postgres_and_its_address_have_one_password():
    manifests = render({"postgres": {"enabled": True}})
    secret = manifests.one("Secret", "ordem-postgres")
    assert f":{secret['stringData']['password']}@ordem-postgres:5432/" in secret["stringData"]["url"]
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_a_configured_password_of_the_bundled_postgres_is_the_same_in_each_render():
    """Breaks if a rendering without a cluster gives the engine another password than the volume has."""
    texts = {rendered_text({"postgres": {**BUNDLED, "password": SECRET}, "auth": {"mode": "none"}}) for _ in range(2)}
    assert len(texts) == 1 and f"postgresql://ordem:{SECRET}@ordem-postgres:5432/ordem" in texts.pop()


# Identities, TLS and listeners.


def secret_volumes(manifests):
    """Returns {mount path: (Secret, {file: member})} of the server."""
    volumes = {volume["name"]: volume["secret"] for volume in manifests.server_pod()["volumes"] if "secret" in volume}
    mounted = {mount["mountPath"]: volumes[mount["name"]] for mount in manifests.server()["volumeMounts"] if mount["name"] in volumes}
    for secret in mounted.values():
        assert secret["defaultMode"] == 0o440
    return {path: (secret["secretName"], {item["path"]: item["key"] for item in secret["items"]}) for path, secret in mounted.items()}


def set_in(manifests):
    """Returns {name: value} of the server's configuration file."""
    return dict(re.findall(r'^([a-z-]+) = "(.*)"$', manifests.configuration(), re.MULTILINE))


def test_requests_need_a_key_that_only_its_secret_holds():
    """Breaks if the service is open by default, the generated key is malformed, or the keys file holds it instead of its hash."""
    manifests = render()
    key = manifests.one("Secret", "ordem-trial-key")["stringData"]["key"]
    assert KEY.fullmatch(key) and key[-8:] == sha256_of(key[:-8])[:8]
    assert manifests.one("Secret", "ordem-keys")["stringData"]["keys"].split() == [
        "name=trial", "scopes=orders:read,orders:write,messages:read,captures", f"key=sha256:{sha256_of(key)}"]
    assert sum(key in json.dumps(manifest) for manifest in manifests.all) == 1
    assert set_in(manifests)["auth"] == "required"
    assert manifests.server()["args"][-2:] == ["--keys", "/etc/ordem-keys/keys"]
    assert secret_volumes(manifests) == {"/etc/ordem-keys": ("ordem-keys", {"keys": "keys"})}


def test_two_renderings_have_different_keys():
    assert len({KEY.search(rendered_text())[0] for _ in range(2)}) == 2


def test_keys_of_the_values_are_the_lines_of_the_file():
    def lines(**auth):
        return render({"auth": auth}).one("Secret", "ordem-keys")["stringData"]["keys"].splitlines()

    assert lines(keys=[A_LINE], trialKey=False) == [A_LINE]
    first, second = lines(keys=[A_LINE])
    assert first == A_LINE and second.startswith("name=trial ")


def test_a_new_key_does_not_restart_the_pod():
    pods = [render({"auth": {"keys": keys, "trialKey": False}}).one("StatefulSet") for keys in ([A_LINE], [A_LINE, A_LINE.replace("7", "8")])]
    assert pods[0] == pods[1]


def test_a_secret_with_keys_is_mounted_and_none_is_made():
    manifests = render({"auth": {"existingSecret": "clients", "existingSecretKey": "file"}})
    assert not manifests.of("Secret")
    assert secret_volumes(manifests) == {"/etc/ordem-keys": ("clients", {"keys": "file"})}
    assert "env" not in manifests.one("Pod", "ordem-smoke-test")["spec"]["containers"][0]


def test_tokens_alone_need_no_keys_file():
    manifests = render({"auth": {"trialKey": False}, "config": {"jwks": "https://login.example/keys", "jwt-issuer": "i", "jwt-audience": "a"}})
    assert not manifests.of("Secret") and not secret_volumes(manifests)
    assert "--keys" not in manifests.server()["args"] and set_in(manifests)["jwks"] == "https://login.example/keys"
    [rule] = manifests.one("NetworkPolicy")["spec"]["egress"]
    assert sorted({port["port"] for port in rule["ports"]}) == [53, 443, 5353]


def test_without_identities_only_if_the_values_say_so():
    manifests = render({"auth": {"mode": "none"}})
    assert set_in(manifests)["auth"] == "none" and "--keys" not in manifests.server()["args"]
    assert not manifests.of("Secret") and not secret_volumes(manifests)
    assert "auth-captures" not in set_in(render({"auth": {"mode": "none", "captures": "none"}}))


def test_certificates_are_mounted_and_everything_speaks_tls():
    """Breaks if a probe, Prometheus or the ingress would speak plain HTTP to a server with TLS."""
    manifests = render({"tls": {"existingSecret": "cert", "clientCaSecret": "authorities", "clientCaSecretKey": "ca.pem"},
                        "serviceMonitor": {"enabled": True}, "ingress": {"enabled": True, "captures": True}})
    configured = set_in(manifests)
    for setting, secret, file, member in (("tls-certificate", "cert", "tls.crt", "tls.crt"), ("tls-key", "cert", "tls.key", "tls.key"),
                                          ("tls-client-ca", "authorities", "ca.pem", "ca.pem")):
        folder, _, name = configured[setting].rpartition("/")
        assert name == file and secret_volumes(manifests)[folder][0] == secret and secret_volumes(manifests)[folder][1][file] == member
    assert {probe["scheme"] for probe in probes(manifests)} == {"HTTPS"}
    [endpoint] = manifests.one("ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["scheme"] == "https" and endpoint["tlsConfig"] == {"insecureSkipVerify": True}
    for ingress in manifests.of("Ingress"):
        assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"
    assert {"name": "TLS", "value": "yes"} in manifests.one("Pod", "ordem-smoke-test")["spec"]["containers"][0]["env"]


def test_without_a_certificate_nothing_speaks_tls():
    manifests = render({"serviceMonitor": {"enabled": True}, "ingress": {"enabled": True}})
    text = json.dumps([manifest for manifest in manifests.all if manifest["metadata"]["name"] != "ordem-smoke-test"])
    assert "HTTPS" not in text and "scheme" not in text and "tls" not in text


def test_hosts_are_those_of_ingress_and_services():
    """Breaks if a client inside the cluster, or `helm test`, is refused for the name that it uses."""
    values = {"ingress": {"enabled": True, "host": "orders.example"}, "captures": {"port": 8082}, "allowedHosts": ["shop.example"]}
    hosts = set_in(render(values))["allowed-hosts"].split(",")
    assert hosts[:2] == ["orders.example", "shop.example"] and len(hosts) == 2 + 3 * 4
    manifests = render(values)
    for service in manifests.of("Service"):
        for suffix in ("", ".shop", ".shop.svc", ".shop.svc.cluster.local"):
            assert service["metadata"]["name"] + suffix in hosts
    assert manifests.one("Pod", "ordem-smoke-test")["spec"]["containers"][0]["command"][2] in hosts


@pytest.mark.parametrize("values, hosts", [
    ({}, None),
    ({"ingress": {"enabled": True}}, None),
    ({"ingress": {"host": "orders.example"}}, None),
    ({"ingress": {"enabled": True, "host": "orders.example"}, "allowedHosts": ["*"]}, "*"),
])
def test_hosts_are_not_checked_without_a_name_or_by_a_star(values, hosts):
    assert set_in(render(values)).get("allowed-hosts") == hosts


def ports_of(service):
    return [port["name"] for port in service["spec"]["ports"]]


def test_operations_are_on_a_port_of_their_own():
    """Breaks if metrics, which need no identity there, can be reached through the Service or the Ingress."""
    manifests = render({"operations": {"port": 9000}, "address": "::", "ingress": {"enabled": True}})
    assert (set_in(manifests)["operations-port"], set_in(manifests)["operations-address"]) == ("9000", "::")
    assert {"name": "operations", "containerPort": 9000} in manifests.server()["ports"]
    assert ports_of(manifests.one("Service")) == ["http"] and ports_of(manifests.one("Service", "ordem-headless")) == ["http", "operations"]
    backends = {path["backend"]["service"]["port"]["name"] for ingress in manifests.of("Ingress")
                for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]}
    assert backends == {"http"}


EVERY_POD = [{"namespaceSelector": {}}]
PROMETHEUS = [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
KONG = [{"podSelector": {"matchLabels": {"app": "kong"}}}]


@pytest.mark.parametrize("values, expected", [
    ({}, {"http": None}),
    ({"serviceMonitor": {"enabled": True}}, {"http": None, "operations": EVERY_POD}),
    ({"serviceMonitor": {"enabled": True}, "networkPolicy": {"operationsFrom": PROMETHEUS}}, {"http": None, "operations": PROMETHEUS}),
    ({"networkPolicy": {"operationsFrom": PROMETHEUS}}, {"http": None, "operations": PROMETHEUS}),
    ({"captures": {"port": 8082}}, {"http": None, "captures": None}),
    ({"captures": {"port": 8082}, "networkPolicy": {"capturesFrom": KONG}}, {"http": None, "captures": KONG}),
])
def test_who_may_call_each_port(values, expected):
    """Breaks if the open port of operations can be called by pods that need not."""
    rules_of = render(values).one("NetworkPolicy")["spec"]["ingress"]
    assert {rule["ports"][0]["port"]: rule.get("from") for rule in rules_of} == expected


def test_captures_without_identity_have_a_port_of_their_own():
    manifests = render({"auth": {"captures": "none"}, "captures": {"port": 8082}})
    configured = set_in(manifests)
    assert (configured["auth"], configured["auth-captures"], configured["captures-port"]) == ("required", "none", "8082")
    assert ports_of(manifests.one("Service", "ordem-captures")) == ["captures"]
    assert manifests.one("Service", "ordem-captures")["spec"]["selector"] == manifests.one("Service")["spec"]["selector"]
    assert not [service for service in render().of("Service") if service["metadata"]["name"] == "ordem-captures"]


def test_the_monitor_finds_the_port_and_keeps_the_name_of_the_service():
    manifests = render({"serviceMonitor": {"enabled": True}})
    spec = manifests.one("ServiceMonitor")["spec"]
    found = [service for service in manifests.of("Service") if spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()]
    [endpoint] = spec["endpoints"]
    assert [service["metadata"]["name"] for service in found if endpoint["port"] in ports_of(service)] == ["ordem-headless"]
    assert endpoint["relabelings"] == [{"targetLabel": "service", "replacement": "ordem"}]


# The chart and the program.


def test_config_takes_exactly_the_settings_of_the_program():
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["properties"]["config"]["properties"].keys() == helped_options().keys() - NOT_IN_CONFIG
    assert EVERY_SETTING.keys() == helped_options().keys() - NOT_IN_CONFIG


def test_a_read_only_engine_stays_behind_its_service(launch, database, tmp_path):
    """Breaks if a read-only engine loses its reads too."""
    assert run_ordem("migrate", "--postgres-url", database).returncode == 0
    accepted_order(create().send(launch("--postgres-url", database).client()), 201)
    client = launch("--postgres-url", database, folder=tmp_path / "with another log").client()
    poll_until(lambda: client.get("/-/ready").status == 503, "the engine is read-only")
    assert client.get(render().server()["readinessProbe"]["httpGet"]["path"]).status == 200


def test_the_program_takes_every_setting_as_rendered(launch, tmp_path):
    configuration = tmp_path / "ordem.conf"
    manifests = render({"config": EVERY_SETTING})
    configuration.write_text(manifests.configuration())
    (tmp_path / "keys").write_text(manifests.one("Secret", "ordem-keys")["stringData"]["keys"])
    server = launch("--config", configuration, "--keys", tmp_path / "keys", "--operations-port=0")
    logged = {entry["name"]: entry["value"] for entry in server.logs() if entry["message"] == "setting"}
    assert {name: logged[name] for name in EVERY_SETTING} == {name: str(value) for name, value in EVERY_SETTING.items()}


def test_the_chart_computes_with_the_defaults_of_the_program():
    text = (CHART / "templates/_helpers.tpl").read_text()
    start = text.index("$defaults := dict")
    known = dict(re.findall(r'"([a-z-]+)" "(\w+)"', text[start:text.index("-}}", start)]))
    assert "drain-timeout" in known and known == {name: helped_options()[name] for name in known}


def probes(manifests):
    return [manifests.server()[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]


@pytest.mark.parametrize("path", ["/-/live", "/-/ready/reads"])
def test_probes_ask_what_the_server_answers(launch, path):
    asked = probes(render())
    assert [probe["path"] for probe in asked] == ["/-/live", "/-/live", "/-/ready/reads"]
    assert {probe["port"] for probe in asked} == {"operations"}
    assert launch().client().get(path).status == 200


@pytest.mark.parametrize("drain, seconds", [("20s", 20), ("1500ms", 2), ("2m", 120), ("1h", 3600), ("1 s", 1)])
def test_the_grace_outlasts_the_drain(drain, seconds):
    pod = render({"config": {"drain-timeout": drain}, "preStopSeconds": 7, "flushSeconds": 11}).server_pod()
    assert pod["terminationGracePeriodSeconds"] == seconds + 7 + 11
    assert pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "7"]


def test_a_change_of_settings_restarts_the_pod():
    def annotations(**values):
        return render(values).one("StatefulSet")["spec"]["template"]["metadata"]["annotations"]

    variants = [annotations(), annotations(config={"io-threads": 1}), *(annotations(postgres={"url": url}) for url in (URL, URL + "2"))]
    assert all(variants.count(one) == 1 for one in variants)


# Monitoring.


@functools.cache
def rules(**config):
    values = {**A_CLUSTER, "prometheusRule": {"enabled": True}, "postgres": {"existingSecret": "db"}, "config": config}
    return render(values).one("PrometheusRule")["spec"]


def alerts(spec):
    """Returns {name: (expression, duration, labels)} of the alerts of one group; the expressions apply to any server."""
    [group] = spec["groups"]
    selectors = re.compile(r'\{namespace="shop",service="ordem"(,|\})')
    return {rule["alert"]: (" ".join(selectors.sub(lambda found: "{" if found[1] == "," else "", rule["expr"]).split()),
                            rule["for"], rule["labels"]) for rule in group["rules"]}


def test_alerts_are_rules_of_prometheus(tmp_path):
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rules()))
    assert_prometheus_takes("rules", file)


def test_alerts_ask_for_metrics_that_the_server_has(launch, database, tmp_path):
    served = metrics_of_everything(launch, database, tmp_path) + metrics_of_a_node()
    expressions = "\n".join(rule["expr"] for rule in rules()["groups"][0]["rules"])
    names = set(re.findall(r"\b(ordem_\w+)\{", expressions))
    assert len(names) >= 12
    for name in names:
        assert re.search(rf"^{name}(\{{| )", served, re.MULTILINE), name


def test_alerts_know_the_bounds():
    of_chart = alerts(rules(**{"max-in-flight": 1000, "persist-backlog-max": "3GiB"}))
    assert of_chart["OrdemIsFull"][0].endswith("> 800")
    assert of_chart["OrdemBacklogGrows"][0].endswith(f"> {3 * 1024**3 // 2}")


def test_alerts_are_those_beside_compose():
    """Breaks if an alert is changed in only one of the two places."""
    of_chart = alerts(rules())
    of_compose = alerts(yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text()))
    # The two places find a missing server by different labels.
    assert of_chart.pop("OrdemIsAway")[1:] == of_compose.pop("OrdemIsAway")[1:]
    assert of_chart == of_compose


def test_runbooks_are_where_they_are_published():
    """Breaks if the address of an alert's runbook is not the one of the values, or names another alert."""
    published = "https://docs.example/operations.md"
    made = render({**A_CLUSTER, "prometheusRule": {"enabled": True, "runbooks": published}, "postgres": {"existingSecret": "db"}})
    for rule in made.one("PrometheusRule")["spec"]["groups"][0]["rules"]:
        assert rule["annotations"]["runbook_url"] == f"{published}#{rule['alert'].lower()}"


# `helm test`.


def run_smoke_test(port, **variables):
    return subprocess.run(["bash", CHART / "files/smoke_test.bash", "127.0.0.1", str(port)], env={"PATH": os.environ["PATH"], **variables},
                          capture_output=True, text=True, check=False, timeout=settings.COMMAND_SECONDS_MAX)


def test_the_smoke_test_passes_on_a_server(launch):
    server = launch()
    for _ in range(2):
        result = run_smoke_test(server.port, IDENTITY="none")
        assert result.returncode == 0 and "passed" in result.stdout, result.stderr
    with server.client() as client:
        assert [order["version"] for order in client.get_orders_of("helm-test")] == [2, 2]


@pytest.fixture
def keyed(launch, tmp_path):
    """A server with the identities and the listeners of the default rendering, and the generated key."""
    manifests = render()
    for name, text in (("ordem.conf", manifests.configuration()), ("keys", manifests.one("Secret", "ordem-keys")["stringData"]["keys"])):
        (tmp_path / name).write_text(text)
    key = manifests.one("Secret", "ordem-trial-key")["stringData"]["key"]
    return launch("--config", tmp_path / "ordem.conf", "--keys", tmp_path / "keys", "--operations-port=0"), key


def test_the_generated_key_may_use_everything_but_operations(keyed):
    """Breaks if the hash that the chart computes is not that of its key, or metrics are on the port of clients."""
    server, key = keyed
    client = server.client()
    assert create().send(client).status == 401
    client.key = key
    order = accepted_order(create().send(client), 201)
    assert client.get_order(order["order_id"]) == order and order["actor"] == "trial"
    assert client.exchange(allocation_bytes(new_key())).status == 202
    assert client.get("/metrics").status == 403


def test_the_smoke_test_uses_its_key(keyed):
    server, key = keyed
    result = run_smoke_test(server.port, API_KEY=key)
    assert result.returncode == 0 and "passed: order" in result.stdout, result.stderr


def test_the_smoke_test_without_a_key_tests_that_requests_are_refused(keyed, launch, tmp_path):
    result = run_smoke_test(keyed[0].port)
    assert result.returncode == 0 and "refuses requests without a key" in result.stdout, result.stderr
    open_to_all = run_smoke_test(launch(folder=tmp_path / "open").port)
    assert open_to_all.returncode != 0 and "without a key: status '201' instead of 401" in open_to_all.stderr


def test_the_smoke_test_notices_a_wrong_key(keyed):
    server, key = keyed
    result = run_smoke_test(server.port, API_KEY=key[:-1] + ("0" if key[-1] != "0" else "1"))
    assert result.returncode != 0 and "create: status '401'" in result.stderr


def test_the_smoke_test_by_tls(launch, tmp_path):
    pair = Authority(tmp_path / "certificates", "Test CA").issue("server", "/CN=orders.example", names="DNS:orders.example")
    server = OrdemServer(tmp_path / "data", f"--tls-certificate={pair.certificate}", f"--tls-key={pair.key}").wait_listening()
    with server:
        result = run_smoke_test(server.port, IDENTITY="none", TLS="yes")
        assert result.returncode == 0 and "passed" in result.stdout, result.stderr
        assert run_smoke_test(server.port, IDENTITY="none").returncode != 0


def test_the_smoke_test_notices_a_server_that_forgets():
    body = b'{"code":201,"message":"order created","order":{"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":1}}'
    with ScriptedServer(answer_bytes(201, (("Connection", "close"),), body)) as server:
        result = run_smoke_test(server.port, IDENTITY="none")
    assert result.returncode != 0 and "'Idempotency-Replayed: true' is missing" in result.stderr


def test_the_test_pod_runs_the_smoke_test_against_the_service():
    manifests = render({"service": {"port": 80}})
    command = manifests.one("Pod", "ordem-smoke-test")["spec"]["containers"][0]["command"]
    assert command == ["bash", "/smoke-test/smoke_test.bash", manifests.one("Service")["metadata"]["name"], "80"]
    script = manifests.one("ConfigMap", "ordem-smoke-test")["data"]["smoke_test.bash"]
    assert script.split() == (CHART / "files/smoke_test.bash").read_text().split()
