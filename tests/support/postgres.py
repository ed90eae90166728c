"""Starts, watches and ends a private PostgreSQL for the tests: in a temporary folder, on a unix socket, without TCP.

    postgres = start_postgres()               with fsync, for tests that kill it
    postgres = start_postgres(fsync=False)    quicker, for all others
    url = postgres.create_database()          a fresh database; its URL
    url = postgres.copy_database(url)         a copy of one
    with postgres.connect(url) as connection: a psycopg2 connection
    postgres.back_up(url); postgres.put_back(url, back_up)
    postgres.stop(); postgres.kill(); postgres.start(); postgres.kill_backend(pid); postgres.remove()

Postgres refuses to run as root. As root the tests run it as the user postgres, or as the user nobody if there is none. Every process
is ended by its pid.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg2

from support import settings
from support.concurrency import poll_until

BINARIES = Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 107  # the longest path in a socket address
READY = "database system is ready to accept connections"  # the log line after a start or a recovery
# Members of this role need a password, all others do not.
PASSWORD_ROLE = "needs_password"
ACCESS_RULES = f"local all +{PASSWORD_ROLE} scram-sha-256\nlocal all all trust\n"


def unprivileged_user():
    """Returns the user that Postgres runs as; None for the user of the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("root can't run Postgres, and there is neither a user postgres nor nobody")


def children_of(pid):
    """Returns the pids of all direct children; none if the process has ended."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def has_ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def name_of(url):
    return url.partition("?")[0].rpartition("/")[2]


class Postgres:
    """One database cluster, and the server on it while it runs."""

    def __init__(self, fsync=True, connections=50):
        self._fsync = fsync
        self._connections = connections
        self._user = unprivileged_user()
        self._process = None
        self._databases = 0
        self._starts_awaited = 0  # the number of READY lines in the log after which wait_ready() returns
        # Directly under /tmp, because the paths of pytest's folders are too long for a socket and not accessible to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="ordem-pg-", dir="/tmp"))
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        socket_path = str(self.folder / SOCKET_NAME)
        assert len(socket_path.encode()) <= SOCKET_PATH_BYTES_MAX, f"{socket_path} is too long for a socket"
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        try:
            self._make_cluster()
        except BaseException:
            self.remove()
            raise

    # The server as a process.

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def start(self):
        """Starts the server and waits until it accepts connections, after a kill including its recovery."""
        assert not self.is_running(), "Postgres is running already"
        self._await_one_more_start()
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [
                    BINARIES / "postgres", "-D", self._data, "-k", self.folder, "-c", "listen_addresses=",
                    "-c", f"fsync={'on' if self._fsync else 'off'}", "-c", f"max_connections={self._connections}",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_user(),
            )
        self.wait_ready()
        return self

    def wait_ready(self):
        """Waits until the server accepts connections; after kill_backend() until its recovery is complete. The postmaster accepts some
        before it notices the death."""
        poll_until(
            lambda: self.log().count(READY) >= self._starts_awaited and self._takes_connections(), "Postgres takes connections",
            settings.START_SECONDS_MAX,
        )

    def _await_one_more_start(self):
        self._starts_awaited = self.log().count(READY) + 1

    def stop(self):
        """Shuts down fast: ends the sessions, and keeps all committed data."""
        self._process.send_signal(signal.SIGINT)
        self._wait()

    def kill(self):
        """SIGKILL to the postmaster and all of its children: a crash of the whole server."""
        # Suspended first, so that it starts no child while its children are counted.
        self._process.send_signal(signal.SIGSTOP)
        children = children_of(self.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._wait()
        poll_until(lambda: all(map(has_ended, children)), "the children of Postgres have ended")

    def kill_backend(self, pid):
        """SIGKILL to one backend; the postmaster then ends all others and recovers."""
        assert pid in children_of(self.pid), f"process {pid} is no backend of this server"
        self._await_one_more_start()
        os.kill(pid, signal.SIGKILL)

    def remove(self):
        """Ends the server in any state, and removes its folder."""
        if self.is_running():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    # Databases.

    def url(self, database="postgres", user=SUPERUSER, password=None):
        secret = "" if password is None else ":" + quote(password, safe="")
        return f"postgresql://{user}{secret}@/{database}?host={quote(str(self.folder), safe='')}"

    @contextlib.contextmanager
    def connect(self, url):
        """A connection in autocommit mode; closed at the end."""
        connection = psycopg2.connect(url, connect_timeout=settings.ANSWER_SECONDS_MAX)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def run(self, url, sql, values=None):
        """Runs SQL; returns the rows, if there are any."""
        with self.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, template="template0"):
        """Creates an empty database; returns its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.run(self.url(), f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def copy_database(self, url):
        """Copies a database that has no connections; returns the URL of the copy."""
        return self.create_database(name_of(url))

    def back_up(self, url):
        """Copies a database with connected clients, which lose their connections and can reconnect afterwards. Returns the URL of the
        copy."""
        name = name_of(url)
        self.run(self.url(), f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            self.run(self.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            return self.copy_database(url)
        finally:
            self.run(self.url(), f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def put_back(self, url, back_up):
        """Replaces a database by its back-up. Connected clients lose their connections."""
        self.run(self.url(), f"DROP DATABASE {name_of(url)} WITH (FORCE)")
        self.run(self.url(), f"CREATE DATABASE {name_of(url)} TEMPLATE {name_of(back_up)}")

    def _as_user(self):
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _make_cluster(self):
        made = subprocess.run(
            [
                BINARIES / "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}",
                self._data,
            ],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=self.folder,
            timeout=settings.START_SECONDS_MAX, **self._as_user(),
        )
        assert made.returncode == 0, f"initdb has failed:\n{made.stdout}{made.stderr}"
        (self._data / "pg_hba.conf").write_text(ACCESS_RULES)

    def _takes_connections(self):
        assert self.is_running(), f"Postgres has ended:\n{self.log()}"
        try:
            with self.connect(self.url()):
                return True
        except psycopg2.OperationalError:
            return False

    def _wait(self):
        try:
            self._process.wait(settings.STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"Postgres did not end in time:\n{self.log()}") from None


def start_postgres(fsync=True, connections=50):
    postgres = Postgres(fsync, connections)
    try:
        postgres.start()
        postgres.run(postgres.url(), f"CREATE ROLE {PASSWORD_ROLE} NOLOGIN")
        return postgres
    except BaseException:
        postgres.remove()
        raise
