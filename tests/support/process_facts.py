"""The kernel's figures for a process."""

import os
from pathlib import Path


def memory_bytes(pid):
    """Resident memory: {"VmRSS": all of it, "RssAnon": the part that is not backed by files}."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = {name: value.split() for name, _, value in (line.partition(":") for line in lines) if name in ("VmRSS", "RssAnon")}
    assert sizes, f"process {pid} has no resident memory: it has ended"
    return {name: int(number) * 1024 for name, (number, _) in sizes.items()}


def rss_bytes(pid):
    """Resident memory."""
    return memory_bytes(pid)["VmRSS"]


def cpu_seconds(pid):
    """CPU time so far, of all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written_bytes(pid):
    """Bytes that it has written to disk through the kernel so far."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise AssertionError(f"the kernel does not count what process {pid} writes")


def open_files(pid):
    """The number of open file descriptors, including sockets."""
    return len(os.listdir(f"/proc/{pid}/fd"))
