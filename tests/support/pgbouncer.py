"""Starts and ends a PgBouncer in front of a database of the tests' Postgres: in a separate folder, on a unix socket, without TCP.

    with pgbouncer(postgres, url, "transaction", pool_size=1) as pooled_url: ...

It refuses to run as root; the tests then run it as the same user as Postgres. It is ended by its pid.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg2

from support import settings
from support.concurrency import poll_until
from support.ingress_nginx import PROGRAMS
from support.postgres import SUPERUSER, name_of, unprivileged_user

CONFIGURATION = """
[databases]
{database} = host={server} dbname={database} pool_size={pool_size}
[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
listen_port = 6432
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
logfile = {folder}/log
"""


@contextlib.contextmanager
def pgbouncer(postgres, url, mode, pool_size=20):
    """Yields the URL of the same database behind a PgBouncer that pools sessions, transactions or statements."""
    user = unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="ordem-pgb-", dir="/tmp"))
    database = name_of(url)
    (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(
        database=database, server=postgres.folder, pool_size=pool_size, folder=folder, mode=mode))
    (folder / "users").write_text(f'"{SUPERUSER}" ""\n')
    if user:
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    process = subprocess.Popen(
        [PROGRAMS / "usr/sbin/pgbouncer", folder / "pgbouncer.ini"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "LD_LIBRARY_PATH": str(PROGRAMS / "usr/lib/x86_64-linux-gnu")},
        **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}))
    pooled = f"postgresql://{SUPERUSER}@/{database}?host={quote(str(folder), safe='')}&port=6432"

    def takes_connections():
        assert process.poll() is None, (folder / "log").read_text()
        with contextlib.suppress(psycopg2.OperationalError), postgres.connect(pooled):
            return True
        return False

    try:
        poll_until(takes_connections, "PgBouncer takes connections", settings.START_SECONDS_MAX)
        yield pooled
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
