"""Figures as rows of text: what, how much, as a share of what, and what else to know."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` compares it with the row it names, within the same run."""

    what: str
    figure: str
    ratio: str = ""
    note: str = ""


def shown(title: str, rows: Sequence[Row]) -> str:
    """Lay rows out under a title."""
    cells = [(row.what, row.figure, row.ratio, row.note) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    lines = [
        "  ".join((line[0].ljust(widths[0]), line[1].rjust(widths[1]), line[2].ljust(widths[2]), line[3]))
        for line in cells
    ]
    return "\n".join([title, *(f"  {line.rstrip()}" for line in lines), ""])
