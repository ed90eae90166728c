"""The commands of docs/deploy.md."""

import os
import re

from cluster import run
from support.helm import ROOT

PAGE = ROOT / "docs/deploy.md"
HEADING = re.compile(r"^#+ +(.*)$")


def blocks():
    """Returns the text of each block marked `sh`, with the heading above it, in order."""
    heading, block, found = None, None, []
    for line in PAGE.read_text().splitlines():
        if block is not None:
            if line == "```":
                found.append((heading, "\n".join(block)))
                block = None
            else:
                block.append(line)
        elif line == "```sh":
            block = []
        elif match := HEADING.match(line):
            heading = match[1]
    return found


def commands(heading):
    """Returns the blocks under a heading. REQUIRES: there is one."""
    under = [text for where, text in blocks() if where == heading]
    assert under, f"{PAGE.name} has no commands under {heading!r}, but under {sorted({where for where, _ in blocks()})}"
    return under


def run_commands(text, folder, environment):
    """Runs commands as a reader of the page would, from the top of a repository."""
    return run("bash", "-euo", "pipefail", "-c", text, folder=folder, environment={**os.environ, **environment})
