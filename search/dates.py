"""Days and months in a text, as Vietnamese and ISO write them; what is no day of the calendar is none.

A year of two digits ("3/5/99") is of either century: nothing says which, and a search that asks for both
finds what was meant, while few documents are of the other. It is read so in days alone, never in months.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_END = r"(?![\w/-]|\.\d| /)"  # what goes on is the number of a document: 1/2/2024/QĐ
_DAY = (
    re.compile(rf"(?<![\w/.-])(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}}){_END}"),
    re.compile(
        rf"(?<![\w/.-])(?P<d>\d{{1,2}}) ?(?P<s>[/.-]) ?(?P<m>\d{{1,2}}) ?(?P=s) ?(?P<y>\d{{4}}){_END}"
    ),
    re.compile(r"(?<!\w)(?:ngay )?(?P<d>\d{1,2}) thang (?P<m>\d{1,2})(?: nam|,)? (?P<y>\d{4})(?!\w)"),
    re.compile(rf"(?<![\w/.-])(?P<d>\d{{1,2}})(?P<s>[/.-])(?P<m>\d{{1,2}})(?P=s)(?P<y>\d{{2}}){_END}"),
    re.compile(r"(?<!\w)(?:ngay )?(?P<d>\d{1,2}) thang (?P<m>\d{1,2}) nam (?P<y>\d{2})(?!\w)"),
)
_MONTH = (
    re.compile(r"(?<!\w)thang (?P<m>\d{1,2}) ?(?:nam |/|-|,| ) ?(?P<y>\d{4})(?![\w/-])"),
    re.compile(rf"(?<![\w/.-])(?P<m>\d{{1,2}})/(?P<y>\d{{4}}){_END}"),
)
_CENTURIES = (1900, 2000)
_WHOLE_YEAR = 4  # digits


@dataclass(frozen=True)
class Spot:
    """A day, or a month without its day, at its place in a text.

    Args:
        years: one, or of two digits both that it may be.
        said: it cannot be the number of a document, too.
    """

    start: int
    end: int
    years: tuple[int, ...]
    month: int
    day: int | None
    said: bool

    @property
    def terms(self) -> tuple[str, ...]:
        """The words that stand for it in the index."""
        if self.day is None:
            return self.months
        return tuple(day_term(date(year, self.month, self.day)) for year in self.years)

    @property
    def months(self) -> tuple[str, ...]:
        """The words that stand for its month."""
        return tuple(month_term(year, self.month) for year in self.years)


def day_term(day: date) -> str:
    """Give the word of the index for a day; nobody types one that begins so, not even its first letter."""
    return f"#d{day:%Y%m%d}"


def month_term(year: int, month: int) -> str:
    """Give the word of the index for a month."""
    return f"#m{year:04d}{month:02d}"


def spots(aligned: str) -> list[Spot]:
    """Find days and months in a folded text (`vietnamese.aligned`), in order, none inside another."""
    found: list[Spot] = []
    for one in _candidates(aligned):
        if all(one.end <= other.start or other.end <= one.start for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _candidates(text: str) -> Iterator[Spot]:
    for pattern in (*_DAY, *_MONTH):
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month, day = int(parts["m"]), int(parts["d"]) if parts.get("d") else None
            first = 1 if day is None else day
            years = tuple(year for year in _years(parts["y"]) if _is_day(year, month, first))
            whole = len(parts["y"]) == _WHOLE_YEAR
            said = "thang" in match[0] or (day is not None and whole)
            if years:
                yield Spot(match.start(), match.end(), years, month, day, said)


def _years(written: str) -> tuple[int, ...]:
    if len(written) == _WHOLE_YEAR:
        return (int(written),)
    return tuple(century + int(written) for century in _CENTURIES)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
