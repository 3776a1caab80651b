"""The picture of one page, or why there is none."""

from dataclasses import dataclass

MOST_PIXELS = 2_500_000  # of one picture: an A4 page at 144 dots an inch has 2.0 million
LONGEST_SIDE = 4_000  # pixels, however narrow the page
DOTS_AN_INCH = 144


@dataclass(frozen=True)
class Picture:
    """One page as PNG; `pages` is how many the file has."""

    png: bytes
    width: int  # pixels
    height: int
    pages: int


@dataclass(frozen=True)
class NoPicture:
    """Why there is no picture.

    `reason` is a stable code: page_not_there (the file has `pages`), unreadable, encrypted, worker_timeout,
    worker_memory, worker_crashed.
    """

    reason: str
    pages: int | None = None
