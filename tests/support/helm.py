"""Runs helm on the chart, and returns the rendered objects as Python values."""

import json
import subprocess
from pathlib import Path

import yaml

from support import settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/ordem"
HELM = ROOT / "tests/deploy/node_modules/.bin/helm"
RELEASE = "ordem"
NAMESPACE = "shop"
# The kinds that run pods, and the path to their pod template.
POD_TEMPLATES = {"StatefulSet": ("spec", "template"), "Job": ("spec", "template"), "Pod": ()}


def helm(*arguments, values=None):
    """Runs helm, with values as JSON on its standard input."""
    values_flags = () if values is None else ("--values", "-")
    return subprocess.run(
        [HELM, *map(str, arguments), *values_flags], input=json.dumps(values or {}), capture_output=True, text=True, check=False,
        timeout=settings.HELM_SECONDS_MAX,
    )


def rendered_text(values=None, *flags):
    result = helm("template", RELEASE, CHART, "--namespace", NAMESPACE, *flags, values=values)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Manifests:
    """The objects that the chart renders."""

    def __init__(self, text):
        self.all = [document for document in yaml.safe_load_all(text) if document]

    def of(self, kind):
        return [manifest for manifest in self.all if manifest["kind"] == kind]

    def one(self, kind, name=RELEASE):
        found = [manifest for manifest in self.of(kind) if manifest["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name} among {[(m['kind'], m['metadata']['name']) for m in self.all]}"
        return found[0]

    def pods(self):
        """Yields (manifest, specification of the pod) of every object that runs one."""
        for manifest in self.all:
            if manifest["kind"] in POD_TEMPLATES:
                holder = manifest
                for field in POD_TEMPLATES[manifest["kind"]]:
                    holder = holder[field]
                yield manifest, holder["spec"]

    def configuration(self):
        return self.one("ConfigMap")["data"]["ordem.conf"]

    def server_pod(self):
        return self.one("StatefulSet")["spec"]["template"]["spec"]

    def server(self):
        """The container of the server."""
        return self.server_pod()["containers"][0]


def render(values=None, *flags):
    return Manifests(rendered_text(values, *flags))
