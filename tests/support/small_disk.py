"""A small file system of a test's own, which it can fill."""

import os
import subprocess

import pytest

from support import settings

FILLER_BYTES = 64 * 1024


class SmallDisk:
    """A tmpfs on `folder`."""

    def __init__(self, folder, size):
        self.folder = folder
        self._filler = folder / "filler"
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))

    def resize(self, size):
        _mount("-o", f"remount,size={size}", str(self.folder))

    def fill(self):
        """Takes all the space that is left."""
        with open(self._filler, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(FILLER_BYTES))
            except OSError:
                return

    def free(self):
        """Gives back what fill() has taken."""
        self._filler.unlink()

    def unmount(self):
        subprocess.run(["umount", str(self.folder)], check=True, timeout=settings.COMMAND_SECONDS_MAX)


def _mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, timeout=settings.COMMAND_SECONDS_MAX)


def make_small_disk(parent, size):
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small file system that this test fills")
    folder = parent / "disk"
    folder.mkdir()
    return SmallDisk(folder, size)
