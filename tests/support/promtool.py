"""Checks of Prometheus files by promtool."""

import subprocess

from support import settings
from support.ingress_nginx import PROGRAMS


def assert_prometheus_takes(kind, path):
    """`kind`: config or rules, as for promtool."""
    result = subprocess.run([PROGRAMS / "usr/bin/promtool", "check", kind, path], capture_output=True, text=True, check=False,
                            timeout=settings.COMMAND_SECONDS_MAX)
    assert result.returncode == 0, result.stdout + result.stderr
