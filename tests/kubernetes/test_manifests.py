"""The API server accepts what the chart renders: it refuses unknown members, and objects that fail admission. The objects of
Prometheus' operator are left out, because the server lacks their kinds."""

import pytest

from support.helm import rendered_text

NAMESPACE = "manifests"

VALUES = {
    "default": {},
    "everything": {
        "config": {"message-ttl": "48h", "durability": "postgres"},
        "postgres": {"existingSecret": "orders-postgres"},
        "image": {"pullSecrets": ["registry"]},
        "service": {"type": "NodePort", "annotations": {"example.org/owner": "shop"}},
        "ingress": {"enabled": True, "host": "orders.example.org", "captures": True, "tls": {"secretName": "orders-tls"},
                    "annotations": {"example.org/zone": "a"}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "orders", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                                       "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "ordem"}}}],
        "podAnnotations": {"example.org/team": "orders"},
        "podLabels": {"team": "orders"},
        "extraEnv": [{"name": "ORDEM_LOG_LEVEL", "value": "warning"}],
        "extraVolumes": [{"name": "certificates", "secret": {"secretName": "postgres-ca"}}],
        "extraVolumeMounts": [{"name": "certificates", "mountPath": "/etc/certificates", "readOnly": True}],
        "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"name": "ingress-nginx"}}}]},
        "serviceAccount": {"annotations": {"example.org/role": "orders"}},
    },
    "postgres of the chart": {"postgres": {"enabled": True}},
    "TLS, keys and captures": {"tls": {"existingSecret": "cert", "clientCaSecret": "ca"}, "captures": {"port": 8082},
                               "auth": {"existingSecret": "keys", "captures": "none"},
                               "networkPolicy": {"operationsFrom": [{"namespaceSelector": {}}]}},
    "without identities": {"auth": {"mode": "none"}},
    "postgres by URL": {"postgres": {"url": "postgresql://ordem:secret@db.example/orders"}},
    "maintenance": {"maintenance": True},
}


@pytest.fixture(scope="module")
def namespace(cluster):
    cluster.kubectl("create", "namespace", NAMESPACE)
    return NAMESPACE


def dry_run(cluster, namespace, manifests):
    """Submits the manifests to the API server as a dry run; returns its response to each."""
    return cluster.kubectl("apply", "--dry-run=server", f"--namespace={namespace}", "--filename=-", text_in=manifests).splitlines()


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_rendered_manifests_fit_the_schemas(cluster, namespace, values):
    manifests = rendered_text(values, "--validate", "--namespace", namespace)
    taken = dry_run(cluster, namespace, manifests)
    assert len(taken) == sum(line.startswith("kind: ") for line in manifests.splitlines()), f"{taken}\n{manifests}"
    assert all(line.endswith("(server dry run)") for line in taken), taken


def test_a_misspelled_member_is_refused(cluster, namespace):
    """Proves that the test above can fail."""
    manifests = rendered_text().replace("automountServiceAccountToken", "autoMountServiceAccountToken")
    with pytest.raises(AssertionError, match="unknown field"):
        dry_run(cluster, namespace, manifests)
