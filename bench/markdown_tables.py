"""Figures as Markdown, for docs/performance.md."""

from statistics import median


def spread(values, form=",.2f"):
    """Returns the median with the minimum and the maximum: "1.23 (1.10 .. 1.31)"."""
    return f"{median(values):{form}} ({min(values):{form}} .. {max(values):{form}})"


def table(head, rows):
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
