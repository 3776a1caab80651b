"""What a page looks like from afar: how much ink, how dark, how askew, any tint; by Pillow alone."""

from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageChops

LOOKED_AT = 50.0  # dots an inch
_EDGE = 0.03  # of each side: shadows of the lid and the glass
_INK = 48  # levels darker than the paper
_DARK = 64  # levels: what is below is nearly black
_TINT = 4  # levels between two colours that no rounding explains
_LEAST_INK = 0.003  # of a page, or there are no lines to tell a tilt from
_LONG_SIDE = 420  # pixels
_WIDEST = 12  # degrees


@dataclass(frozen=True)
class Looks:
    """Shares are 0 to 1; `skew` in degrees, clockwise positive, None where no lines tell."""

    ink: float
    dark: float
    tinted: bool
    skew: float | None


def looks(picture: Image.Image) -> Looks:
    """Look at a page (RGB, some 50 dots an inch)."""
    across, up = round(picture.width * _EDGE), round(picture.height * _EDGE)
    right, bottom = max(across + 1, picture.width - across), max(up + 1, picture.height - up)
    inner = picture.crop((across, up, right, bottom))
    grey = inner.convert("L")
    levels = grey.histogram()
    total = inner.width * inner.height
    paper = _median(levels, total)
    ink = sum(levels[: max(0, paper - _INK)]) / total
    dark = sum(levels[:_DARK]) / total
    return Looks(ink, dark, _tinted(inner), _skew(grey, paper) if ink >= _LEAST_INK and dark < 0.5 else None)


def _median(levels: list[int], total: int) -> int:
    passed = 0
    for level, count in enumerate(levels):
        passed += count
        if passed * 2 >= total:
            return level
    return 255


def _tinted(picture: Image.Image) -> bool:
    red, green, blue = picture.split()
    pairs = ((red, green), (green, blue))
    return any(ImageChops.difference(*pair).getextrema()[1] > _TINT for pair in pairs)  # type: ignore[operator]


def _skew(grey: Image.Image, paper: int) -> float:
    """Turn the page until its lines of ink stand out most, coarsely, then finely."""
    ink = grey.point([255 if level < paper - _INK else 0 for level in range(256)])
    scale = _LONG_SIDE / max(ink.size)
    small = (max(8, round(ink.width * scale)), max(8, round(ink.height * scale)))
    lines = ink.resize(small, Image.Resampling.BOX).convert("F")
    best = max(range(-_WIDEST, _WIDEST + 1), key=lambda angle: _contrast(lines, angle))
    finer = [best + step / 5 for step in range(-5, 6)]
    found = max(finer, key=lambda angle: _contrast(lines, angle))
    return round(found, 1)


def _contrast(lines: Image.Image, angle: float) -> float:
    turned = lines.rotate(angle, Image.Resampling.BILINEAR)
    column = turned.resize((1, lines.height), Image.Resampling.BOX)
    rows = [float(one) for one in column.get_flattened_data()]  # type: ignore[arg-type]
    return sum((after - before) ** 2 for before, after in pairwise(rows))
