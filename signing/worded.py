"""What a worker reads of a PDF: the letters that are drawn, page by page, and the lines of page 1 by size."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line as it stands on the page: `size` is that of its letters, all measures are in points.

    `left`, `right` and `bottom` are its place, from the left lower corner of the page; lines are given from
    the top of the page down, those side by side from the left.
    """

    text: str
    size: float
    left: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Worded:
    """The words of a file.

    Args:
        pages: a text for each page, of the letters that can be seen.
        complete: whether that is all that the file says and shows in letters.
        lines: those of page 1.
        layer: a text for each page of the letters that lie unseen over a picture, as character recognition
            leaves them; empty where there are none.
        layer_lines: the lines of page 1 in that layer.
    """

    pages: tuple[str, ...]
    complete: bool
    lines: tuple[Line, ...] = ()
    layer: tuple[str, ...] = ()
    layer_lines: tuple[Line, ...] = ()
