"""Days and months in a text, as Vietnamese and ISO write them; what is no day of the calendar is none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_DAY = (
    re.compile(r"(?<![\w/.-])(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?![\w/-])"),
    re.compile(r"(?<![\w/.-])(?P<d>\d{1,2}) ?(?P<s>[/.-]) ?(?P<m>\d{1,2}) ?(?P=s) ?(?P<y>\d{4})(?![\w/-])"),
    re.compile(r"(?<!\w)(?:ngay )?(?P<d>\d{1,2}) thang (?P<m>\d{1,2})(?: nam|,)? (?P<y>\d{4})(?!\w)"),
)
_MONTH = (
    re.compile(r"(?<!\w)thang (?P<m>\d{1,2}) ?(?:nam |/|-|,| ) ?(?P<y>\d{4})(?!\w)"),
    re.compile(r"(?<![\w/.-])(?P<m>\d{1,2})/(?P<y>\d{4})(?![\w/-])"),
)


@dataclass(frozen=True)
class Spot:
    """A day, or a month without its day, at its place in a text; `said` where words name it as one."""

    start: int
    end: int
    year: int
    month: int
    day: int | None
    said: bool

    @property
    def term(self) -> str:
        """The word that stands for it in the index."""
        return (
            day_term(date(self.year, self.month, self.day)) if self.day else month_term(self.year, self.month)
        )


def day_term(day: date) -> str:
    """Give the word of the index for a day."""
    return f"d{day:%Y%m%d}"


def month_term(year: int, month: int) -> str:
    """Give the word of the index for a month."""
    return f"m{year:04d}{month:02d}"


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
            year, month, day = int(parts["y"]), int(parts["m"]), parts.get("d")
            try:
                date(year, month, int(day) if day else 1)
            except ValueError:
                continue
            said = day is not None or "thang" in match[0]
            yield Spot(match.start(), match.end(), year, month, int(day) if day else None, said)
