"""What the kernel says about a process."""

import os
from pathlib import Path


def rss_bytes(pid):
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no resident memory: it has ended")


def open_files(pid):
    """How many file descriptors are open, sockets included."""
    return len(os.listdir(f"/proc/{pid}/fd"))
