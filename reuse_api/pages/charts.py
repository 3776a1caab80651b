"""Bar charts as inline SVG: shapes and classes alone, no script and no style of their own.

A chart stretches to its place; what must be read stands beside it as text, and in the table that says the
same in numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_HEIGHT = 100
_STEP = 10  # width of one column with its gap
_BAR = 7


@dataclass(frozen=True)
class Column:
    """One column: how much it stands for, and how much of that is marked out, at its foot."""

    number: int
    marked: int


def columns(values: Sequence[Column], *, id: str, title: str, description: str) -> Markup:
    """Draw columns side by side, the tallest as high as the chart; `title` and `description` are read out."""
    most = max((one.number for one in values), default=0) or 1
    width = max(len(values), 1) * _STEP
    shapes = [_grid(width)]
    for place, one in enumerate(values):
        left = place * _STEP + (_STEP - _BAR) / 2
        marked, rest = _share(one.marked, most), _share(one.number - one.marked, most)
        shapes.append(_rect("chart-bar", left, _HEIGHT - marked - rest, rest))
        shapes.append(_rect("chart-marked", left, _HEIGHT - marked, marked))
    return Markup(  # noqa: S704 - every value woven in was escaped or is a number of ours
        f'<svg class="chart-columns" viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-labelledby="{escape(id)}-title {escape(id)}-desc">'
        f'<title id="{escape(id)}-title">{escape(title)}</title>'
        f'<desc id="{escape(id)}-desc">{escape(description)}</desc>{"".join(shapes)}</svg>'
    )


def bar(number: int, marked: int, most: int) -> Markup:
    """Draw one lying bar beside a number that says the same: hidden from who cannot see it."""
    most = most or 1
    left, rest = 100 * marked / most, 100 * (number - marked) / most
    return Markup(  # noqa: S704 - numbers of ours alone
        '<svg class="chart-row" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false"><rect class="chart-marked" x="0" y="0" width="{left:.2f}" height="10"/>'
        f'<rect class="chart-bar" x="{left:.2f}" y="0" width="{rest:.2f}" height="10"/></svg>'
    )


def _grid(width: int) -> str:
    lines = (f'<line class="chart-line" x1="0" x2="{width}" y1="{y}" y2="{y}"/>' for y in (0, 50, 100))
    return "".join(lines)


def _share(number: int, most: int) -> float:
    """Give a height; whatever is there at all can be seen."""
    return max(_HEIGHT * number / most, 1.5) if number else 0


def _rect(kind: str, left: float, top: float, height: float) -> str:
    if not height:
        return ""
    return f'<rect class="{kind}" x="{left:g}" y="{top:.2f}" width="{_BAR}" height="{height:.2f}"/>'
