"""One cluster for all tests of this folder, in the namespaces that tests/kubernetes/run has created."""

import os
from pathlib import Path

import pytest

from cluster import Cluster

IMAGES = ("pause", "postgres", "ordem", "ordem-next")


@pytest.fixture(scope="session")
def cluster():
    folder = os.environ.get("ORDEM_CLUSTER_FOLDER", "")
    assert folder, "tests/kubernetes/run starts these tests"
    with Cluster(folder) as running:
        for image in IMAGES:
            running.load_image(Path(folder) / "images" / f"{image}.tar")
        running.wait_node_ready()
        # For helm and the commands of the page.
        with pytest.MonkeyPatch.context() as environment:
            for name, value in running.environment().items():
                environment.setenv(name, value)
            yield running
