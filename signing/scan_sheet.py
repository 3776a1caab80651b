"""One page of a scan: its size as it is seen, and the pictures that lie on it, in plain geometry."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Matrix = tuple[float, float, float, float, float, float]  # as in PDF: x' = ax + cy + e, y' = bx + dy + f

POINTS_AN_INCH = 72.0
MM_A_POINT = 25.4 / POINTS_AN_INCH
MOST_PAGES = 100  # of one scan
MOST_PIXELS = 80_000_000  # of one picture: A3 at 600 dots an inch has 70 million
MOST_DOTS = 65_500  # of one side of a picture: a JPEG, as copies have them, has no more
LONGEST_SIDE = 3_400.0  # points, of a page: A0 is 3,370 high
_CELLS = 60  # the page is looked at in so many cells each way, to tell how much of it is covered
_SLIGHT = 0.001  # of the page: what the smallest pictures may cover together and set no resolution
_ROUNDED = 0.01  # points: places are written with two decimals
_LEAST_COLOURS = ("bitonal", "grey", "unknown", "rgb", "cmyk")


@dataclass(frozen=True)
class Placed:
    """A picture on a page: its pixels, its colours, and where its unit square lies, in points as seen.

    `colour` is one of rgb, cmyk, grey, bitonal, unknown. `source` is what it is taken from.
    """

    width: int
    height: int
    colour: str
    matrix: Matrix
    source: Any = None

    @property
    def dpi(self) -> float:
        """Pixels an inch, the least of both axes; 0 for a picture without extent."""
        a, b, c, d, _, _ = self.matrix
        across, up = math.hypot(a, b), math.hypot(c, d)
        if not across or not up or not math.isfinite(across + up):
            return 0.0
        wide, high = max(across - _ROUNDED, across / 2), max(up - _ROUNDED, up / 2)
        return min(self.width / wide, self.height / high) * POINTS_AN_INCH

    @property
    def area(self) -> float:
        """Square points that it covers."""
        a, b, c, d, _, _ = self.matrix
        return abs(a * d - b * c)


@dataclass(frozen=True)
class Sheet:
    """A page as it is seen, in points; `alone` if one picture is everything that it shows.

    `scaled` tells whether its size is that of the paper (a photo has none); `others` counts what the page
    shows besides pictures.
    """

    width: float
    height: float
    images: tuple[Placed, ...]
    alone: bool
    scaled: bool = True
    others: int = 0

    @property
    def telling(self) -> Sequence[Placed]:
        """The pictures that say anything of the page, the largest first: strips count together.

        Only the smallest are left out, as long as all of them together are an ornament.
        """
        slight, told = _SLIGHT * self.width * self.height, list[Placed]()
        for one in sorted(self.images, key=lambda one: one.area):
            slight -= one.area
            if slight < 0:
                told.insert(0, one)
        return told

    @property
    def dpi(self) -> float:
        """The least resolution of its pictures; 0 without any."""
        return min((one.dpi for one in self.telling), default=0.0)

    @property
    def colour(self) -> str:
        """The colours of the picture that has the least of them; "none" without any."""
        found = (one.colour for one in self.telling)
        return min(found, key=_LEAST_COLOURS.index, default="none")

    @property
    def covered(self) -> float:
        """The share (0 to 1) of the page that pictures cover."""
        steps = [(place + 0.5) / _CELLS for place in range(_CELLS)]
        bare = [(x * self.width, y * self.height) for x in steps for y in steps]
        for one in self.telling:
            undone = inverse(one.matrix)
            if undone is not None:
                bare = [(x, y) for x, y in bare if not _inside(undone, x, y)]
        return 1 - len(bare) / _CELLS**2


def times(first: Matrix, then: Matrix) -> Matrix:
    """Give the matrix that does one and then the other."""
    a, b, c, d, e, f = first
    k, m, n, p, q, r = then
    return (a * k + b * n, a * m + b * p, c * k + d * n, c * m + d * p, e * k + f * n + q, e * m + f * p + r)


def inverse(matrix: Matrix) -> Matrix | None:
    """Give the matrix that undoes one; None if nothing does."""
    a, b, c, d, e, f = matrix
    area = a * d - b * c
    if not area or not math.isfinite(area):
        return None
    return (d / area, -b / area, -c / area, a / area, (c * f - d * e) / area, (b * e - a * f) / area)


def _inside(undone: Matrix, x: float, y: float) -> bool:
    a, b, c, d, e, f = undone
    return 0 <= a * x + c * y + e <= 1 and 0 <= b * x + d * y + f <= 1


def upright(width: float, height: float, orientation: int) -> Matrix:
    """Lay a picture on a page of this size as its EXIF orientation (1 to 8, TIFF 6.0, tag 274) says."""
    return {
        2: (-width, 0.0, 0.0, height, width, 0.0),
        3: (-width, 0.0, 0.0, -height, width, height),
        4: (width, 0.0, 0.0, -height, 0.0, height),
        5: (0.0, -height, -width, 0.0, width, height),
        6: (0.0, -height, width, 0.0, 0.0, height),
        7: (0.0, height, width, 0.0, 0.0, 0.0),
        8: (0.0, height, -width, 0.0, width, 0.0),
    }.get(orientation, (width, 0.0, 0.0, height, 0.0, 0.0))
