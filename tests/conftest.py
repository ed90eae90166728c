"""Fixtures that the black-box tests share."""

import pytest

from support import settings
from support.ordem_server import start_server
from support.postgres import start_postgres
from support.replica import Replica
from support.small_disk import make_small_disk


def pytest_report_header():
    return f"ORDEM_SEED={settings.SEED} ORDEM_SLOW={settings.SLOW} ORDEM_CRASH_ROUNDS={settings.CRASH_ROUNDS}"


@pytest.fixture
def data_dir(tmp_path):
    """The path of a data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of FULL_DISK_BYTES; see support/small_disk.py."""
    disk = make_small_disk(tmp_path, settings.FULL_DISK_BYTES)
    yield disk
    disk.unmount()


@pytest.fixture
def launch(data_dir):
    """A function that starts a server, by default on `data_dir`. At the end, the servers that still run are stopped and checked."""
    servers = []

    def start(*flags, folder=data_dir, environment=None):
        servers.append(start_server(folder, *flags, environment=environment))
        return servers[-1]

    yield start
    try:
        for server in servers:
            server.finish()
    finally:
        for server in servers:
            if server.is_running():
                server.kill()


@pytest.fixture(scope="session")
def postgres():
    """A running Postgres that tests share and that none of them may stop or kill; it does not sync."""
    running = start_postgres(fsync=False)
    yield running
    running.remove()


@pytest.fixture
def own_postgres():
    """A running Postgres for one test, which may kill it: it syncs."""
    running = start_postgres()
    yield running
    running.remove()


@pytest.fixture
def database(postgres):
    """The URL of a fresh, empty database."""
    return postgres.create_database()


@pytest.fixture
def replica(postgres):
    """A fresh database with the tables."""
    return Replica.create(postgres)
