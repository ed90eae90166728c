"""Fixtures that the tests of deploy/ share."""

import os

import pytest

from support.containers import run_script

PARTS = ("deb", "tar", "image", "chart")
AS_ROOT = ("image",)


def make_packages(folder):
    """Makes everything that can be installed, or without root what can be made without; returns the folder."""
    if os.geteuid() == 0:
        run_script("package", "--output", folder)
    else:
        for part in PARTS:
            if part not in AS_ROOT:
                run_script("package", "--only", part, "--output", folder)
    return folder


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The folder with what scripts/package makes, made once."""
    return make_packages(tmp_path_factory.mktemp("packages"))
